"""The findings that one packet alone can give: id, severity, statements of the standards (inspector.md, section 4).

The code that reads a packet says when a check strikes and in which words; this table says how much it matters, in which
versions it exists and which statement it rests on. A check that does not exist in a version gives no note there.
"""

from __future__ import annotations

from dataclasses import replace

from mqtttui.protocol.check import Check
from mqtttui.protocol.enums import Direction, Severity, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.hints import HINTS

_OLD = frozenset({Version.V31, Version.V311})
_NEW = frozenset({Version.V311, Version.V5})
_V31, _V311, _V5 = frozenset({Version.V31}), frozenset({Version.V311}), frozenset({Version.V5})
_ALL = _OLD | _V5

_ERROR, _WARN, _NOTE, _CHAT = Severity.ERROR, Severity.WARN, Severity.NOTE, Severity.CHAT


_FLAGS = {P.PUBREL: "MQTT-3.6.1-1", P.SUBSCRIBE: "MQTT-3.8.1-1", P.UNSUBSCRIBE: "MQTT-3.10.1-1", P.DISCONNECT: "MQTT-3.14.1-1"}
_CLOSE3, _CLOSE5 = "MQTT-4.8.0-1", "MQTT-4.13.1-1"
_ID5 = {Direction.C2S: "MQTT-2.2.1-3", Direction.S2C: "MQTT-2.2.1-4"}
_REASON5 = {
    P.PUBACK: "MQTT-3.4.2-1",
    P.PUBREC: "MQTT-3.5.2-1",
    P.PUBREL: "MQTT-3.6.2-1",
    P.PUBCOMP: "MQTT-3.7.2-1",
    P.SUBACK: "MQTT-3.9.3-2",
    P.UNSUBACK: "MQTT-3.11.3-2",
    P.DISCONNECT: "MQTT-3.14.2-1",
    P.AUTH: "MQTT-3.15.2-1",
}

