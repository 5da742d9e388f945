"""How a conversation learns: what each packet changes about the facts, and what its end leaves to the session."""

from __future__ import annotations

from mqtttui.analysis.expert.conversation import Conversation
from mqtttui.analysis.expert.seen import Seen
from mqtttui.analysis.expert.session import Connected, Sessions
from mqtttui.analysis.expert.state import Closing, Limits
from mqtttui.analysis.expert.timeouts import SECOND
from mqtttui.capture.records import Origin
from mqtttui.protocol.enums import Direction, PropertyId, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.packets import Connack, Connect, Disconnect, Properties, connect_flags
from mqtttui.protocol.peek import body_start

_C2S, _S2C = Direction.C2S, Direction.S2C
_PINGS = frozenset({P.PINGREQ, P.PINGRESP})
_QUIET = frozenset({P.PUBLISH, P.PUBACK, P.PUBREC, P.PUBREL, P.PUBCOMP}) | _PINGS
"""Packets that change nothing that plain messages are judged by."""
_NEVER = 0xFFFFFFFF


def begin(conversation: Conversation, seen: Seen, *, missed: bool) -> None:
    """`seen` is the first packet of the connection that is read; with `missed`, earlier ones may have been evicted."""
    starts = seen.kind is P.CONNECT and seen.direction is _C2S
    if not starts and (missed or conversation.info.origin is Origin.FILE):
        lose(conversation)


def lose(conversation: Conversation) -> None:
    """Packets of the conversation were not seen: what they said is not known."""
    conversation.partial = True
    conversation.accepted = True
    conversation.foreign_session = True
    conversation.subscriptions.uncertain = True
    conversation.in_flight.uncertain = True
    for space in conversation.in_flight.spaces:
        space.forget()
    conversation.unsettle()


def learn(conversation: Conversation, seen: Seen, sessions: Sessions) -> None:
    """Brings the facts of `conversation` forward by one packet."""
    conversation.last_no[seen.direction] = seen.no
    if seen.kind not in _PINGS:
        conversation.last_busy = seen.no
    if seen.kind in _QUIET:
        return
    conversation.unsettle()
    match seen.kind, seen.direction:
        case P.CONNECT, Direction.C2S if not conversation.connect_no:
            _connect(conversation, seen, sessions)
        case P.CONNACK, Direction.S2C if not conversation.connack_no:
            _connack(conversation, seen, sessions)
        case P.DISCONNECT, _ if conversation.closing[seen.direction] is None:
            _disconnect(conversation, seen)
        case _:
            pass


def end(conversation: Conversation, mono: int) -> None:
    """The connection ended at `mono`: what the session keeps."""
    session = conversation.session
    if session.holder is not conversation:
        return
    session.holder = None
    session.connections += 1
    session.ended = mono
    closing = conversation.closing[_C2S]
    session.left = closing is not None and closing.code == 0
    server = conversation.closing[_S2C]
    session.last_code = server.code if server is not None else None
    session.will = conversation.will
    if not conversation.accepted:
        return
    expiry = session_expiry(conversation)
    session.kept = expiry > 0
    session.kept_until = None if expiry in (0, _NEVER) else mono + expiry * SECOND
    session.subscriptions = conversation.subscriptions if expiry else None
    session.in_flight = conversation.in_flight if expiry else None


def session_expiry(conversation: Conversation) -> int:
    """Seconds that the server has to keep the session after the connection; 0xFFFFFFFF for ever, 0 not at all."""
    connect = conversation.connect
    if conversation.version is not Version.V5:
        return 0 if connect is None or is_clean(connect) else _NEVER
    return conversation.expiry


def is_clean(connect: Connect) -> bool:
    """Clean Session or Clean Start as it stands in the flags."""
    flags = connect.flags if connect.flags is not None else connect_flags(connect)
    return bool(flags & 2)


def number(properties: Properties, wanted: PropertyId, default: int) -> int:
    """The value of the first property `wanted`, `default` if there is none."""
    value = next((item.value for item in properties if item.id == wanted), default)
    return value if isinstance(value, int) else default


