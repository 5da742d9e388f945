"""The table of views: what can stand in the place of the packet list and its details.

A row makes everything that a view needs beside its widget: its digit and F-key, its name in the line of views, its entry in
help and palette. Nothing is imported before a view is made, for the line of views is painted first of all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mqtttui.analysis.pump import Pump
    from mqtttui.capture.log import Log
    from mqtttui.capture.marks import Marks
    from mqtttui.client.events import ConnectionState
    from mqtttui.config.saved_filters import FilterStore
    from mqtttui.ui.filtering import Filtering
    from mqtttui.ui.panes.view import View
    from mqtttui.ui.row_text import Describe
    from mqtttui.ui.tcp_samples import TcpSamples

PACKETS = "packets"
"""The view that is there from the start."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What views are made of."""

    log: Log
    pump: Pump
    describe: Describe
    """What a row of the packet list says."""
    filtering: Filtering
    """The one filter, which governs all views."""
    store: FilterStore
    """The user's filters."""
    marks: Marks
    """Marks and comments."""
    tcp: TcpSamples
    """How the TCP of each connection stands."""
    standing: Callable[[], ConnectionState]
    """The state of the current peer."""


def _nothing(pump: Pump) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class ViewRow:
    """One view."""

    name: str
    digit: str
    title: str
    """In the line of views; upper case while the view is shown."""
    short: str
    """The same where there is little room."""
    help: str
    """One line for help and palette."""
    make: Callable[[Parts], View] | None
    """None for the packet list, which is there from the start."""
    count: Callable[[Pump], str] = _nothing
    """What stands in brackets behind the title, `2 open`; empty for nothing."""


def _operations(parts: Parts) -> View:
    from mqtttui.ui.panes.operations import OperationsView

    return OperationsView(parts.log, parts.pump.operations)


def _open_operations(pump: Pump) -> str:
    return f"{pump.operations.open_count:,} open" if pump.operations.open_count else ""


def _timing(parts: Parts) -> View:
    from mqtttui.ui.panes.timing import TimingView

    return TimingView(parts)


def _findings(parts: Parts) -> View:
    from mqtttui.ui.panes.findings import FindingsView

    return FindingsView(parts.log, parts.pump.findings)


def _bad_packets(pump: Pump) -> str:
    count = pump.findings.warnings + pump.findings.errors
    return f"{count:,}" if count else ""


VIEWS: tuple[ViewRow, ...] = (
    ViewRow(PACKETS, "4", "Packets", "Pkt", "The packet list", None),
    ViewRow("operations", "5", "Ops", "Ops", "What was asked, what came of it, and how long it took", _operations, _open_operations),
    ViewRow("timing", "8", "Timing", "Tim", "How long everything takes, and whether network or broker takes the time", _timing),
    ViewRow("findings", "9", "Findings", "Fnd", "What breaks a rule of the standard, or looks wrong", _findings, _bad_packets),
)
VIEW_NAMES = frozenset(row.name for row in VIEWS)
