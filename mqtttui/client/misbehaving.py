"""The client does something wrong on request, and says what the broker then does. One connection's; nothing of it is on by itself.

1. Without pings the broker must end the connection after one and a half keep-alives [MQTT-3.1.2-22].
2. Without acknowledgements it must keep the message, and stop at Receive Maximum [MQTT-3.3.4-9].
3. A reason code of 0x80 or above ends a message's exchange: it must not be sent again [MQTT-4.3.2-5, MQTT-4.3.3-4].
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from mqtttui.client import replies
from mqtttui.client.answers import Order, Withheld
from mqtttui.client.connection import Connection
from mqtttui.client.parts import Ended
from mqtttui.protocol.enums import PacketType, PropertyId
from mqtttui.protocol.packets import Ack
from mqtttui.protocol.reason_codes import label

_LOOK_EVERY = 1.0
_AFTER_CODE = 5.0
"""Seconds after which an end has nothing to do any more with a chosen reason code."""


class Misbehaving:
    """What is wrong on `connection`, from the first order on until all is ended."""

    def __init__(self, connection: Connection, change: Callable[..., None], tell: Callable[[str], None]) -> None:
        """`change` changes the ConnectionState, `tell` gets what the broker did."""
        self.connection = connection
        self._change = change
        self._tell = tell
        self._silent = False
        self._code_left: tuple[str, int] | None = None
        """What was answered with a code last, and when (monotonic ns)."""
        self._timer: asyncio.TimerHandle | None = None
        connection.answers.changed = self._answered

    @property
    def active(self) -> bool:
        """Something wrong is in force, or was done and the broker still waits."""
        answers = self.connection.answers
        return self._silent or answers.order is not None or bool(answers.withheld)

    # Orders

    def silence(self) -> None:
        """Send no pings from now on."""
        if self.connection.keep_alive is not None:
            self._silent = True
            self.connection.keep_alive.pause(True)
        self._look()

    def order(self, order: Order) -> None:
        """Withhold acknowledgements, or give them a code."""
        self.connection.answers.set(order)
        self._look()

    def behave(self) -> None:
        """End everything; what was withheld leaves now."""
        answers, link, keep_alive = self.connection.answers, self.connection.link, self.connection.keep_alive
        if self._silent and keep_alive is not None:
            keep_alive.pause(False)
        self._silent = False
        answers.set(None)
        count = len(answers.withheld)
        data = answers.take()
        if data and link is not None and not link.closing:
            link.send(data)
            self._tell(f"{_acks(count)} held back left now")
        self._look()

    # What comes of it

    def ended(self, ended: Ended) -> None:
        """The connection is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        how = how_it_ended(ended, self.connection)
        mono = self.connection.ended_at
        waiting = self.connection.answers.withheld
        lines = []
        if not ended.by_user:
            if self._silent:
                lines.append(self._kicked(mono, how))
            elif waiting:
                lines.append(f"{how} while the broker waited for {_waits(waiting, mono)}")
            elif self._code_left is not None and mono - self._code_left[1] < _AFTER_CODE * 1e9:
                what, left = self._code_left
                lines.append(f"{how} {seconds(mono - left)} after {what}")
        if waiting:
            one = len(waiting) == 1
            gone, again = ("is gone", "comes again") if one else ("are gone", "come again")
            kept = f"{gone} with the session" if self.connection.session_ends else f"{again} when the session is resumed"
            lines.append(f"{_messages(len(waiting))} without acknowledgement {kept}")
        if lines:
            # Behind the news that the connection is over, which is less of a surprise.
            asyncio.get_running_loop().call_soon(self._tell, "; ".join(lines))

    def _kicked(self, mono: int, how: str) -> str:
        link, keep_alive = self.connection.link, self.connection.keep_alive
        assert link is not None
        assert keep_alive is not None
        return f"kicked {seconds(mono - link.tap.last_out)} after our last packet ({_due(keep_alive.seconds)}): {how}"

    def _answered(self, ack: Ack, left: bool) -> None:
        if left and ack.reason_code is not None:
            code = label(ack.reason_code, ack.type, self.connection.version)
            what = f"{ack.type.name} {code} for #{ack.packet_id}"
            self._code_left = (what, time.monotonic_ns())
            self._tell(f"{what} was sent")
        self._look()

    # The warning

    def _look(self) -> None:
        """Say what is wrong, again and again while it lasts."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        link = self.connection.link
        if link is None or link.closing:
            return
        self.connection.warn("misbehaving", "; ".join(self._words()))
        self._change(misbehaving=self.active)
        if self.active:
            self._timer = asyncio.get_running_loop().call_later(_LOOK_EVERY, self._look)

    def _words(self) -> list[str]:
        link, keep_alive, answers = self.connection.link, self.connection.keep_alive, self.connection.answers
        now = time.monotonic_ns()
        words = []
        if self._silent and link is not None and keep_alive is not None:
            words.append(f"sends no pings, silent for {_whole(now - link.tap.last_out)}: {_due(keep_alive.seconds)}")
        if (order := answers.order) is not None:
            meant = "every" if not order.times else "the next" if order.times == 1 else f"the next {order.times:,}"
            what = "/".join(kind.name for kind in sorted(order.packets))
            if order.code is None:
                words.append(f"holds back {meant} {what if len(order.packets) < 3 else 'acknowledgement'}")
            else:
                words.append(f"answers with {label(order.code, min(order.packets), self.connection.version)} in {meant} {what}")
        if waiting := answers.withheld:
            window = replies.number(self.connection.options.connect.properties, PropertyId.RECEIVE_MAXIMUM, 0)
            full = f", our Receive Maximum of {window:,} is full" if 0 < window <= len(waiting) else ""
            words.append(f"the broker waits for {_waits(waiting, now)}{full}")
        return words


def how_it_ended(ended: Ended, connection: Connection) -> str:
    """`DISCONNECT 0x8d keep alive timeout`, `closed without DISCONNECT`."""
    if ended.code is not None:
        return f"DISCONNECT {replies.explain(ended.code, (), PacketType.DISCONNECT, connection.version).label}"
    return "closed without DISCONNECT"


def _waits(waiting: tuple[Withheld, ...], now: int) -> str:
    """`PUBACK #7 since 40 s, 3 in all`."""
    first = waiting[0]
    words = f"{first.packet.name} #{first.identifier} since {_whole(now - first.since)}"
    return words if len(waiting) == 1 else f"{words}, {len(waiting):,} in all"


def _due(keep_alive: int) -> str:
    return f"keep-alive {keep_alive:,} s, 1.5 × = {keep_alive * 1.5:g} s" if keep_alive else "no keep-alive: nothing is due"


def _acks(count: int) -> str:
    return f"{count:,} acknowledgement{'' if count == 1 else 's'}"


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"


def _whole(ns: int) -> str:
    return f"{max(0, ns) // 1_000_000_000:,} s"


def seconds(ns: int) -> str:
    """`4 ms`, `15.2 s`."""
    return f"{ns / 1e9:.1f} s" if ns >= 1_000_000_000 else f"{max(0, ns) / 1e6:.0f} ms"
