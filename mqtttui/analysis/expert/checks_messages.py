"""The conversation and session checks of letters B, D, E and F: topics, PUBLISH, flows, subscribing."""

from __future__ import annotations

from dataclasses import replace

from mqtttui.protocol.check import Check
from mqtttui.protocol.enums import Direction, Severity, Version
from mqtttui.protocol.enums import PacketType as P

_V31, _V311, _V5 = frozenset({Version.V31}), frozenset({Version.V311}), frozenset({Version.V5})
_OLD, _NEW, _ALL = _V31 | _V311, _V311 | _V5, _V31 | _V311 | _V5
_ERROR, _WARN, _NOTE, _CHAT = Severity.ERROR, Severity.WARN, Severity.NOTE, Severity.CHAT

_TOPICS = (
    Check("B14", "wildcard matched a topic with $", _WARN, _ALL, "MQTT-4.7.2-1", "MQTT-4.7.2-1"),
    Check("B15", "topic that looks like a slip", _NOTE, _ALL, "§4.7.3", "§4.7.3"),
    Check("B16", "message that no subscription asked for", _ERROR, _ALL, "MQTT-3.3.2-3", "MQTT-3.3.2-3"),
)

_ID5 = {Direction.C2S: "MQTT-2.2.1-3", Direction.S2C: "MQTT-2.2.1-4"}
_ALIAS5 = {
    Direction.C2S: "MQTT-3.3.2-9, MQTT-3.2.2-17, MQTT-3.2.2-18",
    Direction.S2C: "MQTT-3.3.2-11, MQTT-3.1.2-26, MQTT-3.1.2-27",
}
_UNALTERED = "MQTT-3.3.2-4, MQTT-3.3.2-15, MQTT-3.3.2-16, MQTT-3.3.2-17, MQTT-3.3.2-18, MQTT-3.3.2-20"

_PUBLISHES = (
    Check("D04", "packet identifier in use", _ERROR, _ALL, "MQTT-2.3.1-2, MQTT-2.3.1-4", sender5=_ID5),
    Check("D05", "sent again without DUP", _ERROR, _NEW, "MQTT-3.3.1-1", "MQTT-3.3.1-1"),
    Check("D06", "sent again on the same connection", _NOTE, _NEW, "§4.4", "MQTT-4.4.0-1", severity5=_ERROR),
    Check("D07", "redelivery", _NOTE, _ALL, "MQTT-3.3.1-3", "MQTT-3.3.1-3"),
    Check("D08", "not sent again after the session went on", _ERROR, _NEW, "MQTT-4.4.0-1, MQTT-2.3.1-3", "MQTT-4.4.0-1"),
    Check("D09", "sent again in another order", _ERROR, _NEW, "MQTT-4.6.0-1", "MQTT-4.6.0-1"),
    Check("D10", "QoS above the granted one", _ERROR, _ALL, "MQTT-3.8.4-6, MQTT-3.3.5-1", "MQTT-3.8.4-8, MQTT-3.3.4-2"),
    Check("D11", "QoS below the granted one", _NOTE, _ALL, "MQTT-3.8.4-6", "MQTT-3.8.4-8"),
    Check("D12", "stored message", _CHAT, _ALL, "MQTT-3.3.1-8", "§3.3.1.3"),
    Check("D13", "RETAIN long after subscribing", _WARN, _V311, "MQTT-3.3.1-9"),
    Check("D14", "RETAIN although it should be cleared", _WARN, _V5, "", "MQTT-3.3.1-12"),
    Check("D15", "stored message that was declined", _WARN, _V5, "", "MQTT-3.3.1-11, MQTT-3.3.1-10"),
    Check("D18", "stored message was deleted", _NOTE, _ALL),
    Check("D20", "topic alias above the maximum", _ERROR, _V5, sender5=_ALIAS5),
    Check("D21", "topic alias that was never set", _ERROR, _V5, "", "§3.3.2.3.4, MQTT-3.3.2-7"),
    Check("D22", "topic alias set anew", _NOTE, _V5, "", "§3.3.2.3.4"),
    Check("D24", "subscription identifier missing", _WARN, _V5, "", "MQTT-3.3.4-3, MQTT-3.3.4-4, MQTT-3.3.4-5"),
    Check("D25", "subscription identifier of no subscription", _WARN, _V5, "", "§3.3.4"),
    Check("D27", "RETAIN although not available", _ERROR, _V5, "", "MQTT-3.2.2-14"),
    Check("D28", "QoS above the maximum", _ERROR, _V5, "", "MQTT-3.2.2-11"),
    Check("D29", "own message although no local", _ERROR, _V5, "", "MQTT-3.8.3-3"),
    Check("D30", "delivered more than once", _NOTE, _ALL, "§3.3.5", "§3.3.4"),
    Check("D31", "properties changed on the way", _WARN, _V5, "", _UNALTERED),
    Check("D32", "expiry grew on the way", _WARN, _V5, "", "MQTT-3.3.2-6"),
    Check("D33", "out of order", _WARN, _ALL, "MQTT-4.6.0-6", "MQTT-4.6.0-5, MQTT-4.6.0-6"),
    Check("D34", "request", _NOTE, _V5, "", "§4.10"),
)

