"""The tree under construction: a position in the packet, open groups, notes, and the limits that keep it finite.

Rules of every dissector:
1. A leaf always starts where the last one ended (`leaf`), so that the leaves tile the packet whatever happens.
2. What cannot be read raises `Undecodable`; `dissect` and the property list catch it, close the open groups and add one
   leaf "Undecoded n bytes". Nothing else is raised.
3. Repeated items go through `items`, which stops at the node limit with one node "n more". A slice of them is read by
   the same code with a `Window`: lists outside the window are stepped over, and reading ends behind the window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mqtttui.protocol import facts
from mqtttui.protocol.checks import CHECKS
from mqtttui.protocol.dissectors import show
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.fact import Fact
from mqtttui.protocol.fields import Field, Note, Value
from mqtttui.protocol.wire import Vbi, VbiProblem, read_vbi

MAX_NODES = 2_000
"""Fields in one dissection, or in one slice of it, unless the caller wants more."""
_RESERVE = 64
"""Nodes kept for what follows a list."""
_ITEM_NODES = 12
"""No repeated item has more nodes than this."""
_NAMES = frozenset({"mqtt.msgid", "mqtt.property.topic_alias"})
"""Numbers that name something, written without separators."""
MAX_COUNTED = 100_000
"""How far the items behind the node limit are counted."""


class Undecodable(Exception):
    """From the present position on nothing certain can be said. `check` and `text` make the note on the undecoded bytes."""

    def __init__(self, check: str = "", text: str = "") -> None:
        super().__init__(text)
        self.check = check
        self.text = text


class WindowRead(Exception):
    """The wanted slice of a list is complete."""


@dataclass(slots=True)
class Window:
    """Which slice of which list is wanted, and what it holds."""

    start: int
    """Offset of its first item."""
    count: int
    items: list[Draft]


class Draft:
    """A field that still changes."""

    __slots__ = (
        "byte",
        "children",
        "display",
        "end",
        "explanation",
        "fact",
        "generated",
        "mask",
        "more",
        "name",
        "notes",
        "section",
        "start",
        "value",
    )

    def __init__(self, fact: Fact, start: int, end: int, value: Value, display: str, version: Version) -> None:
        self.fact = fact
        self.name = fact.name
        self.start = start
        self.end = end
        self.value = value
        self.display = display
        self.mask = 0
        self.explanation = fact.explain(value)
        self.section = fact.section(version)
        self.generated = False
        self.byte: int | None = None
        self.more = 0
        self.children: list[Draft] = []
        self.notes: list[Note] = []

    def freeze(self) -> Field:
        """The finished field."""
        return Field(
            name=self.name,
            filter=self.fact.filter,
            start=self.start,
            end=self.end,
            value=self.value,
            display=self.display,
            mask=self.mask,
            explanation=self.explanation,
            section=self.section,
            secret=self.fact.secret,
            generated=self.generated,
            children=tuple([child.freeze() for child in self.children]),
            notes=tuple(self.notes),
            byte=self.byte,
            more=self.more,
        )


class Tree:
    """A packet being taken apart.

    `end` is where the bytes at hand end, `declared` where Remaining Length says that the packet ends: later for a cut one.
    """

    __slots__ = (
        "declared",
        "direction",
        "end",
        "framed",
        "guarded",
        "kind",
        "limit",
        "malformed",
        "nodes",
        "open",
        "position",
        "raw",
        "resolved",
        "roots",
        "scope",
        "version",
        "window",
    )

    def __init__(
        self,
        raw: bytes,
        version: Version,
        direction: Direction,
        resolved: bytes | None,
        window: Window | None = None,
        limit: int = MAX_NODES,
    ) -> None:
        self.limit = limit
        self.raw = raw
        self.version = version
        self.direction = direction
        self.resolved = resolved
        self.kind: PacketType | None = None
        self.position = 0
        self.end = len(raw)
        self.declared = len(raw)
        self.nodes = 0
        self.malformed = False
        self.guarded = False
        """A secret is announced and not read yet, so undecoded bytes may hold it."""
        self.framed = False
        """The packet is here as a whole."""
        self.roots: list[Draft] = []
        self.open: list[Draft] = []
        self.window = window
        self.scope = "packet"
        """What `declared` ends: the packet, or the property list inside it."""

    # --- nodes -------------------------------------------------------------------------------------------------------

    def leaf(self, fact: Fact, end: int, value: Value, display: str = "") -> Draft:
        """A leaf from the present position to `end`, which becomes the present position."""
        draft = self._add(Draft(fact, self.position, end, value, display or _shown(fact, value), self.version))
        self.position = end
        return draft

    def generated(self, fact: Fact, value: Value, display: str = "") -> Draft:
        """A field that is not on the wire."""
        draft = self._add(Draft(fact, self.position, self.position, value, display, self.version))
        draft.generated = True
        return draft

    def bits(self, parent: Draft, fact: Fact, byte: int, mask: int, *, flag: bool = False) -> Draft:
        """A group of bits of the byte that `parent` is; with `flag` its value is a boolean."""
        shift = (mask & -mask).bit_length() - 1
        number = (byte & mask) >> shift
        draft = Draft(fact, parent.start, parent.end, bool(number) if flag else number, _shown(fact, number), self.version)
        draft.mask = mask
        draft.byte = byte
        self.nodes += 1
        parent.children.append(draft)
        return draft

    def group(self, fact: Fact, *, name: str = "", explanation: str = "", section: str = "") -> Draft:
        """A node whose children are what is added until `close`."""
        draft = self._add(Draft(fact, self.position, self.position, None, "", self.version))
        draft.name = name or draft.name
        draft.explanation = explanation or draft.explanation
        draft.section = section or draft.section
        self.open.append(draft)
        return draft

    def close(self, draft: Draft) -> None:
        """End `draft` and every group inside it at the present position."""
        while self.open:
            last = self.open.pop()
            last.end = self.position
            if last is draft:
                return

    def undecoded(self, end: int, fact: Fact = facts.UNDECODED) -> Draft | None:
        """A leaf for bytes that nothing is known of; None if there are none."""
        self.malformed = True
        count = end - self.position
        if count <= 0:
            return None
        start = self.position
        value: Value = decoded(self.raw[start:end]) if fact is facts.UNKNOWN_PROPERTY else self.raw[start:end]
        if self.guarded and fact is facts.UNDECODED:
            fact = facts.UNDECODED_SECRET
        draft = self.leaf(fact, end, value, show.hexadecimal(self.raw[start : min(end, start + 64)]) if count <= 64 else show.size(count))
        draft.name = f"Undecoded {show.size(count)}"
        return draft

    def note(self, check: str, draft: Draft, text: str, *, span: tuple[int, int] | None = None, statement: str = "") -> None:
        """A finding on `draft`, unless `check` does not exist in the version in force."""
        row = CHECKS[check]
        if self.version not in row.versions:
            return
        start, end = span or (draft.start, draft.end)
        statement = statement or row.statement_in(self.version, self.kind, self.direction)
        draft.notes.append(Note(check, row.severity_in(self.version), statement, text, start, end))

    def finish(self) -> tuple[Field, ...]:
        """Close what is open, and the finished fields."""
        while self.open:
            self.open.pop().end = self.position
        return tuple(draft.freeze() for draft in self.roots)

    def _add(self, draft: Draft) -> Draft:
        self.nodes += 1
        (self.open[-1].children if self.open else self.roots).append(draft)
        return draft

    # --- values ------------------------------------------------------------------------------------------------------

    @property
    def left(self) -> int:
        """Bytes at hand behind the present position."""
        return self.end - self.position

    def need(self, count: int, what: str) -> None:
        """Raise Undecodable unless `count` more bytes are there for `what`."""
        if self.left >= count:
            return
        if self.position + count > self.declared:
            left = self.declared - self.position
            raise self.overrun(f"The {self.scope} ends before {what}: {show.size(count)} wanted, {left} left.")
        raise Undecodable

    def overrun(self, text: str) -> Undecodable:
        """The reason to stop where something does not fit: A07 for the packet, H06 for a property list."""
        return Undecodable("A07" if self.scope == "packet" else "H06", text)

    def byte(self, fact: Fact, display: str = "") -> tuple[int, Draft]:
        """One byte."""
        self.need(1, fact.name)
        value = self.raw[self.position]
        return value, self.leaf(fact, self.position + 1, value, display)

    def uint16(self, fact: Fact, display: str = "") -> tuple[int, Draft]:
        """Two Byte Integer."""
        self.need(2, fact.name)
        value = int.from_bytes(self.raw[self.position : self.position + 2], "big")
        return value, self.leaf(fact, self.position + 2, value, display)

    def uint32(self, fact: Fact, display: str = "") -> tuple[int, Draft]:
        """Four Byte Integer."""
        self.need(4, fact.name)
        value = int.from_bytes(self.raw[self.position : self.position + 4], "big")
        return value, self.leaf(fact, self.position + 4, value, display)

    def vbi(self, fact: Fact) -> tuple[int, Draft]:
        """Variable Byte Integer; what is wrong with it becomes a note or raises Undecodable."""
        number = read_vbi(self.raw, self.position, self.end)
        if number.problem is VbiProblem.INCOMPLETE:
            self.need(self.left + 1, fact.name)
        draft = self.leaf(fact, number.end, number.value if number.problem is None else None)
        self.judge_vbi(number, draft)
        if number.problem is not None:
            raise Undecodable
        return number.value, draft

    def judge_vbi(self, number: Vbi, draft: Draft) -> None:
        """Notes A05 and A06 on `draft`, which shows `number`."""
        if number.problem is VbiProblem.TOO_LONG:
            draft.display = "more than four bytes"
            self.note("A05", draft, f"{draft.name}: the fourth byte says that a fifth follows; a number has at most four bytes.")
        elif not number.minimal:
            used = show.size(draft.end - draft.start)
            self.note("A06", draft, f"{draft.name}: {used} for {number.value}, which fits into fewer.")

    def counted(self, length: Fact, what: str) -> tuple[int, Draft]:
        """The two bytes of length in front of a string; Undecodable if as many bytes do not follow."""
        self.need(2, length.name)
        count, draft = self.uint16(length)
        if self.position + count > self.end:
            if self.position + count > self.declared:
                left = show.size(self.declared - self.position)
                reason = self.overrun(f"{what}: {show.size(count)} announced, {left} left in the {self.scope}.")
                self.note(reason.check, draft, reason.text)
            raise Undecodable
        return count, draft

    # --- repeated items ----------------------------------------------------------------------------------------------

    def items(self, end: int, read: Callable[[], None], skip: Callable[[int, int], int | None]) -> None:
        """Read items up to `end`.

        `read` adds the nodes of one item. `skip(position, end)` gives the offset behind the item at `position`, or None
        if it cannot be told. Beyond the node limit the rest becomes one node "n more".
        """
        window = self.window
        if window is not None:
            self._window(window, end, read, skip)
            return
        while self.position < end:
            if self.nodes + _ITEM_NODES + _RESERVE > self.limit:
                self._more(end, skip)
            if self.position < end:
                read()

    def _window(self, window: Window, end: int, read: Callable[[], None], skip: Callable[[int, int], int | None]) -> None:
        if not self.position <= window.start < end:
            self.position = end
            return
        siblings = self.open[-1].children if self.open else self.roots
        self.position = window.start
        first, depth = len(siblings), len(self.open)
        self.nodes = 0
        try:
            for _ in range(window.count):
                if self.position >= end or self.nodes + _ITEM_NODES + _RESERVE > self.limit:
                    break
                read()
        except Undecodable as reason:
            self.fail(reason, end, None, depth)
        else:
            self._more(end, skip)
        window.items = siblings[first:]
        raise WindowRead

    def _more(self, end: int, skip: Callable[[int, int], int | None]) -> None:
        """One node for the items up to `end`, or up to the first that cannot be read."""
        position, count = self.position, 0
        while position < end:
            if count == MAX_COUNTED:
                position = end
                break
            after = skip(position, end)
            if after is None:
                break
            position, count = after, count + 1
        if not count:
            return
        number = f"{count:,}" if count < MAX_COUNTED else f"{count:,} or more"
        draft = self.leaf(facts.MORE, position, count, show.size(position - self.position))
        draft.name = f"{number} more"
        draft.more = count

    def fail(self, reason: Undecodable, end: int, culprit: Draft | None, depth: int) -> None:
        """Close all but `depth` groups and account for the bytes up to `end`; `culprit` gets the note if there are none."""
        while len(self.open) > depth:
            self.open.pop().end = self.position
        draft = self.undecoded(end) or culprit
        if reason.check and draft is not None:
            self.note(reason.check, draft, reason.text)


def decoded(raw: bytes) -> str:
    r"""What a filter compares: the string, with `\xNN` for every byte that is not UTF-8."""
    return raw.decode("utf-8", "backslashreplace")


def _shown(fact: Fact, value: Value) -> str:
    if isinstance(value, bool | int):
        word = fact.words.get(int(value))
        if word:
            return f"{word} ({int(value)})"
        return str(int(value)) if isinstance(value, bool) or fact.filter in _NAMES else f"{value:,}"
    return ""
