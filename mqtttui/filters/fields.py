"""Every name that a filter may use: type, meaning, value strings, and whether Wireshark has it (inspector.md 1.10 and 6.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mqtttui.filters.types import Type
from mqtttui.protocol.properties import PROPERTIES, Kind
from mqtttui.protocol.values import BOOLEANS, VALUE_STRINGS


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One name."""

    name: str
    type: Type
    description: str
    """One line."""
    bits: int = 0
    """Width of a UINT."""
    value_strings: Mapping[int, str] = field(default_factory=dict, compare=False, repr=False)
    """Number -> text that may stand in quotes in its place, whole and without regard to case."""
    portable: bool = True
    """Wireshark has it."""
    hint: str = ""
    """Where Wireshark gives another result; one sentence."""
    changes: bool = False
    """Its value can change after the packet came."""
    bare: bool = False
    """Only its presence can be tested."""
    keyed: bool = False
    """Names in `["…"]` behind it lead to a value inside."""
    dissected: bool = False
    """Its values stand in the packet's dissection under this name."""

    @property
    def maximum(self) -> int:
        """The largest value of a UINT."""
        return (1 << self.bits) - 1


MARK, TEXT, RAW, FLAG, PROTOCOL = Type.NONE, Type.STRING, Type.BYTES, Type.BOOL, Type.PROTOCOL

_Row = tuple[str, Type | int, str]
"""Name, type (a number: the width of a UINT), description."""

_MQTT: tuple[_Row, ...] = (
    ("mqtt.len", 64, "Remaining Length"),
    ("mqtt.hdrflags", 8, "first byte: packet type and flags"),
    ("mqtt.msgtype", 8, "packet type"),
    ("mqtt.hdr_reserved", 8, "the four flag bits of packets other than PUBLISH"),
    ("mqtt.retain_reserved", 8, "unused RETAIN bit of PUBREL, SUBSCRIBE and UNSUBSCRIBE in 3.1"),
    ("mqtt.dupflag", FLAG, "DUP of a PUBLISH: sent again"),
    ("mqtt.qos", 8, "QoS of a PUBLISH"),
    ("mqtt.retain", FLAG, "RETAIN of a PUBLISH"),
    ("mqtt.conack.flags.reserved", FLAG, "reserved bits of CONNACK"),
    ("mqtt.conack.flags", 8, "first byte of CONNACK"),
    ("mqtt.conack.flags.sp", FLAG, "Session Present"),
    ("mqtt.conack.val", 8, "return code of CONNACK in 3.x"),
    ("mqtt.msgid", 16, "Packet Identifier; each side counts on its own"),
    ("mqtt.sub.qos", 8, "requested QoS of SUBSCRIBE in 3.x"),
    ("mqtt.suback.qos", 8, "return code of SUBACK in 3.x"),
    ("mqtt.topic_len", 16, "length of a topic or filter"),
    ("mqtt.topic", TEXT, "topic of a PUBLISH; filters of SUBSCRIBE and UNSUBSCRIBE"),
    ("mqtt.willtopic_len", 16, "length of the will's topic"),
    ("mqtt.willtopic", TEXT, "topic of the will"),
    ("mqtt.willmsg_len", 16, "length of the will's payload"),
    ("mqtt.willmsg", RAW, "payload of the will"),
    ("mqtt.username_len", 16, "length of the user name"),
    ("mqtt.username", TEXT, "user name"),
    ("mqtt.passwd_len", 16, "length of the password"),
    ("mqtt.passwd", TEXT, "password"),
    ("mqtt.msg", RAW, "payload of a PUBLISH"),
    ("mqtt.proto_len", 16, "length of the protocol name"),
    ("mqtt.protoname", TEXT, "protocol name, MQTT or MQIsdp"),
    ("mqtt.clientid_len", 16, "length of the client id"),
    ("mqtt.clientid", TEXT, "client id; stands in CONNECT only"),
    ("mqtt.ver", 8, "protocol level; stands in CONNECT only"),
    ("mqtt.conflags", 8, "Connect Flags"),
    ("mqtt.conflag.uname", FLAG, "User Name Flag"),
    ("mqtt.conflag.passwd", FLAG, "Password Flag"),
    ("mqtt.conflag.retain", FLAG, "Will Retain"),
    ("mqtt.conflag.qos", 8, "Will QoS"),
    ("mqtt.conflag.willflag", FLAG, "Will Flag"),
    ("mqtt.conflag.cleansess", FLAG, "Clean Session, Clean Start in MQTT 5"),
    ("mqtt.conflag.reserved", FLAG, "reserved Connect Flag"),
    ("mqtt.kalive", 16, "Keep Alive in seconds"),
    ("mqtt.subscription_options", 8, "Subscription Options of MQTT 5"),
    ("mqtt.subscription_options_qos", 8, "requested QoS of SUBSCRIBE in MQTT 5"),
    ("mqtt.subscription_options_nl", FLAG, "No Local"),
    ("mqtt.subscription_options_rap", FLAG, "Retain As Published"),
    ("mqtt.subscription_options_retain", 8, "Retain Handling"),
    ("mqtt.subscription_options_reserved", 8, "reserved bits of the Subscription Options"),
    ("mqtt.connack.reason_code", 8, "reason code of CONNACK in MQTT 5"),
    ("mqtt.puback.reason_code", 8, "reason code of PUBACK, if it has one"),
    ("mqtt.pubrec.reason_code", 8, "reason code of PUBREC, if it has one"),
    ("mqtt.pubrel.reason_code", 8, "reason code of PUBREL, if it has one"),
    ("mqtt.pubcomp.reason_code", 8, "reason code of PUBCOMP, if it has one"),
    ("mqtt.suback.reason_code", 8, "reason codes of SUBACK in MQTT 5"),
    ("mqtt.unsuback.reason_code", 8, "reason codes of UNSUBACK in MQTT 5"),
    ("mqtt.disconnect.reason_code", 8, "reason code of DISCONNECT, if it has one"),
    ("mqtt.auth.reason_code", 8, "reason code of AUTH, if it has one"),
    ("mqtt.properties", MARK, "the packet has a property list"),
    ("mqtt.will_properties", MARK, "the will has a property list"),
    ("mqtt.property_len", 64, "length of a property list"),
    ("mqtt.property_id", 8, "identifier of a property"),
    ("mqtt.prop_number", 32, "value of any property with a number"),
    ("mqtt.property.content_type", TEXT, "Content Type"),
    ("mqtt.property.max_qos", 8, "Maximum QoS"),
    ("mqtt.property.topic_alias", 16, "Topic Alias"),
    ("mqtt.prop_unknown", TEXT, "what stands behind an unknown property"),
    ("mqtt.prop_string_len", 32, "length of a property's text"),
    ("mqtt.prop_string", TEXT, "value of any property with text or bytes"),
    ("mqtt.prop_key_len", 32, "length of a user property's name"),
    ("mqtt.prop_key", TEXT, "name of a user property"),
    ("mqtt.prop_value_len", 32, "length of a user property's value"),
    ("mqtt.prop_value", TEXT, "value of a user property"),
    ("mqtt.illegal_topic_length", MARK, "a topic or filter is empty"),
    ("mqtt.unknown_topic_alias", MARK, "nobody knows what the topic alias stands for"),
)

