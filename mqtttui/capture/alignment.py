"""Whether each WebSocket frame of one direction holds exactly one packet (MQTT 5, section 6: it need not).

Only fixed headers are read, until it is known that packets and frames differ, or that the bytes are no MQTT.
"""

from __future__ import annotations

_MOST_SHIFT = 21
"""Of the fourth byte of Remaining Length."""


class Alignment:
    """Fed with the payload of data frames and with their ends."""

    __slots__ = ("_left", "_packets", "_shift", "_spans", "_state", "over", "split")

    _FIRST, _LENGTH, _BODY = range(3)

    def __init__(self) -> None:
        self.split = False
        """A whole packet has come that spans frames, or that is not alone in its frame."""
        self.over = False
        """There is nothing more to be learnt."""
        self._state = self._FIRST
        self._left = self._shift = 0
        self._packets = 0
        """Packets that ended in the present frame."""
        self._spans = False
        """A frame ended within the present packet."""

    def payload(self, data: bytes) -> None:
        """The next bytes of the present frame."""
        at, size = 0, len(data)
        while at < size and not self.over:
            if self._state == self._BODY:
                step = min(self._left, size - at)
                at += step
                self._left -= step
            elif self._state == self._FIRST:
                at += 1
                self._state, self._left, self._shift = self._LENGTH, 0, 0
                continue
            else:
                byte = data[at]
                at += 1
                self._left |= (byte & 0x7F) << self._shift
                self._shift += 7
                if byte & 0x80:
                    self.over = self._shift > _MOST_SHIFT
                    continue
                self._state = self._BODY
            if not self._left:
                self._packet_ended()

    def frame_ended(self) -> None:
        """What follows is in another frame."""
        self._spans = self._spans or self._state != self._FIRST
        self._packets = 0

    def lost(self) -> None:
        """Bytes are missing: nothing can be said from here on."""
        self.over = True

    def _packet_ended(self) -> None:
        self._packets += 1
        self._state = self._FIRST
        if self._spans or self._packets > 1:
            self.split = self.over = True
