"""The columns of the packet list: Type, Id, Flags, and the line "Topic and summary"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mqtttui.analysis.pairs import Answered
from mqtttui.export.reading import Reading, payload_preview
from mqtttui.export.units import duration
from mqtttui.protocol.enums import Direction, PacketType, PropertyId
from mqtttui.protocol.fields import Dissection
from mqtttui.text import ELLIPSIS, shorten, visible

_GAP = "  "
_PAYLOAD_CELLS = 160
_BETWEEN = " · "
_TOPIC_SHARE = 0.4
"""A topic is not cut below this share of the line, rather what follows it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One row of the packet list. All texts are visible text."""

    type: str
    """`PUBLISH`; `not MQTT` or `incomplete` for what could not be framed."""
    packet_id: str
    """`#7`, empty without a Packet Identifier."""
    flags: str
    """`q1 dup ret`, empty for other packets than PUBLISH."""
    topic: str
    """What the line begins with and may lose its middle levels; may be empty."""
    rest: str

    @property
    def text(self) -> str:
        """Topic and summary at full length."""
        return _GAP.join(part for part in (self.topic, self.rest) if part)

    def fitted(self, cells: int) -> str:
        """Topic and summary in `cells` characters: the topic loses middle levels first, then the rest its end."""
        if len(self.text) <= cells:
            return self.text
        if not self.topic:
            return shorten(self.rest, cells)
        room = cells - len(self.rest) - len(_GAP) if self.rest else cells
        topic = short_topic(self.topic, max(room, int(cells * _TOPIC_SHARE)) if self.rest else cells)
        return shorten(_GAP.join(part for part in (topic, self.rest) if part), cells)


def short_topic(topic: str, cells: int, measure: Callable[[str], int] = len) -> str:
    """`topic` (visible text) in `cells` of what `measure` counts: middle levels give way to `…`, first and last ones stay.

    `spBv1.0/Plant1/DDATA/Line4/Node7/temp` -> `spBv1.0/Plant1/DDATA/…/temp`. Room that is left goes to levels before the
    last one. Where not even first and last fit, the end is cut, in characters.
    """
    if measure(topic) <= cells:
        return topic
    first, _, middle = topic.partition("/")
    middle, more, last = middle.rpartition("/")
    head, tail = first, f"/{ELLIPSIS}/{last}"
    room = cells - measure(head + tail)
    if not more or room < 0:
        return shorten(topic, cells)
    while (parts := middle.partition("/"))[1] and measure(parts[0]) < room:
        head, middle = f"{head}/{parts[0]}", parts[2]
        room -= measure(parts[0]) + 1
    while (parts := middle.rpartition("/"))[1] and measure(parts[2]) < room:
        tail, middle = f"/{ELLIPSIS}/{parts[2]}{tail[2:]}", parts[0]
        room -= measure(parts[2]) + 1
    return head + tail


def summary(dissection: Dissection, *, answered: Answered | None = None) -> Summary:
    """The columns of a packet. `answered`: of an answer, what it answers. Total."""
    kind = dissection.type
    if kind is None:
        text = dissection.notes[0].text if dissection.notes else ""
        return Summary("incomplete" if text.startswith("incomplete") else "not MQTT", "", "", "", text)
    reading = Reading(dissection)
    identifier = reading.number("mqtt.msgid")
    topic, rest = _TEXTS[kind](reading, answered) if kind in _TEXTS else ("", "")
    if dissection.malformed:
        rest = _joined("malformed", rest)
    flags = _flags(reading) if kind is PacketType.PUBLISH else ""
    return Summary(kind.name, "" if identifier is None else f"#{identifier}", flags, topic, rest)


def _flags(reading: Reading) -> str:
    parts = [f"q{reading.number('mqtt.qos')}"]
    if reading.number("mqtt.dupflag"):
        parts.append("dup")
    if reading.number("mqtt.retain"):
        parts.append("ret")
    return " ".join(parts)


def _connect(reading: Reading, _: Answered | None) -> tuple[str, str]:
    keep_alive = reading.number("mqtt.kalive")
    parts = [
        f"v{reading.dissection.version.label}",
        ("clean" if reading.number("mqtt.conflag.cleansess") else "keeps its session") if "mqtt.conflags" in reading else "",
        "" if keep_alive is None else f"ka {keep_alive} s" if keep_alive else "no keep-alive",
        f"will {reading.text('mqtt.willtopic')}" if "mqtt.willtopic" in reading else "",
        f"user {reading.text('mqtt.username')}" if "mqtt.username" in reading else "",
        "password" if "mqtt.passwd_len" in reading else "",
    ]
    return reading.text("mqtt.clientid") or "(no client id)", _joined(*parts)


def _connack(reading: Reading, answered: Answered | None) -> tuple[str, str]:
    code = reading.reason(PacketType.CONNACK)
    if code is None:
        return "", ""
    if code:
        return "", _joined(f"refused: {reading.label(code, PacketType.CONNACK)}", _why(reading), _time(answered))
    session = "session present" if reading.number("mqtt.conack.flags.sp") else "new session"
    assigned = reading.property_text(PropertyId.ASSIGNED_CLIENT_IDENTIFIER)
    return "", _joined("ok", session, f"your id is {assigned}" if assigned else "", _time(answered))


def _publish(reading: Reading, _: Answered | None) -> tuple[str, str]:
    topic = reading.topic() or (f"(alias {reading.number('mqtt.property.topic_alias')})" if "mqtt.property.topic_alias" in reading else "")
    payload = reading.raw("mqtt.msg")
    if payload is None:
        return topic, ""
    if not payload and reading.number("mqtt.retain") and reading.dissection.context.direction is Direction.C2S:
        return topic, "(empty: deletes the retained message)"
    return topic, payload_preview(payload, _PAYLOAD_CELLS)


def _ack(reading: Reading, answered: Answered | None) -> tuple[str, str]:
    kind = reading.dissection.type
    if kind is None:
        return "", ""
    code = reading.reason(kind)
    result = reading.label(code, kind) if code else "ok"
    return "", _joined(result, _why(reading), _time(answered), _topic(answered))


def _subscribe(reading: Reading, _: Answered | None) -> tuple[str, str]:
    levels = reading.numbers("mqtt.sub.qos") or reading.numbers("mqtt.subscription_options_qos")
    texts = reading.texts("mqtt.topic")
    pairs = [f"{text} q{levels[index] & 3}" if index < len(levels) else text for index, text in enumerate(texts)]
    return (pairs[0] if len(pairs) == 1 else ""), ("" if len(pairs) == 1 else ", ".join(pairs))


def _suback(reading: Reading, answered: Answered | None) -> tuple[str, str]:
    codes = reading.reasons(PacketType.SUBACK)
    words = [f"q{code}" if code <= 2 else reading.label(code, PacketType.SUBACK) for code in codes]
    refused = sum(code >= 0x80 for code in codes)
    verb = "refused" if refused == len(codes) else "granted" if not refused else "granted in part:"
    return "", _joined(f"{verb} {', '.join(words)}" if codes else "", _why(reading), _time(answered), _topic(answered, len(codes)))


def _unsubscribe(reading: Reading, _: Answered | None) -> tuple[str, str]:
    texts = reading.texts("mqtt.topic")
    return (texts[0] if len(texts) == 1 else ""), ("" if len(texts) == 1 else ", ".join(texts))


def _unsuback(reading: Reading, answered: Answered | None) -> tuple[str, str]:
    codes = reading.reasons(PacketType.UNSUBACK)
    words = ", ".join(reading.label(code, PacketType.UNSUBACK) if code else "ok" for code in codes) if any(codes) else "ok"
    return "", _joined(words, _why(reading), _time(answered), _topic(answered, len(codes)))


def _pingresp(reading: Reading, answered: Answered | None) -> tuple[str, str]:
    return "", _time(answered)


def _disconnect(reading: Reading, _: Answered | None) -> tuple[str, str]:
    code = reading.reason(PacketType.DISCONNECT)
    reference = reading.property_text(PropertyId.SERVER_REFERENCE)
    normal = "normal, no will fires" if reading.dissection.context.direction is Direction.C2S else "normal"
    result = reading.label(code, PacketType.DISCONNECT) if code else normal
    return "", _joined(result, _why(reading), f"use {reference}" if reference else "")


def _auth(reading: Reading, _: Answered | None) -> tuple[str, str]:
    code = reading.reason(PacketType.AUTH)
    result = "" if code is None else reading.label(code, PacketType.AUTH)
    return "", _joined(result, reading.property_text(PropertyId.AUTHENTICATION_METHOD), _why(reading))


_TEXTS: dict[PacketType, Callable[[Reading, Answered | None], tuple[str, str]]] = {
    PacketType.CONNECT: _connect,
    PacketType.CONNACK: _connack,
    PacketType.PUBLISH: _publish,
    PacketType.PUBACK: _ack,
    PacketType.PUBREC: _ack,
    PacketType.PUBREL: _ack,
    PacketType.PUBCOMP: _ack,
    PacketType.SUBSCRIBE: _subscribe,
    PacketType.SUBACK: _suback,
    PacketType.UNSUBSCRIBE: _unsubscribe,
    PacketType.UNSUBACK: _unsuback,
    PacketType.PINGRESP: _pingresp,
    PacketType.DISCONNECT: _disconnect,
    PacketType.AUTH: _auth,
}


def _why(reading: Reading) -> str:
    text = reading.property_text(PropertyId.REASON_STRING)
    return f'"{text}"' if text else ""


def _time(answered: Answered | None) -> str:
    return "" if answered is None or answered.rtt_ns is None else duration(answered.rtt_ns)


def _topic(answered: Answered | None, count: int = 1) -> str:
    """What was answered; of `count` filters the first."""
    if answered is None or not answered.topic:
        return ""
    return visible(answered.topic) + (f" +{count - 1}" if count > 1 else "")


def _joined(*parts: str) -> str:
    return _BETWEEN.join(part for part in parts if part)