_ORDER = {P.PUBACK: "MQTT-4.6.0-2", P.PUBREC: "MQTT-4.6.0-3", P.PUBREL: "MQTT-4.6.0-4"}

_FLOWS = (
    Check("E01", "PUBACK for nothing", _ERROR, _ALL, "MQTT-2.3.1-6", "MQTT-2.2.1-5"),
    Check("E02", "PUBREC for nothing", _ERROR, _ALL, "MQTT-2.3.1-6", "MQTT-2.2.1-5"),
    Check("E03", "PUBREL for nothing", _WARN, _ALL, "MQTT-2.3.1-6", "MQTT-2.2.1-5, §3.6.2.1"),
    Check("E04", "PUBCOMP without PUBREL", _ERROR, _ALL, "MQTT-4.3.3-2", "MQTT-4.3.3-11"),
    Check("E05", "acknowledgement of another QoS", _ERROR, _ALL, "MQTT-3.3.4-1", "MQTT-3.3.4-1"),
    Check("E06", "sent again after PUBREL", _ERROR, _NEW, "MQTT-4.3.3-1", "MQTT-4.3.3-6"),
    Check("E07", "PUBREL after a refusal", _ERROR, _V5, "", "MQTT-4.3.3-4, MQTT-4.4.0-2"),
    Check("E08", "flow of QoS 2 stuck", _WARN, _NEW),
    Check("E09", "same message passed on twice", _ERROR, _ALL, "MQTT-4.3.3-2", "MQTT-4.3.3-10"),
    Check("E10", "no acknowledgement", _WARN, _ALL, "MQTT-4.3.2-2, MQTT-4.3.3-2", "MQTT-4.3.2-4, MQTT-4.3.3-8, MQTT-4.3.3-11"),
    Check("E11", "acknowledgements out of order", _ERROR, _NEW, more3=_ORDER, more5=_ORDER),
    Check("E12", "client beyond the receive maximum", _ERROR, _V5, "", "MQTT-3.3.4-7, MQTT-4.9.0-2"),
    Check("E13", "server beyond the receive maximum", _WARN, _V5, "", "MQTT-3.3.4-9, MQTT-4.9.0-2"),
    Check("E14", "window full", _NOTE, _V5, "", "§4.9"),
    Check("E19", "closed after a PUBLISH", _WARN, _OLD, "MQTT-3.3.5-2"),
)

