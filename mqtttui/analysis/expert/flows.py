"""The exchanges of QoS 1 and 2 in both directions, message by message, and what goes wrong in them (D04 to D09, E01 to E07, E11).

Each side gives identifiers of its own. A message goes PUBLISH, PUBACK or PUBLISH, PUBREC, PUBREL, PUBCOMP; the receiver's
answers go by the sender's identifiers. What an earlier connection of the session left unfinished is `carried` until the
first packet of it. After a session was resumed whose beginning nobody saw, and behind what could not be framed, answers to
unknown messages prove nothing.
"""

from __future__ import annotations

from typing import ClassVar

from mqtttui.analysis.expert.conversation import Conversation
from mqtttui.analysis.expert.inflight import Flow, Space, Stage
from mqtttui.analysis.expert.rule import Rule
from mqtttui.analysis.expert.seen import Seen
from mqtttui.analysis.expert.window import Window
from mqtttui.protocol.enums import Direction, Severity
from mqtttui.protocol.enums import PacketType as P
from mqtttui.text import preview

_FAILURE = 0x80
_MOST_HASHED = 65_536
"""Bytes of a payload that tell it from others; of longer ones both ends and the length count."""


class Flows(Rule):
    """Brings `conversation.in_flight` forward."""

    kinds: ClassVar[frozenset[P]] = frozenset({P.CONNACK, P.PUBLISH, P.PUBACK, P.PUBREC, P.PUBREL, P.PUBCOMP})

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation)
        self._window = Window(conversation)
        self._started = conversation.in_flight
        self._deaf = False
        self._resent = [0, 0]
        """Highest place of the messages of earlier connections that were sent again, by side."""
        self._answered: dict[P, int] = {}
        """Highest place of the messages that the client has answered with each type."""

    def packet(self, seen: Seen) -> None:
        """A step of an exchange."""
        identifier = seen.packet_id
        if not identifier:
            return
        in_flight, side = self.conversation.in_flight, seen.direction
        match seen.kind:
            case P.PUBLISH if seen.qos < 3:
                self._publish(seen, in_flight.of(side), identifier)
                self._window.published(seen)
            case P.PUBACK:
                self._puback(seen, in_flight.of(Direction(1 - side)), identifier)
            case P.PUBREC:
                self._pubrec(seen, in_flight.of(Direction(1 - side)), identifier)
            case P.PUBREL:
                self._pubrel(seen, in_flight.of(side), identifier)
            case P.PUBCOMP:
                self._pubcomp(seen, in_flight.of(Direction(1 - side)), identifier)
            case _:
                pass

    def after(self, seen: Seen) -> None:
        """What the client sent before the CONNACK counts in the session that goes on."""
        in_flight = self.conversation.in_flight
        if in_flight is not self._started:
            in_flight.add(self._started)
            self._started = in_flight

    def unframed(self, seen: Seen) -> None:
        """What this side sends from now on is not seen."""
        self._deaf = True

    # --- PUBLISH

    def _publish(self, seen: Seen, space: Space, identifier: int) -> None:
        digest = _digest(seen)
        flow = space.flows.get(identifier)
        request = space.requests.get(identifier)
        if request is not None:
            self._in_use(seen, identifier, request.no, f"the {request.kind.name}")
        if flow is None:
            if seen.dup and not self.conversation.partial:
                self._redelivered(seen)
        elif flow.digest != digest or flow.qos != seen.qos:
            self._other_message(seen, flow, identifier)
        elif self._repeated(seen, space, flow, identifier):
            return
        space.start(identifier, Flow(seen.qos, digest, seen.no, seen.no, seen.mono, space.place()))

    def _repeated(self, seen: Seen, space: Space, flow: Flow, identifier: int) -> bool:
        """The PUBLISH is like the one that has the identifier. False if it has to be taken for a new message all the same."""
        report, related = self.conversation.report, (flow.first,)
        if flow.carried:
            if flow.stage is Stage.RELEASED:
                report("E06", seen, f"{seen.sender} sends message {identifier} again, which it had released with PUBREL.", related=related)
            elif not seen.dup:
                text = f"{seen.sender} sends message {identifier} of the session again without DUP."
                report("D05", seen, text, related=related, field="mqtt.dupflag")
            if flow.order < self._resent[seen.direction]:
                text = f"{seen.sender} sends message {identifier} again behind one that came after it originally."
                report("D09", seen, text, related=related, field="mqtt.msgid")
            self._resent[seen.direction] = max(flow.order, self._resent[seen.direction])
            flow.order = space.place()
        elif not seen.dup:
            self._in_use(seen, identifier, flow.first, "a PUBLISH with the same contents")
            return False
        elif flow.stage is Stage.RELEASED:
            text = f"{seen.sender} sends message {identifier} again after its PUBREL."
            report("E06", seen, text, related=(flow.first, flow.step), field="mqtt.msgid")
        else:
            text = f"{seen.sender} sends message {identifier} again although the connection is the same."
            report("D06", seen, text, related=related, field="mqtt.dupflag")
        space.repeat(identifier, seen.no, seen.mono)
        return True

    def _other_message(self, seen: Seen, flow: Flow, identifier: int) -> None:
        if seen.dup:
            text = f"{seen.sender} marks this as a repetition, but message {identifier} on its way is another one."
            self.conversation.report("D04", seen, text, related=(flow.first,), field="mqtt.msgid")
        else:
            where = "a PUBLISH of an earlier connection" if flow.carried else "another PUBLISH"
            # What a server does with messages of a session is its own affair: it may have given one up.
            severity = Severity.WARN if flow.carried and seen.direction is Direction.S2C else None
            self._in_use(seen, identifier, flow.first, where, severity)

    def _in_use(self, seen: Seen, identifier: int, no: int, what: str, severity: Severity | None = None) -> None:
        text = f"{seen.sender} gives identifier {identifier} to this message while {what} with it is not finished."
        self.conversation.report("D04", seen, text, related=(no,), field="mqtt.msgid", severity=severity)

    def _redelivered(self, seen: Seen) -> None:
        topic = preview(seen.topic, 60)
        text = f"{seen.sender} sends this again (DUP), but no earlier copy was seen: {seen.receiver} may have had it before."
        self.conversation.report("D07", seen, text, field="mqtt.dupflag", cause=topic)

    # --- answers

    def _puback(self, seen: Seen, space: Space, identifier: int) -> None:
        flow = space.flows.get(identifier)
        if flow is None:
            if not space.use_spare(identifier, P.PUBACK):
                self._unknown("E01", seen, space, identifier)
        elif flow.qos != 1:
            self._misfit(seen, flow, identifier)
        else:
            self._in_order(seen, flow.order, flow)
            space.end(identifier)

    def _pubrec(self, seen: Seen, space: Space, identifier: int) -> None:
        flow = space.flows.get(identifier)
        if flow is None:
            if identifier not in space.unreleased and not space.use_spare(identifier, P.PUBREC):
                self._unknown("E02", seen, space, identifier)
            return
        if flow.qos != 2:
            self._misfit(seen, flow, identifier)
            return
        if flow.stage is Stage.SENT:
            self._in_order(seen, flow.order, flow)
            if seen.reason >= _FAILURE:
                space.refuse(identifier, seen.no)
                return
            flow.answer_order = space.place()
            space.step(identifier, seen.no, seen.mono, Stage.RECEIVED)
        flow.again = 0

    def _pubrel(self, seen: Seen, space: Space, identifier: int) -> None:
        flow = space.flows.get(identifier)
        if flow is not None and flow.qos == 2:
            if flow.stage is Stage.SENT:
                text = f"{seen.sender} releases message {identifier} before {seen.receiver} has said with PUBREC that it has it."
                self.conversation.report("E03", seen, text, related=(flow.first,), field="mqtt.msgid")
            elif flow.stage is Stage.RECEIVED:
                self._in_order(seen, flow.answer_order, flow)
            flow.releases += 1
            space.step(identifier, seen.no, seen.mono, Stage.RELEASED)
            return
        refused = space.refused.get(identifier)
        if refused is not None:
            text = f"{seen.sender} releases message {identifier}, which {seen.receiver} refused in its PUBREC."
            self.conversation.report("E07", seen, text, related=(refused,), field="mqtt.msgid")
        elif not self._proves_nothing(seen) and not (self.conversation.resumed and seen.direction is Direction.S2C):
            # After a resumed session a server may release what the client's lost PUBCOMP had finished.
            text = f"{seen.sender} releases message {identifier}, but no QoS 2 message with this identifier is on its way."
            self.conversation.report("E03", seen, text, related=(flow.first,) if flow else (), field="mqtt.msgid")
        if flow is None:
            space.release(identifier, seen.no)

    def _pubcomp(self, seen: Seen, space: Space, identifier: int) -> None:
        flow = space.flows.get(identifier)
        if flow is None:
            if space.unreleased.pop(identifier, None) is None and not space.use_spare(identifier, P.PUBCOMP):
                self._uncalled_pubcomp(seen, identifier, ())
        elif flow.stage is Stage.RELEASED:
            space.end(identifier)
        else:
            self._uncalled_pubcomp(seen, identifier, (flow.first,))

    def _uncalled_pubcomp(self, seen: Seen, identifier: int, related: tuple[int, ...]) -> None:
        if related or not self._proves_nothing(seen):
            text = f"{seen.sender} finishes message {identifier}, but {seen.receiver} has not released it with PUBREL."
            self.conversation.report("E04", seen, text, related=related, field="mqtt.msgid")

    def _unknown(self, check: str, seen: Seen, space: Space, identifier: int) -> None:
        """A PUBACK or PUBREC without a message."""
        if self.conversation.partial or self._deaf:
            return
        qos = 1 if check == "E01" else 2
        text = f"{seen.sender} acknowledges message {identifier}, but no QoS {qos} message with this identifier is on its way."
        request = space.requests.get(identifier)
        if request is not None:
            text = f"{seen.sender} acknowledges message {identifier}, but the packet with this identifier is {_a(request.kind)}."
        severity = Severity.WARN if self.conversation.resumed else None
        related = (request.no,) if request is not None else ()
        self.conversation.report(check, seen, text, related=related, field="mqtt.msgid", severity=severity)

    def _misfit(self, seen: Seen, flow: Flow, identifier: int) -> None:
        assert seen.kind is not None
        wanted = "PUBACK" if flow.qos == 1 else "PUBREC"
        text = f"{seen.sender} answers message {identifier}, which has QoS {flow.qos}, with {seen.kind.name} instead of {wanted}."
        self.conversation.report("E05", seen, text, related=(flow.first,), field="mqtt.msgtype")

    def _in_order(self, seen: Seen, order: int, flow: Flow) -> None:
        """The client has to answer in the order in which messages came; one that was answered before a later one proves it."""
        assert seen.kind is not None
        if seen.direction is Direction.S2C or flow.copies > 1 or flow.carried:
            return
        latest = self._answered.get(seen.kind, 0)
        if order < latest:
            text = f"The client sends this {seen.kind.name} behind that for a message that came later."
            self.conversation.report("E11", seen, text, related=(flow.step,), field="mqtt.msgid")
        self._answered[seen.kind] = max(order, latest)

    def _proves_nothing(self, seen: Seen) -> bool:
        """There may be messages on their way that nobody saw."""
        return self._deaf or self.conversation.in_flight.uncertain


def _digest(seen: Seen) -> int:
    """Tells one message from another by topic and payload."""
    start, raw = seen.payload_start, seen.raw
    if len(raw) - start <= _MOST_HASHED:
        return hash((seen.topic, raw[start:]))
    half = _MOST_HASHED // 2
    return hash((seen.topic, len(raw) - start, raw[start : start + half], raw[-half:]))


def _a(kind: P) -> str:
    return f"{'an' if kind is P.UNSUBSCRIBE else 'a'} {kind.name}"
