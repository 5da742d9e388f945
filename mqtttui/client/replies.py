"""Reason codes, reason strings and references of the server's answers, in words."""

from __future__ import annotations

from dataclasses import dataclass

from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import Properties, Text
from mqtttui.protocol.reason_codes import label, reason
from mqtttui.text import shorten, visible

_TEXT_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code in a packet says."""

    label: str
    """`0x87 not authorized`."""
    detail: str
    """Reason string and server reference, quoted; empty without."""
    hint: str
    """What to check."""


def explain(code: int, properties: Properties, packet: PacketType, version: Version) -> Explanation:
    """The code and the server's own words."""
    parts = []
    for key, title in ((PropertyId.REASON_STRING, "the server says"), (PropertyId.SERVER_REFERENCE, "use instead")):
        value = first(properties, key)
        if isinstance(value, str | bytes):
            parts.append(f"{title}: {shorten(visible(value), _TEXT_CHARACTERS)}")
    return Explanation(label(code, packet, version), "; ".join(parts), reason(code, packet, version).hint)


def refusal(code: int, properties: Properties, packet: PacketType, version: Version) -> str:
    """`refused: 0x87 not authorized (the server says: …)`."""
    why = explain(code, properties, packet, version)
    return f"refused: {why.label}" + (f" ({why.detail})" if why.detail else "")


def first(properties: Properties, key: int) -> int | Text | tuple[Text, Text] | None:
    """The value of the first property `key`, None if there is none."""
    return next((item.value for item in properties if item.id == key), None)


def number(properties: Properties, key: int, default: int) -> int:
    """The value of a numeric property, `default` if it is absent."""
    value = first(properties, key)
    return value if isinstance(value, int) else default
