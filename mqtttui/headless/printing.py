"""What `decode` prints of a packet: a tree of text, or one JSON object on a line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from mqtttui.export.mask import masked_dissection
from mqtttui.export.packet_json import line, packet_object
from mqtttui.export.text_tree import note_line, tree_text
from mqtttui.protocol.checks import MALFORMED
from mqtttui.protocol.enums import Severity
from mqtttui.protocol.fields import Dissection, Note
from mqtttui.text import visible

MAX_NODES = 1_000_000
"""Fields a packet is printed with; a program that reads them wants all, and a million is a gigabyte of memory."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a packet stands, and for one of a capture when and between whom it was seen."""

    number: int
    connection: int
    wall: int | None = None
    """Nanoseconds since 1970."""
    source: str = ""
    """Who sent it, `10.0.0.1:50001`."""
    destination: str = ""
    frame: int = 0
    """Of the capture; 0 without one."""
    comments: Sequence[str] = ()
    """Those of the capture on its frame."""


class Printer:
    """Prints packets as `--format`, `--tree`, `--explain` and `--mask` ask."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._json: bool = args.format == "json"
        self._tree: bool = args.tree
        self._explain: bool = args.explain
        self._mask: bool = args.mask
        self.malformed = False
        """Whether any packet so far was malformed or incomplete."""

    @property
    def tells_conversations(self) -> bool:
        """Whether findings beyond the packet itself are printed; the notes of JSON are those of the packet."""
        return not self._json

    def print(self, dissection: Dissection, place: Place, findings: Sequence[Note] = ()) -> None:
        """One packet, to standard output; in text with its `findings`."""
        self.malformed = self.malformed or is_malformed(dissection)
        if self._mask:
            dissection = masked_dissection(dissection)
        if self._json:
            print(line(self._object(dissection, place)))
            return
        kind = dissection.type.name if dissection.type is not None else "not a packet"
        context = dissection.context
        title = f"{place.number}  {context.direction.label}  {kind}  MQTT {dissection.version.label}  connection {place.connection}"
        if place.wall is not None:
            ends = f"  {visible(place.source)} > {visible(place.destination)}" if place.source else ""
            title += f"  {iso_time(place.wall)}{ends}  frame {place.frame}"
        title += "".join(f"\n  comment: {visible(comment)}" for comment in place.comments)
        if findings:
            dissection = replace(dissection, notes=(*dissection.notes, *findings))
        print(tree_text(dissection, False, explain=self._explain, title=title), end="\n\n")

    def print_late(self, number: int, finding: Note) -> None:
        """A finding on packet `number`, which was printed before."""
        print(f"packet {number}  {note_line(finding)}", end="\n\n")

    def _object(self, dissection: Dissection, place: Place) -> dict[str, Any]:
        shown = packet_object(
            dissection,
            number=place.number,
            connection=place.connection,
            time=None if place.wall is None else iso_time(place.wall),
            source=place.source or None,
            destination=place.destination or None,
            tree=self._tree,
        )
        if place.frame:
            shown["frame"] = place.frame
        if place.comments:
            shown["comments"] = list(place.comments)
        return shown


def is_malformed(dissection: Dissection) -> bool:
    """Whether the packet is a Malformed Packet, as the standard calls what cannot be parsed by its rules."""
    return dissection.malformed or any(note.severity is Severity.ERROR and note.id in MALFORMED for note in dissection.notes)


def iso_time(wall: int) -> str:
    """Nanoseconds since 1970 as ISO 8601 in UTC with nine decimals; in seconds where no calendar reaches."""
    seconds, fraction = divmod(wall, 1_000_000_000)
    try:
        return f"{(_EPOCH + timedelta(seconds=seconds)).strftime('%Y-%m-%dT%H:%M:%S')}.{fraction:09}Z"
    except (OverflowError, ValueError):
        return f"{seconds}.{fraction:09}"
