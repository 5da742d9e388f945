"""From the first byte to the session that goes on or not (C)."""

from __future__ import annotations

from mqtttui.analysis.expert.conversation import Conversation
from mqtttui.analysis.expert.learning import is_clean, number, text_bytes
from mqtttui.analysis.expert.rule import Rule
from mqtttui.analysis.expert.seen import Seen
from mqtttui.analysis.expert.timeouts import SECOND
from mqtttui.protocol.enums import Direction, PropertyId, Severity, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.packets import Connack, Connect, Disconnect
from mqtttui.protocol.reason_codes import label
from mqtttui.text import preview

_C2S, _S2C = Direction.C2S, Direction.S2C
_PLAIN_ID = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SAFE_LENGTH = 23
_MOVED = (0x9C, 0x9D)
_PLAIN = ("tcp", "ws")
"""Transports on which a login can be read on the way."""
_OURSELVES = ("cancelled", "cut ")
"""How the reason begins if this program ended the connection on its own account."""
_TELLING = frozenset({P.PUBLISH, P.CONNACK, P.DISCONNECT})
"""Packets of the server that may carry reasons although the client declined them [MQTT-3.1.2-29]."""


class Connecting(Rule):
    """Checks of CONNECT, CONNACK and what comes between them."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation)
        self._overdue = False
        self._declined = False
        """The client does not want reasons and user properties."""

    def packet(self, seen: Seen) -> None:
        """A packet of either side."""
        conversation = self.conversation
        if seen.direction is _C2S:
            if seen.kind is P.CONNECT:
                self._connect(seen)
            elif not conversation.connack_no and not conversation.partial:
                self._early(seen)
        else:
            if not conversation.last_no[_S2C] and not conversation.partial:
                self._first_answer(seen)
            if seen.kind is P.CONNACK:
                self._connack(seen)
            elif seen.kind is P.DISCONNECT and isinstance(seen.packet, Disconnect):
                self._reference(seen, seen.packet.reason_code or 0)
            if self._declined and seen.kind not in _TELLING:
                self._problem_information(seen)

    def after(self, seen: Seen) -> None:
        """The session of a CONNECT is known."""
        if seen.no == self.conversation.connect_no:
            self._loop(seen)

    # --- the client

    def _connect(self, seen: Seen) -> None:
        conversation = self.conversation
        if conversation.connect_no:
            text = "The client sends a second CONNECT on the same connection."
            conversation.report("C02", seen, text, related=(conversation.connect_no,))
            return
        conversation.at(seen.mono + int(conversation.timeouts.connack * SECOND), self._no_connack)
        packet = seen.packet
        if isinstance(packet, Connect):
            self._declined = number(packet.properties, PropertyId.REQUEST_PROBLEM_INFORMATION, 1) == 0
            self._client_id(seen, text_bytes(packet.client_id))
            self._login(seen, packet)

    def _client_id(self, seen: Seen, client_id: bytes) -> None:
        shown = preview(client_id, 40)
        if len(client_id) > _SAFE_LENGTH:
            severity = Severity.ERROR if seen.version is Version.V31 else None
            text = f"The client id {shown} has {len(client_id)} bytes; a server need not accept more than {_SAFE_LENGTH}."
            self.conversation.report("C13", seen, text, field="mqtt.clientid", severity=severity, cause="longer than 23 bytes")
        elif not _PLAIN_ID.issuperset(client_id):
            text = f"The client id {shown} has characters beyond 0-9, a-z and A-Z, which a server need not accept."
            self.conversation.report("C13", seen, text, field="mqtt.clientid", cause="other characters than letters and digits")

    def _login(self, seen: Seen, packet: Connect) -> None:
        info = self.conversation.info
        if packet.username is None and packet.password is None:
            return
        if info.transport not in _PLAIN or is_loopback(info.destination):
            return
        what = "a password" if packet.password is not None else "a user name"
        field = "mqtt.passwd" if packet.password is not None else "mqtt.username"
        self.conversation.report("C15", seen, f"The client sends {what} over a connection without TLS.", field=field)

    def _early(self, seen: Seen) -> None:
        """A packet of the client before the CONNACK."""
        conversation = self.conversation
        name = seen.kind.name if seen.kind is not None else "bytes"
        if not conversation.last_no[_C2S]:
            conversation.report("C01", seen, f"The client begins with {name}; the first packet has to be CONNECT.")
            return
        connect = conversation.connect
        if connect is None or seen.kind in (P.AUTH, P.DISCONNECT):
            return
        if any(item.id == PropertyId.AUTHENTICATION_METHOD for item in connect.properties):
            text = f"The client sends {name} before the server has finished the authentication with CONNACK."
            conversation.report("C16", seen, text, related=(conversation.connect_no,))
        else:
            text = f"The client sends {name} without waiting for CONNACK: it counts only if the server accepts the connection."
            conversation.report_once("early", "C17", seen, text, related=(conversation.connect_no,))

    def _loop(self, seen: Seen) -> None:
        timeouts, session = self.conversation.timeouts, self.conversation.session
        since = seen.mono - int(timeouts.loop_seconds * SECOND)
        recent = [connect for connect in session.connects if connect.mono >= since]
        if len(recent) < timeouts.loop_connects or not all(connect.after_fault for connect in recent[1:]):
            return
        code = "" if session.last_code is None else f" after {label(session.last_code, P.DISCONNECT, Version.V5)}"
        text = f"The client connects for the {_ordinal(len(recent))} time within {timeouts.loop_seconds:g} s{code}."
        self.conversation.report("C37", seen, text, related=tuple(connect.no for connect in recent[:-1]), cause=code.strip())

    # --- the server

    def _first_answer(self, seen: Seen) -> None:
        if seen.kind is P.CONNACK or (seen.version is Version.V5 and seen.kind in (P.AUTH, P.DISCONNECT)):
            return
        name = seen.kind.name if seen.kind is not None else "bytes"
        text = f"The server begins with {name}; its first packet has to be CONNACK."
        self.conversation.report("C18", seen, text, related=self._related())

    def _connack(self, seen: Seen) -> None:
        conversation = self.conversation
        if conversation.connack_no:
            conversation.report("C19", seen, "The server sends a second CONNACK.", related=(conversation.connack_no,))
            return
        if seen.version is Version.V5 and seen.length == 4:
            text = "The server answers a CONNECT of MQTT 5 in the form of 3.1.1, without properties."
            conversation.report("C28", seen, text, related=self._related())
        packet = seen.packet
        if not isinstance(packet, Connack):
            return
        self._reference(seen, packet.code)
        if packet.code:
            if conversation.ends_are_seen:
                no = seen.no
                conversation.at(seen.mono + int(conversation.timeouts.close * SECOND), lambda _: self._still_open(no))
            return
        connect = conversation.connect
        if connect is not None:
            self._session(seen, packet, connect)
            if seen.version is Version.V5:
                self._assigned(seen, connect)
                self._announced(seen, connect)

    def _session(self, seen: Seen, packet: Connack, connect: Connect) -> None:
        conversation, session = self.conversation, self.conversation.session
        report, field, related = conversation.report, "mqtt.conack.flags.sp", self._related()
        if packet.session_present and is_clean(connect):
            clean = "clean start" if seen.version is Version.V5 else "clean session"
            text = f"The server says that it goes on with a session, but the client asked for a {clean}."
            report("C21", seen, text, related=related, field=field)
        elif packet.session_present and session.kept is False:
            text = "The server goes on with a session, but the one of the connection before had to end with it."
            report("C22", seen, text, related=related, field=field)
        elif packet.session_present and session.kept is None:
            text = "The server goes on with a session that is older than this record."
            report("C22", seen, text, related=related, field=field, severity=Severity.NOTE, cause="older than this record")
        elif not packet.session_present and not is_clean(connect) and session.lives(seen.mono):
            text = "The server has lost the session: the subscriptions and waiting messages of the connection before are gone."
            report("C23", seen, text, related=related, field=field)

    def _assigned(self, seen: Seen, connect: Connect) -> None:
        assigned = seen.value_of(PropertyId.ASSIGNED_CLIENT_IDENTIFIER)
        related = self._related()
        if assigned is None and not connect.client_id:
            text = "The client has no client id, and the server does not say which one it assigned."
            self.conversation.report("C29", seen, text, related=related)
        elif isinstance(assigned, str | bytes) and connect.client_id:
            text = f"The server assigns the client id {preview(text_bytes(assigned), 40)} although the client has one."
            self.conversation.report("C38", seen, text, related=related, field="mqtt.prop_string")

    def _announced(self, seen: Seen, connect: Connect) -> None:
        """What the server says about itself."""
        report, related = self.conversation.report, self._related()
        seconds = number(seen.properties, PropertyId.SERVER_KEEP_ALIVE, connect.keep_alive)
        if seconds != connect.keep_alive:
            text = f"The server sets the keep-alive to {seconds} s instead of {connect.keep_alive} s."
            report("C30", seen, text, related=related)
        limits = [words for item in seen.properties if (words := _limit(item.id, item.value))]
        if limits:
            report("C33", seen, f"The server announces limits: {', '.join(limits)}.", related=related)
        asked = number(connect.properties, PropertyId.REQUEST_RESPONSE_INFORMATION, 0)
        if asked != 1 and seen.value_of(PropertyId.RESPONSE_INFORMATION) is not None:
            report("C34", seen, "The server sends Response Information, which the client did not request.", related=related)

    def _reference(self, seen: Seen, code: int) -> None:
        reference = seen.value_of(PropertyId.SERVER_REFERENCE)
        if isinstance(reference, str | bytes) and code not in _MOVED and seen.kind is not None:
            named = label(code, seen.kind, seen.version)
            text = f"The server names another server, {preview(text_bytes(reference), 40)}, with the code {named}."
            self.conversation.report("C36", seen, text, cause=named)

    def _problem_information(self, seen: Seen) -> None:
        if seen.kind is None or not any(item.id in (PropertyId.REASON_STRING, PropertyId.USER_PROPERTY) for item in seen.properties):
            return
        text = f"The server explains itself in {seen.kind.name}, although the client wants no problem information."
        self.conversation.report("C35", seen, text, related=self._related(), cause=seen.kind.name)

    # --- time and end

    def _no_connack(self, _: int) -> None:
        conversation = self.conversation
        if conversation.connack_no or conversation.last_no[_S2C] > conversation.connect_no or conversation.closing[_C2S] is not None:
            return
        self._overdue = True
        text = f"The server does not answer the CONNECT within {conversation.timeouts.connack:g} s."
        conversation.report("C31", conversation.connect_no, text)

    def _still_open(self, no: int) -> None:
        text = f"The server refuses the client, but keeps the connection open for more than {self.conversation.timeouts.close:g} s."
        self.conversation.report("C27", no, text)

    def closed(self, mono: int, reason: str) -> None:
        """Closed without an answer to the CONNECT."""
        conversation = self.conversation
        if conversation.connack_no or not conversation.connect_no or self._overdue or not conversation.ends_are_seen:
            return
        if any(conversation.closing) or reason.startswith(_OURSELVES):
            return
        conversation.report("C32", conversation.connect_no, "The connection is closed without an answer to the CONNECT.")

    def _related(self) -> tuple[int, ...]:
        return (self.conversation.connect_no,) if self.conversation.connect_no else ()


_LIMITS: dict[int, tuple[int, str]] = {
    PropertyId.MAXIMUM_QOS: (2, "no QoS above {}"),
    PropertyId.RETAIN_AVAILABLE: (1, "no retained messages"),
    PropertyId.RECEIVE_MAXIMUM: (65_535, "{} unacknowledged messages"),
    PropertyId.MAXIMUM_PACKET_SIZE: (1 << 32, "{} bytes a packet"),
    PropertyId.WILDCARD_SUBSCRIPTION_AVAILABLE: (1, "no wildcards"),
    PropertyId.SUBSCRIPTION_IDENTIFIER_AVAILABLE: (1, "no subscription identifiers"),
    PropertyId.SHARED_SUBSCRIPTION_AVAILABLE: (1, "no shared subscriptions"),
}
"""Property -> what holds without it, and a lower value in words."""


def _limit(identifier: int, value: object) -> str:
    default, words = _LIMITS.get(identifier, (0, ""))
    return words.format(f"{value:,}") if isinstance(value, int) and value < default else ""


def is_loopback(address: str) -> bool:
    """Whether `address` (host and port as text) is this machine: what is sent there stays in it."""
    host = address.rpartition(":")[0].strip("[]") or address
    return host.startswith("127.") or host in ("::1", "localhost")


def _ordinal(count: int) -> str:
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(count, f"{count}th")
