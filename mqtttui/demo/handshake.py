"""From CONNECT to CONNACK (MQTT 5, sections 3.1.4 and 3.2)."""

from __future__ import annotations

from mqtttui.demo import refusals
from mqtttui.demo.codes import Code
from mqtttui.demo.limits import Limits
from mqtttui.demo.messages import number
from mqtttui.demo.violations import Violation, check_connect
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connack, Connect, Property, encode
from mqtttui.protocol.parse import connect_level

_RETURN_CODES: dict[int, int] = {Code.UNSUPPORTED_VERSION: 1, Code.BAD_CLIENT_ID: 2, Code.NOT_AUTHORIZED: 5}
"""Reason Code -> return code of MQTT 3 (3.1.1, table 3.1); for all others the connection is closed without a word."""
_HIGHEST_LEVEL = 5
_LONGEST_ECHO = 64
"""Characters of the client id in the Response Information: with a prefix, a long one would not fit into a string."""


def check(connect: Connect, limits: Limits) -> None:
    """Raises Violation if this client is not let in."""
    check_connect(connect)
    if not connect.client_id and (connect.version is Version.V31 or not (connect.clean or connect.version is Version.V5)):
        raise Violation(Code.BAD_CLIENT_ID, "an empty client id needs a clean session")  # [MQTT-3.1.3-8] of 3.1.1
    if connect.will is not None and connect.will.qos > limits.maximum_qos:
        raise Violation(Code.QOS_NOT_SUPPORTED, "the will has a QoS above the Maximum QoS")  # [MQTT-3.2.2-12]
    if connect.will is not None and connect.will.retain and not limits.retain_available:
        raise Violation(Code.RETAIN_NOT_SUPPORTED, "the will is retained, which is not available")  # [MQTT-3.2.2-13]
    refusal = refusals.of_connect(connect)
    if refusal is not None:
        raise Violation(refusal.code, refusal.text)


def accepted(connect: Connect, limits: Limits, *, assigned: str, present: bool) -> Connack:
    """The CONNACK of a client that is let in; `assigned` is the client id made up for it, or empty."""
    if connect.version is Version.V31:
        return Connack()  # the flag came with 3.1.1
    if connect.version is not Version.V5:
        return Connack(session_present=present)
    properties = limits.properties()
    if assigned:
        properties += (Property(PropertyId.ASSIGNED_CLIENT_IDENTIFIER, assigned),)
    if number(connect.properties, PropertyId.REQUEST_RESPONSE_INFORMATION):
        properties += (Property(PropertyId.RESPONSE_INFORMATION, f"demo/response/{(assigned or str(connect.client_id))[:_LONGEST_ECHO]}"),)
    return Connack(0, present, properties)


def refused(violation: Violation, version: Version) -> Connack | None:
    """The CONNACK that says why not; None where MQTT 3 has no word for it."""
    if version is Version.V5:
        return Connack(violation.code, properties=(Property(PropertyId.REASON_STRING, violation.text),))
    code = _RETURN_CODES.get(violation.code)
    return None if code is None else Connack(code)


def answer_to_unreadable(raw: bytes) -> bytes:
    """What a CONNECT that cannot be parsed gets before the connection is closed; may be nothing."""
    named = connect_level(raw)
    if named is None or named[0] not in (b"MQTT", b"MQIsdp"):
        return b""  # no MQTT at all [MQTT-3.1.2-1]
    level = named[1]
    if level == _HIGHEST_LEVEL:
        connack = refused(Violation(Code.MALFORMED, "this CONNECT cannot be read"), Version.V5)
        return encode(connack, Version.V5) if connack is not None else b""
    if level > _HIGHEST_LEVEL:
        return encode(Connack(Code.UNSUPPORTED_VERSION), Version.V5)  # [MQTT-3.1.2-2]
    return encode(Connack(1), Version.V311) if level not in (Version.V31, Version.V311) else b""
