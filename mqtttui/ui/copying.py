"""What of a packet can be copied by which key, and the text of each. Secrets are masked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mqtttui.capture.log import Log
from mqtttui.export.copies import Copied, Copy, copies
from mqtttui.protocol.fields import Dissection, Field

KEYS = {
    "value": "f",
    "bytes": "b",
    "filter": "a",
    "hex": "h",
    "dump": "d",
    "tree": "t",
    "payload": "p",
    "payload-hex": "x",
    "payload-file": "w",
    "json": "j",
    "command": "c",
    "snippet": "s",
}
"""Id of a copy -> its key."""
TO_FILE = "payload-file"
"""The copy that goes to a file of the person's choice."""


@dataclass(frozen=True, slots=True)
class Copyable:
    """One thing that can be copied."""

    id: str
    key: str
    label: str
    detail: str
    make: Callable[[], Copied]
    """May take a moment for a large packet."""

    def text(self) -> tuple[str, str]:
        """The text, and a remark (`masked`, `escaped`) or nothing."""
        made = self.make()
        return made.data if isinstance(made.data, str) else made.data.hex(), made.remark


def copyables(log: Log, no: int, dissection: Dissection, field: Field | None, filter_text: str = "") -> list[Copyable]:
    """What there is to copy of packet `no` and of its selected `field`; `filter_text` selects the field, or without one the packet."""
    found = copies(log, no, dissection, field, filter_text=filter_text)
    if field is None and filter_text:
        found.append(Copy("filter", "filter that selects it", filter_text, lambda: Copied(filter_text)))
    return [Copyable(each.id, KEYS[each.id], each.label, each.detail, each.make) for each in found]
