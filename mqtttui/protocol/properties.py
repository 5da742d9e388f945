"""The 27 properties of MQTT 5 (section 2.2.2.2, table 2-4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.enums import PropertyId as I


class Kind(Enum):
    """The data type of a property's value."""

    BYTE = "byte"
    UINT16 = "two byte integer"
    UINT32 = "four byte integer"
    VARIABLE = "variable byte integer"
    STRING = "UTF-8 string"
    BINARY = "binary data"
    PAIR = "UTF-8 string pair"


@dataclass(frozen=True, slots=True)
class PropertySpec:
    """One row of the table."""

    id: int
    name: str
    kind: Kind
    packets: frozenset[int]
    """Packet types in which it may stand; WILL for the will properties."""
    repeat: bool = False
    """May occur more than once (Subscription Identifier: only in PUBLISH)."""
    hint: str = ""
    """One line for a person who debugs."""


WILL = 16
"""Stands for the Will Properties in `PropertySpec.packets` (they are no packet of their own)."""

_ALL_ACKS = (P.PUBACK, P.PUBREC, P.PUBREL, P.PUBCOMP, P.SUBACK, P.UNSUBACK)


def _spec(id: int, name: str, kind: Kind, *packets: int, repeat: bool = False, hint: str = "") -> PropertySpec:
    return PropertySpec(int(id), name, kind, frozenset(int(packet) for packet in packets), repeat, hint)


