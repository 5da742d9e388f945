"""Keep alive, pings, and how connections end (G).

Keep alive is watched by a timer that looks when the client sent its latest packet, so that packets cost nothing. A client
whose library looks at its clock once a second is late by less than `_GRACE_NS`, which is no finding.
"""

from __future__ import annotations

from collections import deque

from mqtttui.analysis.expert.conversation import Conversation
from mqtttui.analysis.expert.learning import number, text_bytes
from mqtttui.analysis.expert.rule import Rule
from mqtttui.analysis.expert.seen import Seen
from mqtttui.analysis.expert.timeouts import SECOND
from mqtttui.protocol.enums import Direction, PropertyId, Severity, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.packets import Connack, Disconnect
from mqtttui.protocol.reason_codes import label
from mqtttui.text import preview

_C2S, _S2C = Direction.C2S, Direction.S2C
_GRACE_NS = SECOND
_SERVER_GRACE_NS = 5 * SECOND
"""Servers look at their clock every few seconds only."""
_MAX_PINGS = 100
_WILL_NS = 60 * SECOND
"""For so long after a normal DISCONNECT a will is recognised."""
_FAILURE = 0x80
_SIDES = ("client", "server")


class Liveness(Rule):
    """Checks of time and end."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation)
        self._late = 0
        """The client's latest packet, if it was too long ago when the timer looked; else 0."""
        self._pings: deque[tuple[int, int]] = deque(maxlen=_MAX_PINGS)
        """Open PINGREQs: No. and monotonic ns."""
        self._deaf = False
        """Bytes of the client could not be framed, so its pings are not seen."""
        self._idle_since = 0
        """No. of the latest packet other than pings when the connection was said to be idle."""
        self._own_will = False
        """The client itself publishes what its will says."""

    # --- packets

    def packet(self, seen: Seen) -> None:
        """A packet of either side."""
        conversation = self.conversation
        if (closing := conversation.closing[seen.direction]) is not None and seen.kind is not None:
            text = f"{seen.sender} sends {seen.kind.name} after its DISCONNECT."
            conversation.report("G07", seen, text, related=(closing.no,), cause=seen.kind.name)
        if self._late and seen.direction is _C2S:
            self._gap(seen)
        match seen.kind:
            case P.PUBLISH:
                self._publish(seen)
            case P.PINGRESP if seen.direction is _S2C:
                self._pingresp(seen)
            case P.DISCONNECT:
                self._disconnect(seen)
            case _:
                pass

    def after(self, seen: Seen) -> None:
        """The keep alive is known, or a ping was sent."""
        if seen.kind is P.CONNACK and seen.no == self.conversation.connack_no and self._accepted(seen):
            self._watch(self.conversation.connect_mono)
        elif seen.kind is P.PINGREQ and seen.direction is _C2S:
            self._pingreq(seen)
        elif seen.kind is P.DISCONNECT:
            self._left(seen)

    def unframed(self, seen: Seen) -> None:
        """What this side sends from now on is not seen."""
        self._deaf = self._deaf or seen.direction is _C2S

    def lost(self) -> None:
        """Answers, or packets of the client, may have been among what was not seen."""
        self._pings.clear()
        self._late = 0

    def _accepted(self, seen: Seen) -> bool:
        return isinstance(seen.packet, Connack) and self.conversation.accepted and self.conversation.keep_alive > 0

    # --- keep alive

    @property
    def _period(self) -> int:
        return self.conversation.keep_alive * SECOND

    def _watch(self, since: int) -> None:
        """Look again a keep alive and some grace after `since`."""
        self.conversation.at(since + self._period + _GRACE_NS, self._look)

    def _look(self, now: int) -> None:
        conversation = self.conversation
        no = conversation.last_no[_C2S]
        last = conversation.mono_of(no)
        if self._deaf or conversation.closing[_C2S] is not None:
            return
        if last is None or last + self._period + _GRACE_NS > now:
            self._watch(now if last is None else last)
            return
        self._late = no
        conversation.settled[_C2S].clear()
        if conversation.ends_are_seen:
            conversation.at(max(now, last + self._period * 3 // 2 + max(self._period // 10, _SERVER_GRACE_NS)), self._still_waiting)

    def _gap(self, seen: Seen) -> None:
        """The first packet after too long a silence."""
        last, late = self.conversation.mono_of(self._late), self._late
        self._late = 0
        self._watch(seen.mono)
        if last is None:
            return
        gap = seen.mono - last
        severity = Severity.ERROR if gap > self._period * 3 // 2 else None
        text = f"The client was silent for {gap / SECOND:.1f} s; the keep-alive is {self.conversation.keep_alive} s."
        self.conversation.report("G01", seen, text, related=(late,), severity=severity)

    def _still_waiting(self, _: int) -> None:
        if self._late and self.conversation.last_no[_C2S] == self._late:
            text = f"The server keeps a client that is silent for more than one and a half keep-alives of {self.conversation.keep_alive} s."
            self.conversation.report("G02", self._late, text)

    # --- pings

    def _pingreq(self, seen: Seen) -> None:
        conversation = self.conversation
        if len(self._pings) < _MAX_PINGS:
            patience = min(conversation.timeouts.ping, conversation.keep_alive or conversation.timeouts.ping)
            ping = (seen.no, seen.mono)
            conversation.at(seen.mono + int(patience * SECOND), lambda _: self._no_pingresp(ping, patience))
        self._pings.append((seen.no, seen.mono))
        busy = conversation.last_busy
        since = conversation.mono_of(busy)
        if since is None or busy == self._idle_since or not conversation.keep_alive:
            return
        if seen.mono - since > conversation.timeouts.idle_periods * self._period:
            self._idle_since = busy
            text = f"Nothing but pings for {(seen.mono - since) / SECOND / 60:.0f} minutes."
            conversation.report("G05", seen, text, related=(busy,))

    def _no_pingresp(self, ping: tuple[int, int], seconds: float) -> None:
        if ping in self._pings and self.conversation.closing[_C2S] is None:
            self.conversation.report("G03", ping[0], f"The server does not answer the PINGREQ within {seconds:g} s.")

    def _pingresp(self, seen: Seen) -> None:
        if self._pings:
            self._pings.popleft()
        elif not (self._deaf or self.conversation.partial):
            self.conversation.report("G04", seen, "The server sends a PINGRESP without a PINGREQ that it could answer.")

    # --- the end

    def _disconnect(self, seen: Seen) -> None:
        conversation = self.conversation
        packet = seen.packet
        if not isinstance(packet, Disconnect) or conversation.closing[seen.direction] is not None:
            return
        if seen.direction is _S2C and not conversation.accepted:
            text = "The server sends DISCONNECT before it has accepted the client; a refusal belongs into CONNACK."
            conversation.report("G09", seen, text, related=(conversation.connect_no,) if conversation.connect_no else ())
        if seen.direction is _C2S and conversation.connect is not None:
            before = number(conversation.connect.properties, PropertyId.SESSION_EXPIRY_INTERVAL, 0)
            after = number(seen.properties, PropertyId.SESSION_EXPIRY_INTERVAL, 0)
            if after and not before:
                text = f"The client wants the session to be kept for {after:,} s, but had asked in CONNECT for none at all."
                conversation.report("G11", seen, text, related=(conversation.connect_no,))
        if conversation.ends_are_seen and (seen.direction is _C2S or seen.version is Version.V5):
            no, side, code = seen.no, seen.direction, packet.reason_code or 0
            conversation.at(seen.mono + int(conversation.timeouts.close * SECOND), lambda _: self._still_open(no, side, code))

    def _still_open(self, no: int, side: Direction, code: int) -> None:
        seconds = f"more than {self.conversation.timeouts.close:g} s"
        if code >= _FAILURE:
            named = label(code, P.DISCONNECT, Version.V5)
            text = f"The {_SIDES[side]} ends the connection with {named}, but keeps it open for {seconds}."
            self.conversation.report("G15", no, text, cause=named)
        else:
            self.conversation.report("G08", no, f"The {_SIDES[side]} sends DISCONNECT, but keeps the connection open for {seconds}.")

    def closed(self, mono: int, reason: str) -> None:
        """The connection ended."""
        conversation = self.conversation
        if not conversation.accepted or any(conversation.closing) or not conversation.ends_are_seen:
            return
        will = conversation.will
        if will is not None:
            what = f"the server publishes its will to {preview(text_bytes(will.topic), 40)}"
        elif conversation.partial:
            what = "if it has a will, the server publishes it"
        else:
            what = "it has no will"
        text = f"The connection ended without a DISCONNECT of the client{f' ({reason})' if reason else ''}; {what}."
        conversation.report("G06", max(conversation.last_no), text, related=(conversation.connect_no,) if conversation.connect_no else ())

    # --- the will

    def _left(self, seen: Seen) -> None:
        """After a normal DISCONNECT the will must not be published any more."""
        conversation = self.conversation
        closing, will = conversation.closing[_C2S], conversation.will
        if closing is None or closing.no != seen.no or closing.code or will is None or self._own_will:
            return
        conversation.wills.watch(text_bytes(will.topic), will.payload, seen.no, seen.mono + _WILL_NS)

    def _publish(self, seen: Seen) -> None:
        conversation = self.conversation
        will, wills = conversation.will, conversation.wills
        if seen.direction is _C2S:
            if will is not None and seen.topic == text_bytes(will.topic):
                conversation.look_again()
                self._own_will = self._own_will or seen.payload == will.payload
            return
        if not wills or seen.retain:
            return
        watched = wills.of(seen.topic, seen.mono)
        if watched is not None:
            conversation.look_again()
            if seen.payload == watched.payload:
                text = (
                    f"The server delivers what the will of a client says to {preview(seen.topic, 40)}, though that client sent DISCONNECT."
                )
                conversation.report("G14", seen, text, related=(watched.no,))
