"""The status bar: is it alive, is anything lost, is anything wrong, what comes in."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive

from mqtttui import text
from mqtttui.client.events import ConnectionState, Phase
from mqtttui.protocol.enums import Version
from mqtttui.ui.content import Part, join, size
from mqtttui.ui.widgets.bars import Bar, spread


@dataclass(frozen=True, slots=True)
class Meter:
    """Rates and counts as they are shown."""

    in_packets: float = 0.0
    """A second."""
    in_bytes: float = 0.0
    out_packets: float = 0.0
    received: int = 0
    kept: int = 0
    lost: int = 0


class StatusBar(Bar):
    """The first line of the screen."""

    state: reactive[ConnectionState] = reactive(ConnectionState(""))
    meter: reactive[Meter] = reactive(Meter())

    def line(self, width: int) -> Content:
        right = self._rates(width)
        return spread(join(" ", *self._connection(width - right.cell_length)), right, width)

    def _connection(self, room: int) -> list[Part]:
        state = self.state
        sign, style, word = _SIGNS[state.phase]
        if state.phase is Phase.IDLE and state.failure:
            sign, style, word = "✗", "$state-bad", f"{state.failure.title}"
        out: list[Part] = [(f"{sign} ", style)]
        if state.options is None:
            return [*out, word]
        connect = state.options.connect
        wide = room >= 60
        out.append((text.visible(state.options.url if wide else state.options.host), "bold"))
        if state.phase is not Phase.CONNECTED:
            return [*out, f" · {word}"]
        separator = " · " if wide else " "
        version = _VERSIONS[connect.version]
        facts = [version, text.shorten(state.client_id or text.visible(connect.client_id), 32)]
        if wide:
            facts.append("session present" if state.connack and state.connack.session_present else "new session")
            if connect.will is not None:
                facts.append("will set")
            facts.append(f"ka {state.keep_alive} s" if state.keep_alive else "no keep-alive")
        out.append(separator + separator.join(fact for fact in facts if fact))
        if state.warning:
            out.append((f"{separator}! {state.warning}", "$state-warn"))
        return out

    def _rates(self, width: int) -> Content:
        meter = self.meter
        parts: list[Part] = [("in ", "$dimmed"), ("▼ ", "$direction-in"), f"{_rate(meter.in_packets)}/s"]
        if width >= 100:
            parts.append(f" {size(meter.in_bytes)}/s")
        if width >= 72:
            parts += [("  out ", "$dimmed"), ("▲ ", "$direction-out"), f"{_rate(meter.out_packets)}/s"]
        parts += [("  lost ", "$dimmed"), (f"{meter.lost:,}", "$state-warn" if meter.lost else ""), " "]
        return join(*(part for part in parts if part != ("", "")))


def _rate(value: float) -> str:
    return f"{value:,.0f}"


_SIGNS = {
    Phase.IDLE: ("○", "$dimmed", "not connected"),
    Phase.CONNECTING: ("◌", "$state-warn", "connecting"),
    Phase.CONNECTED: ("●", "$state-good", "connected"),
    Phase.DISCONNECTING: ("◌", "$state-warn", "disconnecting"),
    Phase.WAITING: ("◌", "$state-warn", "waiting to reconnect"),
}
_VERSIONS = {Version.V31: "v3.1", Version.V311: "v3.1.1", Version.V5: "v5"}
