"""The status bar: is it alive, is anything lost, is anything wrong, what comes in."""

from __future__ import annotations

import time
from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.timer import Timer

from mqtttui import text
from mqtttui.client.events import ConnectionState, Phase
from mqtttui.protocol.enums import Version
from mqtttui.ui.content import Part, join
from mqtttui.ui.forms.state_lines import keep_alive_words, retry_words
from mqtttui.ui.widgets.bars import Bar, spread
from mqtttui.ui.widgets.meter import IDLE_SIGN, Meter, rates


@dataclass(frozen=True, slots=True)
class _Level:
    """How much is said of a connection."""

    url: bool
    """The URL, not only the host."""
    id_cells: int
    all: bool = True
    """Also session, will and keep-alive."""
    separator: str = " · "


_LEVELS = (
    _Level(True, 40),
    _Level(True, 20),
    _Level(True, 12),
    _Level(False, 12),
    _Level(False, 16, separator=" "),
    _Level(False, 24, all=False, separator=" "),
    _Level(False, 16, all=False, separator=" "),
    _Level(False, 8, all=False, separator=" "),
)
"""The first one that fits is shown."""
_ROOM_FOR_URL = 60
_ROOM_FOR_PROBLEM = 110
_NAME_CELLS, _SHORT_NAME_CELLS = 20, 12
"""Of the name of a connection."""
_PROBLEM = 40
"""Characters of why a recording fails; the notice says all of it."""
_TICK = 0.25
"""Seconds between two looks at the clock while the next attempt is awaited."""


class StatusBar(Bar):
    """The first line of the screen."""

    state: reactive[ConnectionState] = reactive(ConnectionState(""))
    meter: reactive[Meter] = reactive(Meter())
    file: reactive[Content | None] = reactive[Content | None](None)
    """A capture that is shown instead of a connection."""

    recording: reactive[tuple[str, str]] = reactive(("", ""))
    """Size of the recording, and why it fails, visible text; empty for none."""
    alarm: reactive[Content | None] = reactive[Content | None](None)
    """How the alarm stands."""

    peer_name: reactive[str] = reactive("")
    """What the connection is called where there are several; visible text."""
    label: reactive[Content] = reactive(Content(""))
    """Label and guard of its profile."""
    elsewhere: reactive[bool] = reactive(False)
    """Another connection was made: not all packets come from a capture."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tick: Timer | None = None

    @property
    def shows_file(self) -> bool:
        """Packets come from a capture alone."""
        return self.file is not None and self.state.options is None and not self.elsewhere

    def watch_state(self) -> None:
        """While the next attempt is awaited, the seconds count down."""
        if self._tick is not None:
            self._tick.stop()
        self._tick = self.set_interval(_TICK, self.refresh) if self.state.phase is Phase.WAITING else None

    def line(self, width: int) -> Content:
        right = self._rates(width)
        return spread(join(" ", *self._connection(width - right.cell_length)), right, width)

    def _connection(self, room: int) -> list[Part]:
        state = self.state
        sign, style, word = _SIGNS[state.phase]
        if state.phase is Phase.IDLE and state.failure:
            sign, style, word = "✗", "$state-bad", f"{state.failure.title}"
        out: list[Part] = [(f"{sign} ", style)]
        cells = _NAME_CELLS if room >= _ROOM_FOR_URL else _SHORT_NAME_CELLS
        if self.peer_name:
            out.append((f"{_middle(self.peer_name, cells)}  ", "bold $primary"))
        if self.label.cell_length:
            out += [self.label, "  "]
        if state.options is None:
            return [self.file] if self.file is not None else [*out, word]
        name = text.visible(state.options.url if room >= _ROOM_FOR_URL else state.options.place)
        if state.phase is not Phase.CONNECTED:
            return [*out, (name, "bold"), f" · {retry_words(state, time.monotonic_ns()) or word}"]
        shown: list[Part] = []
        for level in _LEVELS:
            shown = [*out, *_facts(state, level)]
            if join(*shown).cell_length < room:
                break
        return shown

    def _rates(self, width: int) -> Content:
        # What was read from a file did not come at the rate of the reading.
        return rates(self.meter, width, live=not self.shows_file, before=tuple(self._on_duty(width)))

    def _on_duty(self, width: int) -> list[Part]:
        """Alarm and recording, while they run."""
        out: list[Part] = [self.alarm, "  "] if self.alarm is not None and self.alarm.cell_length else []
        written, problem = self.recording
        if problem:
            words = text.shorten(problem, _PROBLEM) if width >= _ROOM_FOR_PROBLEM else "fails"
            out += [("✗ REC ", "bold $state-bad"), (words, "$state-bad"), "  "]
        elif written:
            out += [("● ", "$state-bad"), ("REC ", "bold"), written, "  "]
        return out


def _facts(state: ConnectionState, level: _Level) -> list[Part]:
    """Broker, warning, version, client id and so on of a standing connection."""
    if state.options is None:
        return []
    connect = state.options.connect
    facts = [_VERSIONS[connect.version], _middle(state.client_id or text.visible(connect.client_id), level.id_cells)]
    if level.all:
        facts.append(_session(state))
        facts.append("will set" if connect.will is not None else "")
        facts.append(keep_alive_words(state))
    out: list[Part] = [(text.visible(state.options.url if level.url else state.options.place), "bold")]
    separator = level.separator
    if state.warning:
        # What the client does on purpose is known; all of it stands in the Connection pane.
        words = "misbehaves on purpose" if state.misbehaving and not level.all else state.warning
        out += [separator, (f"! {words}", "$state-warn")]
    return [*out, *(separator + fact for fact in facts if fact)]


def _middle(shown: str, cells: int) -> str:
    """Without its middle: ids often differ only at their end."""
    keep = cells // 2
    return shown if len(shown) <= cells else f"{shown[: cells - keep - 1]}{text.ELLIPSIS}{shown[-keep:]}"


def _session(state: ConnectionState) -> str:
    """Empty where the server cannot say."""
    if state.connack is not None and state.connack.session_present:
        return "session present"
    connect = state.options.connect if state.options is not None else None
    return "" if connect is not None and connect.version is Version.V31 and not connect.clean else "new session"


_SIGNS = {
    Phase.IDLE: IDLE_SIGN,
    Phase.CONNECTING: ("◌", "$state-warn", "connecting"),
    Phase.CONNECTED: ("●", "$state-good", "connected"),
    Phase.DISCONNECTING: ("◌", "$state-warn", "disconnecting"),
    Phase.WAITING: ("◌", "$state-warn", "waiting to reconnect"),
}
_VERSIONS = {Version.V31: "v3.1", Version.V311: "v3.1.1", Version.V5: "v5"}
