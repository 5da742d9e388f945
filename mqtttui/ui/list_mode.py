"""What the packet list does, in a few words: it follows, is paused, has new packets below, hides some."""

from __future__ import annotations

from mqtttui.ui.content import grouped
from mqtttui.ui.widgets.packet_list import PacketList


def mode_words(packets: PacketList, *, file: bool) -> tuple[str, str]:
    """The words and their style; `file`: the packets come from a capture alone."""
    new = packets.unseen
    hidden = f"{grouped(packets.hidden)} hidden (u) · " if packets.hidden else ""
    if packets.paused:
        return f"{hidden}PAUSED (p)" + (f" +{grouped(new)} new" if new else ""), "bold $state-warn"
    if packets.following:
        return f"{hidden}▼ FOLLOW", "bold $state-good"
    if file:
        return f"{hidden}G to the end", "$dimmed"
    return f"{hidden}+{grouped(new)} new (G)" if new else f"{hidden}G follows", "bold $primary" if new else "$dimmed"
