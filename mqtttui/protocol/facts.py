"""What the inspector knows about each field: name, Wireshark filter name, explanation, section.

One row a field; the code in `dissectors` says where a field stands, this table says what it is. Explanations are one line
for a person who debugs; where the value decides, `values` has one for it. Sections are those of MQTT 5, with those of
MQTT 3.1.1 where they differ (3.1 has no such numbers; it is shown with those of 3.1.1).
"""

from __future__ import annotations

from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.fact import Fact

QOS_WORDS = {0: "at most once", 1: "at least once", 2: "exactly once", 3: "illegal"}
FLAG_WORDS = {0: "not set", 1: "set"}

PACKET_TEXTS = {
    P.RESERVED: "Type 0 is reserved and never legal: lost bytes before this packet, or no MQTT at all",
    P.CONNECT: "A client asks to be let in: who it is, how long it may be silent, what is published if it dies",
    P.CONNACK: "The server's answer to CONNECT: in or out, and under which limits",
    P.PUBLISH: "A message on a topic",
    P.PUBACK: "QoS 1, step 2 of 2: the receiver now owns the message with this id",
    P.PUBREC: "QoS 2, step 2 of 4: the message is stored; its PUBLISH must not be sent again",
    P.PUBREL: "QoS 2, step 3 of 4: the sender has let go of the message, the receiver may release it",
    P.PUBCOMP: "QoS 2, step 4 of 4: done on both sides, the id is free again",
    P.SUBSCRIBE: "Asks for the messages on all topics that match the filters",
    P.SUBACK: "Answers the SUBSCRIBE with this id: one code for each filter, in the same order",
    P.UNSUBSCRIBE: "Takes filters back; each must be written exactly as it was subscribed",
    P.UNSUBACK: "Answers the UNSUBSCRIBE with this id",
    P.PINGREQ: "The client shows that it is alive and asks for a sign of life",
    P.PINGRESP: "The server's sign of life; without an id, so the first answer belongs to the first ping",
    P.DISCONNECT: "The sender ends the connection on purpose",
    P.AUTH: "One step of an extended login: a challenge or the answer to it",
}

# --- Fixed header (5: 2.1.1, 3.1.1: 2.2) ---------------------------------------------------------------------------

HEADER = Fact(
    "Packet Type and Flags",
    "mqtt.hdrflags",
    "First byte of every packet: the type on the left, flags of the type on the right",
    "2.1.1",
    "2.2",
)
PACKET_TYPE = Fact(
    "Control Packet Type",
    "mqtt.msgtype",
    section5="2.1.2",
    section3="2.2.1",
    values={int(kind): text for kind, text in PACKET_TEXTS.items()},
    words={int(kind): kind.name for kind in P},
)
FIXED_FLAGS = Fact("Flags", "mqtt.hdr_reserved", "Fixed for this type of packet; any other value makes it malformed", "2.1.3", "2.2.2")
DUP = Fact(
    "DUP",
    "mqtt.dupflag",
    section5="3.3.1.1",
    values={
        0: "First attempt to send this message over this hop",
        1: "Sent again: the receiver may have had it before (says nothing about the publisher's own DUP)",
    },
    words=FLAG_WORDS,
)
QOS = Fact(
    "QoS",
    "mqtt.qos",
    section5="3.3.1.2",
    values={
        0: "Fire and forget: no acknowledgement, may get lost",
        1: "Acknowledged with PUBACK: arrives, perhaps more than once",
        2: "Acknowledged in four steps: arrives exactly once",
        3: "Both bits set is illegal: the receiver must close the connection",
    },
    words=QOS_WORDS,
)
RETAIN_UP = Fact(
    "RETAIN",
    "mqtt.retain",
    section5="3.3.1.3",
    values={
        0: "For present subscribers only; the stored message of the topic stays as it is",
        1: "The server keeps it as the topic's last known value; an empty payload deletes that value",
    },
    words=FLAG_WORDS,
)
RETAIN_DOWN_3 = Fact(
    "RETAIN",
    "mqtt.retain",
    section5="3.3.1.3",
    values={
        0: "A live message",
        1: "The stored value, sent because of a new subscription; it may be old",
    },
    words=FLAG_WORDS,
)
RETAIN_DOWN_5 = Fact(
    "RETAIN",
    "mqtt.retain",
    section5="3.3.1.3",
    values={
        0: "A live message",
        1: "The stored value, which may be old; or a live one whose subscription keeps the publisher's flag",
    },
    words=FLAG_WORDS,
)
DUP_31 = Fact(
    "DUP",
    "mqtt.dupflag",
    section5="2.1",
    values={0: "First attempt to send this packet", 1: "Sent again because no answer came"},
    words=FLAG_WORDS,
)
QOS_31 = Fact("QoS", "mqtt.qos", "Always 1 here: in MQTT 3.1 this packet is itself acknowledged", "2.1", words=QOS_WORDS)
RETAIN_31 = Fact("Reserved", "mqtt.retain_reserved", "Unused in this packet; 0", "2.1")
REMAINING_LENGTH = Fact(
    "Remaining Length",
    "mqtt.len",
    "How many bytes follow this number; with these and the header it gives the packet's size",
    "2.1.4",
    "2.2.3",
)