_TABLE = (
    _spec(
        I.PAYLOAD_FORMAT_INDICATOR, "Payload Format Indicator", Kind.BYTE, P.PUBLISH, WILL, hint="1 = the payload claims to be UTF-8 text"
    ),
    _spec(
        I.MESSAGE_EXPIRY_INTERVAL,
        "Message Expiry Interval",
        Kind.UINT32,
        P.PUBLISH,
        WILL,
        hint="Seconds the broker may keep it; on delivery, what was left of them",
    ),
    _spec(
        I.CONTENT_TYPE,
        "Content Type",
        Kind.STRING,
        P.PUBLISH,
        WILL,
        hint="What the payload is, usually a MIME type; the broker passes it on",
    ),
    _spec(I.RESPONSE_TOPIC, "Response Topic", Kind.STRING, P.PUBLISH, WILL, hint="Makes the message a request: answers go to this topic"),
    _spec(
        I.CORRELATION_DATA,
        "Correlation Data",
        Kind.BINARY,
        P.PUBLISH,
        WILL,
        hint="Comes back in the answer, so that it can be told to which request it belongs",
    ),
    _spec(
        I.SUBSCRIPTION_IDENTIFIER,
        "Subscription Identifier",
        Kind.VARIABLE,
        P.PUBLISH,
        P.SUBSCRIBE,
        repeat=True,
        hint="Which of my subscriptions caused this message",
    ),
    _spec(
        I.SESSION_EXPIRY_INTERVAL,
        "Session Expiry Interval",
        Kind.UINT32,
        P.CONNECT,
        P.CONNACK,
        P.DISCONNECT,
        hint="Seconds the session outlives the connection; 0 ends with it, 4294967295 never ends",
    ),
    _spec(
        I.ASSIGNED_CLIENT_IDENTIFIER,
        "Assigned Client Identifier",
        Kind.STRING,
        P.CONNACK,
        hint="The client id that the server chose; use it for the next connect",
    ),
    _spec(I.SERVER_KEEP_ALIVE, "Server Keep Alive", Kind.UINT16, P.CONNACK, hint="Seconds; replaces the client's own keep-alive"),
    _spec(
        I.AUTHENTICATION_METHOD,
        "Authentication Method",
        Kind.STRING,
        P.CONNECT,
        P.CONNACK,
        P.AUTH,
        hint="Name of the enhanced authentication, e.g. SCRAM-SHA-256",
    ),
    _spec(
        I.AUTHENTICATION_DATA,
        "Authentication Data",
        Kind.BINARY,
        P.CONNECT,
        P.CONNACK,
        P.AUTH,
        hint="Bytes of the authentication method; secret",
    ),
    _spec(
        I.REQUEST_PROBLEM_INFORMATION,
        "Request Problem Information",
        Kind.BYTE,
        P.CONNECT,
        hint="0 = send no reason strings, except in CONNACK and DISCONNECT",
    ),
    _spec(I.WILL_DELAY_INTERVAL, "Will Delay Interval", Kind.UINT32, WILL, hint="Seconds of grace before the will is published"),
    _spec(
        I.REQUEST_RESPONSE_INFORMATION,
        "Request Response Information",
        Kind.BYTE,
        P.CONNECT,
        hint="1 = please send Response Information in CONNACK",
    ),
    _spec(I.RESPONSE_INFORMATION, "Response Information", Kind.STRING, P.CONNACK, hint="Prefix to build response topics from"),
    _spec(I.SERVER_REFERENCE, "Server Reference", Kind.STRING, P.CONNACK, P.DISCONNECT, hint="Where to connect instead"),
    _spec(
        I.REASON_STRING,
        "Reason String",
        Kind.STRING,
        P.CONNACK,
        *_ALL_ACKS,
        P.DISCONNECT,
        P.AUTH,
        hint="Why, in the sender's words; for people, not for programs",
    ),
    _spec(
        I.RECEIVE_MAXIMUM,
        "Receive Maximum",
        Kind.UINT16,
        P.CONNECT,
        P.CONNACK,
        hint="How many unacknowledged QoS 1 and 2 messages its sender accepts at a time",
    ),
    _spec(
        I.TOPIC_ALIAS_MAXIMUM,
        "Topic Alias Maximum",
        Kind.UINT16,
        P.CONNECT,
        P.CONNACK,
        hint="Highest topic alias its sender accepts; 0 = none",
    ),
    _spec(I.TOPIC_ALIAS, "Topic Alias", Kind.UINT16, P.PUBLISH, hint="Short name for the topic, valid for this connection and direction"),
    _spec(I.MAXIMUM_QOS, "Maximum QoS", Kind.BYTE, P.CONNACK, hint="Highest QoS that may be published here"),
    _spec(I.RETAIN_AVAILABLE, "Retain Available", Kind.BYTE, P.CONNACK, hint="0 = retained messages are refused"),
    _spec(
        I.USER_PROPERTY,
        "User Property",
        Kind.PAIR,
        P.CONNECT,
        P.CONNACK,
        P.PUBLISH,
        WILL,
        P.SUBSCRIBE,
        P.UNSUBSCRIBE,
        *_ALL_ACKS,
        P.DISCONNECT,
        P.AUTH,
        repeat=True,
        hint="A name and a value of the application's own; order is kept, names may repeat",
    ),
    _spec(
        I.MAXIMUM_PACKET_SIZE,
        "Maximum Packet Size",
        Kind.UINT32,
        P.CONNECT,
        P.CONNACK,
        hint="Largest whole packet its sender accepts, in bytes",
    ),
    _spec(
        I.WILDCARD_SUBSCRIPTION_AVAILABLE,
        "Wildcard Subscription Available",
        Kind.BYTE,
        P.CONNACK,
        hint="0 = filters with + or # are refused",
    ),
    _spec(
        I.SUBSCRIPTION_IDENTIFIER_AVAILABLE,
        "Subscription Identifier Available",
        Kind.BYTE,
        P.CONNACK,
        hint="0 = subscription identifiers are refused",
    ),
    _spec(I.SHARED_SUBSCRIPTION_AVAILABLE, "Shared Subscription Available", Kind.BYTE, P.CONNACK, hint="0 = $share filters are refused"),
)

PROPERTIES: dict[int, PropertySpec] = {spec.id: spec for spec in _TABLE}
"""Identifier -> specification."""
