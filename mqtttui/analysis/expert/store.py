"""The findings that are kept: counted by check and cause, by packet, and with their words where dissection cannot give them.

Bounded: of each group the latest numbers, of packets with a warning or an error the latest ones, of findings with words the
latest ones of either weight, so that a flood of notes does not push out an error. Counts go on.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mqtttui.analysis.changes import Changes
from mqtttui.analysis.expert.checks import CONVERSATION
from mqtttui.analysis.expert.finding import Group
from mqtttui.capture.log import Log
from mqtttui.protocol.checks import CHECKS
from mqtttui.protocol.enums import Severity

MAX_PINNED = 5_000
"""Packets with a warning or an error that outlive eviction; the oldest are let go first."""
MAX_FLAGGED = 50_000
"""Packets with a warning or an error that are known by number."""
MAX_KEPT = 20_000
"""Findings with words: so many warnings and errors, and so many notes."""
MAX_GROUPS = 1_000
MAX_NUMBERS = 500_000
"""Packet numbers in all groups together."""
_SAMPLE = 10
_KEPT_COST, _FLAGGED_COST, _GROUP_COST = 400, 120, 500


class Kept(NamedTuple):
    """A finding of a conversation check."""

    id: str
    severity: Severity
    statement: str
    text: str
    related: tuple[int, ...]
    field: str
    """Filter name of the field that it is about."""


Flags = tuple[tuple[str, Severity], ...]
"""Check ids with their severities, from a warning on: what is wrong with a packet."""


@dataclass(slots=True)
class _Group:
    severity: Severity
    first: int
    latest: int
    count: int = 0
    numbers: array[int] = field(default_factory=lambda: array("Q"))


class Store:
    """See the module."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.muted: frozenset[str] = frozenset()
        self.pinned: deque[int] = deque()
        self._groups: dict[tuple[str, str], _Group] = {}
        self._numbers = 0
        self._words: tuple[dict[int, tuple[Kept, ...]], dict[int, tuple[Kept, ...]]] = ({}, {})
        """By packet: notes, then warnings and errors."""
        self._flags: dict[int, Flags] = {}
        self._flagged = array("Q")
        """The keys of `_flags`, rising."""
        self._combinations: Counter[Flags] = Counter()
        """How many packets have exactly these flags, forgotten ones included."""
        self._totals: tuple[int, int] | None = None

    # --- taking

    def count(self, no: int, id: str, severity: Severity, cause: str, log: Log) -> None:
        """A finding whose words the dissection of packet `no` gives."""
        self._group(no, id, severity, cause)
        if severity >= Severity.WARN:
            self._flag(no, id, severity, log)
            self.changes.add(no)

    def keep(self, no: int, kept: Kept, cause: str, log: Log) -> None:
        """A finding with words of its own."""
        serious = kept.severity >= Severity.WARN
        words = self._words[serious]
        words[no] = (*words.get(no, ()), kept)
        if len(words) > MAX_KEPT:
            del words[next(iter(words))]
        self._group(no, kept.id, kept.severity, cause)
        if serious:
            self._flag(no, kept.id, kept.severity, log)
        self.changes.add(no)

    def _group(self, no: int, id: str, severity: Severity, cause: str) -> None:
        group = self._groups.get((id, cause))
        if group is None:
            if len(self._groups) >= MAX_GROUPS:
                cause = ""
            group = self._groups.setdefault((id, cause), _Group(severity, no, no))
        group.count += 1
        group.severity = max(group.severity, severity)
        group.first, group.latest = min(group.first, no), max(group.latest, no)
        if not group.numbers or group.numbers[-1] != no:
            group.numbers.append(no)
            self._numbers += 1
            if self._numbers > MAX_NUMBERS:
                self._trim()

    def _trim(self) -> None:
        longest = max(self._groups.values(), key=lambda group: len(group.numbers)).numbers
        self._numbers -= len(longest) // 2
        del longest[: len(longest) // 2]

    def _flag(self, no: int, id: str, severity: Severity, log: Log) -> None:
        before = self._flags.get(no, ())
        flags = tuple(sorted({*before, (id, severity)}))
        if flags == before:
            return
        self._totals = None
        self._combinations[flags] += 1
        if before:
            self._combinations[before] -= 1
            if not self._combinations[before]:
                del self._combinations[before]
        else:
            self._remember(no, log)
        self._flags[no] = flags

    def _remember(self, no: int, log: Log) -> None:
        if not self._flagged or no > self._flagged[-1]:
            self._flagged.append(no)
        else:
            insort(self._flagged, no)
        if log.pin(no):
            self.pinned.append(no)
        if len(self.pinned) > MAX_PINNED:
            log.unpin(self.pinned.popleft())
        if len(self._flagged) > 2 * MAX_FLAGGED:
            for old in self._flagged[:MAX_FLAGGED]:
                del self._flags[old]
            del self._flagged[:MAX_FLAGGED]

    # --- telling

    @property
    def totals(self) -> tuple[int, int]:
        """Packets whose worst finding is a warning, and packets with an error; muted checks do not count."""
        if self._totals is None:
            warnings = errors = 0
            for flags, count in self._combinations.items():
                worst = max((severity for id, severity in flags if id not in self.muted), default=None)
                if worst is Severity.ERROR:
                    errors += count
                elif worst is not None:
                    warnings += count
            self._totals = warnings, errors
        return self._totals

    @property
    def latest(self) -> int:
        """No. of the latest packet with a warning or an error that is not muted, 0 for none."""
        return self.next(0, backwards=True) or 0

    def next(self, no: int, *, backwards: bool = False) -> int | None:
        """The next packet after (before) `no` with a warning or an error that is not muted; goes round. None if there is none."""
        if self.muted and not any(self.totals):
            return None
        numbers = self._flagged
        if backwards:
            at = bisect_left(numbers, no)
            order = (range(at - 1, -1, -1), range(len(numbers) - 1, at - 1, -1))
        else:
            at = bisect_right(numbers, no)
            order = (range(at, len(numbers)), range(at))
        for indexes in order:
            for index in indexes:
                if self._visible(numbers[index]):
                    return numbers[index]
        return None

    def _visible(self, no: int) -> bool:
        return not self.muted or any(id not in self.muted for id, _ in self._flags[no])

    def mute(self, id: str, *, on: bool) -> None:
        """Findings of check `id` do not count any more, or count again."""
        self.muted = self.muted | {id} if on else self.muted - {id}
        self._totals = None

    def words(self, no: int) -> tuple[Kept, ...]:
        """The findings of conversation checks on packet `no`."""
        notes, serious = self._words
        return (*serious.get(no, ()), *notes.get(no, ()))

    def groups(self, minimum: Severity) -> list[Group]:
        """All findings by check and cause, those of `minimum` and worse: the worst first, muted ones last."""
        found = [
            Group(
                id,
                title(id),
                group.severity,
                cause,
                group.count,
                group.first,
                group.latest,
                tuple(sorted(set(group.numbers[-_SAMPLE:]))),
                id in self.muted,
            )
            for (id, cause), group in self._groups.items()
            if group.severity >= minimum
        ]
        return sorted(found, key=lambda group: (group.muted, -group.severity, group.id, -group.count, group.cause))

    def numbers(self, id: str | None, cause: str | None) -> Sequence[int]:
        """The packets with findings of check `id` (None: any) and `cause` (None: any), rising; the latest if there are too many."""
        found = [
            group.numbers for (own, why), group in self._groups.items() if (id is None or own == id) and (cause is None or why == cause)
        ]
        return array("Q", sorted({no for numbers in found for no in numbers}))

    @property
    def cost(self) -> int:
        """Bytes that all of it takes, roughly."""
        return (
            sum(map(len, self._words)) * _KEPT_COST
            + len(self._flags) * _FLAGGED_COST
            + len(self._groups) * _GROUP_COST
            + self._numbers * 8
            + len(self.pinned) * 40
        )


def title(id: str) -> str:
    """What check `id` looks for, in a few words."""
    check = CONVERSATION.get(id) or CHECKS.get(id)
    return check.title if check is not None else id


def hint(id: str) -> str:
    """What to check when `id` strikes; may be empty."""
    check = CONVERSATION.get(id) or CHECKS.get(id)
    return check.hint if check is not None else ""
