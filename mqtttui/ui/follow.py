"""Filters that follow something through the log: an operation, a connection, a topic, a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mqtttui.analysis.pairs import Pairs, request_topic
from mqtttui.capture.log import Log
from mqtttui.protocol.enums import PacketType
from mqtttui.text import preview
from mqtttui.ui.field_filters import of_packet
from mqtttui.ui.screens.menu import Choice

if TYPE_CHECKING:
    from mqtttui.analysis.operations import Operations

_TOPIC_CELLS = 40
_LONGEST = 256
"""Bytes of a payload up to which messages are told apart by it."""


def conversation(log: Log, pairs: Pairs, operations: Operations, no: int) -> str:
    """The filter for the operation to which packet `no` belongs; for a packet of none, its topic or type. Raises Evicted."""
    start = operations.of(no)
    return of_packet(log, pairs, no) if start is None else f"mqtttui.op.start == {start}"


def choices(log: Log, pairs: Pairs, operations: Operations, no: int) -> list[Choice]:
    """What can be followed from packet `no`; the values are filters. Raises Evicted."""
    from mqtttui.filters.lexer import quote

    packet = log[no]
    out = [Choice("c", "connection", f"tcp.stream == {packet.connection}", f"connection {packet.connection}")]
    answered = pairs.answered(no)
    topic = request_topic(packet) or (answered.topic if answered is not None else b"")
    if topic:
        out.append(Choice("t", "topic", f"mqtttui.topic == {quote(topic)}", preview(topic, _TOPIC_CELLS)))
    start = operations.of(no)
    if start is not None:
        out.append(Choice("o", "operation", f"mqtttui.op.start == {start}", "request, answers, repetitions"))
    if packet.raw and packet.raw[0] >> 4 == PacketType.PUBLISH and topic and not packet.framing_error:
        message = log.dissect(no).first("mqtt.msg")
        payload = packet.raw[message.start : message.end] if message is not None else b""
        if payload and len(payload) <= _LONGEST:
            same = f"mqtt.msgtype == 3 and mqtt.topic == {quote(topic)} and mqtt.msg == {quote(payload)}"
            out.append(Choice("m", "message", same, "this topic with this payload, on every connection"))
    return out