_TABLE = (
    # A: framing and direction
    Check(
        "A01",
        "reserved packet type 0",
        _ERROR,
        _ALL,
        f"§2.2.1, {_CLOSE3}",
        f"§2.1.2, {_CLOSE5}",
        hint="A fault of the sender, or the stream is out of step since an earlier packet: look at the one before",
    ),
    Check(
        "A02",
        "AUTH before MQTT 5",
        _ERROR,
        _OLD,
        f"§2.2.1, {_CLOSE3}",
        hint="AUTH belongs to MQTT 5: connect with version 5, or leave it out",
    ),
    Check(
        "A03",
        "wrong flags for this type",
        _ERROR,
        _NEW,
        "MQTT-2.2.2-1, MQTT-2.2.2-2",
        "MQTT-2.1.3-1",
        more3=_FLAGS,
        more5={**_FLAGS, P.AUTH: "MQTT-3.15.1-1"},
        hint="The receiver has to close: look for the library that made this packet",
    ),
    Check("A04", "unusual flags", _NOTE, _V31, "§2.1", hint="In MQTT 3.1 these bits were left to the sender; newer servers refuse them"),
    Check(
        "A05",
        "number of more than four bytes",
        _ERROR,
        _ALL,
        "§2.2.3",
        "§1.5.5",
        hint="No MQTT, or the stream is out of step since an earlier packet: everything behind it is lost",
    ),
    Check(
        "A06",
        "number longer than needed",
        _NOTE,
        _ALL,
        "",
        "MQTT-1.5.5-1",
        severity5=_ERROR,
        hint="Some libraries pad the number; MQTT 5 forbids it and servers may close",
    ),
    Check(
        "A07",
        "field reaches past the end",
        _ERROR,
        _ALL,
        _CLOSE3,
        _CLOSE5,
        hint="A wrong length: look at the bytes in front of the field, and whether the version is the right one",
    ),
    Check(
        "A08",
        "bytes left over",
        _ERROR,
        _ALL,
        _CLOSE3,
        _CLOSE5,
        more3={P.CONNECT: "MQTT-3.1.4-1"},
        more5={P.CONNECT: "MQTT-3.1.4-1"},
        hint="A wrong length, or a packet of another version: MQTT 5 has fields that 3.1.1 does not have",
    ),
    Check(
        "A09",
        "body where none is allowed",
        _ERROR,
        _OLD,
        f"§3.12, §3.13, §3.14, {_CLOSE3}",
        hint="A packet of MQTT 5 on a connection of 3.1.1, or a fault of the sender",
    ),
    Check(
        "A10",
        "packet from the wrong side",
        _ERROR,
        _ALL,
        f"§2.2.1, {_CLOSE3}",
        f"§2.1.2, {_CLOSE5}",
        hint="Client and server are mixed up, or the sender is a proxy that sends back what it got",
    ),
    Check(
        "A11",
        "incomplete packet",
        _WARN,
        _ALL,
        hint="The connection ended in the middle of a packet: network, crash, or a size limit of the receiver",
    ),
    # B: strings and topics
    Check("B01", "ill-formed UTF-8", _ERROR, _ALL, "MQTT-1.5.3-1", "MQTT-1.5.4-1"),
    Check("B02", "NUL in a string", _ERROR, _NEW, "MQTT-1.5.3-2", "MQTT-1.5.4-2"),
    Check("B03", "control character in a string", _WARN, _NEW, "§1.5.3", "§1.5.4"),
    Check("B04", "byte order mark in a string", _NOTE, _ALL, "MQTT-1.5.3-3", "MQTT-1.5.4-3"),
    Check("B05", "empty topic or filter", _ERROR, _ALL, "MQTT-4.7.3-1", "MQTT-4.7.3-1"),
    Check("B06", "wildcard in a topic", _ERROR, _ALL, "MQTT-3.3.2-2, MQTT-4.7.1-1", "MQTT-3.3.2-2, MQTT-4.7.0-1"),
    Check("B07", "wildcard in the will topic", _ERROR, _ALL, "MQTT-4.7.1-1", "MQTT-4.7.0-1"),
    Check("B08", "wildcard in the response topic", _ERROR, _V5, "", "MQTT-3.3.2-14"),
    Check("B09", "misplaced #", _ERROR, _ALL, "MQTT-4.7.1-2", "MQTT-4.7.1-1"),
    Check("B10", "misplaced +", _ERROR, _ALL, "MQTT-4.7.1-3", "MQTT-4.7.1-2"),
    Check("B11", "ill-formed shared subscription", _ERROR, _V5, "", "MQTT-4.8.2-1, MQTT-4.8.2-2"),
    Check("B12", "shared subscription before MQTT 5", _NOTE, _OLD),
    Check("B13", "client publishes to $…", _NOTE, _ALL, "§4.7.2", "§4.7.2"),
    # C: connecting
    Check(
        "C03",
        "wrong protocol name",
        _ERROR,
        _ALL,
        "MQTT-3.1.2-1",
        "MQTT-3.1.2-1",
        hint="The server may close without an answer: MQTT for 3.1.1 and 5, MQIsdp for 3.1",
    ),
    Check(
        "C04",
        "unknown protocol level",
        _ERROR,
        _ALL,
        "MQTT-3.1.2-2",
        "MQTT-3.1.2-2",
        hint="The server has to refuse: known levels are 3 (3.1), 4 (3.1.1) and 5",
    ),
    Check(
        "C05",
        "reserved connect flag set",
        _ERROR,
        _ALL,
        "MQTT-3.1.2-3",
        "MQTT-3.1.2-3",
        hint="The server has to close: a fault of the client's library",
    ),
    Check(
        "C06",
        "will QoS without a will",
        _ERROR,
        _ALL,
        "MQTT-3.1.2-11, MQTT-3.1.2-13",
        "MQTT-3.1.2-11",
        hint="Without a will its QoS bits must be 0: a fault of the client's library",
    ),
    Check(
        "C07",
        "will retain without a will",
        _ERROR,
        _ALL,
        "MQTT-3.1.2-11, MQTT-3.1.2-15",
        "MQTT-3.1.2-13",
        hint="Without a will its retain bit must be 0: a fault of the client's library",
    ),
    Check("C08", "will QoS 3", _ERROR, _ALL, "MQTT-3.1.2-14", "MQTT-3.1.2-12", hint="QoS goes from 0 to 2"),
    Check(
        "C09",
        "will fields contradict the will flag",
        _ERROR,
        _ALL,
        "MQTT-3.1.2-9, MQTT-3.1.2-11",
        "MQTT-3.1.2-9",
        hint="Flags and fields of the CONNECT do not belong together: a fault of the client's library",
    ),
    Check(
        "C10",
        "password without user name",
        _ERROR,
        _NEW,
        "MQTT-3.1.2-22",
        "§3.1.2.9",
        severity5=_NOTE,
        hint="MQTT 3.1.1 servers close; give a user name, or use MQTT 5, which allows a password alone",
    ),
    Check(
        "C11",
        "credentials contradict the flags",
        _ERROR,
        _ALL,
        "MQTT-3.1.2-18, MQTT-3.1.2-19, MQTT-3.1.2-20, MQTT-3.1.2-21",
        "MQTT-3.1.2-16, MQTT-3.1.2-17, MQTT-3.1.2-18, MQTT-3.1.2-19",
        hint="Flags and fields of the CONNECT do not belong together: a fault of the client's library",
    ),
    Check(
        "C12",
        "no client id, but a session to keep",
        _ERROR,
        _V311,
        "MQTT-3.1.3-7",
        hint="The server has to refuse with code 2: give a client id, or ask for a clean session",
    ),
    Check(
        "C14",
        "keep-alive off or very long",
        _NOTE,
        _ALL,
        "§3.1.2.10",
        "§3.1.2.10",
        hint="Without pings a dead connection is noticed late; routers forget idle ones after a few minutes",
    ),
    Check(
        "C20",
        "reserved acknowledge flags set",
        _ERROR,
        _NEW,
        "§3.2.2.1, MQTT-2.2.2-1",
        "MQTT-3.2.2-1",
        hint="A fault of the server, or no MQTT server",
    ),
    Check(
        "C24",
        "session present although refused",
        _ERROR,
        _NEW,
        "MQTT-3.2.2-4",
        "MQTT-3.2.2-6",
        hint="A fault of the server: a refused client has no session",
    ),
    Check(
        "C25",
        "code outside the table",
        _ERROR,
        _ALL,
        "MQTT-3.2.2-6",
        "MQTT-3.2.2-8",
        hint="A fault of the server, or it speaks another version of MQTT",
    ),
    Check(
        "C26",
        "connection refused",
        _WARN,
        _ALL,
        hint="The code says why; user name, password, client id and access rules are the usual suspects",
    ),
    # D: PUBLISH
    Check("D01", "QoS 3", _ERROR, _ALL, "MQTT-3.3.1-4", "MQTT-3.3.1-4"),
    Check("D02", "DUP at QoS 0", _ERROR, _ALL, "MQTT-3.3.1-2", "MQTT-3.3.1-2"),
    Check("D03", "packet identifier 0", _ERROR, _ALL, "MQTT-2.3.1-1", sender5=_ID5),
    Check("D16", "deletes the stored message", _NOTE, _ALL, "MQTT-3.3.1-10, MQTT-3.3.1-11", "MQTT-3.3.1-6, MQTT-3.3.1-7"),
    Check("D17", "stored message at QoS 0", _NOTE, _V311, "MQTT-3.3.1-7"),
    Check("D19", "topic alias 0", _ERROR, _V5, "", "MQTT-3.3.2-8"),
    Check("D23", "client sends a subscription identifier", _ERROR, _V5, "", "MQTT-3.3.4-6"),
    Check("D26", "payload is not the text it claims to be", _ERROR, _V5, "", "§3.3.2.3.2"),
    # E: QoS flows
    Check("E15", "reason code does not belong here", _ERROR, _V5, more5=_REASON5),
    Check("E16", "publish refused", _WARN, _V5, "", "MQTT-4.4.0-2"),
    Check("E17", "no matching subscribers", _NOTE, _V5, "", "", more5={P.PUBACK: "§3.4.2.1", P.PUBREC: "§3.5.2.1"}),
    Check("E18", "packet identifier not found", _NOTE, _V5, "", "", more5={P.PUBREL: "§3.6.2.1", P.PUBCOMP: "§3.7.2.1"}),
    # F: SUBSCRIBE and UNSUBSCRIBE
    Check("F01", "no filter in SUBSCRIBE", _ERROR, _ALL, "MQTT-3.8.3-3", "MQTT-3.8.3-2"),
    Check("F02", "no filter in UNSUBSCRIBE", _ERROR, _ALL, "MQTT-3.10.3-2", "MQTT-3.10.3-2"),
    Check("F03", "illegal requested QoS", _ERROR, _OLD, "MQTT-3-8.3-4"),
    Check("F04", "reserved subscription options set", _ERROR, _V5, "", "MQTT-3.8.3-5"),
    Check("F05", "illegal subscription option", _ERROR, _V5, "", "§3.8.3.1"),
    Check("F06", "no local on a shared subscription", _ERROR, _V5, "", "MQTT-3.8.3-4"),
    Check("F07", "packet identifier 0", _ERROR, _ALL, "MQTT-2.3.1-1", "MQTT-2.2.1-3"),
    Check("F08", "subscription identifier 0", _ERROR, _V5, more5={P.SUBSCRIBE: "§3.8.2.1.2", P.PUBLISH: "§3.3.2.3.8"}),
    Check("F12", "illegal SUBACK code", _ERROR, _ALL, "MQTT-3.9.3-2", "MQTT-3.9.3-2"),
    Check("F24", "same filter twice", _NOTE, _ALL, "MQTT-3.8.4-4", "MQTT-3.8.4-5"),
    # G: closing
    Check(
        "G10", "session expiry from the server", _ERROR, _V5, "", "MQTT-3.14.2-2", hint="Only the client may send it: a fault of the server"
    ),
    Check(
        "G12",
        "disconnected because of an error",
        _WARN,
        _V5,
        "",
        "MQTT-4.13.2-1",
        hint="The code says why; look at the packets that its receiver had sent just before",
    ),
    Check(
        "G13",
        "will is to be published",
        _NOTE,
        _V5,
        "",
        "§3.14.2.1",
        hint="Intended if the will is to be published: without it use the code 0x00",
    ),
    # H: properties and AUTH
    Check("H01", "unknown property", _ERROR, _V5, "", "§2.2.2.2", hint="A fault of the sender, or a newer version of MQTT than 5"),
    Check(
        "H02",
        "property in the wrong packet",
        _ERROR,
        _V5,
        "",
        "§2.2.2.2",
        hint="The receiver has to close: a fault of the sender's library",
    ),
    Check("H03", "property repeated", _ERROR, _V5, hint="The receiver has to close: it may stand there once"),
    Check("H04", "neither 0 nor 1", _ERROR, _V5, hint="The receiver has to close: only 0 and 1 are allowed"),
    Check("H05", "0 where it is not allowed", _ERROR, _V5, hint="Leave the property out for no limit"),
    Check(
        "H06",
        "property length disagrees with the properties",
        _ERROR,
        _V5,
        "",
        _CLOSE5,
        hint="A wrong length: look at the bytes of the property list",
    ),
    Check("H07", "authentication data without a method", _ERROR, _V5, hint="Name the Authentication Method as well"),
    Check("H09", "property set to its default", _NOTE, _V5, hint="Harmless: the same as leaving it out"),
    Check("H10", "reason string", _CHAT, _V5, hint="For people, not for programs"),
    Check("H12", "authentication method missing", _WARN, _V5, "", "§3.15.2.2.2", hint="Every AUTH has to name the method of the CONNECT"),
    Check(
        "H16",
        "property length missing",
        _ERROR,
        _V5,
        "",
        "MQTT-2.2.2-1",
        hint="A packet of 3.1.1 on a connection of MQTT 5, or a fault of the sender: an empty list is the byte 0",
    ),
)

CHECKS: dict[str, Check] = {check.id: replace(check, hint=check.hint or HINTS.get(check.id, "")) for check in _TABLE}
"""Id -> check."""

MALFORMED = frozenset(
    {
        "A01",
        "A02",
        "A03",
        "A05",
        "A06",
        "A07",
        "A08",
        "A09",
        "A11",
        "B01",
        "B02",
        "C05",
        "C08",
        "C09",
        "C11",
        "C20",
        "D01",
        "F03",
        "F04",
        "H01",
        "H02",
        "H06",
        "H16",
    }
)
"""Checks that make a packet a Malformed Packet where they strike as an error: it cannot be parsed by the standard (MQTT 5,
sections 1.2 and 4.13, reason code 0x81; 3.1.1 tells it from other violations by the same rules). Others are protocol errors."""
