"""What a packet answers and what answers it, as generated fields for its tree: `[Request in] #7`, `[Time] 12.3 ms`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mqtttui.analysis.pairs import Pairs
from mqtttui.capture.log import Log
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.fields import Field
from mqtttui.text import visible

if TYPE_CHECKING:
    from mqtttui.analysis.operations import Operations

_SHARED = (P.PUBLISH, P.SUBSCRIBE, P.UNSUBSCRIBE)
"""Packets that have a topic of their own."""


def linked_fields(no: int, log: Log, pairs: Pairs, operations: Operations) -> tuple[Field, ...]:
    """The links of packet `no`; of a message that is itself acknowledged and a response, both."""
    if no not in log:
        return ()
    fields = []
    request, answer = pairs.request_of(no), pairs.answer_of(no)
    asked, response = operations.request_of(no), operations.response_of(no)
    if request is not None:
        fields.append(_link("Request in", "mqtttui.request_in", request, log, "the packet that this one answers"))
    if asked is not None:
        fields.append(_link("Request in", "mqtttui.request_in", asked, log, "the message to which this one is the response"))
    if (first := pairs.repeat_of(no)) is not None:
        fields.append(_link("First sent in", "mqtttui.first_in", first, log, "the packet that this one transmits again"))
    if answer is not None:
        fields.append(_link("Response in", "mqtttui.response_in", answer, log, "the packet that answers this one"))
    if response is not None and response != answer:
        fields.append(_link("Response in", "mqtttui.response_in", response, log, "the message that is the response to this one"))
    for since, meaning in ((request, "since the request"), (asked, "since the message that asked for it")):
        if since is not None and since in log:
            fields.append(_time(log.head(no).mono - log.head(since).mono, meaning))
    answered = pairs.answered(no)
    if answered is not None and answered.topic and log.head(no).first_byte >> 4 not in _SHARED:
        value = answered.topic.decode("utf-8", "backslashreplace")
        fields.append(_field("Topic", "mqtttui.topic", value, visible(answered.topic), "the topic of what this packet answers"))
    return tuple(fields)


def _link(name: str, filter: str, target: int, log: Log, explanation: str) -> Field:
    missing = "" if target in log else ", evicted"
    return _field(name, filter, target, f"#{target}{missing}", explanation)


def _time(nanoseconds: int, meaning: str) -> Field:
    text = f"{nanoseconds / 1e6:,.1f} ms" if nanoseconds >= 100_000 else f"{nanoseconds / 1e6:.3f} ms"
    return _field("Time", "mqtttui.rtt", nanoseconds, text, f"{meaning}; its value is in nanoseconds")


def _field(name: str, filter: str, value: int | str, display: str, explanation: str) -> Field:
    return Field(name, filter, 0, 0, value, display, explanation=explanation, generated=True)
