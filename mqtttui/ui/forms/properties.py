"""A list of MQTT 5 properties as one types it: order and repetition kept, nothing corrected.

Each property is one row (a User Property two: name and value); the last row adds another one by name or number. What the
standard does not allow in this packet is marked, never refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count

from mqtttui import text
from mqtttui.protocol.packets import MAX_REMAINING_LENGTH, Properties, Property, Text
from mqtttui.protocol.properties import PROPERTIES
from mqtttui.protocol.properties import Kind as Type
from mqtttui.ui.forms.rows import FormError, Kind, Row, parse_bytes, parse_number, parse_text

_LIMITS = {Type.BYTE: 0xFF, Type.UINT16: 0xFFFF, Type.UINT32: 0xFFFFFFFF, Type.VARIABLE: MAX_REMAINING_LENGTH}
_SECONDS = {0x02, 0x11, 0x13, 0x18}
_SECRET = {0x16}
_UNITS = {0x27: "bytes", 0x21: "messages"}
_STARTING_VALUES = {0x01: "1", 0x17: "0", 0x19: "1", 0x0B: "1", 0x23: "1"}
_LABELS = {
    0x01: "Payload format",
    0x02: "Message expiry",
    0x0B: "Subscription id",
    0x11: "Session expiry",
    0x12: "Assigned id",
    0x15: "Auth method",
    0x16: "Auth data",
    0x17: "Problem info",
    0x18: "Will delay",
    0x19: "Response info ask",
    0x1A: "Response info",
    0x22: "Topic aliases",
    0x27: "Max packet size",
    0x28: "Wildcards",
    0x29: "Subscription ids",
    0x2A: "Shared subs",
}
"""Short names where the standard's own are too long for a label; the help says the whole name."""
MAX_PROPERTIES = 500
"""More of them cannot be edited by hand."""


@dataclass(slots=True)
class _Entry:
    token: int
    id: int
    value: str
    name: str = ""
    """Of a User Property."""


