"""MQTT 5 properties as mosquitto's `-D` writes them: packet, name, value."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from mqtttui.config.errors import ConfigError
from mqtttui.protocol.enums import PacketType
from mqtttui.protocol.packets import Property
from mqtttui.protocol.properties import PROPERTIES, WILL, Kind, PropertySpec
from mqtttui.text import shorten, visible

PACKETS: dict[str, int] = {
    "connect": PacketType.CONNECT,
    "will": WILL,
    "subscribe": PacketType.SUBSCRIBE,
    "publish": PacketType.PUBLISH,
    "unsubscribe": PacketType.UNSUBSCRIBE,
    "disconnect": PacketType.DISCONNECT,
}
"""mosquitto's names of the packets that take properties."""

BY_NAME = {spec.name.lower().replace(" ", "-"): spec for spec in PROPERTIES.values()}

LARGEST = {Kind.BYTE: 0xFF, Kind.UINT16: 0xFFFF, Kind.UINT32: 0xFFFF_FFFF, Kind.VARIABLE: 0x0FFF_FFFF}


def parse_property(words: Sequence[str]) -> tuple[str, Property]:
    """The packet's name and the property of `packet name value`, for a User Property `packet user-property key value`.

    Raises ConfigError, also for a property that may not stand in that packet.
    """
    packet, name, *values = words
    if packet not in PACKETS:
        raise ConfigError(f"'{_short(packet)}' is no packet with properties", hint="use connect, will, subscribe or publish")
    spec = BY_NAME.get(name)
    allowed = {key: each for key, each in BY_NAME.items() if PACKETS[packet] in each.packets}
    if spec is None:
        near = difflib.get_close_matches(name, allowed, n=1)
        hint = f"did you mean {near[0]}?" if near else f"{packet} takes {', '.join(sorted(allowed))}"
        raise ConfigError(f"'{_short(name)}' is no MQTT 5 property", hint=hint)
    if name not in allowed:
        homes = [key for key, each in PACKETS.items() if each in spec.packets]
        where = f"it belongs to {' or '.join(homes)}" if homes else "only brokers send it"
        raise ConfigError(f"{packet} takes no {name}", where, f"{packet} takes {', '.join(sorted(allowed))}")
    if spec.kind is Kind.PAIR:
        key, value = values
        return packet, Property(spec.id, (key, value))
    if len(values) != 1:
        raise ConfigError(f"{name} takes one value", hint=f"write -D {packet} {name} VALUE")
    return packet, Property(spec.id, _value(spec, name, values[0]))


def _value(spec: PropertySpec, name: str, text: str) -> int | str | bytes:
    match spec.kind:
        case Kind.STRING:
            return text
        case Kind.BINARY:
            return text.encode("utf-8", "surrogateescape")
        case _:
            largest = LARGEST[spec.kind]
            number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else -1
            if not 0 <= number <= largest:
                raise ConfigError(f"{name}: '{_short(text)}' is no number from 0 to {largest}", hint="write a whole number")
            return number


def _short(text: str) -> str:
    return shorten(visible(text), 40)
