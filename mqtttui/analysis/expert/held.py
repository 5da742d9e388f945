"""What a client is subscribed to, as SUBSCRIBE and UNSUBSCRIBE and their answers tell it. It outlives connections with the session.

A filter counts from its SUBSCRIBE on, because messages may come before the answer, until its UNSUBSCRIBE is answered; for
what was taken back the table remembers when, because messages may still be on their way. Bounded: beyond `MAX_FILTERS` the
table is `uncertain`, as it is after a session was resumed whose beginning nobody saw.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mqtttui.protocol.packets import TopicRequest
from mqtttui.protocol.topics import is_shared, matches, overlap, without_share

RECENT_NS = 5_000_000_000
"""How long stored messages after a SUBSCRIBE, and messages on their way after an UNSUBACK, are in order."""
MAX_FILTERS = 10_000
MAX_TOPICS = 10_000
"""Topics whose filters are remembered; beyond that the memory starts anew."""
MAX_REMOVED = 1_000


@dataclass(slots=True)
class Held:
    """One filter with what was asked for and granted."""

    filter: bytes
    qos: int
    """Granted; what was asked for while there is no answer."""
    highest: int
    """The highest QoS that it had in this session: messages that were waiting may still have it."""
    no_local: bool
    as_published: bool
    handling: int
    identifier: int | None
    no: int
    """Its latest SUBSCRIBE."""
    since: int
    """Monotonic ns of that."""
    again: bool
    """It was held before that SUBSCRIBE."""
    stored_until: int
    """Until when (monotonic ns) stored messages may come in answer to a SUBSCRIBE."""
    answered: bool = False
    before: Held | None = None
    """What it replaces, until it is answered."""
    published_until: int = 0
    """Until when (monotonic ns) live messages may come with RETAIN, as it had Retain As Published before."""

    @property
    def shared(self) -> bool:
        """Whether it is a shared subscription."""
        return is_shared(self.filter)


@dataclass(slots=True)
class Removed:
    """A filter that was taken back."""

    filter: bytes
    no: int
    """The UNSUBACK."""
    since: int
    identifier: int | None


@dataclass(frozen=True, slots=True)
class Match:
    """The filters that a topic matches."""

    held: tuple[Held, ...]
    removed: tuple[Removed, ...]
    hidden: tuple[Held, ...]
    """Those that would match if a leading `$` were like any other character [MQTT-4.7.2-1]."""


class _Level:
    """Filters by their levels, so that a topic is compared with those that begin like it."""

    __slots__ = ("_below", "_ends", "_rest")

    def __init__(self) -> None:
        self._below: dict[bytes, _Level] = {}
        self._ends: set[bytes] = set()
        """Filters that end here."""
        self._rest: set[bytes] = set()
        """Filters that go on with `#`."""

    def add(self, filter: bytes) -> None:
        """Another filter, with its `$share/name/` if it has one."""
        level = self
        for part in without_share(filter).split(b"/"):
            if part == b"#":
                level._rest.add(filter)
                return
            level = level._below.setdefault(part, _Level())
        level._ends.add(filter)

    def remove(self, filter: bytes) -> None:
        """Takes a filter out that was added."""
        path, level = [], self
        for part in without_share(filter).split(b"/"):
            if part == b"#":
                break
            path.append((level, part))
            level = level._below[part]
        level._rest.discard(filter)
        level._ends.discard(filter)
        for above, part in reversed(path):
            below = above._below[part]
            if below._below or below._ends or below._rest:
                break
            del above._below[part]

    def match(self, topic: bytes) -> set[bytes]:
        """The filters that `topics.matches` finds to match."""
        parts = topic.split(b"/")
        found = set() if topic[:1] == b"$" else set(self._rest)
        here = [self]
        for index, part in enumerate(parts):
            wild = index > 0 or topic[:1] != b"$"
            below = []
            for level in here:
                for name in {part, b"+"} if wild else {part}:
                    if (next_level := level._below.get(name)) is not None:
                        found |= next_level._rest
                        below.append(next_level)
            here = below
        for level in here:
            found |= level._ends
        return found


@dataclass(slots=True)
class Subscriptions:
    """The filters of one session."""

    held: dict[bytes, Held] = field(default_factory=dict)
    removed: dict[bytes, Removed] = field(default_factory=dict)
    """In the order in which they went."""
    former: dict[int, int] = field(default_factory=dict)
    """Subscription Identifiers that are not used any more -> until when (monotonic ns) they may still come."""
    uncertain: bool = False
    """There may be filters that nobody saw."""
    _patterns: dict[bytes, Held] = field(default_factory=dict)
    """Those of `held` that match more topics than the one that they spell."""
    _levels: _Level = field(default_factory=_Level)
    """`_patterns` by level."""
    _known: dict[bytes, Match] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._patterns.clear()
        for entry in self.held.values():
            self._put(entry)

    def subscribe(self, filter: bytes, asked: TopicRequest, identifier: int | None, no: int, mono: int) -> Held:
        """A SUBSCRIBE asks for `filter`; it counts from now on."""
        before = self.held.get(filter)
        stored = not is_shared(filter) and (asked.retain_handling == 0 or (asked.retain_handling == 1 and before is None))
        until = mono + RECENT_NS if stored else before.stored_until if before is not None else 0
        qos = min(asked.qos, 2)
        highest = max(qos, before.highest) if before is not None else qos
        if before is not None and before.identifier not in (None, identifier):
            self._retire(before.identifier, mono)
        if before is None and len(self.held) >= MAX_FILTERS:
            self.uncertain = True
        published = mono + RECENT_NS if before is not None and before.as_published else 0
        entry = Held(
            filter,
            qos,
            highest,
            asked.no_local,
            asked.retain_as_published,
            asked.retain_handling,
            identifier,
            no,
            mono,
            before is not None,
            until,
            before=replace(before, before=None) if before is not None else None,
            published_until=max(published, before.published_until) if before is not None else 0,
        )
        if before is not None or len(self.held) < MAX_FILTERS:
            self._put(entry)
        self.removed.pop(filter, None)
        return entry

    def answer(self, filter: bytes, no: int, code: int, mono: int) -> None:
        """The server answers `code` for what SUBSCRIBE `no` asked for: granted QoS, or refused from 0x80 on."""
        entry = self.held.get(filter)
        if entry is None or entry.no != no:
            return
        self._known.clear()
        before, entry.before, entry.answered = entry.before, None, True
        if code < 0x80:
            entry.qos = min(code, 2)
            entry.highest = max(entry.qos, before.highest) if before is not None else entry.qos
            if entry.stored_until >= entry.since:
                entry.stored_until = max(entry.stored_until, mono + RECENT_NS)
            if entry.published_until >= entry.since:
                entry.published_until = max(entry.published_until, mono + RECENT_NS)
        elif before is not None:
            self._put(before)
        else:
            del self.held[filter]
            self._drop(filter)

    def unsubscribe(self, filter: bytes, no: int, mono: int) -> None:
        """The server confirms with packet `no` that `filter` is not held any more."""
        entry = self.held.pop(filter, None)
        self._drop(filter)
        if entry is None:
            return
        if entry.identifier is not None:
            self._retire(entry.identifier, mono)
        self.removed.pop(filter, None)
        if len(self.removed) >= MAX_REMOVED:
            del self.removed[next(iter(self.removed))]
        self.removed[filter] = Removed(filter, no, mono, entry.identifier)

    def match(self, topic: bytes) -> Match:
        """The filters that messages to `topic` come for."""
        known = self._known.get(topic)
        if known is None:
            if len(self._known) >= MAX_TOPICS:
                self._known.clear()
            found = self._levels.match(topic)
            if topic in self.held and topic not in self._patterns:
                found.add(topic)
            held = tuple(sorted((self.held[filter] for filter in found), key=lambda entry: entry.no))
            removed = () if held else tuple(entry for entry in self.removed.values() if matches(entry.filter, topic))
            hidden: tuple[Held, ...] = ()
            if not held and topic[:1] == b"$":
                hidden = tuple(entry for entry in self._patterns.values() if _matches_hidden(entry.filter, topic))
            known = self._known[topic] = Match(held, removed, hidden)
        return known

    def identifies(self, identifier: int) -> bool:
        """Whether a held filter has that Subscription Identifier."""
        return any(entry.identifier == identifier for entry in self.held.values())

    def carried(self) -> Subscriptions:
        """What the next connection of the session begins with."""
        held = {filter: replace(entry, answered=True, before=None) for filter, entry in self.held.items()}
        return Subscriptions(held, dict(self.removed), dict(self.former), self.uncertain)

    def overlapping(self, filter: bytes, budget: int) -> tuple[list[Held], int]:
        """Other held filters that can match the same topics as `filter`, and what is left of `budget` comparisons."""
        found: list[Held] = []
        for entry in (self.held if is_pattern(filter) else self._patterns).values():
            if budget <= 0:
                break
            budget -= 1
            if entry.filter != filter and overlap(entry.filter, filter):
                found.append(entry)
        return found, budget

    def add(self, other: Subscriptions) -> None:
        """Takes over what `other` has: packets that came before it was known that the session goes on."""
        for entry in other.held.values():
            self._put(entry)

    @property
    def size(self) -> int:
        """Bytes that it takes, roughly."""
        return len(self.held) * 400 + len(self._patterns) * 500 + len(self.removed) * 250 + len(self._known) * 300

    def _put(self, entry: Held) -> None:
        self.held[entry.filter] = entry
        self._known.clear()
        if is_pattern(entry.filter):
            if entry.filter not in self._patterns:
                self._levels.add(entry.filter)
            self._patterns[entry.filter] = entry

    def _drop(self, filter: bytes) -> None:
        self._known.clear()
        if self._patterns.pop(filter, None) is not None:
            self._levels.remove(filter)

    def _retire(self, identifier: int | None, mono: int) -> None:
        if identifier is None:
            return
        if len(self.former) >= MAX_REMOVED:
            del self.former[next(iter(self.former))]
        self.former[identifier] = mono + RECENT_NS


def is_pattern(filter: bytes) -> bool:
    """Whether `filter` is more than one topic spelled out."""
    return b"+" in filter or b"#" in filter or is_shared(filter)


def _matches_hidden(filter: bytes, topic: bytes) -> bool:
    """Whether `filter`, which begins with a wildcard, would match `topic` but for its `$`."""
    return without_share(filter)[:1] in (b"+", b"#") and matches(filter, b"x" + topic[1:])
