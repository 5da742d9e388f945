"""Who gets the mouse: the application, or the terminal for its own selection."""

from __future__ import annotations

from textual.driver import Driver

_MODES = (1000, 1003)
"""DEC private modes: presses and movements are reported (xterm's control sequences, "Mouse Tracking").

How coordinates are written (1006, 1016) stays as the driver has set it.
"""


def report_mouse(driver: Driver, wanted: bool) -> None:
    """Ask the terminal to report the mouse to us, or to keep it."""
    driver.write("".join(f"\x1b[?{mode}{'h' if wanted else 'l'}" for mode in _MODES))
    driver.flush()