_FRAMES = "it counts as in a TCP/IP export: headers of 40 bytes (IPv6: 60) in front of each packet"
_SHOWN_AS_TEXT = 'Wireshark has {} only with the preference "Show Message as text", and then hides {}.'
_EXPERT = "Wireshark has three checks for MQTT, and takes comments for findings; here are many more."
_NO_MARKS = "Wireshark keeps {} while it runs, not in files: there this matches nothing."
_TRANSPORT = "Exported packets come without {}: there this matches nothing."

_SEVERITIES = {0x100000: "Comment", 0x200000: "Chat", 0x400000: "Note", 0x600000: "Warning", 0x800000: "Error"}
EXPERT_GROUPS = {
    0x02000000: "Sequence",
    0x03000000: "Response",
    0x04000000: "Request",
    0x05000000: "Undecoded",
    0x07000000: "Malformed",
    0x09000000: "Protocol",
    0x0A000000: "Security",
    0x0D000000: "Assumption",
}
_TRUE_FALSE = {0: "False", 1: "True"}


def _spec(name: str, kind: Type | int, description: str, **more: object) -> FieldSpec:
    type_, bits = (Type.UINT, kind) if isinstance(kind, int) else (kind, 0)
    strings = VALUE_STRINGS.get(name, {} if type_ is not Type.BOOL else BOOLEANS if name.startswith("mqtt.") else _TRUE_FALSE)
    return FieldSpec(name, type_, description, **{"bits": bits, "value_strings": strings, **more})  # type: ignore[arg-type]


