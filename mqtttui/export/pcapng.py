"""Packets of the log as capture files that Wireshark opens as MQTT, whatever the ports were.

Rules:
1. One control packet is one frame: an exported PDU, or TCP/IP segments (`Encapsulation`). Each connection is an interface.
2. Wireshark keeps version and topic aliases by addresses and ports. A connection begins with its CONNECT; where that is not
   among the packets it is repeated, and where it is gone it is made up. Both are commented as such.
3. What was not on the wire is said in a comment: made-up addresses, other ports, masked secrets, incomplete packets.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from mqtttui import __version__
from mqtttui.capture.files.pdu import MADE_UP
from mqtttui.capture.log import Log
from mqtttui.capture.records import ConnectionInfo, Packet
from mqtttui.capture.tracking import Tracker
from mqtttui.export.blocks import LINKTYPE_RAW, LINKTYPE_WIRESHARK_UPPER_PDU, MAX_CAPTURED, BlockWriter, Writable
from mqtttui.export.endpoints import Endpoints, endpoints_of, host_name
from mqtttui.export.exported_pdu import tags
from mqtttui.export.mask import masked
from mqtttui.export.tcp_frames import TcpFlow, with_known_port
from mqtttui.export.units import count_bytes
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import Connect, encode
from mqtttui.text import preview

APPLICATION = f"mqtttui {__version__}"
MAX_EXPORTED = MAX_CAPTURED - 128
"""Bytes of a packet that fit a frame of exported PDUs, whatever the addresses are."""

_SECRETIVE = frozenset({1, 2, 15})
"""Types that may carry a secret: CONNECT, CONNACK, AUTH."""
_MASKED = "secrets are overwritten with *"
_NOT_LEFT = "the connection ended before this had left whole"
_ALIAS = "the topic alias was bound before: "
_NOT_KEPT = " further bytes were not kept"
_PUBLISH = int(PacketType.PUBLISH)
_CONTEXT = (PacketType.CONNECT, PacketType.CONNACK, PacketType.PUBLISH, PacketType.SUBSCRIBE, PacketType.SUBACK)
_TRANSPORTS = {"tls": "decrypted from TLS", "ws": "taken out of WebSocket", "wss": "decrypted from TLS and taken out of WebSocket"}

Comments = Callable[[int], Sequence[str]]
"""What to remark on packet No."""


class Encapsulation(Enum):
    """What the frames are."""

    EXPORTED = "exported PDUs"
    """Always dissected as MQTT; invents nothing."""
    TCP = "TCP/IP"
    """Understood by other tools, and for packets of any size; the headers are made up."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of an export."""

    packets: int
    """How many of the packets were written."""
    encapsulation: Encapsulation
    remarks: tuple[str, ...] = ()
    """What a person should know, one sentence each."""


def write_log(
    log: Log,
    numbers: Iterable[int],
    out: Writable,
    *,
    mask: bool = True,
    encapsulation: Encapsulation = Encapsulation.EXPORTED,
    comments: Comments | None = None,
) -> Written:
    """Writes the packets `numbers` of `log`, those that are still kept.

    With `mask`, secrets are overwritten by filler of equal length. A packet too large for an exported PDU makes the whole
    file TCP/IP, which the remarks say. `comments` gives further remarks on a packet.
    """
    steps = write_steps(log, numbers, out, mask=mask, encapsulation=encapsulation, comments=comments)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            written: Written = end.value
            return written


