"""A packet made by hand, as one types it: a row for every field that the dissector finds in the bytes.

Rules:
1. The bytes are the truth. Every change is written into them, and the rows are read from them.
2. While lengths follow, they and the fields that flags announce are kept right, and have no rows of their own. As typed, every
   field has a row, only the one that is typed changes, and the rows stay as they are until the packet is read again.
3. A packet whose lengths do not hold is opened as typed, so that opening changes nothing.
4. What was typed and has no encoding stays in its row with the reason; the bytes stay as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.fields import Context, Dissection, Field
from mqtttui.protocol.properties import PROPERTIES, WILL
from mqtttui.ui.forms import packet_changes as changes
from mqtttui.ui.forms.packet_parts import PROPERTY_ID, PROPERTY_LENGTH, LengthError, Part, Shape, follow, joined, lay_out
from mqtttui.ui.forms.packet_rows import Typing, encoded, index_of, mask_of, part_rows
from mqtttui.ui.forms.properties import find_property
from mqtttui.ui.forms.rows import FormError, Kind, Row

FOLLOW, AS_TYPED = "follow", "as typed"
_NODES = 600
"""So many fields can have rows; what is beyond them is edited as hex."""
_VERSIONS = tuple(version.label for version in Version)


class PacketDraft:
    """One packet to the broker."""

    def __init__(self, raw: bytes = b"\xc0\x00", version: Version = Version.V311, resolved: bytes | None = None) -> None:
        """`resolved`: what the topic alias of these very bytes stood for."""
        self.version = version
        self._first = raw
        self._resolved = resolved
        self._parts: list[Part] = []
        self._typing = Typing()
        self._begun: tuple[str, Sequence[Part]] | None = None
        """The row that is being typed into, and the parts before that: what the first digits meant must not change the rest."""
        self.load(raw)

    # What the screen uses

    def load(self, raw: bytes) -> None:
        """Edit these bytes instead."""
        self._typing.clear()
        self._begun = None
        self._read(raw)
        self._follows = self._lengths_hold()

    def restore(self) -> None:
        """Back to the bytes that it began with."""
        self.load(self._first)

    def read_again(self) -> None:
        """Rows as the bytes are now read."""
        self._typing.clear()
        self._begun = None
        self._read(self.raw)

    @property
    def raw(self) -> bytes:
        """The packet."""
        return self._raw

    @property
    def dissection(self) -> Dissection:
        """The packet, taken apart."""
        return self._dissection

    @property
    def changed(self) -> bool:
        """It is not what it began with."""
        return self.raw != self._first

    @property
    def problem(self) -> FormError | None:
        """The first row whose text has no encoding."""
        ids = {row.id for row in self.rows()} if self._typing.errors else set()
        return next((FormError(row, words) for row, words in self._typing.errors.items() if row in ids), None)

    @property
    def secret(self) -> bool:
        """Something in it is not to be shown."""
        return any(field.secret for field in self._dissection.walk())

    def span(self, row: str) -> tuple[int, int]:
        """Where the bytes of a row stand; an empty span for rows without bytes."""
        index = index_of(row)
        if index is None or index >= len(self._parts):
            return 0, 0
        start = sum(len(part.raw) for part in self._parts[:index])
        return start, start + len(self._parts[index].raw)

    def row_at(self, offset: int) -> str:
        """The row whose bytes cover an offset; empty if it has none."""
        end = 0
        for index, part in enumerate(self._parts):
            end += len(part.raw)
            if offset < end:
                return f"p{index}" if self._shown(part) else ""
        return ""

    def field_bytes(self, row: str) -> bytes | None:
        """The bytes of a text or of undecoded bytes, to be edited elsewhere; None for other rows."""
        index = index_of(row)
        part = self._parts[index] if index is not None and index < len(self._parts) else None
        return part.raw if part is not None and part.shape in (Shape.TEXT, Shape.HEX) and not part.field.secret else None

    def set_field_bytes(self, row: str, raw: bytes) -> None:
        """Put bytes into the field of a row. Raises FormError."""
        index = index_of(row)
        assert index is not None
        self._typing.texts.pop(row, None)
        self._typing.errors.pop(row, None)
        self._begun = None
        self._write(index, raw, self._parts)

    # Changes

    def change(self, row: str, value: str) -> None:
        """What was typed or chosen."""
        match row:
            case "version":
                self.version = Version.from_label(value)
                self.read_again()
            case "lengths":
                self._switch_lengths(value == FOLLOW)
            case _:
                self._typing.texts[row] = value
                self._typing.errors.pop(row, None)
                index = index_of(row)
                if index is None or index >= len(self._parts):
                    return
                if self._begun is None or self._begun[0] != row:
                    self._begun = (row, self._parts)
                try:
                    self._write(index, encoded(row, self._begun[1][index], value), self._begun[1], whole=not mask_of(row))
                except FormError as problem:
                    self._typing.errors[row] = problem.text

    def press(self, row: str) -> str | None:
        """An action row, or Enter in one that adds. Gives the row to go to."""
        kind, _, rest = row.partition(".")
        match kind:
            case "add":
                return self._add_property(row, int(rest))
            case "item" | "end":
                last = len(self._parts)
                new = self._new_item if kind == "item" else self._optional_end
                if new is not None:
                    self._restructure(changes.appended(self._parts, new[1]))
                return next((f"p{index}" for index in range(last, len(self._parts)) if self._shown(self._parts[index])), None)
            case "again":
                self.read_again()
            case _:
                pass
        return None

    def remove(self, row: str) -> None:
        """Take out the property, filter or code that the row belongs to."""
        item = self._item(row)
        if item is not None:
            self._restructure(changes.without(self._parts, item))

    def move(self, row: str, step: int) -> str | None:
        """Move the property, filter or code up (-1) or down (1). Gives the row to go to."""
        item = self._item(row)
        if item is None:
            return None
        parts = changes.moved(self._parts, item, step)
        at = next(index for index, part in enumerate(parts) if part is self._parts[index_of(row) or 0])
        self._restructure(parts)
        return f"p{at}"

    # Inside

    def _read(self, raw: bytes) -> None:
        self._take(raw)
        self._parts = lay_out(self._dissection)

    def _take(self, raw: bytes) -> None:
        self._raw = raw
        resolved = self._resolved if raw == self._first else None
        self._dissection = dissect(raw, Context(self.version, Direction.C2S, resolved), _NODES)

    def _lengths_hold(self) -> bool:
        try:
            return not self._dissection.malformed and joined(follow(self._parts)) == self._raw
        except LengthError:
            return False

    def _switch_lengths(self, follows: bool) -> None:
        self._follows = follows
        self.read_again()
        if follows:
            try:
                self._read(joined(follow(self._parts)))
            except LengthError:
                self._follows = False

    def _write(self, index: int, raw: bytes, before: Sequence[Part], *, whole: bool = True) -> None:
        """New bytes for one of the parts that stood `before`, all or some (not `whole`) of its bits. Raises FormError."""
        part = before[index]
        parts = [*before[:index], replace(part, raw=raw), *before[index + 1 :]]
        if not self._follows:
            self._parts = parts
            self._take(joined(parts))
            return
        if part.filter == changes.HEADER:
            parts = changes.with_header(before, raw[0], own_flags=not whole)
        elif part.filter == changes.CONNECT_FLAGS:
            parts = changes.with_connect_flags(before, index, raw[0], self._dissection.version)
        elif part.filter == changes.LEVEL:
            parts = changes.with_level(before, index, raw[0], self._dissection.version)
        count = len(self._parts)
        try:
            self._read(joined(follow(parts)))
        except LengthError as problem:
            raise FormError(f"p{index}", str(problem)) from None
        if len(self._parts) != count:
            self._typing.forget_after(index)

    def _restructure(self, parts: Sequence[Part]) -> None:
        """Parts that came, went or moved; lengths follow if they do."""
        self._typing.clear()
        self._begun = None
        try:
            self._read(joined(follow(parts) if self._follows else parts))
        except LengthError:
            return

    def _item(self, row: str) -> Field | None:
        index = index_of(row)
        return self._parts[index].item if index is not None and index < len(self._parts) else None

    def _add_property(self, row: str, length: int) -> str | None:
        wanted = self._typing.texts.get(row, "")
        found = find_property(wanted, self._place(self._parts[length]))
        if found is None:
            if wanted.strip():
                self._typing.errors[row] = "no such property: type a name, or a number such as 0x26"
            return None
        parts = changes.with_property(self._parts, length, found)
        at = next(index for index, part in enumerate(parts) if index >= len(self._parts) or part is not self._parts[index])
        self._restructure(parts)
        return next((f"p{index}" for index in range(at, len(self._parts)) if self._shown(self._parts[index])), None)

    def _place(self, part: Part) -> int:
        return WILL if part.within("mqtt.will_properties") else int(self._kind)

    @property
    def _kind(self) -> PacketType:
        return PacketType(self._raw[0] >> 4) if self._raw else PacketType.RESERVED

    @property
    def _new_item(self) -> tuple[str, bytes] | None:
        return changes.new_item(self._kind, self._dissection.version)

    @property
    def _optional_end(self) -> tuple[str, bytes] | None:
        return changes.optional_end(self._parts, self._kind, self._dissection.version)

    # Rows

    def rows(self) -> list[Row]:
        """The packet as rows."""
        out = [
            Row("version", "Read as", Kind.CHOICE, self.version.label, _VERSIONS, help="The version of the connection it goes to"),
            Row("lengths", "Lengths", Kind.CHOICE, FOLLOW if self._follows else AS_TYPED, (FOLLOW, AS_TYPED),
                help="Follow: lengths and announced fields are kept right. As typed: every byte has a row, and only what is typed changes"),
        ]  # fmt: skip
        groups: tuple[Field, ...] = ()
        for index, part in enumerate(self._parts):
            if part.path[:1] != groups[:1]:
                out += self._headline(part.path[0]) if part.path else []
            groups = part.path
            if self._shown(part):
                out += part_rows(index, part, self._typing, follows=self._follows)
            if part.filter == PROPERTY_LENGTH:
                out += [] if self._more_properties(index) else [self._adding(index)]
            elif (length := self._list_ending_at(index)) is not None:
                out.append(self._adding(length))
        return [*out, *self._closing_rows()]

    def _shown(self, part: Part) -> bool:
        if not self._follows:
            return True
        known = isinstance(part.field.value, int) and part.field.value in PROPERTIES
        return part.counts is None and not (part.filter == PROPERTY_ID and known)

    @staticmethod
    def _headline(group: Field) -> list[Row]:
        return [Row(f"head.{group.start}", f"{group.name}: {group.display}" if group.display else group.name, Kind.NOTE)]

    def _more_properties(self, length: int) -> bool:
        following = self._parts[length + 1 : length + 2]
        return bool(following) and any(group is self._parts[length].path[-1] for group in following[0].path)

    def _list_ending_at(self, index: int) -> int | None:
        """The length of the property list whose last part stands at `index`."""
        part = self._parts[index]
        group = next((group for group in part.path if group.children and group.children[0].filter == PROPERTY_LENGTH), None)
        following = self._parts[index + 1].path if index + 1 < len(self._parts) else ()
        if group is None or any(other is group for other in following):
            return None
        return next(at for at, other in enumerate(self._parts) if other.filter == PROPERTY_LENGTH and other.path[-1] is group)

    def _adding(self, length: int) -> Row:
        row = f"add.{length}"
        place = self._place(self._parts[length])
        allowed = tuple(spec.name for spec in PROPERTIES.values() if place in spec.packets)
        others = tuple(spec.name for spec in PROPERTIES.values() if place not in spec.packets)
        return Row(row, "Add property", value=self._typing.texts.get(row, ""), placeholder="name or number, Enter adds it", indent=1,
                   error=self._typing.errors.get(row, ""), suggestions=allowed + others, help=" · ".join(allowed))  # fmt: skip

    def _closing_rows(self) -> list[Row]:
        out = []
        if self._new_item is not None:
            out.append(Row("item", f"Add {self._new_item[0]}", Kind.ACTION))
        if self._optional_end is not None:
            out.append(Row("end", f"Add {self._optional_end[0]}", Kind.ACTION, summary="left out so far"))
        if not self._follows:
            out.append(Row("again", "Read again", Kind.ACTION, summary="rows as the bytes are read now"))
        return out
