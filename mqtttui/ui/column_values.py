"""What stands in the columns that the row's own words do not give: ends, Info, and any field of the filter language."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from mqtttui.capture.log import Evicted, Log
from mqtttui.export.info import info
from mqtttui.export.json_lines import ends
from mqtttui.export.mask import masked, masked_dissection
from mqtttui.filters.fields import FIELDS, FieldSpec
from mqtttui.filters.row import Facts, Row
from mqtttui.filters.sources import source_of
from mqtttui.filters.types import Type, Value
from mqtttui.text import preview, shorten, visible
from mqtttui.ui.times import clock

_CACHE = 4_000
_CELLS = 200
_MOST = 8
"""Values of one field that are shown."""


class ColumnValues:
    """Texts for the rows that are visible; what cannot change is kept."""

    def __init__(self, log: Log, facts: Callable[[], Facts]) -> None:
        """`facts` is asked when the first field is shown."""
        self._log = log
        self._ask = facts
        self._facts: Facts | None = None
        self._texts: OrderedDict[tuple[int, str], str] = OrderedDict()

    def forget(self) -> None:
        """Something about packets that were shown has changed."""
        self._texts.clear()

    def text(self, no: int, name: str, *, final: bool) -> str:
        """Visible text for column `name` of packet `no`, empty if there is none; `final`: nothing that comes later changes the row."""
        key = no, name
        text = self._texts.get(key)
        if text is None:
            try:
                text = self._text(no, name)
            except Evicted:
                return ""
            spec = FIELDS.get(name)
            if final and not (spec is not None and spec.changes):
                self._texts[key] = text
                if len(self._texts) > _CACHE:
                    self._texts.popitem(last=False)
        return text

    def _text(self, no: int, name: str) -> str:
        match name:
            case "connection":
                return str(self._log.head(no).connection)
            case "peer":
                return self._log.name_of_peer(self._log.connection(self._log.head(no).connection).peer)
            case "source" | "destination":
                return visible(ends(self._log, self._log[no])[name == "destination"])
            case "info":
                return info(masked_dissection(self._log.dissect(no)))
            case _:
                return self._field(no, FIELDS[name]) if name in FIELDS else ""

    def _field(self, no: int, spec: FieldSpec) -> str:
        if self._facts is None:
            self._facts = self._ask()
        packet, dissection = self._log[no], self._log.dissect(no)
        raw = masked(packet.raw, dissection)
        row = Row(self._log, no, self._facts)
        if raw is not packet.raw:
            row = Row(self._log, no, self._facts, None, replace(packet, raw=raw), masked_dissection(dissection))
        values = source_of(spec)(row)
        shown = [_shown(value, spec) for value in values[:_MOST]]
        return shorten(", ".join(shown) + (", …" if len(values) > _MOST else ""), _CELLS)


def _shown(value: Value, spec: FieldSpec) -> str:
    if value is None:
        return "✓"
    if isinstance(value, bytes):
        return preview(value, _CELLS)
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, bool):
        return str(int(value))
    match spec.type:
        case Type.TIME if isinstance(value, int):
            return clock(value)
        case Type.DURATION:
            return f"{value / 1e9:.6f}"
        case Type.IPV4 | Type.IPV6 if isinstance(value, int):
            return str(ipaddress.IPv4Address(value) if spec.type is Type.IPV4 else ipaddress.IPv6Address(value))
        case _ if isinstance(value, int) and value in spec.value_strings:
            return spec.value_strings[value]
        case _:
            return f"{value:.3f}" if isinstance(value, float) else str(value)