_SUBSCRIBING = (
    Check("F09", "kind of subscription not available", _ERROR, _V5, "", "§3.2.2.3.11, §3.2.2.3.12, §3.2.2.3.13"),
    Check("F10", "SUBACK for nothing", _ERROR, _ALL, "MQTT-2.3.1-7, MQTT-3.8.4-2", "MQTT-2.2.1-6, MQTT-3.8.4-2"),
    Check("F11", "SUBACK of the wrong length", _ERROR, _ALL, "MQTT-3.8.4-5", "MQTT-3.8.4-6"),
    Check("F13", "filter refused", _WARN, _NEW, "MQTT-3.9.3-1", "MQTT-3.9.3-1"),
    Check("F14", "granted QoS lower than asked", _NOTE, _ALL, "MQTT-3.8.4-5", "MQTT-3.8.4-7"),
    Check("F15", "granted QoS higher than asked", _WARN, _ALL, "§3.9.3", "§3.9.3"),
    Check("F16", "no SUBACK", _WARN, _ALL, "MQTT-3.8.4-1", "MQTT-3.8.4-1"),
    Check("F17", "no UNSUBACK", _WARN, _ALL, "MQTT-3.10.4-4", "MQTT-3.10.4-4"),
    Check("F18", "UNSUBACK for nothing", _ERROR, _ALL, "MQTT-2.3.1-7, MQTT-3.10.4-4", "MQTT-2.2.1-6, MQTT-3.10.4-5"),
    Check("F19", "UNSUBACK of the wrong length", _ERROR, _V5, "", "MQTT-3.11.3-1, MQTT-3.11.3-2"),
    Check("F20", "no subscription existed", _NOTE, _V5, "", "§3.11.3"),
    Check("F21", "unsubscribed from what is not held", _NOTE, _ALL, "MQTT-3.10.4-5", "MQTT-3.10.4-5"),
    Check("F22", "subscribed again", _NOTE, _ALL, "MQTT-3.8.4-3", "MQTT-3.8.4-3, MQTT-3.8.4-4"),
    Check("F23", "filters overlap", _NOTE, _ALL, "§3.3.5", "§3.3.4"),
    Check("F25", "message before the SUBACK", _CHAT, _ALL, "§3.8.4", "§3.8.4"),
    Check("F26", "message after the UNSUBACK", _WARN, _ALL, "MQTT-3.10.4-2", "MQTT-3.10.4-2"),
)

