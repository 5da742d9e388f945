"""The line above details and bytes of a packet."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive

from mqtttui.ui.content import join
from mqtttui.ui.widgets.bars import Bar, spread


class PacketTitle(Bar):
    """The line above details and bytes: which packet they belong to."""

    text: reactive[str] = reactive("")
    right: reactive[str] = reactive("")

    def line(self, width: int) -> Content:
        left = join(("─ ", "$rule"), (self.text, "bold"), " ") if self.text else join(("─", "$rule"))
        right = join(" ", (self.right, "$dimmed"), (" ─", "$rule")) if self.right else join(("─", "$rule"))
        room = width - left.cell_length - right.cell_length
        return join(left, ("─" * room, "$rule"), right) if room >= 0 else spread(left, join(""), width)
