"""Follows the log and checks every packet: by itself, in its conversation and in its session (inspector.md, section 4).

Theory of operation:
1. Most traffic is QoS 0 PUBLISH packets of topics that were looked at before. Each conversation remembers the topics whose
   plain messages need no look (`settled`); such a packet costs a comparison.
2. Every other packet is shown to the rules of its conversation (`expert.engine`), and its own findings are taken from
   packets of the same shape (`expert.screen`) or from its dissection.
3. What is kept are counts, numbers, and the words of findings that dissection cannot give. Packets with a warning or an
   error are pinned so that they outlive eviction.
A slice ends after so much work, whatever its budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from mqtttui.analysis.expert.clock import Clock
from mqtttui.analysis.expert.engine import FAST_LIMIT, Engine, Live
from mqtttui.analysis.expert.finding import Finding, Group
from mqtttui.analysis.expert.seen import Seen
from mqtttui.analysis.expert.store import hint
from mqtttui.analysis.expert.timeouts import Timeouts
from mqtttui.analysis.follower import BUDGET, Follower
from mqtttui.capture.log import Log, Span
from mqtttui.protocol.enums import Direction, Severity, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.fields import Dissection

WORK = 400
"""What a slice may cost, in packets that are shown to the rules: about 4 ms. A dissection counts as ten."""
_PLAIN = P.PUBLISH << 4
_WEIGH_EVERY = 20_000
"""Packets, while it lags."""


class Findings(Follower):
    """See the module. `latest`, `warnings` and `errors` count packets by their worst finding; muted checks do not count."""

    def __init__(self, timeouts: Timeouts | None = None, *, settling: bool = True) -> None:
        """Without `settling` every packet is shown to the rules, with the same findings."""
        super().__init__()
        self._engine = Engine(timeouts or Timeouts(), settling=settling)
        self._store = self._engine.store
        self._log: Log | None = None
        self._lost = 0
        self._weighed = 0

    # --- what was found

    @property
    def warnings(self) -> int:
        """Packets whose worst finding is a warning."""
        return self._store.totals[0]

    @property
    def errors(self) -> int:
        """Packets with an error."""
        return self._store.totals[1]

    @property
    def latest(self) -> int:
        """No. of the latest packet with either, 0 for none."""
        return self._store.latest

    @property
    def checked(self) -> int:
        """Up to which No. packets were checked."""
        return self.position

    def of(self, no: int) -> tuple[Finding, ...]:
        """The findings on packet `no`, the worst first. Of an evicted one those that need more than the packet."""
        log = self._log
        dissection = log.dissect(no) if log is not None and no in log else None
        found = self.beyond(no, dissection)
        if dissection is not None:
            sender = "client" if dissection.context.direction is Direction.C2S else "server"
            for note in dissection.notes:
                text = f"From the {sender}: {note.text}"
                found.append(Finding(note.id, note.severity, no, note.statement, text, hint(note.id), (), note.start, note.end))
        return tuple(sorted(found, key=lambda finding: -finding.severity))

    def beyond(self, no: int, dissection: Dissection | None) -> list[Finding]:
        """Those that need more than the packet; `dissection` of it, if there is one, tells their bytes."""
        found = []
        for kept in self._store.words(no):
            field = dissection.first(kept.field) if dissection is not None and kept.field else None
            start, end = (field.start, field.end) if field is not None else (0, 0)
            found.append(Finding(kept.id, kept.severity, no, kept.statement, kept.text, hint(kept.id), kept.related, start, end))
        return found

    def groups(self, minimum: Severity = Severity.WARN) -> list[Group]:
        """All findings of `minimum` and worse by check and cause: the worst first, muted ones last."""
        return self._store.groups(minimum)

    def numbers(self, id: str | None = None, cause: str | None = None) -> Sequence[int]:
        """The packets with findings of check `id` (None: any) and `cause` (None: any), rising; the latest if there are too many."""
        return self._store.numbers(id, cause)

    def next(self, no: int, backwards: bool = False) -> int | None:
        """The next packet after (before) `no` with a warning or an error that is not muted; goes round. None if there is none."""
        return self._store.next(no, backwards=backwards)

    @property
    def muted(self) -> frozenset[str]:
        """Checks that do not count."""
        return self._store.muted

    def mute(self, id: str) -> None:
        """Findings of check `id` do not count any more."""
        self._store.mute(id, on=True)

    def unmute(self, id: str) -> None:
        """They count again."""
        self._store.mute(id, on=False)

    def changes_since(self, position: int) -> tuple[list[int], int]:
        """Packets that got a finding since `position` (0: the start) beyond their own notes, and the position behind them."""
        return self._store.changes.since(position)

    # --- following

    def advance(self, log: Log, budget: int = BUDGET) -> bool:
        """Reads at most `budget` packets. True when it has caught up."""
        self._log = log
        self._engine.watch(log)
        return super().advance(log, budget)

    def tick(self, now: int) -> None:
        """The time of live connections is `now` (monotonic ns): says what did not come in time. Waits until all is read."""
        if self._log is not None and self.position >= self._log.last:
            self._engine.watch(self._log)
            self._engine.tick(now)

    def read(self, log: Log, span: Span) -> int:
        """Passes over packets of settled topics, and shows the others to the rules."""
        segment, start, stop = span
        engine = self._engine
        if self.missed > self._lost:
            self._lost = self.missed
            engine.lost(log)
        data, odd = segment.data, segment.unframed
        left = WORK
        up = down = 0
        number = segment.connections[start]
        live, clock, ups, downs, v5 = self._enter(log, number, segment.first + start)
        begin = segment.start(start)
        ends, connections, directions, monos = (
            column[start:stop] for column in (segment.ends, segment.connections, segment.directions, segment.monos)
        )
        for no, end, connection, direction, mono in zip(count(segment.first + start), ends, connections, directions, monos, strict=False):
            if connection != number:
                engine.skipped(live, up, down)
                up = down = 0
                number = connection
                live, clock, ups, downs, v5 = self._enter(log, number, no)
            if mono >= clock.deadline:
                engine.skipped(live, up, down)
                engine.position = no - 1
                clock.run(mono)
            if data[begin] == _PLAIN and 5 < end - begin <= FAST_LIMIT and not (odd and no in odd):
                at = begin + 4 if data[begin + 1] < 0x80 else begin + 5 if 0 < data[begin + 2] < 0x80 else end
                top = at + (data[at - 2] << 8 | data[at - 1])
                if top + v5 < end and not (v5 and data[top]) and bytes(data[at:top]) in (downs if direction else ups):
                    if direction:
                        down = no
                    else:
                        up = no
                    begin = end
                    continue
            if up or down:
                engine.skipped(live, up, down)
                up = down = 0
            engine.position = no - 1
            version = log.version(connection, no)
            v5 = 1 if version is Version.V5 else 0
            left -= engine.packet(live, Seen(log, segment, no - segment.first, version))
            begin = end
            if left <= 0:
                return no + 1 - segment.first
        engine.skipped(live, up, down)
        return stop

    def _enter(self, log: Log, number: int, no: int) -> tuple[Live, Clock, set[bytes], set[bytes], int]:
        """What the loop needs of connection `number`: with its settled topics, and 1 for MQTT 5."""
        live = self._engine.live(log, number)
        ups, downs = live.conversation.settled
        return live, live.clock, ups, downs, 1 if log.version(number, no) is Version.V5 else 0

    def settle(self, log: Log, caught_up: bool) -> None:
        """Ends what has ended, and tells the log how much is remembered."""
        self._engine.position = self.position
        if caught_up:
            self._engine.caught_up(log)
        if caught_up or self.position >= self._weighed + _WEIGH_EVERY:
            self._weighed = self.position
            log.report("findings", self._engine.cost)
