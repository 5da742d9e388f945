"""The three ways on, before the first connection."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.widgets import Static

from mqtttui.ui.content import join

NARROW = 100
"""Columns below which there is no room for two things side by side."""
_ROOMY = 30
"""Rows from which the ways on have a line each."""


class Ways(Static):
    """What a person can do first: type or paste, the demo, help."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(_LONG, id=id, markup=False)

    def fit(self, screen: Size) -> None:
        """A line each where the screen is large enough, else all in one."""
        roomy = screen.width >= NARROW and screen.height >= _ROOMY
        self.update(_LONG if roomy else _SHORT)
        self.set_class(not roomy, "-short")


_KEY = "bold $primary"
_LONG = Content("\n").join(
    [
        join(("type  ", _KEY), "host and port below, or paste a URL or a mosquitto_sub command; ", ("ctrl+s", "bold"), " connects"),
        join(("F9    ", _KEY), "the built-in demo: a broker with devices, live packets at once, nothing leaves this machine"),
        join(("?     ", _KEY), "every key; ", (":", "bold"), " finds every action by name; ", ("P", "bold"), " has your profiles"),
    ]
)
_SHORT = join(
    ("type", _KEY),
    " or paste a URL, ",
    ("ctrl+s", _KEY),
    " connects · ",
    ("F9", _KEY),
    " demo · ",
    ("P", _KEY),
    " profiles · ",
    ("?", _KEY),
    " every key",
)
EMPTY = Content("\n").join(
    [
        join("No packets yet. Three ways on:", ""),
        Content(""),
        join(("1     ", _KEY), "type or paste a URL or a mosquitto command, ", ("ctrl+s", "bold"), " connects"),
        join(("F9    ", _KEY), "the built-in demo: a broker with devices, live packets at once"),
        join(("?     ", _KEY), "every key; ", (":", "bold"), " finds every action by name"),
    ]
)
"""The same in the place of the packets."""