class PropertiesDraft:
    """The properties of one packet. Row ids are `<prefix>.<token>`, `<prefix>.<token>.name` and `<prefix>.add`."""

    def __init__(self, prefix: str, packet: int, indent: int = 1) -> None:
        self.prefix = prefix
        self.packet = packet
        """Packet type, or `properties.WILL`."""
        self._indent = indent
        self._entries: list[_Entry] = []
        self._tokens = count(1)
        self._adding = ""
        self._adding_error = ""

    def load(self, properties: Properties) -> None:
        """Show these instead."""
        self._entries.clear()
        for item in properties:
            entry = self._new(item.id)
            if isinstance(item.value, tuple):
                entry.name, entry.value = text.visible(item.value[0]), text.visible(item.value[1])
            else:
                entry.value = str(item.value) if isinstance(item.value, int) else text.visible(item.value)

    def properties(self) -> Properties:
        """The list as it will leave. Raises FormError naming the row."""
        return tuple(self._property(entry) for entry in self._entries)

    def owns(self, row: str) -> bool:
        """Whether the row id is one of ours."""
        return row.startswith(f"{self.prefix}.")

    def change(self, row: str, value: str) -> None:
        """What was typed into a row."""
        if row == f"{self.prefix}.add":
            self._adding, self._adding_error = value, ""
            return
        entry, is_name = self._find(row)
        if entry is None:
            return
        if is_name:
            entry.name = value
        else:
            entry.value = value

    def add(self, name: str | None = None) -> str | None:
        """Add the property that was typed (or `name`). Gives the row to go to, None when there is no such property."""
        wanted = self._adding if name is None else name
        found = find_property(wanted, self.packet)
        if found is None:
            self._adding_error = "no such property: type a name, or a number such as 0x26" if wanted.strip() else ""
            return None
        if len(self._entries) >= MAX_PROPERTIES:
            self._adding_error = f"at most {MAX_PROPERTIES} properties"
            return None
        self._adding = self._adding_error = ""
        entry = self._new(found)
        entry.value = _STARTING_VALUES.get(found, "")
        suffix = ".name" if _type(found) is Type.PAIR else ""
        return f"{self.prefix}.{entry.token}{suffix}"

    def remove(self, row: str) -> None:
        """Take a property out."""
        entry, _ = self._find(row)
        if entry is not None:
            self._entries.remove(entry)

    def move(self, row: str, step: int) -> None:
        """Move a property up (-1) or down (1)."""
        entry, _ = self._find(row)
        if entry is None:
            return
        index = self._entries.index(entry)
        target = min(max(0, index + step), len(self._entries) - 1)
        self._entries.insert(target, self._entries.pop(index))

    @property
    def summary(self) -> str:
        """`none`, `1 property`, `3 properties`."""
        number = len(self._entries)
        return "none" if not number else "1 property" if number == 1 else f"{number} properties"

    def rows(self) -> list[Row]:
        """One row a value, and the one that adds."""
        out: list[Row] = []
        seen: set[int] = set()
        for entry in self._entries:
            out.extend(self._entry_rows(entry, entry.id in seen))
            seen.add(entry.id)
        allowed = tuple(spec.name for spec in PROPERTIES.values() if self.packet in spec.packets)
        others = tuple(spec.name for spec in PROPERTIES.values() if self.packet not in spec.packets)
        out.append(
            Row(
                f"{self.prefix}.add",
                "Add property",
                value=self._adding,
                placeholder="name or number, Enter adds it",
                error=self._adding_error,
                help=_candidates(self._adding, allowed),
                suggestions=allowed + others,
                indent=self._indent,
            )
        )
        return out

    def _entry_rows(self, entry: _Entry, repeated: bool) -> list[Row]:
        spec = PROPERTIES.get(entry.id)
        label = _LABELS.get(entry.id, spec.name if spec else f"Property 0x{entry.id:02x}")
        row = f"{self.prefix}.{entry.token}"
        error, at = "", row
        try:
            self._property(entry)
        except FormError as problem:
            error, at = problem.text, problem.field
        warning = ""
        if spec is None:
            warning = "not a property of MQTT 5: the server must close the connection"
        elif self.packet not in spec.packets:
            warning = "not allowed in this packet"
        elif repeated and not spec.repeat:
            warning = "twice: a protocol error"
        elif not error:
            warning = _value_warning(entry)
        help_ = f"{spec.name}: {spec.hint}. Del removes it" if spec else "Del removes it"
        unit = "s" if entry.id in _SECONDS else _UNITS.get(entry.id, "")
        if _type(entry.id) is Type.PAIR:
            name_error = error if at == f"{row}.name" else ""
            return [
                Row(f"{row}.name", label, value=entry.name, placeholder="name", error=name_error, warning=warning, help=help_,
                    indent=self._indent, removable=True),
                Row(row, "=", value=entry.value, placeholder="empty value", error="" if name_error else error, help=help_,
                    indent=self._indent + 1, removable=True),
            ]  # fmt: skip
        kind = Kind.SECRET if entry.id in _SECRET else Kind.TEXT
        width = 12 if _type(entry.id) in _LIMITS else 0
        return [Row(row, label, kind, entry.value, unit=unit, error=error, warning=warning, help=help_, indent=self._indent,
                    width=width, removable=True)]  # fmt: skip

    def _property(self, entry: _Entry) -> Property:
        row = f"{self.prefix}.{entry.token}"
        value: int | Text | tuple[Text, Text]
        type_ = _type(entry.id)
        if type_ is Type.PAIR:
            value = (_short(parse_text(entry.name, f"{row}.name"), f"{row}.name"), _short(parse_text(entry.value, row), row))
        elif type_ in _LIMITS:
            value = parse_number(entry.value, row, 0, _LIMITS[type_])
        elif type_ is Type.STRING:
            value = _short(parse_text(entry.value, row), row)
        else:
            value = _short(parse_bytes(entry.value, row), row)
        return Property(entry.id, value)

    def _new(self, id: int) -> _Entry:
        entry = _Entry(next(self._tokens), id, "")
        self._entries.append(entry)
        return entry

    def _find(self, row: str) -> tuple[_Entry | None, bool]:
        parts = row.removeprefix(f"{self.prefix}.").split(".")
        entry = next((entry for entry in self._entries if str(entry.token) == parts[0]), None)
        return entry, parts[-1] == "name"


def find_property(typed: str, packet: int) -> int | None:
    """The id that a typed name (whole, its start, or a part of it) or number means; what `packet` allows comes first."""
    wanted = typed.strip().lower()
    if not wanted:
        return None
    if re.fullmatch(r"0x[0-9a-f]{1,7}|[0-9]{1,9}", wanted):
        number = int(wanted, 16) if wanted.startswith("0x") else int(wanted)
        return number if number <= MAX_REMAINING_LENGTH else None
    ordered = sorted(PROPERTIES.values(), key=lambda spec: packet not in spec.packets)
    tests = (lambda name: name == wanted, lambda name: name.startswith(wanted), lambda name: wanted in name)
    for test in tests:
        for spec in ordered:
            if test(spec.name.lower()):
                return spec.id
    return None


def _candidates(typed: str, allowed: tuple[str, ...]) -> str:
    wanted = typed.strip().lower()
    names = [name for name in allowed if wanted in name.lower()] or list(allowed)
    return " · ".join(names)


def _type(id: int) -> Type:
    spec = PROPERTIES.get(id)
    return spec.kind if spec else Type.BINARY


def _short(value: Text, field: str) -> Text:
    raw = value.encode() if isinstance(value, str) else value
    if len(raw) > 0xFFFF:
        raise FormError(field, f"{len(raw):,} bytes; at most 65,535 fit")
    return value


def _value_warning(entry: _Entry) -> str:
    """Values that the standard forbids although they fit (section 2.2.2 and the properties' own sections)."""
    if entry.id in (0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A) and parse_number(entry.value, "", 0, 255) > 1:
        return "only 0 and 1 are allowed"
    if entry.id in (0x0B, 0x21, 0x23, 0x27) and parse_number(entry.value, "", 0, 0xFFFFFFFF) == 0:
        return "0 is a protocol error"
    return ""
