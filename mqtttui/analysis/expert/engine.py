"""The engine: keeps the conversations, shows packets to their rules, runs timers, ends conversations.

Order for each packet: timers that are due, the rules' `packet`, what the conversation learns, the rules' `after`. A
conversation ends when the time has passed its end and all its packets were read; the timers before come first.
"""

from __future__ import annotations

from functools import partial

from mqtttui.analysis.expert import learning
from mqtttui.analysis.expert.checks import CONVERSATION
from mqtttui.analysis.expert.clock import Clock
from mqtttui.analysis.expert.conversation import Conversation, Report, Timer
from mqtttui.analysis.expert.rule import Rule
from mqtttui.analysis.expert.rules import RULES
from mqtttui.analysis.expert.screen import Outline, Screen, outlines_of, shape_of
from mqtttui.analysis.expert.seen import Seen
from mqtttui.analysis.expert.session import Sessions
from mqtttui.analysis.expert.store import Kept, Store
from mqtttui.analysis.expert.timeouts import Timeouts
from mqtttui.analysis.expert.wills import Wills
from mqtttui.capture.log import Log
from mqtttui.capture.records import END_OF_CAPTURE, Origin
from mqtttui.protocol.enums import Direction
from mqtttui.protocol.enums import PacketType as P

DISSECTION_WORK = 10
"""What a dissection costs, in packets that are only shown to the rules."""
FAST_LIMIT = 16_387
"""Bytes of a packet with two bytes of Remaining Length: no larger one settles a topic."""
MAX_SETTLED = 10_000
"""Topics of each direction of a connection."""
_PLAIN = P.PUBLISH << 4
_CONVERSATION_COST = 12_000
_SETTLED_COST = 150
_MEASURE_EVERY = 5_000
"""Packets after which the tables of conversations and rules are measured again."""


class Live:
    """A conversation with its rules."""

    __slots__ = ("clock", "closing", "conversation", "due", "rules", "settling", "shown")

    def __init__(self, conversation: Conversation, clock: Clock, settling: bool) -> None:
        self.conversation = conversation
        self.clock = clock
        self.settling = settling
        """Whether topics may settle."""
        self.rules: tuple[Rule, ...] = tuple(rule(conversation) for rule in RULES)
        self.shown = {kind: tuple(rule for rule in self.rules if kind in rule.kinds) for kind in P}
        """Type -> the rules that want to see it."""
        self.closing = False
        """Its end is known to the clock."""
        self.due = False
        """The time of its end has passed, but not all its packets were read."""

    @property
    def size(self) -> int:
        """Bytes that its tables take, roughly."""
        facts = self.conversation
        return facts.subscriptions.size + facts.in_flight.size + sum(rule.size for rule in self.rules)