def write_steps(
    log: Log,
    numbers: Iterable[int],
    out: Writable,
    *,
    mask: bool = True,
    encapsulation: Encapsulation = Encapsulation.EXPORTED,
    comments: Comments | None = None,
) -> Generator[None, None, Written]:
    """`write_log`, one packet a step."""
    asked = list(numbers)
    kept = [no for no in asked if no in log]
    remarks = []
    largest = max((log.head(no).length for no in kept), default=0)
    if largest > MAX_EXPORTED and encapsulation is Encapsulation.EXPORTED:
        encapsulation = Encapsulation.TCP
        remarks.append(f"Written as TCP/IP: a packet of {count_bytes(largest)} does not fit an exported PDU.")
    hint = "not one of the exported packets: repeated, so that Wireshark knows the version"
    section = Section(log, out, mask=mask, encapsulation=encapsulation, comments=comments, hint=hint)
    written = 0
    for no in kept:
        if no in log:  # It may have been evicted between two steps.
            section.write(log[no])
            written += 1
        yield
    if written < len(asked):
        remarks.append(missing_words(len(asked) - written))
    if section.added:
        added = "A CONNECT was" if section.added == 1 else f"{section.added:,} CONNECTs were"
        remarks.append(f"{added} added, commented as such, so that Wireshark knows the version.")
    return Written(written, encapsulation, tuple(remarks))


@dataclass(slots=True)
class _Line:
    """A connection in a section."""

    interface: int
    endpoints: Endpoints
    aliases: Tracker
    flow: TcpFlow | None
    tags: tuple[bytes, bytes]
    """What stands in front of a packet, by direction."""


class Section:
    """Writes packets of a log, in any order of connections, to one section of a pcapng file."""

    def __init__(
        self,
        log: Log,
        out: Writable,
        *,
        mask: bool = True,
        encapsulation: Encapsulation = Encapsulation.EXPORTED,
        comments: Comments | None = None,
        whole_context: bool = False,
        hint: str = "repeated from before, so that this file can be read by itself",
    ) -> None:
        """`whole_context`: a connection begins with all that it needs (subscriptions, aliases), not just with its CONNECT."""
        self.added = 0
        """Frames that are no packets of their own: repeated and made-up ones."""
        self._log = log
        self._blocks = BlockWriter(out, application=APPLICATION)
        self._mask = mask
        self._encapsulation = encapsulation
        self._comments = comments
        self._whole_context = whole_context
        self._hint = hint
        self._lines: dict[tuple[int, Encapsulation], _Line] = {}
        self._taken: set[Endpoints] = set()

    def write(self, packet: Packet) -> None:
        """The next packet. One too large for an exported PDU becomes TCP/IP on an interface of its own."""
        large = len(packet.raw) > MAX_EXPORTED
        key = packet.connection, Encapsulation.TCP if large else self._encapsulation
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = self._open(packet, key[1])
            self._begin(line, packet)
        own = self._comments(packet.number) if self._comments is not None else ()
        self._frame(line, packet, own)

    def _open(self, packet: Packet, encapsulation: Encapsulation) -> _Line:
        info = self._log.connection(packet.connection)
        seen = endpoints_of(info)
        tcp = encapsulation is Encapsulation.TCP
        wanted = with_known_port(seen) if tcp else seen
        endpoints = wanted.apart_from(self._taken)
        self._taken.add(endpoints)
        remarks = ["addresses and ports are made up"] if seen.invented else []
        if wanted.server != seen.server:
            remarks.append(f"the broker's port was {seen.server[1]}; it is written as {wanted.server[1]}, by which MQTT is known")
        if endpoints.client != wanted.client:
            remarks.append(f"the client's port was {wanted.client[1]}, as of an earlier connection; another one is written")
        name = f"connection {info.number}"
        if encapsulation is not self._encapsulation:
            name += ", large packets"
        link_type = LINKTYPE_RAW if tcp else LINKTYPE_WIRESHARK_UPPER_PDU
        # Comments of the interface, not of a packet: those are the person's.
        interface = self._blocks.interface(link_type, name, _description(info, seen, tcp), remarks)
        if (host := host_name(info)) and not seen.invented:
            self._blocks.name(endpoints.server[0], host)
        both = tags(endpoints, Direction.C2S), tags(endpoints, Direction.S2C)
        return _Line(interface, endpoints, Tracker(packet.version), TcpFlow(endpoints) if tcp else None, both)

    def _begin(self, line: _Line, packet: Packet) -> None:
        """What has to stand in front of `packet`, the first one of `line`."""
        if _kind(packet) is PacketType.CONNECT:
            return
        earlier = [self._log[no] for no in self._log.needed(packet.connection) if no < packet.number]
        connect = next((each for each in reversed(earlier) if _kind(each) is PacketType.CONNECT), None)
        if connect is None:
            raw = encode(Connect(version=packet.version, keep_alive=0), packet.version)
            self._put(line, Direction.C2S, raw, packet.wall, None, [MADE_UP])
            self.added += 1
        repeated = [] if connect is None else [connect]
        if self._whole_context:
            # A CONNECT of another version than the one in force would make the others unreadable.
            rest = [each for each in earlier if _kind(each) in _CONTEXT and each.version is packet.version and each is not connect]
            repeated += [each for each in rest if _kind(each) is not PacketType.CONNECT and len(each.raw) <= MAX_EXPORTED]
        for each in repeated:
            self._frame(line, each, [self._hint])
            self.added += 1

    def _frame(self, line: _Line, packet: Packet, remarks: Sequence[str]) -> None:
        raw, more = _content(self._log, packet, self._mask)
        if packet.version is Version.V5 and raw[:1] and raw[0] >> 4 == _PUBLISH:
            alias = line.aliases.publish(packet.direction, raw, 0, len(raw))
            if packet.resolved_topic is not None and (alias is None or alias.topic != packet.resolved_topic):
                more.append(f"{_ALIAS}{preview(packet.resolved_topic, 1_000)}")
        self._put(line, packet.direction, raw, packet.wall, packet.number, [*remarks, *more])

    def _put(self, line: _Line, direction: Direction, raw: bytes, wall: int, number: int | None, comments: Sequence[str]) -> None:
        if line.flow is None:
            self._blocks.frame(line.interface, line.tags[direction] + raw, wall, direction, number=number, comments=comments)
            return
        waiting = None
        for frame in line.flow.frames(direction, raw):
            if waiting is not None:
                self._blocks.frame(line.interface, waiting, wall, direction, number=number)
            waiting = frame
        if waiting is not None:
            self._blocks.frame(line.interface, waiting, wall, direction, number=number, comments=comments)


