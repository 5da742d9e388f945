"""What a client may not send, beyond what `protocol.parse` finds malformed, and the Reason Code that it earns."""

from __future__ import annotations

from mqtttui.demo.codes import Code
from mqtttui.demo.messages import number, raw
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import Connect, Properties, Property, Publish, Subscribe
from mqtttui.protocol.properties import PROPERTIES, WILL, Kind
from mqtttui.protocol.topics import check_topic, is_shared

_ZERO_OR_ONE = frozenset(
    {PropertyId.PAYLOAD_FORMAT_INDICATOR, PropertyId.REQUEST_PROBLEM_INFORMATION, PropertyId.REQUEST_RESPONSE_INFORMATION}
)
_NOT_ZERO = frozenset({PropertyId.RECEIVE_MAXIMUM, PropertyId.MAXIMUM_PACKET_SIZE, PropertyId.SUBSCRIPTION_IDENTIFIER})


class Violation(Exception):
    """The connection must end: `code` is the v5 Reason Code, the text is for the Reason String."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def check_connect(connect: Connect) -> None:
    """Raises Violation for a CONNECT that no server may accept (section 3.1)."""
    if connect.protocol_name is not None:
        raise Violation(Code.UNSUPPORTED_VERSION, "the protocol name does not belong to this level")  # [MQTT-3.1.2-1]
    if connect.flags is not None:
        raise Violation(Code.MALFORMED, "the connect flags contradict each other")  # [MQTT-3.1.2-3], [MQTT-3.1.2-11 to -15]
    if connect.version is not Version.V5 and connect.password is not None and connect.username is None:
        raise Violation(Code.MALFORMED, "a password needs a user name in MQTT 3")  # [MQTT-3.1.2-22] of 3.1.1
    check_properties(connect.properties, PacketType.CONNECT)
    for text in (connect.client_id, connect.username):
        if text is not None and not well_formed(text):
            raise Violation(Code.MALFORMED, "a string is no UTF-8 or contains NUL")
    ids = {item.id for item in connect.properties}
    if PropertyId.AUTHENTICATION_DATA in ids and PropertyId.AUTHENTICATION_METHOD not in ids:
        raise Violation(Code.PROTOCOL_ERROR, "authentication data without a method")
    if connect.will is None:
        return
    if connect.will.qos > 2:
        raise Violation(Code.MALFORMED, "the will has QoS 3")  # [MQTT-3.1.2-12]
    check_properties(connect.will.properties, WILL)
    problem = check_topic(connect.will.topic, connect.version)
    if problem is not None:
        raise Violation(Code.TOPIC_INVALID, f"will: {problem}")


def check_publish(publish: Publish, version: Version) -> None:
    """Raises Violation for a PUBLISH that no server may accept from a client (section 3.3)."""
    if publish.qos and not publish.packet_id:
        raise Violation(Code.PROTOCOL_ERROR, "the packet identifier is 0")  # [MQTT-2.2.1-3]
    if publish.dup and not publish.qos:
        raise Violation(Code.PROTOCOL_ERROR, "DUP is set at QoS 0")  # [MQTT-3.3.1-2]
    check_properties(publish.properties, PacketType.PUBLISH)
    if any(item.id == PropertyId.SUBSCRIPTION_IDENTIFIER for item in publish.properties):
        raise Violation(Code.PROTOCOL_ERROR, "a client may not send a subscription identifier in PUBLISH")  # [MQTT-3.3.4-6]
    aliased = number(publish.properties, PropertyId.TOPIC_ALIAS) is not None
    problem = None if aliased and not raw(publish.topic) else check_topic(publish.topic, version)
    if problem is not None:
        raise Violation(Code.TOPIC_INVALID if publish.topic else Code.PROTOCOL_ERROR, problem)


def check_subscribe(subscribe: Subscribe) -> None:
    """Raises Violation for a SUBSCRIBE that no server may answer (section 3.8)."""
    if not subscribe.packet_id:
        raise Violation(Code.PROTOCOL_ERROR, "the packet identifier is 0")
    if not subscribe.requests:
        raise Violation(Code.PROTOCOL_ERROR, "SUBSCRIBE without a filter")  # [MQTT-3.8.3-2]
    check_properties(subscribe.properties, PacketType.SUBSCRIBE)
    if sum(item.id == PropertyId.SUBSCRIPTION_IDENTIFIER for item in subscribe.properties) > 1:
        raise Violation(Code.PROTOCOL_ERROR, "more than one subscription identifier")
    for request in subscribe.requests:
        if request.qos > 2 or request.reserved:
            raise Violation(Code.MALFORMED, "reserved bits of the subscription options are set")  # [MQTT-3.8.3-5]
        if request.retain_handling > 2:
            raise Violation(Code.PROTOCOL_ERROR, "Retain Handling 3 does not exist")
        if request.no_local and is_shared(raw(request.filter)):
            raise Violation(Code.PROTOCOL_ERROR, "No Local is not for shared subscriptions")  # [MQTT-3.8.3-4]


def check_properties(properties: Properties, packet: int) -> None:
    """Raises Violation for properties that may not stand in `packet` (a PacketType, or WILL), or not with this value."""
    seen: set[int] = set()
    for item in properties:
        spec = PROPERTIES[item.id]
        if packet not in spec.packets:
            raise Violation(Code.MALFORMED, f"{spec.name} does not belong here")  # section 2.2.2.2
        if item.id in seen and not spec.repeat:
            raise Violation(Code.PROTOCOL_ERROR, f"{spec.name} stands there twice")
        seen.add(item.id)
        _check_value(item, spec.kind, spec.name)


def well_formed(text: object) -> bool:
    """Whether a string is UTF-8 without NUL ([MQTT-1.5.4-1], [MQTT-1.5.4-2]); `parse` leaves ill-formed ones as bytes."""
    return isinstance(text, str) and "\0" not in text


def _check_value(item: Property, kind: Kind, name: str) -> None:
    texts = item.value if isinstance(item.value, tuple) else (item.value,) if kind is Kind.STRING else ()
    if not all(well_formed(text) for text in texts):
        raise Violation(Code.MALFORMED, f"{name} is no UTF-8 or contains NUL")
    if item.id in _ZERO_OR_ONE and item.value not in (0, 1):
        raise Violation(Code.PROTOCOL_ERROR, f"{name} is neither 0 nor 1")
    if item.id in _NOT_ZERO and item.value == 0:
        raise Violation(Code.PROTOCOL_ERROR, f"{name} is 0")
    if item.id == PropertyId.TOPIC_ALIAS and item.value == 0:
        raise Violation(Code.TOPIC_ALIAS_INVALID, "Topic Alias 0 does not exist")  # [MQTT-3.3.2-8]
    if item.id == PropertyId.RESPONSE_TOPIC and isinstance(item.value, str) and check_topic(item.value, Version.V5):
        raise Violation(Code.PROTOCOL_ERROR, "the response topic is no topic name")  # [MQTT-3.3.2-14]
