"""Frames go the slow way (link, IP, TCP, content) or the fast one.

The fast way takes a TCP segment, or an exported PDU, that is next in its stream and holds nothing but whole packets which
need only be appended; `Half.fast` and `Flow.fast` say where that may be. What it gathers (`Intake.run`) goes to the log
before anything else does, so that the order is kept. Both ways give the same log.
"""

from __future__ import annotations

import struct

from mqtttui.capture.files.blocks import Interface, Source
from mqtttui.capture.files.exported import OWN_APPLICATION, ExportedPdus, Flow, Prefixes
from mqtttui.capture.files.intake import RUN_BYTES, RUN_PACKETS, Intake
from mqtttui.capture.files.ip import Ip
from mqtttui.capture.files.links import EXPORTED
from mqtttui.capture.files.pdu import MADE_UP
from mqtttui.capture.files.tcp import Half, Tcp
from mqtttui.capture.recorder import ORDINARY
from mqtttui.protocol.enums import Direction

_HEADERS4 = struct.Struct(">2xH2xHxB14xI4xBB").unpack_from
"""IPv4 without options and TCP behind it: total length, fragment, protocol, sequence number, offset of the data, flags."""
_HEADERS6 = struct.Struct(">4xHB37xI4xBB").unpack_from
"""IPv6 without extensions and TCP behind it: payload length, next header, and the same of TCP."""
_TCP = 6
_OPENING_OR_CLOSING = 0x07
_ORDINARY = frozenset(ORDINARY)
_NOWHERE = (None, 0, 0)