def _kind(packet: Packet) -> PacketType | None:
    """The type of a whole packet, None for what could not be framed."""
    return PacketType(packet.raw[0] >> 4) if packet.raw and not packet.framing_error else None


def _content(log: Log, packet: Packet, mask: bool) -> tuple[bytes, list[str]]:
    """The bytes to write and what is to be remarked of them."""
    remarks = []
    raw = packet.raw
    if mask and raw[:1] and raw[0] >> 4 in _SECRETIVE:
        raw = masked(raw, log.dissect(packet.number))
        if raw is not packet.raw:
            remarks.append(_MASKED)
    if packet.framing_error:
        remarks.append(packet.framing_error)
    if packet.dropped:
        remarks.append(f"{packet.dropped:,}{_NOT_KEPT}")
    if packet.unsent:
        remarks.append(_NOT_LEFT)
    return raw, remarks


def is_ours(comment: str) -> bool:
    """Whether a comment on a packet is a remark of the export itself, and no person's."""
    return comment in (_MASKED, _NOT_LEFT) or comment.startswith(_ALIAS) or comment.endswith(_NOT_KEPT)


def missing_words(count: int) -> str:
    """That `count` of the packets that were asked for were evicted."""
    return (
        "One packet is missing: it is not kept any more." if count == 1 else f"{count:,} packets are missing: they are not kept any more."
    )


def _description(info: ConnectionInfo, seen: Endpoints, tcp: bool) -> str:
    parts = [info.peer, info.name or info.destination, _TRANSPORTS.get(info.transport, "")]
    if tcp and not seen.invented:
        parts += [f"port {seen.server[1]}", "headers of TCP and IP are made up"]
    return ", ".join(part for part in parts if part)