# --- CONNECT (3.1) ---------------------------------------------------------------------------------------------------

PROTOCOL_NAME_LENGTH = Fact("Protocol Name Length", "mqtt.proto_len", "Bytes of the name that follows", "3.1.2.1")
PROTOCOL_NAME = Fact("Protocol Name", "mqtt.protoname", "MQTT for 3.1.1 and 5, MQIsdp for 3.1; anything else is not MQTT", "3.1.2.1")
LEVEL = Fact(
    "Protocol Version",
    "mqtt.ver",
    "3, 4 or 5; everything that follows is read by this number",
    "3.1.2.2",
    values={
        3: "MQTT 3.1, the oldest in use; everything on this connection is read as 3.1",
        4: "MQTT 3.1.1; everything on this connection is read as 3.1.1",
        5: "MQTT 5; everything on this connection is read as 5",
        0x83: "MQTT 3.1 with the top bit that some bridges set to be recognised",
        0x84: "MQTT 3.1.1 with the top bit that some bridges set to be recognised",
        0x85: "MQTT 5 with the top bit that some bridges set to be recognised",
    },
    words={3: "MQTT 3.1", 4: "MQTT 3.1.1", 5: "MQTT 5", 0x83: "MQTT 3.1, bridge", 0x84: "MQTT 3.1.1, bridge", 0x85: "MQTT 5, bridge"},
)
CONNECT_FLAGS = Fact(
    "Connect Flags", "mqtt.conflags", "Decides which fields the payload has: one wrong bit shifts everything behind it", "3.1.2.3"
)
USER_NAME_FLAG = Fact(
    "User Name Flag",
    "mqtt.conflag.uname",
    section5="3.1.2.8",
    values={0: "No user name follows", 1: "A user name follows in the payload"},
    words=FLAG_WORDS,
)
PASSWORD_FLAG = Fact(
    "Password Flag",
    "mqtt.conflag.passwd",
    section5="3.1.2.9",
    values={0: "No password follows", 1: "A password follows in the payload"},
    words=FLAG_WORDS,
)
WILL_RETAIN = Fact(
    "Will Retain",
    "mqtt.conflag.retain",
    section5="3.1.2.7",
    values={0: "The will goes to present subscribers only", 1: "When the will fires it is also stored as the topic's last value"},
    words=FLAG_WORDS,
)
WILL_QOS = Fact(
    "Will QoS",
    "mqtt.conflag.qos",
    section5="3.1.2.6",
    values={
        0: "The will is published at QoS 0; also 0 if there is no will",
        1: "The will is published at QoS 1",
        2: "The will is published at QoS 2",
        3: "Both bits set is illegal: the server must close the connection",
    },
    words=QOS_WORDS,
)
WILL_FLAG = Fact(
    "Will Flag",
    "mqtt.conflag.willflag",
    section5="3.1.2.5",
    values={
        0: "Nothing is published if this client dies",
        1: "The server holds a message and publishes it if this connection ends without a clean DISCONNECT",
    },
    words=FLAG_WORDS,
)
CLEAN_SESSION = Fact(
    "Clean Session",
    "mqtt.conflag.cleansess",
    section5="3.1.2.4",
    values={
        0: "Continue the old session if there is one, and keep this one after the connection ends",
        1: "Drop the old session, and forget this one when the connection ends",
    },
    words=FLAG_WORDS,
)
CLEAN_START = Fact(
    "Clean Start",
    "mqtt.conflag.cleansess",
    section5="3.1.2.4",
    values={
        0: "Continue the old session if there is one; Session Expiry Interval says how long this one lives",
        1: "Drop the old session; Session Expiry Interval says how long this one lives",
    },
    words=FLAG_WORDS,
)
CONNECT_RESERVED = Fact("Reserved", "mqtt.conflag.reserved", "Must be 0, or the server closes the connection", "3.1.2.3", words=FLAG_WORDS)
KEEP_ALIVE = Fact(
    "Keep Alive",
    "mqtt.kalive",
    "Longest silence that the client allows itself; the server gives up after 1.5 times as long",
    "3.1.2.10",
    values={0: "Switched off: a dead connection may stay unnoticed for hours"},
)
CLIENT_ID_LENGTH = Fact("Client Identifier Length", "mqtt.clientid_len", "Bytes of the client id that follows", "3.1.3.1")
CLIENT_ID = Fact(
    "Client Identifier", "mqtt.clientid", "The key of the session: a second connection with the same id throws this one out", "3.1.3.1"
)
EMPTY_CLIENT_ID = Fact("Client Identifier", "mqtt.clientid", "Empty: the server chooses an id for this connection", "3.1.3.1")
WILL_PROPERTIES = Fact("Will Properties", "mqtt.will_properties", "Properties of the will message, when it is published", "3.1.3.2")
WILL_TOPIC_LENGTH = Fact("Will Topic Length", "mqtt.willtopic_len", "Bytes of the topic that follows", "3.1.3.3", "3.1.3.2")
WILL_TOPIC = Fact("Will Topic", "mqtt.willtopic", "Where the will is published; a topic, so without wildcards", "3.1.3.3", "3.1.3.2")
WILL_PAYLOAD_LENGTH = Fact("Will Payload Length", "mqtt.willmsg_len", "Bytes of the will's payload that follows", "3.1.3.4", "3.1.3.3")
WILL_PAYLOAD = Fact("Will Payload", "mqtt.willmsg", "What the others receive if this client dies", "3.1.3.4", "3.1.3.3")
USER_NAME_LENGTH = Fact("User Name Length", "mqtt.username_len", "Bytes of the user name that follows", "3.1.3.5", "3.1.3.4")
USER_NAME = Fact("User Name", "mqtt.username", "Who logs in; readable by everybody on the way unless TLS is used", "3.1.3.5", "3.1.3.4")
PASSWORD_LENGTH = Fact("Password Length", "mqtt.passwd_len", "Bytes of the password that follows", "3.1.3.6", "3.1.3.5")
PASSWORD = Fact(
    "Password", "mqtt.passwd", "Secret of the login, sent as it is; only TLS hides it on the way", "3.1.3.6", "3.1.3.5", secret=True
)