def text_bytes(text: str | bytes) -> bytes:
    """A string of a packet as it stood on the wire."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def _connect(conversation: Conversation, seen: Seen, sessions: Sessions) -> None:
    conversation.connect_no = seen.no
    conversation.connect_mono = seen.mono
    packet = seen.packet
    if not isinstance(packet, Connect):
        return
    conversation.connect = packet
    conversation.will = packet.will
    conversation.keep_alive = packet.keep_alive
    conversation.expiry = number(packet.properties, PropertyId.SESSION_EXPIRY_INTERVAL, 0)
    _limits(conversation.limits[_S2C], packet.properties)
    _join(conversation, seen, sessions, text_bytes(packet.client_id))


def _join(conversation: Conversation, seen: Seen, sessions: Sessions, client_id: bytes) -> None:
    session = conversation.session = sessions.of(conversation.info, client_id)
    before = session.holder
    if before is not None and before is not conversation:
        # The earlier connection is still open: the server takes the session away from it [MQTT-3.1.4-2], [MQTT-3.1.4-3].
        end(before, seen.mono)
    session.holder = conversation
    session.connects.append(Connected(seen.no, seen.mono, bool(session.connections) and not session.left))


def _connack(conversation: Conversation, seen: Seen, sessions: Sessions) -> None:
    conversation.connack_no = seen.no
    packet = seen.packet
    if not isinstance(packet, Connack):
        raw = seen.raw
        at = body_start(raw, 0) + 1 if len(raw) > 2 else len(raw)
        conversation.accepted = at < len(raw) and raw[at] == 0
        return
    conversation.connack = packet
    conversation.accepted = packet.code == 0
    properties = packet.properties
    conversation.keep_alive = number(properties, PropertyId.SERVER_KEEP_ALIVE, conversation.keep_alive)
    conversation.expiry = number(properties, PropertyId.SESSION_EXPIRY_INTERVAL, conversation.expiry)
    _limits(conversation.limits[_C2S], properties)
    features = conversation.features
    features.maximum_qos = number(properties, PropertyId.MAXIMUM_QOS, 2)
    features.retain = number(properties, PropertyId.RETAIN_AVAILABLE, 1) != 0
    features.wildcards = number(properties, PropertyId.WILDCARD_SUBSCRIPTION_AVAILABLE, 1) != 0
    features.identifiers = number(properties, PropertyId.SUBSCRIPTION_IDENTIFIER_AVAILABLE, 1) != 0
    features.shared = number(properties, PropertyId.SHARED_SUBSCRIPTION_AVAILABLE, 1) != 0
    connect = conversation.connect
    assigned = seen.value_of(PropertyId.ASSIGNED_CLIENT_IDENTIFIER)
    if connect is not None and not connect.client_id and isinstance(assigned, str | bytes):
        _join(conversation, seen, sessions, text_bytes(assigned))
    if conversation.accepted:
        _resume(conversation, packet)


def _resume(conversation: Conversation, packet: Connack) -> None:
    """Takes over what the session held, if it goes on."""
    connect, session = conversation.connect, conversation.session
    # A CONNACK of MQTT 3.1 does not say whether there was a session.
    silent = conversation.version is Version.V31 and connect is not None and not is_clean(connect)
    # A session that was to begin clean has nothing to go on from, whatever the server says (C21).
    asked_clean = connect is not None and is_clean(connect)
    conversation.resumed = (packet.session_present and not asked_clean) or silent
    if not conversation.resumed:
        return
    conversation.foreign_session = session.subscriptions is None
    if session.subscriptions is not None:
        conversation.subscriptions = session.subscriptions.carried()
    if session.in_flight is not None:
        conversation.in_flight = session.in_flight.carried()
    if conversation.foreign_session:
        conversation.subscriptions.uncertain = True
        conversation.in_flight.uncertain = True


def _disconnect(conversation: Conversation, seen: Seen) -> None:
    packet = seen.packet
    code = packet.reason_code or 0 if isinstance(packet, Disconnect) else 0
    conversation.closing[seen.direction] = Closing(seen.no, seen.mono, code)
    if seen.direction is _C2S:
        conversation.expiry = number(seen.properties, PropertyId.SESSION_EXPIRY_INTERVAL, conversation.expiry)


def _limits(limits: Limits, properties: Properties) -> None:
    limits.receive_maximum = number(properties, PropertyId.RECEIVE_MAXIMUM, limits.receive_maximum)
    limits.packet_size = number(properties, PropertyId.MAXIMUM_PACKET_SIZE, 0) or None
    limits.alias_maximum = number(properties, PropertyId.TOPIC_ALIAS_MAXIMUM, 0)