_WIRESHARK = (
    *(_spec(*row, dissected=True) for row in _MQTT),
    _spec("mqtt", PROTOCOL, "the bytes of the control packet"),
    _spec("mqtt.msg_text", TEXT, "payload of a PUBLISH as text", hint=_SHOWN_AS_TEXT.format("mqtt.msg_text", "mqtt.msg")),
    _spec("mqtt.willmsg_text", TEXT, "payload of the will as text", hint=_SHOWN_AS_TEXT.format("mqtt.willmsg_text", "mqtt.willmsg")),
    _spec("mqtt.unknown_version", MARK, "the version of the connection is not known; here it always is"),
    _spec("frame", PROTOCOL, "the bytes of the packet", hint="In Wireshark a frame begins with headers, here with the MQTT packet."),
    _spec("frame.number", 32, "No. of the packet; in an opened file, of its frame"),
    _spec("frame.time", Type.TIME, 'when it was seen, "2024-05-31 18:30:00.5", local time'),
    _spec("frame.time_epoch", Type.DURATION, "when it was seen, in seconds since 1970"),
    _spec("frame.time_relative", Type.DURATION, "seconds since the first packet that is kept"),
    _spec("frame.time_delta", Type.DURATION, "seconds since the packet before"),
    _spec("frame.len", 32, "size of the frame", hint=f"frame.len depends on the export: {_FRAMES}."),
    _spec("frame.cap_len", 32, "size of the frame as far as it was captured", hint=f"frame.cap_len depends on the export: {_FRAMES}."),
    _spec("frame.comment", TEXT, "comment on the packet", changes=True),
    _spec("frame.marked", FLAG, "the packet is marked", changes=True, hint=_NO_MARKS.format("marks")),
    _spec("frame.ignored", FLAG, "the packet is ignored; never set here"),
    _spec("frame.interface_name", TEXT, "connection and its number, as an export names it"),
    _spec("frame.packet_flags_direction", 32, "1 received, 2 sent by the client"),
    _spec("frame.packet_id", 64, "No. of the packet"),
    _spec("frame.protocols", TEXT, "protocols of the frame", hint="frame.protocols depends on the export: here it is that of TCP/IP."),
    _spec("ip", PROTOCOL, "the connection uses IPv4", bare=True),
    _spec("ip.src", Type.IPV4, "address of the sender"),
    _spec("ip.dst", Type.IPV4, "address of the receiver"),
    _spec("ip.addr", Type.IPV4, "address of sender and receiver"),
    _spec("ipv6", PROTOCOL, "the connection uses IPv6", bare=True),
    _spec("ipv6.src", Type.IPV6, "address of the sender"),
    _spec("ipv6.dst", Type.IPV6, "address of the receiver"),
    _spec("ipv6.addr", Type.IPV6, "address of sender and receiver"),
    _spec("tcp", PROTOCOL, "the connection uses TCP", bare=True),
    _spec("tcp.srcport", 16, "port of the sender"),
    _spec("tcp.dstport", 16, "port of the receiver"),
    _spec("tcp.port", 16, "port of sender and receiver"),
    _spec("tcp.stream", 32, "number of the connection, from 0"),
    _spec(
        "tcp.len", 32, "size of the control packet", hint="tcp.len is the control packet's size here; a TCP segment may hold less or more."
    ),
    _spec("tcp.payload", RAW, "bytes of the control packet"),
    _spec("tls", PROTOCOL, "the connection uses TLS", bare=True, hint=_TRANSPORT.format("TLS")),
    _spec("websocket", PROTOCOL, "the connection uses WebSocket", bare=True, hint=_TRANSPORT.format("WebSocket")),
    _spec("_ws.expert", MARK, "there is a finding on the packet", changes=True, hint=_EXPERT),
    _spec("_ws.expert.severity", 32, "severity of a finding", value_strings=_SEVERITIES, changes=True, hint=_EXPERT),
    _spec("_ws.expert.group", 32, "kind of finding", value_strings=EXPERT_GROUPS, changes=True, hint=_EXPERT),
    _spec("_ws.expert.message", TEXT, "sentence of a finding", changes=True, hint=_EXPERT),
    _spec("_ws.malformed", MARK, "the packet could not be read to its end", hint="Wireshark and mqtttui differ on what is malformed."),
    _spec("_ws.col.info", TEXT, "the Info text", hint="_ws.col.info needs Wireshark 4.2; its Info text is shorter."),
    _spec("_ws.col.protocol", TEXT, "the Protocol column, MQTT", hint="_ws.col.protocol needs Wireshark 4.2."),
)

SEVERITY_WORDS = {1: "chat", 2: "note", 3: "warn", 4: "error"}


def _own(name: str, kind: Type | int, description: str, **more: object) -> FieldSpec:
    return _spec(f"mqtttui.{name}", kind, description, portable=False, **more)


