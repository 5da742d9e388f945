"""Whole packets of several connections, gathered in the order in which they were seen, so that the log takes them in one go."""

from __future__ import annotations

from array import array


class Run:
    """The columns of a segment, one entry a packet. Whoever fills it keeps them equally long."""

    __slots__ = ("connections", "data", "directions", "ends", "first_bytes", "monos", "walls")

    def __init__(self) -> None:
        self.data = bytearray()
        """The packets back to back, nothing else."""
        self.ends = array("I")
        """End offset of each packet in `data`."""
        self.first_bytes = bytearray()
        self.connections = array("I")
        self.directions = bytearray()
        self.monos = array("q")
        self.walls = array("q")

    def __len__(self) -> int:
        return len(self.ends)