# --- CONNACK (3.2) ---------------------------------------------------------------------------------------------------

ACKNOWLEDGE_FLAGS = Fact("Connect Acknowledge Flags", "mqtt.conack.flags", "One flag, Session Present; the other bits are 0", "3.2.2.1")
ACKNOWLEDGE_RESERVED = Fact("Reserved", "mqtt.conack.flags.reserved", "Must be 0", "3.2.2.1", words=FLAG_WORDS)
ACKNOWLEDGE_RESERVED_31 = Fact("Reserved", "mqtt.conack.flags.reserved", "Unused in MQTT 3.1", "3.2.2.1", words=FLAG_WORDS)
SESSION_PRESENT = Fact(
    "Session Present",
    "mqtt.conack.flags.sp",
    section5="3.2.2.1.1",
    section3="3.2.2.2",
    values={
        0: "The server starts an empty session: subscribe again",
        1: "The server still has this client's subscriptions and waiting messages",
    },
    words=FLAG_WORDS,
)
CONNACK_RETURN_CODE = Fact("Connect Return Code", "mqtt.conack.val", section5="3.2.2.3")
CONNACK_REASON = Fact("Connect Reason Code", "mqtt.connack.reason_code", section5="3.2.2.2")

# --- PUBLISH (3.3) ---------------------------------------------------------------------------------------------------