_HINTS = {
    "B14": "# and + must not match topics that begin with $: look for a subscription that was not recorded, or a fault of the broker",
    "B15": "Compare the topic with the one that the other side uses, character by character: case, spaces and slashes count",
    "B16": "Look for a SUBSCRIBE of this session that was not recorded, and for subscriptions that the broker adds by itself",
    "D04": "Open the packet that has the identifier: it is still unanswered. The sender forgot it, or counts wrongly",
    "D05": "The receiver cannot tell the repetition from a new message: look at how the sender resumes its session",
    "D06": "The sender repeats on a timer: see why the answer is slow. MQTT 5 allows repeating after a reconnect only",
    "D07": "The receiver may have had the message before: what it does with it must bear being done twice",
    "D08": "The client kept the session at the server and lost its own half: store unacknowledged messages, or begin with a clean session",
    "D09": "Compare the order of the repetitions with that of the originals: receivers may apply an old value last",
    "D10": "Compare with the SUBACK: it says how much QoS each filter got",
    "D11": "The publisher sends with the lower QoS: if more is needed, change it there",
    "D12": "The value may be of any age: look for a time in the payload",
    "D13": "The broker passes the publisher's RETAIN on, as only MQTT 5 allows: do not take it for a stored message",
    "D14": "Without Retain As Published the broker has to clear RETAIN on live messages: do not take it for a stored message",
    "D15": "Compare with Retain Handling in the SUBSCRIBE: the broker does not keep to it",
    "D18": "Somebody published an empty message with RETAIN to this topic",
    "D20": "Compare with Topic Alias Maximum in the CONNACK (for the client) or CONNECT (for the server): without it none is allowed",
    "D21": "Aliases end with the connection: the sender has to send topic and alias together once on each new one",
    "D22": "Allowed: only mind which topic the alias stood for at which time",
    "D24": "A client that sorts messages by identifier cannot place this one: look at the broker's support of identifiers",
    "D25": "Compare with the identifiers of the SUBSCRIBE packets: a client that sorts by identifier loses this message",
    "D27": "The CONNACK says Retain Available 0: publish without RETAIN, or switch stored messages on at the broker",
    "D28": "Compare with Maximum QoS (for the will also Retain Available) in the CONNACK",
    "D29": "Unless somebody else sent the very same, the broker ignores No Local: expect loops",
    "D30": "Several filters match, and the broker sends a copy for each: keep one of them, or tell them apart by identifiers",
    "D31": "Compare both packets property by property, and look for rules or plugins of the broker that rewrite messages",
    "D32": "The broker has to subtract the time that it kept the message: look for a limit of its own that replaces the value",
    "D33": "Compare the order of the own messages with that of their return: clusters and bridges may break it",
    "D34": "The answer comes on the Response Topic with the same Correlation Data: is that topic subscribed to?",
    "E01": "Look for the PUBLISH with this identifier: it has been answered before, or it never was",
    "E02": "Look for the PUBLISH with this identifier: it has been answered before, or it never was",
    "E03": "Harmless after a lost session; otherwise look for the PUBREC that should have come before",
    "E04": "The message was finished before it was released: look at the packets with this identifier",
    "E05": "QoS 1 is answered by PUBACK, QoS 2 by PUBREC: the receiver took the message for another one",
    "E06": "The receiver may take it for a new message: after PUBREC only PUBREL may be repeated",
    "E07": "A PUBREC with a code from 0x80 on ends the exchange: nothing may follow",
    "E08": "The message has arrived and goes no further: is the other side alive, and has it kept its state?",
    "E09": "Sent again before PUBREL, it was taken for a new message: exactly once does not hold at this broker",
    "E10": "Does the receiver still read? Look at pings, the window of unacknowledged messages, and the rights to the topic",
    "E11": "The client answers from several threads, or when its handlers end: it has to keep the order of arrival",
    "E12": "Compare the unacknowledged messages with Receive Maximum in the CONNACK: the server may disconnect with 0x93",
    "E13": "The server is at fault (mosquitto 2.0.11 does it in bursts): a newer one, or a larger Receive Maximum in the CONNECT",
    "E14": "Each further message waits for an acknowledgement: for more throughput the receiver has to allow more of them",
    "E19": "3.x has no refusal, servers close instead: check the right to publish to this topic, and the broker's log",
    "F09": "The CONNACK says that the server does not have it: subscribe without it",
    "F10": "Look for the SUBSCRIBE with this identifier: it has been answered before, or it never was",
    "F11": "One code a filter, in their order: it cannot be told which filters were granted",
    "F13": "Check the right of this user to the filter, and whether the server allows wildcards, $ topics or shared ones there",
    "F14": "Allowed: the server caps the QoS, for all or for this user. Messages may be lost that a higher QoS would have kept",
    "F15": "The server gives more than was wanted: expect acknowledgements and duplicates",
    "F16": "Is the server alive (look at pings)? Some say nothing where rights are missing",
    "F17": "Is the server alive (look at pings)? Until it answers, messages may still come",
    "F18": "Look for the UNSUBSCRIBE with this identifier: it has been answered before, or it never was",
    "F19": "One code a filter, in their order: it cannot be told which filters are gone",
    "F20": "Compare the filter with the subscribed one: slash, case, $share prefix; or the session was new",
    "F21": "Filters are compared character by character: unsubscribing from # takes back # only",
    "F22": "The new options replace the old ones, and stored messages come again unless Retain Handling says otherwise",
    "F23": "The broker may send a message that both match once for each: be ready for duplicates",
    "F25": "Allowed: a subscription may work before it is confirmed",
    "F26": "The broker confirmed the UNSUBSCRIBE and still starts new messages: look for nodes of a cluster that do not know yet",
}
"""What to check, by check."""

TABLE = tuple(replace(check, hint=_HINTS[check.id]) for check in (*_TOPICS, *_PUBLISHES, *_FLOWS, *_SUBSCRIBING))
