"""One row of the packet list as styled segments: which columns fit, what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from mqtttui.capture.log import Head
from mqtttui.export.summary import short_topic
from mqtttui.protocol.enums import Direction, Severity
from mqtttui.ui.columns import Placed
from mqtttui.ui.content import fit, size
from mqtttui.ui.row_text import RowText
from mqtttui.ui.times import WIDTH as TIME_WIDTH

ARROWS = {Direction.S2C: "▼", Direction.C2S: "▲"}
COLOURS = 6
"""Of subscriptions, by letter."""
STYLES = frozenset(
    {
        "packets--in",
        "packets--out",
        "packets--warn",
        "packets--error",
        "packets--quiet",
        "packets--detail",
        "packets--number",
        "packets--mark",
        *(f"packets--filter-{colour}" for colour in range(COLOURS)),
    }
)
"""Component classes that a row asks for."""
_ROOMY, _WIDE, _MEDIUM = 132, 100, 72
_TOPIC_SHARE = 0.6
"""How much of a row a topic may take when there is more to say."""
_REMARK_ROOM = 48
_REMARK = 36
"""Cells that a remark gets, however much the row itself has to say."""
_SHORT_TYPES = {"SUBSCRIBE": "SUBSCR", "UNSUBSCRIBE": "UNSUBSCR", "DISCONNECT": "DISCONN"}

StyleOf = Callable[[str], Style]


class Columns(NamedTuple):
    """Widths in cells; 0 leaves a column out."""

    number: int
    type: int
    packet_id: int
    flags: int
    length: int
    peer: int = 0

    @classmethod
    def fitting(cls, width: int, last: int, peer: int = 0) -> Columns:
        """What fits into rows of `width` cells; `last` is the highest No., `peer` the cells of the longest name of a connection."""
        if width >= _WIDE:
            return cls(max(6, len(str(last))), 11, 6, 9, 6, min(peer, 12 if width < _ROOMY else 20))
        if width >= _MEDIUM:
            return cls(0, 8, 6, 6, 6, min(peer, 8))
        return cls(0, 8, 6, 0, 0, min(peer, 6))

    @property
    def left_out(self) -> frozenset[str]:
        """Names of the usual columns that do not fit."""
        return frozenset(name for name in ("number", "flags", "length") if not getattr(self, name))


def head_text(columns: Columns, time_head: str, width: int) -> str:
    """The names of the columns."""
    cells = ["  "]
    if columns.number:
        cells.append(fit("No.", columns.number, right=True) + " ")
    cells.append(fit(time_head, TIME_WIDTH))
    if columns.peer:
        cells.append(" " + fit("Connection" if columns.peer >= len("Connection") else "Conn", columns.peer))
    cells += [" ⇄ ", fit("Type", columns.type), " ", fit("Id", columns.packet_id), " "]
    if columns.flags:
        cells += [fit("Flags", columns.flags), " ", fit("Len", columns.length, right=True), " "]
    cells.append("Topic and summary" if width >= 50 else "Topic")
    return fit("".join(cells), width)


def segments(
    no: int, head: Head, text: RowText, time: str, columns: Columns, width: int, style_of: StyleOf, peer: str = ""
) -> list[Segment]:
    """A row without its first cell (the selection), in `width` cells; `peer` is the name of the connection."""
    quiet = style_of("packets--quiet") if text.quiet else None
    side = quiet or style_of("packets--in" if head.direction is Direction.S2C else "packets--out")
    dim = quiet or style_of("packets--number")
    normal = quiet or Style.null()
    out = [_mark(text, style_of)]
    if columns.number:
        out.append(Segment(fit(str(no), columns.number, right=True) + " ", dim))
    kind = _SHORT_TYPES.get(text.type, text.type) if columns.type < 10 else text.type
    out += [
        Segment(time + " ", dim),
        *([Segment(fit(peer, columns.peer) + " ", normal)] if columns.peer else []),
        Segment(f"{ARROWS[head.direction]} {fit(kind, columns.type)} ", side),
        Segment(fit(text.packet_id, columns.packet_id) + " ", normal),
    ]
    if columns.flags:
        out.append(Segment(fit(text.flags, columns.flags) + " ", normal))
        out.append(Segment(fit(_length(head.length), columns.length, right=True) + " ", dim))
    room = width - sum(cell_len(segment.text) for segment in out)
    return [*out, *_subject(text, room, normal, style_of)]


def chosen_head(placed: Sequence[Placed], time_head: str, width: int) -> str:
    """The names of the columns that the user has chosen."""
    cells = ["  "]
    for each in placed:
        head = time_head if each.column.name == "time" else each.column.head
        cells.append(fit(head, each.cells, right=each.column.right) + " ")
    return fit("".join(cells), width)


def chosen_segments(
    head: Head, text: RowText, placed: Sequence[Placed], value: Callable[[str], str], width: int, style_of: StyleOf
) -> list[Segment]:
    """A row in the columns that the user has chosen; `value` gives what stands in those that the row's own words do not."""
    quiet = style_of("packets--quiet") if text.quiet else None
    side = quiet or style_of("packets--in" if head.direction is Direction.S2C else "packets--out")
    dim = quiet or style_of("packets--number")
    normal = quiet or Style.null()
    out = [_mark(text, style_of)]
    for each in placed:
        cells, right = each.cells, each.column.right
        match each.column.name:
            case "type":
                kind = _SHORT_TYPES.get(text.type, text.type) if cells < 12 else text.type
                out.append(Segment(fit(f"{ARROWS[head.direction]} {kind}", cells) + " ", side))
            case "id":
                out.append(Segment(fit(text.packet_id, cells) + " ", normal))
            case "flags":
                out.append(Segment(fit(text.flags, cells) + " ", normal))
            case "length":
                out.append(Segment(fit(_length(head.length), cells, right=right) + " ", dim))
            case "summary":
                out += [*_subject(text, cells, normal, style_of), Segment(" ")]
            case "number" | "time" | "connection" as name:
                out.append(Segment(fit(value(name), cells, right=right) + " ", dim))
            case name:
                out.append(Segment(fit(value(name), cells, right=right) + " ", normal))
    used = sum(cell_len(segment.text) for segment in out)
    return [*out, Segment(" " * max(0, width - used))]