class Frames:
    """Hands the frames of a capture to the layers above."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._ip = Ip()
        self._tcp = Tcp(intake)
        self._pdus = ExportedPdus(intake)
        self._prefixes: dict[int, Prefixes] = {}

    def read(self, source: Source, data: bytes, base: int) -> None:
        """Every frame of `data`, which begins at byte `base` of the file."""
        intake = self._intake
        mono, number = intake.mono, intake.frame
        present: Interface | None = None
        marks: frozenset[bytes] = frozenset()
        mark_start = mark_end = network = 0
        prefixes = Prefixes()
        exported = False
        flow: Half | Flow | None
        for start, end, missing, wall, interface, comments in source.frames(data, base):
            number += 1
            if wall < 0:
                wall = intake.wall
            if wall > mono:
                mono = wall
            if interface is not present:
                present = interface
                link = interface.link
                marks, mark_start, mark_end, network = link.marks, link.mark_start, link.mark_end, link.network
                exported = link.code == EXPORTED
                prefixes = self._prefixes.setdefault(interface.number, Prefixes())
            flow = None
            begin, stop = start, end
            if missing or comments:
                pass
            elif exported:
                begin = start + prefixes.length
                flow = prefixes.flows.get(data[start:begin])
                if flow is not None and not flow.fast:
                    flow = None
            elif data[start + mark_start : start + mark_end] in marks:
                flow, begin, stop = self._segment(data, start + network, end)
            if flow is not None:
                run = intake.run
                size = stop - begin
                first = data[begin] if size else -1
                # Most frames hold one packet, the length of which takes one byte.
                if 1 < size < 130 and data[begin + 1] == size - 2 and first in _ORDINARY and (flow.alias_free or first >> 4 != 3):
                    run.data += data[begin:stop]
                    run.ends.append(len(run.data))
                    run.first_bytes.append(first)
                    run.connections.append(flow.number)
                    run.directions.append(flow.direction)
                    run.monos.append(mono)
                    run.walls.append(wall)
                    intake.run_frames.append(number)
                elif not size or not self._several(flow, data, begin, stop, number, mono, wall):
                    flow = None
                if flow is not None:
                    if isinstance(flow, Half):
                        flow.advance(size)
                    if len(run.ends) >= RUN_PACKETS or len(run.data) >= RUN_BYTES:
                        intake.flush()
                    continue
            intake.flush()
            intake.mono, intake.wall, intake.frame, intake.offset = mono, wall, number, base + start
            intake.remarks = comments
            if exported:
                self._exported(data, start, end, missing, interface, prefixes)
            else:
                self._slow(data, start, end, missing, interface)
        intake.flush()
        intake.mono, intake.frame = mono, number

    def finish(self) -> None:
        """There are no more frames."""
        self._tcp.finish()
        self._pdus.finish()
        self._intake.report.count("fragmented IP packets that were never whole", self._ip.unfinished + self._ip.given_up)
        self._intake.flush()

    # --- the fast way

    def _segment(self, data: bytes, at: int, end: int) -> tuple[Half | None, int, int]:
        """The stream of which the TCP segment in the IP packet `data[at:end]` is next, and where its payload lies."""
        if end - at < 40:
            return _NOWHERE
        if data[at] == 0x45:
            total, fragment, protocol, seq, offset, flags = _HEADERS4(data, at)
            if fragment & 0x3FFF:
                return _NOWHERE
            half = self._tcp.flows.get(data[at + 12 : at + 24])
            begin = at + 20 + (offset >> 4) * 4
            stop = at + total
        elif data[at] >> 4 == 6 and end - at >= 60:
            total, protocol, seq, offset, flags = _HEADERS6(data, at)
            half = self._tcp.flows.get(data[at + 8 : at + 44])
            begin = at + 40 + (offset >> 4) * 4
            stop = at + 40 + total
        else:
            return _NOWHERE
        if half is None or half.fast != seq or protocol != _TCP or flags & _OPENING_OR_CLOSING or half.peer.early:
            return _NOWHERE
        if stop > end or begin > stop or offset < 0x50:
            return _NOWHERE
        return half, begin, stop

    def _several(self, flow: Half | Flow, data: bytes, begin: int, stop: int, number: int, mono: int, wall: int) -> bool:
        """Takes `data[begin:stop]` if it is nothing but whole packets that need only be appended."""
        ends: list[int] = []
        firsts = bytearray()
        aliases: list[int] = []
        at = begin
        while at < stop:
            first = data[at]
            if stop - at < 2 or first not in _ORDINARY:
                return False
            length = data[at + 1]
            place = at + 2
            if length > 0x7F:
                if place >= stop or data[place] > 0x7F:
                    return False
                length = length & 0x7F | data[place] << 7
                place += 1
            if place + length > stop:
                return False
            if not flow.alias_free and first >> 4 == 3 and _has_properties(data, first, place, place + length):
                aliases.append(len(ends))
            at = place + length
            ends.append(at)
            firsts.append(first)
        intake = self._intake
        run = intake.run
        shift = len(run.data) - begin
        count = len(ends)
        recorder = flow.recorder
        if aliases and recorder is not None:
            direction = Direction(flow.direction)
            intake.run_aliases.extend((len(run.ends) + index, recorder, direction) for index in aliases)
        run.data += data[begin:stop]
        run.ends.extend([end + shift for end in ends])
        run.first_bytes += firsts
        run.connections.extend([flow.number] * count)
        run.directions += bytes((flow.direction,)) * count
        run.monos.extend([mono] * count)
        run.walls.extend([wall] * count)
        intake.run_frames.extend([number] * count)
        return True

    # --- the slow way

    def _slow(self, data: bytes, start: int, end: int, missing: int, interface: Interface) -> None:
        count = self._intake.report.count
        network = interface.link.network_of(data, start, end)
        if isinstance(network, str):
            count(network)
            return
        datagram = self._ip.read(data, network, end, missing)
        if isinstance(datagram, str):
            count(datagram)
        elif datagram is not None:
            self._set_made_up(interface)
            self._tcp.segment(datagram.source, datagram.destination, datagram.data, datagram.start, datagram.end, datagram.missing)

    def _exported(self, data: bytes, start: int, end: int, missing: int, interface: Interface, prefixes: Prefixes) -> None:
        self._set_made_up(interface)
        self._pdus.frame(data, start, end, missing, interface, prefixes)

    def _set_made_up(self, interface: Interface) -> None:
        intake = self._intake
        intake.made_up = bool(intake.remarks) and MADE_UP in intake.remarks and interface.application.startswith(OWN_APPLICATION)


def _has_properties(data: bytes, first: int, at: int, end: int) -> bool:
    """Whether the body `data[at:end]` of a v5 PUBLISH may have properties."""
    if end - at < 3:
        return True
    at += 2 + (data[at] << 8 | data[at + 1]) + (2 if first & 0x06 else 0)
    return at >= end or data[at] != 0
