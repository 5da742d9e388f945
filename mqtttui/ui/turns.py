"""The turns of the pump: followers, filter and alarm read in slices, and a few times a second the screen learns what has come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from mqtttui.analysis.pump import Pump
from mqtttui.capture.log import Log
from mqtttui.ui.alarm import Alarm
from mqtttui.ui.filtering import Filtering
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.widgets.meter import Meter

FRAME = 1 / 30
"""Seconds from one turn to the next."""
_SLICE_NS = 5_000_000
_METER_NS = 500_000_000


class Turns:
    """Call `turn` once a frame. `watch` is called each time, `metered` when rates and counts are shown anew, with the monotonic ns."""

    def __init__(
        self,
        log: Log,
        pump: Pump,
        filtering: Filtering,
        alarm: Alarm,
        main: MainScreen,
        watch: Callable[[int], None],
        running: Callable[[], bool],
        metered: Callable[[int], None],
    ) -> None:
        self._log = log
        self._pump = pump
        self._filtering = filtering
        self._alarm = alarm
        self._main = main
        self._watch = watch
        self._running = running
        self._on_metered = metered
        self._metered = 0
        self._reading = False
        self.at_rest = False
        """Nothing comes any more: a capture was read to its end. What it held did not come at the rate of its reading."""

    def turn(self) -> None:
        """Look at what has come."""
        if not self._running():
            return
        if not self._reading:
            self._read()
        # Both are asked: each answers for the time since it was asked before.
        if self._pump.changed() | self._filtering.changed():
            self._main.grew()
        mono = time.monotonic_ns()
        self._watch(mono)
        if mono - self._metered >= _METER_NS:
            self._metered = mono
            self._show_meter(mono)
            self._on_metered(mono)

    def _read(self) -> None:
        """Followers read a slice, then the filter tests one; as long as they lag, the next ones come with the next turn of the loop."""
        if not self._running():
            self._reading = False
            return
        read = self._pump.advance(time.monotonic_ns, _SLICE_NS)
        tested = self._filtering.advance(time.monotonic_ns, _SLICE_NS)
        watched = self._alarm.advance(time.monotonic_ns, _SLICE_NS)
        self._reading = not (read and tested and watched)
        if self._reading:
            asyncio.get_running_loop().call_soon(self._read)

    def _show_meter(self, mono: int) -> None:
        log, rates = self._log, self._pump.traffic.rates(mono)
        if self.at_rest:
            rates = rates._replace(in_packets=0, in_bytes=0, out_packets=0, out_bytes=0)
        counts = (log.received, log.kept, log.evicted, self._pump.findings.warnings, self._pump.findings.errors)
        meter = Meter(rates.in_packets, rates.in_bytes, rates.out_packets, *counts)
        self._pump.tick(mono)
        if self._pump.late_news():
            self._main.inspector.packets.forget()
            self._main.inspector.look_again()
        self._main.show_meter(meter)