def _mark(text: RowText, style_of: StyleOf) -> Segment:
    if text.mark:
        return Segment(text.mark, style_of("packets--mark"))
    if text.worst is not None and text.worst >= Severity.WARN:
        return Segment("!", _alarm(text, style_of))
    if not text.letter:
        return Segment(" ")
    return Segment(text.letter, style_of(f"packets--filter-{(ord(text.letter) - ord('A')) % COLOURS}"))


def _alarm(text: RowText, style_of: StyleOf) -> Style:
    return style_of("packets--error" if text.worst is Severity.ERROR else "packets--warn")


def _subject(text: RowText, room: int, normal: Style, style_of: StyleOf) -> list[Segment]:
    subject, detail = (text.topic, text.rest) if text.topic else (text.rest, "")
    remark = _remark(text.remark, subject, detail, room)
    rest = room - (cell_len(remark) + 2 if remark else 0)
    wanted = rest
    if detail and cell_len(subject) + 2 + cell_len(detail) > rest:
        wanted = max(rest - cell_len(detail) - 2, int(rest * _TOPIC_SHARE))
    if cell_len(subject) > wanted:
        subject = short_topic(subject, wanted, cell_len) if text.topic else subject
        subject = subject if cell_len(subject) <= wanted else fit(subject, wanted)
    rest -= cell_len(subject)
    out = [Segment(subject, normal)]
    if detail and rest >= min(4, cell_len(detail) + 2):
        out.append(Segment("  " + fit(detail, rest - 2), normal + style_of("packets--detail")))
    else:
        out.append(Segment(" " * max(0, rest)))
    if remark:
        worse = text.worst is not None and text.worst >= Severity.WARN
        out.append(Segment("  " + remark, _alarm(text, style_of) if worse else style_of("packets--mark")))
    return out


def _remark(remark: str, subject: str, detail: str, room: int) -> str:
    """In the right half, where it begins in the same column in every row; longer ones take what the row itself leaves."""
    if not remark or room < _REMARK_ROOM:
        return ""
    left = room - cell_len(subject) - (cell_len(detail) + 2 if detail else 0) - 2
    cells = cell_len(remark)
    return fit(remark, max(min(_REMARK, cells), min(left, max(room // 2, cells))))


def _length(count: int) -> str:
    return f"{count:,}" if count < 100_000 else size(count)
