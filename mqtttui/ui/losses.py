"""What would be lost with the end of the application."""

from __future__ import annotations

from collections.abc import Callable

from mqtttui import text
from mqtttui.capture.log import Log
from mqtttui.capture.records import Origin
from mqtttui.client.events import Phase
from mqtttui.ui.guard import left_behind
from mqtttui.ui.peers import Peers


def losses(peers: Peers, log: Log, unsaved: Callable[[], int], *, demo: str | None, piped: bool) -> list[str]:
    """One line each; visible text. The demo (its URL) is no loss; what was `piped` in is nowhere else."""
    lines = []
    for peer in peers.all:
        options = peer.state.options
        if peer.state.phase is Phase.CONNECTED and options is not None and options.url != demo:
            name = f"{peer.name}: " if peers.several else ""
            lines.append(f"{name}connected to {text.visible(options.url)}")
            lines += [f"{name}{left}" for left in [left_behind(peer.state)] if left]
    serious = piped or any(info.origin is not Origin.FILE and info.name != demo for info in log.connections)
    if serious and (count := unsaved()):
        lines.append(f"{count:,} recorded packets are not saved")
    return lines
