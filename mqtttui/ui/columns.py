"""The columns that the packet list can have: their names, heads and widths, and which of them fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mqtttui.ui.times import WIDTH as TIME_WIDTH


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    """Its name in the user's file; of a field its name in filters."""
    head: str
    help: str
    width: int
    """Cells; of a growing column the fewest."""
    right: bool = False
    """Aligned right."""
    grows: bool = False
    """Shares the cells that are left."""


COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        Column("number", "No.", "number of the packet", 6, right=True),
        Column("time", "Time", "t goes through its formats", TIME_WIDTH),
        Column("connection", "Conn", "number of the connection", 4, right=True),
        Column("peer", "Connection", "name of the connection: main, second", 10),
        Column("source", "Source", "address and port of the sender", 21),
        Column("destination", "Destination", "address and port of the receiver", 21),
        Column("type", "⇄ Type", "▲ to the broker, ▼ from it; type of the packet", 13),
        Column("id", "Id", "packet identifier", 6),
        Column("flags", "Flags", "QoS, dup and retain of a PUBLISH", 9),
        Column("length", "Len", "bytes of the whole packet", 6, right=True),
        Column("summary", "Topic and summary", "topic, payload, result, finding", 24, grows=True),
        Column("info", "Info", "the line that Wireshark shows", 24, grows=True),
    )
}
"""Those that are no field, in their usual order."""
USUAL = ("number", "time", "type", "id", "flags", "length", "summary")
"""What is shown while nothing was chosen and there is room."""
USUAL_OF_SEVERAL = ("number", "time", "peer", "type", "id", "flags", "length", "summary")
"""The same while there are packets of several connections that have names."""
_NUMBER, _TEXT = 8, 20
_LONGEST_HEAD = 22


def column_of(name: str) -> Column | None:
    """The column of that name: one of ours, or a field by its name in filters; None if there is none."""
    if name in COLUMNS:
        return COLUMNS[name]
    # The language is loaded when it is wanted: the usual columns do without it.
    from mqtttui.filters.fields import FIELDS
    from mqtttui.filters.types import TEXTUAL, Type

    spec = FIELDS.get(name)
    if spec is None:
        return None
    text = spec.type in TEXTUAL or spec.type in (Type.TIME, Type.JSON) or bool(spec.value_strings)
    width = min(max(_TEXT if text else _NUMBER, len(name)), _LONGEST_HEAD)
    return Column(name, name, spec.description, width, right=not text and spec.type is not Type.NONE)


@dataclass(frozen=True, slots=True)
class Placed:
    """A column in its place."""

    column: Column
    cells: int


def place(names: Sequence[str], width: int, last: int) -> list[Placed]:
    """The columns that fit into `width` cells, with a blank between two; `last` is the highest No.

    The first growing one has its place for certain, the others come from the left as long as there is room.
    """
    found = [column for name in names if (column := column_of(name)) is not None]
    first = next((column for column in found if column.grows), None)
    room = width + 1
    kept = min(first.width + 1, room) if first is not None else 0
    chosen: list[Placed] = []
    for column in found:
        cells = max(column.width, len(str(last))) if column.name == "number" else column.width
        if column is first:
            cells, kept = kept - 1, 0
        if 0 < cells < room - kept:
            chosen.append(Placed(column, cells))
            room -= cells + 1
        elif column is first and cells > 0:
            chosen.append(Placed(column, cells))
            room = 0
    growing = [at for at, placed in enumerate(chosen) if placed.column.grows]
    for turn, at in enumerate(growing):
        share = room // (len(growing) - turn)
        chosen[at] = Placed(chosen[at].column, chosen[at].cells + share)
        room -= share
    return chosen