_OWN = (
    _own("topic", TEXT, "topic of the packet, or of the packet that it answers"),
    _own("conn", TEXT, "name of the connection"),
    _own("conn.clientid", TEXT, "client id in force on the connection", changes=True),
    _own("conn.ver", 8, "MQTT version of the connection", value_strings=VALUE_STRINGS["mqtt.ver"]),
    _own("profile", TEXT, "name of the profile or connection"),
    _own("dir", TEXT, '"in" or "out", as the client sees it'),
    _own("rtt", Type.FLOAT, "of an answer: milliseconds since its request"),
    _own("request_in", 64, "of an answer: No. of its request"),
    _own("response_in", 64, "of a request: No. of its answer", changes=True),
    _own("unacked", FLAG, "a request without an answer so far", changes=True),
    _own("op.kind", TEXT, "what the operation of the packet is, such as publish", changes=True),
    _own("op.state", TEXT, '"open", "done" or "failed"', changes=True),
    _own("op.reason", 8, "reason code that ended the operation", changes=True),
    _own("op.total", Type.FLOAT, "milliseconds that the operation took", changes=True),
    _own("op.age", Type.FLOAT, "milliseconds for which the operation has been open", changes=True),
    _own("op.start", 64, "No. of the packet that began the operation", changes=True),
    _own("expert", TEXT, "sentence of a finding; alone: there is one", changes=True),
    _own("expert.id", TEXT, "number of the check, such as D12", changes=True),
    _own("expert.severity", 8, "severity of a finding", value_strings=SEVERITY_WORDS, changes=True),
    _own("bookmark", FLAG, "the packet is marked", changes=True),
    _own("comment", TEXT, "the user's comment on the packet", changes=True),
    _own("json", Type.JSON, 'value in a JSON payload: mqtttui.json["a"]["b"]', keyed=True),
)

_KINDS: dict[Kind, Type | int] = {
    Kind.BYTE: 8,
    Kind.UINT16: 16,
    Kind.UINT32: 32,
    Kind.VARIABLE: 32,
    Kind.STRING: TEXT,
    Kind.BINARY: RAW,
    Kind.PAIR: TEXT,
}

PROPERTY_NAMES = {f"mqtttui.prop.{spec.name.lower().replace(' ', '_')}": spec.id for spec in PROPERTIES.values()}
"""Own name of each property of MQTT 5 -> its identifier."""

_PROPERTIES = tuple(
    FieldSpec(
        name,
        *((Type.UINT, PROPERTIES[key].name, kind) if isinstance(kind, int) else (kind, PROPERTIES[key].name, 0)),
        portable=False,
        keyed=PROPERTIES[key].kind is Kind.PAIR,
    )
    for name, key in PROPERTY_NAMES.items()
    for kind in (_KINDS[PROPERTIES[key].kind],)
)

FIELDS: dict[str, FieldSpec] = {spec.name: spec for spec in (*_WIRESHARK, *_OWN, *_PROPERTIES)}
"""Name -> specification."""

_TCP = "Only the MQTT packets are recorded, not TCP."

REFUSED: dict[str, tuple[str, str]] = {
    "mqtt.msg_decoded_as": ("No payload is decoded here.", "Use mqtt.msg."),
    "mqtttui.saved": ("There is no mqtttui.saved.", "Use mqtttui.bookmark."),
    "mqtttui.matches_filter": ("mqtttui.matches_filter is a function.", 'Write topic(mqtt.topic, "a/+/#").'),
    "tcp.flags": (_TCP, "Leave it out."),
    "tcp.analysis": (_TCP, "Leave it out."),
    "tcp": (_TCP, "There are tcp.port, tcp.srcport, tcp.dstport, tcp.stream and tcp.len."),
    "ip": (_TCP, "There are ip.src, ip.dst and ip.addr."),
    "ipv6": (_TCP, "There are ipv6.src, ipv6.dst and ipv6.addr."),
    "tls": ("What TLS says is not recorded.", "There is tls alone: the connection uses TLS."),
    "http": ("Only the MQTT packets are recorded, not HTTP.", "There is websocket: the connection uses WebSocket."),
    "ws": ("Only the MQTT packets are recorded, not WebSocket frames.", "There is websocket: the connection uses WebSocket."),
    "websocket": ("Only the MQTT packets are recorded, not WebSocket frames.", "There is websocket alone."),
    "eth": ("Only the MQTT packets are recorded, not Ethernet.", "Leave it out."),
    "udp": ("MQTT does not use UDP.", "Leave it out."),
    "exported_pdu": ("This name exists in exported files only.", "Use ip.addr or tcp.port."),
    "_ws.col": ("Only _ws.col.info and _ws.col.protocol are known.", "Test the field that the column shows."),
    "frame": ("This is not known of a frame.", "The known names begin with frame.time, frame.number, frame.comment."),
}
"""Names, and what begins with them and a dot, that Wireshark has and we do not: problem and remedy."""


def refusal(name: str) -> tuple[str, str] | None:
    """Why a name of Wireshark is not offered: problem and remedy; None if nothing is known of it."""
    while name:
        if name in REFUSED:
            return REFUSED[name]
        name = name.rpartition(".")[0]
    return None