class Engine:
    """The desk of all conversations of one log."""

    def __init__(self, timeouts: Timeouts, *, settling: bool = True) -> None:
        """Without `settling` every packet is shown to the rules."""
        self.timeouts = timeouts
        self.wills = Wills(self._unsettle)
        self.store = Store()
        self.position = 0
        """No. of the last packet that was read; the caller keeps it up to date."""
        self._settling = settling and timeouts.large >= FAST_LIMIT
        self._screen = Screen()
        self._sessions = Sessions()
        self._clocks = {False: Clock(), True: Clock()}
        """By whether it is that of files."""
        self._lives: dict[int, Live] = {}
        self._measured = self._measured_at = 0
        """What the tables of conversations and rules take, and at which packet that was."""
        self._closings = 0
        self._lost_below = 0
        """Connections with lower numbers may have packets that were evicted unread."""

    # --- conversations

    def live(self, log: Log, number: int) -> Live:
        """The conversation of connection `number`; begins it."""
        found = self._lives.get(number)
        if found is None:
            info = log.connection(number)
            clock = self._clocks[info.origin is Origin.FILE]
            found = self._lives[number] = Live(Conversation(log, info, self), clock, self._settling)
            self._watch(found)
        return found

    def watch(self, log: Log) -> None:
        """Looks which connections have ended meanwhile."""
        if log.closings != self._closings:
            self._closings = log.closings
            for live in self._lives.values():
                self._watch(live)

    def _watch(self, live: Live) -> None:
        if not live.closing:
            closed = live.conversation.info.closed
            if closed is not None:
                live.closing = True
                live.clock.at(closed + 1, partial(self._end, live))

    def _end(self, live: Live, now: int) -> None:
        conversation = live.conversation
        if self.position < conversation.log.last_of(conversation.number):
            # Times of a capture may run backwards. Every packet that is left has to come by, so that the last one is noticed.
            live.due, live.settling = True, False
            conversation.unsettle()
        else:
            self._finish(live)

    def _finish(self, live: Live) -> None:
        conversation = live.conversation
        info = conversation.info
        mono = info.closed or 0
        if info.close_reason != END_OF_CAPTURE:
            for rule in live.rules:
                rule.closed(mono, info.close_reason)
        learning.end(conversation, mono)
        del self._lives[conversation.number]

    def caught_up(self, log: Log) -> None:
        """All packets were read: connections that have ended end here too."""
        self.watch(log)
        if not any(live.closing for live in self._lives.values()):
            return
        for clock in self._clocks.values():
            ends = [live.conversation.info.closed or 0 for live in self._lives.values() if live.closing and live.clock is clock]
            if ends:
                clock.run(max(ends) + 1)

    def tick(self, now: int) -> None:
        """The time of live connections is `now` (monotonic ns), and all packets until then were read."""
        self._clocks[False].run(now)

    def lost(self, log: Log) -> None:
        """Packets were evicted before they were read."""
        self._lost_below = log.connection_count
        for live in self._lives.values():
            self._lose(live)

    def _pass_holes(self, live: Live) -> None:
        """What a capture lacks before the next packet, or what a timer waits for, may have been in it."""
        conversation = live.conversation
        losses = conversation.log.losses(conversation.number)
        while conversation.losses < len(losses) and losses[conversation.losses] <= self.position:
            conversation.losses += 1
            self._lose(live)

    def _lose(self, live: Live) -> None:
        learning.lose(live.conversation)
        for rule in live.rules:
            rule.lost()

    def _unsettle(self, topic: bytes) -> None:
        for live in self._lives.values():
            live.conversation.settled[Direction.S2C].discard(topic)

    # --- packets

    def packet(self, live: Live, seen: Seen) -> int:
        """Shows a packet to the rules. Gives what it cost, in packets."""
        work = self._show(live, seen)
        if live.due and seen.no >= seen.log.last_of(live.conversation.number):
            self._finish(live)
        return work

    def _show(self, live: Live, seen: Seen) -> int:
        conversation = live.conversation
        conversation.version = seen.version
        conversation.looking = False
        work = 1
        if not any(conversation.last_no):
            learning.begin(conversation, seen, missed=conversation.number < self._lost_below)
        self._pass_holes(live)
        kind = seen.kind
        if kind is None:
            for id, severity, cause in outlines_of(seen.dissection):
                self.store.count(seen.no, id, severity, cause, seen.log)
            for rule in live.rules:
                rule.unframed(seen)
            conversation.last_no[seen.direction] = seen.no
            return DISSECTION_WORK
        shape = shape_of(seen.raw, seen.direction, seen.version)
        outlines = self._screen.known(shape)
        if outlines is None:
            outlines = self._screen.remember(shape, seen.dissection)
            work += DISSECTION_WORK
        for id, severity, cause in outlines:
            self.store.count(seen.no, id, severity, cause, seen.log)
        shown = live.shown[kind]
        for rule in shown:
            rule.packet(seen)
        learning.learn(conversation, seen, self._sessions)
        for rule in shown:
            rule.after(seen)
        if seen.first_byte == _PLAIN and live.settling and not conversation.looking:
            self._settle(conversation, seen, outlines)
        return work

    def _settle(self, conversation: Conversation, seen: Seen, outlines: tuple[Outline, ...]) -> None:
        limit = conversation.limits[seen.direction].packet_size
        if outlines or not seen.is_plain or seen.length > FAST_LIMIT or (limit is not None and limit < FAST_LIMIT):
            return
        topics = conversation.settled[seen.direction]
        if len(topics) >= MAX_SETTLED:
            topics.clear()
        topics.add(seen.written_topic)

    def skipped(self, live: Live, up: int, down: int) -> None:
        """Packets of settled topics were not shown; `up` and `down` are the latest ones, 0 for none."""
        conversation = live.conversation
        if up:
            conversation.last_no[Direction.C2S] = up
        if down:
            conversation.last_no[Direction.S2C] = down
        conversation.last_busy = max(conversation.last_busy, up, down)

    # --- what the rules ask

    def take(self, report: Report) -> None:
        """A finding of a rule."""
        conversation, log = report.conversation, report.conversation.log
        check = CONVERSATION[report.id]
        if conversation.version not in check.versions:
            return
        statement = report.statement
        if statement is None:
            head = log.head(report.no) if report.no in log else None
            kind = None if head is None else P(head.first_byte >> 4)
            direction = Direction.C2S if head is None else head.direction
            statement = check.statement_in(conversation.version, kind, direction)
        severity = check.severity_in(conversation.version) if report.severity is None else report.severity
        kept = Kept(report.id, severity, statement, report.text, report.related, report.field)
        self.store.keep(report.no, kept, report.cause, log)

    def wake(self, conversation: Conversation, deadline: int, timer: Timer) -> None:
        """Calls `timer` when it is time, unless the conversation is over by then."""
        live = self._lives.get(conversation.number)
        clock = live.clock if live is not None else self._clocks[conversation.from_file]
        clock.at(deadline, partial(self._fire, conversation, timer))

    def _fire(self, conversation: Conversation, timer: Timer, deadline: int) -> None:
        live = self._lives.get(conversation.number)
        if live is not None and live.conversation is conversation:
            self._pass_holes(live)
            timer(deadline)

    @property
    def cost(self) -> int:
        """Bytes that the state takes, roughly."""
        settled = sum(len(topics) for live in self._lives.values() for topics in live.conversation.settled)
        timers = sum(map(len, self._clocks.values()))
        state = (len(self._lives) + len(self._sessions)) * _CONVERSATION_COST + settled * _SETTLED_COST + timers * 250
        if abs(self.position - self._measured_at) >= _MEASURE_EVERY:
            self._measured_at, self._measured = self.position, sum(live.size for live in self._lives.values())
        return state + self._measured + self.store.cost + self._screen.cost
