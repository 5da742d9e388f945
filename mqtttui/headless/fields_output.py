"""`-T fields -e NAME …`: one line a packet, in the form of tshark 4.0."""

from __future__ import annotations

import argparse
import difflib
import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from mqtttui.filters.fields import FIELDS, FieldSpec, refusal
from mqtttui.filters.row import Row
from mqtttui.filters.sources import source_of
from mqtttui.filters.types import Type, Value
from mqtttui.headless.errors import Unusable
from mqtttui.text import preview, visible

_HEX = frozenset(
    {
        "mqtt.hdrflags",
        "mqtt.conack.flags",
        "mqtt.conflags",
        "mqtt.property_id",
        "mqtt.subscription_options",
        "mqtt.subscription_options_reserved",
    }
)
"""Numbers that Wireshark shows in base 16."""
_EMPTY_BYTES = "<MISSING>"
"""What tshark prints of bytes that are there and none."""
_SIGNS = {"/t": "\t", "/s": " "}
_LINES = 1_000
_QUOTES = {"d": '"', "s": "'", "n": ""}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OPTIONS = "header=y|n, separator=/t|/s|CHARACTER, occurrence=f|l|a, aggregator=,|/s|CHARACTER, quote=d|s|n"


class FieldsOutput:
    """Prints the fields that `-e` names, as `-E` asks."""

    def __init__(self, args: argparse.Namespace) -> None:
        """Raises Unusable for names and options that there are not."""
        self._header = False
        self._separator = "\t"
        self._aggregator = ","
        self._occurrence = "a"
        self._quote = ""
        for option in args.field_option or ():
            self._set(option)
        if not args.field:
            raise Unusable("-T fields: name the fields, such as -e mqtt.topic -e mqtt.msg")
        self._columns = [(spec, source_of(spec)) for spec in map(_spec, args.field)]
        self._lines: list[str] = []
        self.names = frozenset(spec.name for spec, _ in self._columns)

    def begin(self) -> None:
        """The header, if it is wanted."""
        if self._header:
            print(self._separator.join(spec.name for spec, _ in self._columns))

    def add(self, row: Row) -> None:
        """One packet; printed with others by `flush`, as a line is soon made and dear to print."""
        self._lines.append(self._separator.join([self._cell(spec, source(row)) for spec, source in self._columns]))
        if len(self._lines) >= _LINES:
            self.flush()

    def flush(self) -> None:
        """Prints what was added."""
        if self._lines:
            print("\n".join(self._lines))
            self._lines.clear()

    def _cell(self, spec: FieldSpec, values: Sequence[Value]) -> str:
        if not values:
            return ""
        if self._occurrence != "a":
            values = values[:1] if self._occurrence == "f" else values[-1:]
        return f"{self._quote}{self._aggregator.join(shown(spec, value) for value in values)}{self._quote}"

    def _set(self, option: str) -> None:
        name, _, value = option.partition("=")
        sign = _SIGNS.get(value, value)
        match name:
            case "header" if value in ("y", "n"):
                self._header = value == "y"
            case "separator" if len(sign) == 1:
                self._separator = sign
            case "aggregator" if len(sign) == 1:
                self._aggregator = sign
            case "occurrence" if value in ("f", "l", "a"):
                self._occurrence = value
            case "quote" if value in _QUOTES:
                self._quote = _QUOTES[value]
            case _:
                raise Unusable(f"-E: '{preview(os.fsencode(option), 40)}' is no option; there are {OPTIONS}")


def shown(spec: FieldSpec, value: Value) -> str:
    """A value as tshark prints it."""
    match spec.type:
        case Type.NONE:
            return "1"
        case Type.BOOL:
            return str(int(bool(value)))
        case Type.UINT if isinstance(value, int):
            return f"0x{value:02x}" if spec.name in _HEX else str(value)
        case Type.IPV4 if isinstance(value, int):
            return str(ipaddress.IPv4Address(value))
        case Type.IPV6 if isinstance(value, int):
            return str(ipaddress.IPv6Address(value))
        case Type.DURATION if isinstance(value, int):
            return f"{'-' if value < 0 else ''}{abs(value) // 1_000_000_000}.{abs(value) % 1_000_000_000:09}"
        case Type.TIME if isinstance(value, int):
            return _local_time(value)
        case Type.BYTES | Type.PROTOCOL if isinstance(value, bytes):
            return value.hex() or _EMPTY_BYTES
        case _:
            return visible(value) if isinstance(value, bytes | str) else str(value)


def _local_time(wall: int) -> str:
    seconds, fraction = divmod(wall, 1_000_000_000)
    try:
        local = (_EPOCH + timedelta(seconds=seconds)).astimezone()
    except (OverflowError, ValueError, OSError):
        return f"{seconds}.{fraction:09}"
    return f"{local:%b} {local.day:2}, {local:%Y %H:%M:%S}.{fraction:09} {local:%Z}"


def _spec(name: str) -> FieldSpec:
    spec = FIELDS.get(name)
    if spec is not None:
        return spec
    refused = refusal(name)
    near = difflib.get_close_matches(name, FIELDS, 1)
    remedy = (
        " ".join(refused) if refused is not None else f"did you mean {near[0]}?" if near else "names begin with mqtt., frame. or mqtttui."
    )
    raise Unusable(f"-e: there is no field '{preview(os.fsencode(name), 40)}'; {remedy}")
