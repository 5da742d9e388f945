"""What does not come in time: acknowledgements, the steps of QoS 2, SUBACK, UNSUBACK, and what a session owes (D08, E08, E10, F16, F17).

Nothing is said when an end was announced or the missing packet could not be seen: behind a DISCONNECT, and from a side whose
bytes could not be framed.
"""

from __future__ import annotations

from typing import ClassVar

from mqtttui.analysis.expert.conversation import Conversation
from mqtttui.analysis.expert.inflight import Flow, Stage
from mqtttui.analysis.expert.rule import Rule
from mqtttui.analysis.expert.seen import Seen
from mqtttui.analysis.expert.timeouts import SECOND
from mqtttui.protocol.enums import Direction, Severity, Version
from mqtttui.protocol.enums import PacketType as P

_STEP = SECOND // 4
"""It is looked for overdue packets at most so often."""
_SIDES = ("client", "server")
_NO_PUBREL = ("MQTT-4.3.3-1", "MQTT-4.3.3-4")
_NO_PUBREC = ("MQTT-4.3.3-2", "MQTT-4.3.3-10")


class Overdue(Rule):
    """Looks for what is overdue from time to time, as long as anything is awaited."""

    kinds: ClassVar[frozenset[P]] = frozenset({P.CONNACK, P.PUBLISH, P.PUBREC, P.PUBREL, P.SUBSCRIBE, P.UNSUBSCRIBE})

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation)
        self._deaf = [False, False]
        """Sides whose packets cannot be seen any more."""
        self._messages = self._requests = False
        """A look is due."""

    def after(self, seen: Seen) -> None:
        """Something has to come in answer to `seen`."""
        conversation, timeouts = self.conversation, self.conversation.timeouts
        if seen.kind in (P.SUBSCRIBE, P.UNSUBSCRIBE):
            if not self._requests:
                self._requests = True
                conversation.at(seen.mono + int(timeouts.suback * SECOND), self._look_for_answers)
        elif seen.kind is P.CONNACK:
            if conversation.resumed and any(conversation.in_flight.of(Direction.C2S).carried()):
                conversation.at(seen.mono + int(timeouts.ack * SECOND), self._look_for_debts)
        elif (seen.kind is not P.PUBLISH or seen.qos) and not self._messages:
            self._messages = True
            conversation.at(seen.mono + int(timeouts.ack * SECOND), self._look_for_steps)

    def unframed(self, seen: Seen) -> None:
        """Nothing of this side will be seen any more."""
        self._deaf[seen.direction] = True

    # --- messages

    def _look_for_steps(self, now: int) -> None:
        patience = int(self.conversation.timeouts.ack * SECOND)
        self._messages = False
        following: list[int] = []
        for side in Direction:
            space = self.conversation.in_flight.of(side)
            for identifier, flow in space.waiting(now - patience):
                flow.overdue = True
                self._report_step(side, identifier, flow)
            oldest = next((flow.since for flow in space.flows.values() if not (flow.overdue or flow.carried)), None)
            following += [] if oldest is None else [oldest]
        if following:
            self._messages = True
            self.conversation.at(max(min(following) + patience, now + _STEP), self._look_for_steps)

    def _report_step(self, side: Direction, identifier: int, flow: Flow) -> None:
        """Message `identifier` of `side` does not go on."""
        seconds = f"within {self.conversation.timeouts.ack:g} s"
        owner, receiver = _SIDES[side], _SIDES[1 - side]
        related = (flow.first,) if flow.first != flow.step else ()
        if flow.stage is Stage.RECEIVED:
            if flow.again and not self._silent(Direction(1 - side)):
                text = f"The {receiver} did not answer the repeated message {identifier} with PUBREC {seconds}."
                self._report_stuck(flow.again, text, related, _NO_PUBREC, Severity.ERROR, receiver)
            elif not self._silent(side):
                text = f"The {owner} did not release message {identifier} with PUBREL {seconds}."
                self._report_stuck(flow.step, text, related, _NO_PUBREL, None, owner)
        elif not self._silent(Direction(1 - side)):
            missing = "PUBCOMP" if flow.stage is Stage.RELEASED else "PUBACK" if flow.qos == 1 else "PUBREC"
            text = f"The {receiver} sent no {missing} for message {identifier} {seconds}."
            self.conversation.report("E10", flow.step, text, related=related, field="mqtt.msgid", cause=f"no {missing} from the {receiver}")

    def _report_stuck(
        self, no: int, text: str, related: tuple[int, ...], statements: tuple[str, str], severity: Severity | None, who: str
    ) -> None:
        statement = statements[self.conversation.version is Version.V5]
        cause = f"waits for the {who}"
        self.conversation.report("E08", no, text, related=related, field="mqtt.msgid", cause=cause, severity=severity, statement=statement)

    # --- requests

    def _look_for_answers(self, now: int) -> None:
        patience = int(self.conversation.timeouts.suback * SECOND)
        self._requests = False
        waiting = [
            (identifier, request)
            for identifier, request in self.conversation.in_flight.of(Direction.C2S).requests.items()
            if not request.overdue
        ]
        for identifier, request in waiting:
            if request.since <= now - patience:
                request.overdue = True
                if self._silent(Direction.S2C):
                    continue
                check, answer = ("F16", "SUBACK") if request.kind is P.SUBSCRIBE else ("F17", "UNSUBACK")
                text = f"The server sent no {answer} for packet identifier {identifier} within {self.conversation.timeouts.suback:g} s."
                self.conversation.report(check, request.no, text, field="mqtt.msgid")
        following = [request.since for _, request in waiting if not request.overdue]
        if following:
            self._requests = True
            self.conversation.at(max(min(following) + patience, now + _STEP), self._look_for_answers)

    # --- sessions

    def _look_for_debts(self, now: int) -> None:
        """What the client left unfinished on its connection before, it has to go on with [MQTT-4.4.0-1]."""
        conversation = self.conversation
        owed = conversation.in_flight.of(Direction.C2S).carried()
        if not owed or self._silent(Direction.C2S):
            return
        identifier, flow = owed[0]
        what = "PUBLISH" if flow.stage is Stage.SENT else "PUBREL"
        more = f" (and {len(owed) - 1:,} more)" if len(owed) > 1 else ""
        text = f"The client's session goes on, but it did not send the {what} of its unfinished message {identifier}{more} again."
        related = (*[flow.first for _, flow in owed[:10]], conversation.connack_no)
        conversation.report("D08", conversation.connect_no, text, related=related)

    def _silent(self, side: Direction) -> bool:
        """Whether it means nothing that a packet of `side` does not come."""
        return self._deaf[side] or any(self.conversation.closing)
