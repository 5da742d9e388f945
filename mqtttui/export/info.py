"""One line on a packet: Wireshark's Info text, so that it can be recognised and searched, then what Wireshark leaves out."""

from __future__ import annotations

from collections.abc import Callable

from mqtttui.export.reading import Reading, payload_preview
from mqtttui.export.units import count_bytes
from mqtttui.protocol.enums import Direction, PacketType, PropertyId
from mqtttui.protocol.fields import Dissection
from mqtttui.protocol.values import MESSAGE_TYPES

_PAYLOAD_CELLS = 60
MALFORMED = "[Malformed Packet]"


def info(dissection: Dissection) -> str:
    """The Info line of a packet, visible text. Total."""
    kind = dissection.type
    if kind is None:
        return dissection.notes[0].text if dissection.notes else MALFORMED
    reading = Reading(dissection)
    first = [MESSAGE_TYPES[kind]]
    if (identifier := reading.number("mqtt.msgid")) is not None:
        first.append(f"(id={identifier})")
    if kind is PacketType.PUBLISH:
        first.append(f"[{reading.topic()}]")
    elif kind is PacketType.SUBSCRIBE:
        first.extend(f"[{text}]" for text in reading.texts("mqtt.topic"))
    more = _MORE.get(kind)
    words = first + (more(reading) if more else [])
    if dissection.malformed:
        words.append(MALFORMED)
    return " ".join(word for word in words if word)


def _connect(reading: Reading) -> list[str]:
    client_id = reading.text("mqtt.clientid")
    words = [f"[{client_id}]" if client_id else "", f"v{reading.dissection.version.label}"]
    if reading.number("mqtt.conflag.cleansess"):
        words.append("clean")
    keep_alive = reading.number("mqtt.kalive")
    if keep_alive is not None:
        words.append(f"ka {keep_alive} s" if keep_alive else "no ka")
    will = reading.text("mqtt.willtopic")
    if will is not None:
        words.append(f"will [{will}] QoS{reading.number('mqtt.conflag.qos')}")
        if reading.number("mqtt.conflag.retain"):
            words.append("RETAIN")
    if (user := reading.text("mqtt.username")) is not None:
        words.append(f"user {user}")
    if "mqtt.passwd" in reading or "mqtt.passwd_len" in reading:
        words.append("password")
    return words


def _connack(reading: Reading) -> list[str]:
    code = reading.reason(PacketType.CONNACK)
    if code is None:
        return []
    if code:
        return ["refused:", reading.label(code, PacketType.CONNACK), *_reason_string(reading)]
    return ["accepted,", "session present" if reading.number("mqtt.conack.flags.sp") else "new session"]


def _publish(reading: Reading) -> list[str]:
    words = []
    if qos := reading.number("mqtt.qos"):
        words.append(f"QoS{qos}")
    if reading.number("mqtt.dupflag"):
        words.append("DUP")
    if reading.number("mqtt.retain"):
        words.append("RETAIN")
    payload = reading.raw("mqtt.msg")
    if payload is not None:
        words.append(count_bytes(len(payload)))
        if payload:
            words.append(payload_preview(payload, _PAYLOAD_CELLS))
        elif reading.number("mqtt.retain") and reading.dissection.context.direction is Direction.C2S:
            words.append("(deletes the retained message)")
    return words


def _ack(reading: Reading) -> list[str]:
    kind = reading.dissection.type
    code = reading.reason(kind) if kind is not None else None
    return [reading.label(code, kind), *_reason_string(reading)] if kind is not None and code else _reason_string(reading)


def _subscribe(reading: Reading) -> list[str]:
    return [f"QoS{qos}" for qos in reading.numbers("mqtt.sub.qos") or reading.numbers("mqtt.subscription_options_qos")]


def _answers(reading: Reading) -> list[str]:
    kind = reading.dissection.type
    codes = reading.reasons(kind) if kind is not None else []
    if not codes or kind is None:
        return []
    shown = ", ".join(str(code) if code < 3 else reading.label(code, kind) for code in codes)
    return [f"[{shown}]", *_reason_string(reading)]


def _unsubscribe(reading: Reading) -> list[str]:
    return [f"[{text}]" for text in reading.texts("mqtt.topic")]


def _disconnect(reading: Reading) -> list[str]:
    code = reading.reason(PacketType.DISCONNECT)
    words = [] if code is None else [reading.label(code, PacketType.DISCONNECT)]
    reference = reading.property_text(PropertyId.SERVER_REFERENCE)
    return [*words, *_reason_string(reading), *([f"use {reference}"] if reference else [])]


def _auth(reading: Reading) -> list[str]:
    code = reading.reason(PacketType.AUTH)
    method = reading.property_text(PropertyId.AUTHENTICATION_METHOD)
    return ["" if code is None else reading.label(code, PacketType.AUTH), method, *_reason_string(reading)]


def _reason_string(reading: Reading) -> list[str]:
    text = reading.property_text(PropertyId.REASON_STRING)
    return [f'"{text}"'] if text else []


_MORE: dict[PacketType, Callable[[Reading], list[str]]] = {
    PacketType.CONNECT: _connect,
    PacketType.CONNACK: _connack,
    PacketType.PUBLISH: _publish,
    PacketType.PUBACK: _ack,
    PacketType.PUBREC: _ack,
    PacketType.PUBREL: _ack,
    PacketType.PUBCOMP: _ack,
    PacketType.SUBSCRIBE: _subscribe,
    PacketType.SUBACK: _answers,
    PacketType.UNSUBSCRIBE: _unsubscribe,
    PacketType.UNSUBACK: _answers,
    PacketType.DISCONNECT: _disconnect,
    PacketType.AUTH: _auth,
}