TOPIC_LENGTH = Fact("Topic Name Length", "mqtt.topic_len", "Bytes of the topic that follows", "3.3.2.1")
NO_TOPIC_LENGTH = Fact("Topic Name Length", "mqtt.topic_len", "No topic: it was sent before, and Topic Alias stands for it", "3.3.2.1")
TOPIC = Fact("Topic Name", "mqtt.topic", "What the message is about; subscribers are found by it", "3.3.2.1")
RESOLVED_TOPIC = Fact("Topic Name", "mqtt.topic", "Not in this packet: what its Topic Alias stood for when it came", "3.3.2.3.4")
UNKNOWN_TOPIC = Fact(
    "Topic Name", "mqtt.topic", "Not in this packet, and the packet that gave the alias its meaning is not known", "3.3.2.3.4"
)
ILLEGAL_TOPIC_LENGTH = Fact("Empty Topic", "mqtt.illegal_topic_length", "A topic or filter has at least one character", "4.7.3")
UNKNOWN_ALIAS = Fact("Unknown Topic Alias", "mqtt.unknown_topic_alias", "No earlier packet in this direction set this alias", "3.3.2.3.4")
PUBLISH_ID = Fact(
    "Packet Identifier",
    "mqtt.msgid",
    "Ties the acknowledgements to this message; client and server count separately",
    "3.3.2.2",
)
PAYLOAD = Fact("Payload", "mqtt.msg", "The message itself; MQTT passes it on without looking at it", "3.3.3")

# --- PUBACK, PUBREC, PUBREL, PUBCOMP (3.4 to 3.7) --------------------------------------------------------------------

_ACK_SECTIONS = {P.PUBACK: "3.4", P.PUBREC: "3.5", P.PUBREL: "3.6", P.PUBCOMP: "3.7"}
ACK_ID = {
    kind: Fact(
        "Packet Identifier", "mqtt.msgid", "The message that this is about, in the numbering of the side that published it", f"{section}.2"
    )
    for kind, section in _ACK_SECTIONS.items()
}
ACK_REASON = {
    kind: Fact(f"{kind.name} Reason Code", f"mqtt.{kind.name.lower()}.reason_code", section5=f"{section}.2.1")
    for kind, section in _ACK_SECTIONS.items()
}

# --- SUBSCRIBE to UNSUBACK (3.8 to 3.11) -----------------------------------------------------------------------------

