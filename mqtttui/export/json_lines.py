"""Packets of the log as JSON lines: the objects that `decode --format json` prints, one a line, in plain ASCII.

`source` and `destination` are the sender's and the receiver's `address:port`, `time` is UTC (RFC 3339). A packet with remarks
(marks, comments, findings of a conversation) has them in `comments`, one that never left has `unsent` true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mqtttui.capture.dissecting import dissect_packet
from mqtttui.capture.log import Log
from mqtttui.capture.records import Packet
from mqtttui.export.blocks import Writable
from mqtttui.export.mask import masked_dissection
from mqtttui.export.packet_json import line, packet_object
from mqtttui.export.pcapng import Comments
from mqtttui.export.stamps import iso_utc
from mqtttui.protocol.enums import Direction


def write_log(
    log: Log, numbers: Iterable[int], out: Writable, *, mask: bool = True, tree: bool = False, comments: Comments | None = None
) -> int:
    """Writes the packets `numbers`, those that are still kept, and gives how many they were. With `mask`, secrets are `*`."""
    return sum(1 for _ in write_steps(log, numbers, out, mask=mask, tree=tree, comments=comments))


def write_steps(
    log: Log, numbers: Iterable[int], out: Writable, *, mask: bool = True, tree: bool = False, comments: Comments | None = None
) -> Iterator[None]:
    """`write_log`, one packet that is written a step."""
    for no in numbers:
        if no in log:
            shown = log_object(log, log[no], mask=mask, tree=tree)
            if comments is not None and (remarks := list(comments(no))):
                shown["comments"] = remarks
            out.write(line(shown).encode("ascii") + b"\n")
            yield


def log_object(log: Log, packet: Packet, *, mask: bool = True, tree: bool = False) -> dict[str, Any]:
    """The object of one packet of the log."""
    dissection = dissect_packet(packet)
    source, destination = ends(log, packet)
    shown = packet_object(
        masked_dissection(dissection) if mask else dissection,
        number=packet.number,
        connection=packet.connection,
        time=iso_utc(packet.wall),
        source=source or None,
        destination=destination or None,
        tree=tree,
    )
    if packet.unsent:
        shown["unsent"] = True
    return shown


def ends(log: Log, packet: Packet) -> tuple[str, str]:
    """Sender and receiver, `address:port`; empty where not known."""
    info = log.connection(packet.connection)
    pair = info.source, info.destination
    return pair if packet.direction is Direction.C2S else pair[::-1]
