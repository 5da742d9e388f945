"""What hides on request: pings, acknowledgements that went well and belong to a message, messages on $SYS topics."""

from __future__ import annotations

from mqtttui.analysis.pairs import Pairs, request_topic
from mqtttui.capture.log import Log
from mqtttui.filters.block import Block
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.peek import reason_code

_FAILURE = 0x80
_SYSTEM = b"$SYS"
_ACKNOWLEDGEMENTS = (P.PUBACK, P.PUBREC, P.PUBREL, P.PUBCOMP)
_PINGS = bytes(byte >> 4 in (P.PINGREQ, P.PINGRESP) for byte in range(256))
_ACKS = bytes(byte >> 4 in _ACKNOWLEDGEMENTS for byte in range(256))


def is_noise(log: Log, no: int, pairs: Pairs | None) -> bool:
    """Whether packet `no` is noise. SUBACK and UNSUBACK are none: they are rare and say what was granted."""
    packet = log[no]
    raw = packet.raw
    if packet.framing_error or not raw:
        return False
    kind = raw[0] >> 4
    if kind in _ACKNOWLEDGEMENTS:
        return pairs is not None and pairs.request_of(no) is not None and reason_code(raw, 0, len(raw)) < _FAILURE
    return kind in (P.PINGREQ, P.PINGRESP) or (kind == P.PUBLISH and _of_system(request_topic(packet)))


def noise_of(block: Block, pairs: Pairs | None) -> int:
    """The rows of `block` that are noise, as a mask."""
    verdicts = bytearray(block.firsts.translate(_PINGS))
    acks = block.firsts.translate(_ACKS)
    if pairs is not None and any(acks):
        for row in range(block.count):
            if acks[row] and pairs.request_of(block.first + row) is not None:
                verdicts[row] = reason_code(block.raw, block.starts[row], block.ends[row]) < _FAILURE
    if _SYSTEM in block.raw or block.resolved:
        publishes = [row for row in block.publishes(range(block.count)) if row not in block.odd]
        for row, topic in zip(publishes, block.topics(publishes), strict=True):
            if topic is not None and _of_system(topic):
                verdicts[row] = 1
    for row in block.odd:
        verdicts[row] = 0
    return int.from_bytes(verdicts, "little")


def _of_system(topic: bytes) -> bool:
    return topic.startswith(_SYSTEM) and topic[4:5] in (b"", b"/")