SUBSCRIBE_ID = Fact("Packet Identifier", "mqtt.msgid", "The SUBACK that answers has the same one", "3.8.2")
SUBACK_ID = Fact("Packet Identifier", "mqtt.msgid", "Of the SUBSCRIBE that this answers", "3.9.2")
UNSUBSCRIBE_ID = Fact("Packet Identifier", "mqtt.msgid", "The UNSUBACK that answers has the same one", "3.10.2")
UNSUBACK_ID = Fact("Packet Identifier", "mqtt.msgid", "Of the UNSUBSCRIBE that this answers", "3.11.2")
SUBSCRIPTION = Fact("Subscription", "", "One filter with what is asked for it", "3.8.3")
SUBSCRIBE_FILTER_LENGTH = Fact("Topic Filter Length", "mqtt.topic_len", "Bytes of the filter that follows", "3.8.3")
SUBSCRIBE_FILTER = Fact("Topic Filter", "mqtt.topic", "Which topics are wanted: + stands for one level, # for all that follow", "3.8.3")
SHARED_FILTER = Fact("Topic Filter", "mqtt.topic", "A shared subscription: each message goes to one member of the group only", "4.8.2")
UNSUBSCRIPTION = Fact("Topic to remove", "", "One filter to take back", "3.10.3")
UNSUBSCRIBE_FILTER_LENGTH = Fact("Topic Filter Length", "mqtt.topic_len", "Bytes of the filter that follows", "3.10.3")
UNSUBSCRIBE_FILTER = Fact(
    "Topic Filter", "mqtt.topic", "Removed if a subscription has exactly this text; a wider filter does not count", "3.10.3"
)
REQUESTED_QOS = Fact(
    "Requested QoS",
    "mqtt.sub.qos",
    "The six bits on the left must be 0 and QoS at most 2",
    "3.8.3",
    values={0: "Deliver at QoS 0", 1: "Deliver at QoS 1 at most", 2: "Deliver at the publisher's QoS, up to 2"},
    words=QOS_WORDS,
)
SUBSCRIPTION_OPTIONS = Fact("Subscription Options", "mqtt.subscription_options", "How messages for this filter are delivered", "3.8.3.1")
OPTION_RESERVED = Fact("Reserved", "mqtt.subscription_options_reserved", "Must be 0", "3.8.3.1")
RETAIN_HANDLING = Fact(
    "Retain Handling",
    "mqtt.subscription_options_retain",
    section5="3.8.3.1",
    values={
        0: "Stored messages are sent now",
        1: "Stored messages are sent now, but only if this subscription is new",
        2: "Stored messages are not sent because of this SUBSCRIBE",
        3: "3 is illegal",
    },
    words={0: "send stored", 1: "send stored if new", 2: "do not send stored", 3: "illegal"},
)
RETAIN_AS_PUBLISHED = Fact(
    "Retain As Published",
    "mqtt.subscription_options_rap",
    section5="3.8.3.1",
    values={0: "Live messages come with RETAIN 0", 1: "Live messages keep the RETAIN flag that their publisher set"},
    words=FLAG_WORDS,
)
NO_LOCAL = Fact(
    "No Local",
    "mqtt.subscription_options_nl",
    section5="3.8.3.1",
    values={0: "The client's own messages come back to it as well", 1: "The client's own messages do not come back to it"},
    words=FLAG_WORDS,
)
MAXIMUM_QOS = Fact(
    "Maximum QoS",
    "mqtt.subscription_options_qos",
    section5="3.8.3.1",
    values={
        0: "Deliver at QoS 0",
        1: "Deliver at QoS 1 at most",
        2: "Deliver at the publisher's QoS, up to 2",
        3: "3 is illegal",
    },
    words=QOS_WORDS,
)
SUBACK_RETURN_CODE = Fact("Return Code", "mqtt.suback.qos", section5="3.9.3")
SUBACK_REASON = Fact("Reason Code", "mqtt.suback.reason_code", section5="3.9.3")
UNSUBACK_REASON = Fact("Reason Code", "mqtt.unsuback.reason_code", section5="3.11.3")

# --- DISCONNECT, AUTH (3.14, 3.15) -----------------------------------------------------------------------------------

DISCONNECT_REASON = Fact("Disconnect Reason Code", "mqtt.disconnect.reason_code", section5="3.14.2.1")
AUTH_REASON = Fact("Authenticate Reason Code", "mqtt.auth.reason_code", section5="3.15.2.1")

# --- Properties (5: 2.2.2) -------------------------------------------------------------------------------------------

PROPERTIES = Fact("Properties", "mqtt.properties", "Optional extras of MQTT 5; those that are absent have their defaults", "2.2.2")
PROPERTY_LENGTH = Fact("Property Length", "mqtt.property_len", "Bytes of all properties that follow; 0 if there are none", "2.2.2.1")
PROPERTY = Fact("Property", "", "One property: an identifier and a value", "2.2.2.2")
PROPERTY_ID = Fact("Property Identifier", "mqtt.property_id", "Which property follows, and by that the type of its value", "2.2.2.2")
STRING_LENGTH = Fact("Length", "mqtt.prop_string_len", "Bytes of the value that follows", "1.5.4")
KEY_LENGTH = Fact("Name Length", "mqtt.prop_key_len", "Bytes of the name that follows", "1.5.7")
KEY = Fact("Name", "mqtt.prop_key", "Name of the user property; the same one may occur again", "1.5.7")
VALUE_LENGTH = Fact("Value Length", "mqtt.prop_value_len", "Bytes of the value that follows", "1.5.7")
VALUE = Fact("Value", "mqtt.prop_value", "Value of the user property", "1.5.7")
UNDECODED = Fact("Undecoded", "", "Nothing certain can be said about these bytes")
UNDECODED_SECRET = Fact("Undecoded", "", "Nothing certain can be said of these bytes; a password may be among them", secret=True)
UNKNOWN_PROPERTY = Fact(
    "Undecoded", "mqtt.prop_unknown", "The length of an unknown property is not known: the rest of the properties is lost", "2.2.2.2"
)
MORE = Fact("More", "", "Further items of the same kind, taken apart when this is opened")
