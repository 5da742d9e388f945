"""Return codes of MQTT 3.x and Reason Codes of MQTT 5, with what to check (MQTT 5 sections 2.4, 3.2.2.2 to 3.15.2.1).

Which code may stand in which packet, and who may send it, follows the tables of the packets' own sections.
"""

from __future__ import annotations

from dataclasses import dataclass

from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.enums import PacketType as P

_FAILURE = 0x80


@dataclass(frozen=True, slots=True)
class Reason:
    """One code in one kind of packet."""

    code: int
    name: str
    """The standard's name, `Not authorized`; `unknown code 0x55` if the standard has none here."""
    hint: str
    """What it tells and what to check, one line; may be empty."""

    @property
    def failure(self) -> bool:
        """0x80 and above say that it did not work; a CONNACK or DISCONNECT with it ends the connection."""
        return self.code >= _FAILURE


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of the table of MQTT 5."""

    code: int
    name: str
    hint: str
    packets: frozenset[P]
    client_only: frozenset[P]
    server_only: frozenset[P]


_ABBREVIATIONS = {
    "CA": P.CONNACK,
    "PA": P.PUBACK,
    "PR": P.PUBREC,
    "PL": P.PUBREL,
    "PC": P.PUBCOMP,
    "SA": P.SUBACK,
    "UA": P.UNSUBACK,
    "DI": P.DISCONNECT,
    "AU": P.AUTH,
}


def _row(code: int, packets: str, name: str, hint: str) -> _Row:
    """A row; `packets` lists abbreviations, `:s` where only the server and `:c` where only the client sends it."""
    items = [item.partition(":") for item in packets.split()]
    return _Row(
        code,
        name,
        hint,
        frozenset(_ABBREVIATIONS[short] for short, _, _ in items),
        frozenset(_ABBREVIATIONS[short] for short, _, who in items if who == "c"),
        frozenset(_ABBREVIATIONS[short] for short, _, who in items if who == "s"),
    )


_V5 = (
    _row(0x00, "CA PA PR PL PC UA AU:s", "Success", "It worked"),
    _row(0x00, "DI", "Normal disconnection", "A clean goodbye: the will is thrown away"),
    _row(0x00, "SA", "Granted QoS 0", "Subscribed; messages come without acknowledgement and may get lost"),
    _row(0x01, "SA", "Granted QoS 1", "Subscribed; compare with the QoS that was asked for"),
    _row(0x02, "SA", "Granted QoS 2", "Subscribed; every message comes exactly once"),
    _row(0x04, "DI:c", "Disconnect with Will Message", "The client leaves and wants its will published, after its delay"),
    _row(
        0x10,
        "PA:s PR:s",
        "No matching subscribers",
        "Taken, but delivered to nobody: check the topic's spelling and whether the reader's session still lives",
    ),
    _row(
        0x11,
        "UA",
        "No subscription existed",
        "Nothing was removed: the filter differs from the subscribed one (slash, case, $share/…), or the session was new",
    ),
    _row(0x18, "AU", "Continue authentication", "In the middle of a handshake: the next AUTH comes from the other side"),
    _row(0x19, "AU:c", "Re-authenticate", "The client renews its credentials on the open connection"),
    _row(0x80, "CA PA PR SA UA DI", "Unspecified error", "Read the Reason String and the broker's log; often a plugin failed"),
    _row(0x81, "CA DI", "Malformed Packet", "Look at the last packet sent before this one: lengths, flags, UTF-8"),
    _row(
        0x82,
        "CA DI",
        "Protocol Error",
        "Well-formed but against the rules: a second CONNECT, an unknown alias, a property twice, the wrong side",
    ),
    _row(
        0x83,
        "CA PA PR SA UA DI",
        "Implementation specific error",
        "A legal packet that this peer will not take: its own limits or rules; read the Reason String",
    ),
    _row(0x84, "CA", "Unsupported Protocol Version", "The broker does not speak this version: connect with 3.1.1"),
    _row(
        0x85, "CA", "Client Identifier not valid", "Check its length and characters, the broker's naming rules, and whether it may be empty"
    ),
    _row(0x86, "CA", "Bad User Name or Password", "Check both; an expired token in the password gives this too"),
    _row(
        0x87,
        "CA PA PR SA UA DI:s",
        "Not authorized",
        "Access rules say no: to the login (CONNACK), the topic (PUBACK, PUBREC), the filter (SUBACK); in DISCONNECT rights were withdrawn",
    ),
    _row(0x88, "CA", "Server unavailable", "The broker is starting, draining, or its backend is down: try again later"),
    _row(0x89, "CA DI:s", "Server busy", "Overload protection: wait longer between attempts"),
    _row(0x8A, "CA", "Banned", "On a block list by client id, user or address, often after too many failures"),
    _row(0x8B, "DI:s", "Server shutting down", "A restart or an update: reconnect, perhaps to another node"),
    _row(0x8C, "CA DI", "Bad authentication method", "The broker has no such authentication method configured"),
    _row(
        0x8D,
        "DI:s",
        "Keep Alive timeout",
        "Nothing came for 1.5 times the keep-alive: a blocked program, a suspended laptop, a dead NAT entry",
    ),
    _row(
        0x8E,
        "DI:s",
        "Session taken over",
        "Another connection used the same client id: two instances run, or a reconnect was faster than the old socket's end",
    ),
    _row(0x8F, "SA UA DI:s", "Topic Filter invalid", "Well-formed but not accepted here: too deep, a forbidden prefix, a bad $share"),
    _row(
        0x90,
        "CA PA PR DI",
        "Topic Name invalid",
        "The topic is not accepted: a forbidden prefix ($…) or too long; in CONNACK it is the will's topic",
    ),
    _row(
        0x91,
        "PA PR SA UA",
        "Packet Identifier in use",
        "The id was used again before its first exchange ended, or the two sides remember different sessions",
    ),
    _row(
        0x92, "PL PC", "Packet Identifier not found", "The peer knows nothing of this id: harmless after a lost session, otherwise a fault"
    ),
    _row(0x93, "DI", "Receive Maximum exceeded", "More unacknowledged QoS 1 and 2 messages than the peer allowed"),
    _row(0x94, "DI", "Topic Alias invalid", "An alias of 0, or above the peer's Topic Alias Maximum"),
    _row(0x95, "CA DI", "Packet too large", "Larger than the peer's Maximum Packet Size; in CONNACK it is the CONNECT itself"),
    _row(0x96, "DI", "Message rate too high", "A rate limit struck: publish more slowly"),
    _row(0x97, "CA PA PR SA DI", "Quota exceeded", "A count or volume limit: subscriptions, stored messages, the tenant's plan"),
    _row(0x98, "DI", "Administrative action", "An operator or a program ended this connection on purpose"),
    _row(
        0x99,
        "CA PA PR DI",
        "Payload format invalid",
        "Payload Format Indicator says text, but the bytes are not UTF-8; in CONNACK it is the will's payload",
    ),
    _row(0x9A, "CA DI:s", "Retain not supported", "RETAIN was set although Retain Available is 0; in CONNACK it is Will Retain"),
    _row(0x9B, "CA DI:s", "QoS not supported", "The QoS is above the server's Maximum QoS; in CONNACK it is the will's QoS"),
    _row(0x9C, "CA DI:s", "Use another server", "Go elsewhere for now: see Server Reference"),
    _row(0x9D, "CA DI:s", "Server moved", "Gone for good: change the saved address, see Server Reference"),
    _row(0x9E, "SA DI:s", "Shared Subscriptions not supported", "Subscribe without $share/…"),
    _row(0x9F, "CA DI:s", "Connection rate exceeded", "Too many connects in a short time: slow the reconnect loop down"),
    _row(0xA0, "DI:s", "Maximum connect time", "The broker limits how long a connection lives (often a token's life): reconnect"),
    _row(0xA1, "SA DI:s", "Subscription Identifiers not supported", "Subscribe without a Subscription Identifier"),
    _row(0xA2, "SA DI:s", "Wildcard Subscriptions not supported", "Subscribe to exact topics, without + and #"),
)

_CONNACK_3 = (
    Reason(0, "Connection accepted", "Connected; Session Present says whether old subscriptions are still there"),
    Reason(1, "Unacceptable protocol version", "The broker does not speak this level: try 3.1.1 (level 4), then 3.1"),
    Reason(2, "Identifier rejected", "Client id empty without Clean Session, too long, with forbidden characters, or reserved"),
    Reason(3, "Server unavailable", "The broker runs, but its login backend, cluster or licence does not: try again later"),
    Reason(4, "Bad user name or password", "A typo, a missing user name, a wrong tenant prefix, a newline at the password's end"),
    Reason(
        5,
        "Not authorized",
        "A wrong password at many brokers; else this login may not connect: client id, address, listener, certificate",
    ),
)

_SUBACK_3 = (
    Reason(0x00, "Granted QoS 0", "Subscribed; messages come without acknowledgement and may get lost"),
    Reason(0x01, "Granted QoS 1", "Subscribed; compare with the QoS that was asked for"),
    Reason(0x02, "Granted QoS 2", "Subscribed; every message comes exactly once"),
    Reason(0x80, "Failure", "Refused without a reason: access rules, wildcards, $SYS or $share not allowed; see the broker's log"),
)

_V5_TABLE = {(packet, row.code): row for row in _V5 for packet in row.packets}
_TABLE_3 = {(P.CONNACK, row.code): row for row in _CONNACK_3} | {(P.SUBACK, row.code): row for row in _SUBACK_3}
_LOWER_EXCEPT = {"qos": "QoS"}


def reason(code: int, packet: P, version: Version) -> Reason:
    """The meaning of `code` in `packet`, whoever sent it; `unknown code 0x55` for one that the standard does not have there."""
    if version is Version.V5:
        row = _V5_TABLE.get((packet, code))
        if row is not None:
            return Reason(code, row.name, row.hint)
    else:
        found = _TABLE_3.get((packet, code))
        if found is not None:
            return found
    return Reason(code, f"unknown code 0x{code:02x}", _unknown(code, packet))


def _unknown(code: int, packet: P) -> str:
    """What to think of a code that is not in the table of `packet`."""
    old = _TABLE_3.get((packet, code))
    if old is not None and packet is P.CONNACK:
        return f"In MQTT 3.1.1 it means: {lower_name(old.name)}. A broker without MQTT 5? Connect with 3.1.1"
    elsewhere = next((row for row in _V5 if row.code == code and code >= _FAILURE), None)
    if elsewhere is not None:
        return f"In other packets of MQTT 5 it means: {lower_name(elsewhere.name)}; here it is a fault of the peer"
    return "The standard has no such code here: a fault of the peer, or another protocol"


def label(code: int, packet: P, version: Version) -> str:
    """`0x87 not authorized`, in 3.x `5 not authorized`: code and name for a list or a status line."""
    found = reason(code, packet, version)
    if found.name.startswith("unknown code"):
        return found.name
    number = f"{code}" if version is not Version.V5 and code < 0x80 else f"0x{code:02x}"
    return f"{number} {lower_name(found.name)}"


def lower_name(name: str) -> str:
    """A name of the table as it stands in a sentence: `not authorized`, `granted QoS 1`."""
    return " ".join(_LOWER_EXCEPT.get(word, word) for word in name.lower().split(" "))


def allowed(code: int, packet: P, version: Version, direction: Direction) -> bool:
    """Whether the sender may put `code` into `packet` ([MQTT-3.4.2-1] and its like; 3.1 has no SUBACK failure)."""
    if version is not Version.V5:
        return (packet, code) in _TABLE_3 and not (version is Version.V31 and packet is P.SUBACK and code == 0x80)
    row = _V5_TABLE.get((packet, code))
    if row is None:
        return False
    return packet not in (row.client_only if direction is Direction.S2C else row.server_only)


def codes(packet: P, version: Version) -> tuple[Reason, ...]:
    """Every code that the standard has for `packet`, in ascending order."""
    if version is not Version.V5:
        return tuple(found for (kind, _), found in sorted(_TABLE_3.items()) if kind is packet)
    return tuple(Reason(row.code, row.name, row.hint) for row in _V5 if packet in row.packets)
