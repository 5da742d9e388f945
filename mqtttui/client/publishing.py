"""Own publishes from the command to the last acknowledgement, in honest words.

Rules:

1. QoS 1 and 2 above the server's Receive Maximum wait, in order, and leave by themselves when the window opens. What is larger
   than the server's Maximum Packet Size waits until the user decides. "Send anyway" does.
2. "sent" means that the operating system took every byte; "the broker took it" that the last acknowledgement came.
3. After a loss gmqtt sends unacknowledged ones again, with DUP, once the server says that it has the session; if it has not,
   they are lost, and said to be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from mqtttui.client import replies
from mqtttui.client.events import Outcome
from mqtttui.client.link import Link, Store
from mqtttui.client.patience import Patience
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import Ack, Properties, Publish, encode, variable_byte_integer
from mqtttui.protocol.wire import read_vbi

RECEIVE_MAXIMUM = 65_535

Report = Callable[[int, Outcome, str, int | None, float | None], None]
"""token, outcome, text, packet identifier, milliseconds."""

_FAILURE = 0x80


class FlowError(ValueError):
    """Why a step of a QoS flow cannot be taken; one line for a person."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server allows, from its CONNACK."""

    receive_maximum: int = RECEIVE_MAXIMUM
    maximum_packet_size: int | None = None


@dataclass(slots=True)
class _Flight:
    """One publish of QoS 1 or 2 on its way."""

    token: int
    awaited: str
    """The acknowledgement that comes next: `PUBACK`, `PUBREC` or `PUBCOMP`."""
    handed_over: int | None = None
    """Monotonic ns, None as long as it is queued."""


@dataclass(frozen=True, slots=True)
class _Held:
    token: int
    packet: Publish
    for_window: bool
    """Leaves by itself when the window opens."""


class Publishing:
    """The publishes of a peer."""

    def __init__(self, report: Report, changed: Callable[[], None]) -> None:
        """`changed` is called when `in_flight` or `held` may have."""
        self._report = report
        self._changed = changed
        self.store = Store(self._cleared)
        self._flights: dict[int, _Flight] = {}
        self._queued: dict[int, int | None] = {}
        """Token -> packet identifier of what waits to leave."""
        self._held: list[_Held] = []
        self._link: Link | None = None
        self._version = Version.V311
        self._limits = Limits()
        self._patience = Patience(self._overdue)

    @property
    def in_flight(self) -> int:
        """QoS 1 and 2 publishes without their last acknowledgement."""
        return self.store.count

    @property
    def held(self) -> int:
        """Publishes that wait for the window or the user."""
        return len(self._held)

    def connected(self, link: Link, version: Version, limits: Limits) -> None:
        """A CONNACK accepted the connection. gmqtt replays by itself before anything that is sent from here on."""
        self._link, self._version, self._limits = link, version, limits
        for mid, flight in self._flights.items():
            if mid in self.store.ids:
                flight.handed_over = None
                again = "PUBREL sent again" if flight.awaited == "PUBCOMP" else "sent again with DUP"
                self._report(flight.token, Outcome.QUEUED, f"{again} after the reconnect, waiting for {flight.awaited}", mid, None)
                self._patience.start(mid)
        self.release()

    def publish(self, token: int, packet: Publish, *, anyway: bool) -> None:
        """Send or hold. Raises EncodeError or OverflowError before anything is sent."""
        assert self._link is not None
        acknowledged = packet.qos in (1, 2)
        size = _size(replace(packet, packet_id=packet.packet_id or 1) if acknowledged else packet, self._version)
        limit = self._limits.maximum_packet_size
        if not anyway and limit is not None and size > limit:
            self._hold(_Held(token, packet, for_window=False), f"held: {size:,} bytes, the server takes {limit:,}")
            return
        if not anyway and acknowledged and (self._full or any(held.for_window for held in self._held)):
            self._hold(_Held(token, packet, for_window=True), f"held, window {self.in_flight}/{self._limits.receive_maximum}")
            return
        self._send(token, packet)

    def release(self) -> None:
        """Send what waits for the window, as far as it is open."""
        while self._link is not None and not self._link.closing and not self._full:
            index = next((index for index, held in enumerate(self._held) if held.for_window), None)
            if index is None:
                break
            held = self._held.pop(index)
            self._send(held.token, held.packet)
        self._changed()

    def take_held(self, token: int) -> Publish | None:
        """Take a held publish out, None if there is none with this token."""
        for index, held in enumerate(self._held):
            if held.token == token:
                del self._held[index]
                self._changed()
                return held.packet
        return None

    # Steps by hand

    def send_again(self, mid: int) -> None:
        """Send the PUBLISH of an open flow again, with DUP. Raises FlowError."""
        link, raw = self._open_flow(mid)
        if raw[0] >> 4 != PacketType.PUBLISH:
            raise FlowError(f"the broker has answered #{mid} with PUBREC: its PUBLISH is not kept any more, only PUBREL can follow")
        link.send_again(mid)
        self._step_taken(mid, "sent again with DUP")

    def release_now(self, mid: int) -> None:
        """Send the PUBREL of an open QoS 2 flow, before its PUBREC or once more. Raises FlowError."""
        link, raw = self._open_flow(mid)
        if raw[0] >> 4 == PacketType.PUBLISH and raw[0] & 6 != 4:
            raise FlowError(f"#{mid} is a publish of QoS 1: it ends with PUBACK and has no PUBREL")
        link.send_release(mid)
        if (flight := self._flights.get(mid)) is not None:
            flight.awaited = "PUBCOMP"
        self._step_taken(mid, "PUBREL sent by hand")

    def forget(self, mid: int) -> None:
        """Let an open flow go: nothing more is sent for it, now or after a reconnect. Raises FlowError."""
        if self.store.get(mid) is None:
            raise FlowError(_no_flow(mid))
        if self._link is not None:
            self._link.forget(mid)
        else:
            self.store.drop(mid)
        flight = self._flights.pop(mid, None)
        self._patience.stop(mid)
        if flight is not None:
            self._queued.pop(flight.token, None)
            self._report(flight.token, Outcome.LOST, f"forgotten without {flight.awaited}; what comes for it is ignored", mid, None)
        self.release()

    def _open_flow(self, mid: int) -> tuple[Link, bytes]:
        """The link, and what is kept for an identifier. Raises FlowError."""
        raw = self.store.get(mid)
        if raw is None:
            raise FlowError(_no_flow(mid))
        if self._link is None or self._link.closing:
            raise FlowError("not connected")
        return self._link, raw

    def _step_taken(self, mid: int, words: str) -> None:
        flight = self._flights.get(mid)
        if flight is not None:
            self._patience.start(mid)
            self._report(flight.token, Outcome.SENT, f"{words}, waiting for {flight.awaited}", mid, None)
        self._changed()

    def acknowledged(self, packet: Ack, mono: int) -> None:
        """PUBACK, PUBREC or PUBCOMP of one of ours, at `mono` (monotonic ns). gmqtt has answered and freed it already."""
        code = packet.reason_code or 0
        flight = self._flights.get(packet.packet_id)
        if flight is None:
            return
        if packet.type is PacketType.PUBREC and code < _FAILURE:
            if flight.awaited == "PUBREC":
                flight.awaited = "PUBCOMP"
                self._patience.start(packet.packet_id)
                self._report(flight.token, Outcome.SENT, "the broker has it (PUBREC), waiting for PUBCOMP", packet.packet_id, None)
            return
        del self._flights[packet.packet_id]
        self._patience.stop(packet.packet_id)
        self._queued.pop(flight.token, None)
        ms = None if flight.handed_over is None else (mono - flight.handed_over) / 1e6
        if code >= _FAILURE and packet.type is not PacketType.PUBCOMP:
            text = replies.refusal(code, packet.properties or (), packet.type, self._version)
            self._report(flight.token, Outcome.REFUSED, text, packet.packet_id, ms)
        else:
            text = "the broker took it" + (f", {milliseconds(ms)}" if ms is not None else "")
            if code:
                text += f" ({replies.explain(code, packet.properties or (), packet.type, self._version).label})"
            self._report(flight.token, Outcome.ACKED, text, packet.packet_id, ms)
        self._changed()
        if self._held:
            asyncio.get_running_loop().call_soon(self.release)

    def disconnected(self, session_ends: bool) -> None:
        """The connection is over. With `session_ends` nothing can be sent again."""
        self._link = None
        self._patience.clear()
        for token, mid in list(self._queued.items()):
            if mid is None or mid not in self._flights:
                self._report(token, Outcome.LOST, "not sent: the connection ended", None, None)
        self._queued.clear()
        if session_ends:
            self.store.clear()
            for held in self._held:
                self._report(held.token, Outcome.LOST, "not sent: the connection ended", None, None)
            self._held.clear()
        else:
            for mid, flight in self._flights.items():
                text = f"no {flight.awaited}; sent again at the next connect if the server kept the session"
                self._report(flight.token, Outcome.QUEUED, text, mid, None)
            for held in self._held:
                self._report(held.token, Outcome.HELD, "held: not connected", None, None)
        self._changed()

    def forget_session(self) -> None:
        """The next connect is another session: what is in flight or held for this one is lost."""
        self.disconnected(session_ends=True)

    @property
    def _full(self) -> bool:
        return self.in_flight >= self._limits.receive_maximum

    def _hold(self, held: _Held, text: str) -> None:
        self._held.append(held)
        self._report(held.token, Outcome.HELD, text, None, None)
        self._changed()

    def _send(self, token: int, packet: Publish) -> None:
        link = self._link
        assert link is not None
        mid = packet.packet_id
        if packet.qos in (1, 2):
            chosen = mid is None
            if mid is None:
                mid = link.next_id()
            try:
                data = encode(replace(packet, packet_id=mid), self._version)
            except ValueError:
                if chosen:
                    link.release(mid)
                raise
            earlier = self._flights.get(mid)
            if earlier is not None:
                self._report(earlier.token, Outcome.LOST, f"its packet identifier {mid} was used again", mid, None)
            self._flights[mid] = _Flight(token, "PUBACK" if packet.qos == 1 else "PUBREC")
            self._queued[token] = mid
            link.send_publish(data, mid, partial(self._left, token, mid, packet.qos))
        else:
            data = encode(packet, self._version)
            self._queued[token] = None
            link.send(data, partial(self._left, token, None, packet.qos))
        if token in self._queued:
            self._report(token, Outcome.QUEUED, f"sending {len(data):,} bytes", mid, None)
        self._changed()

    def _left(self, token: int, mid: int | None, qos: int, mono: int) -> None:
        """The operating system took the last byte; handed over at `mono`."""
        if self._queued.pop(token, 0) == 0:
            return
        if mid is not None:
            flight = self._flights.get(mid)
            if flight is None or flight.token != token:
                return
            flight.handed_over = mono
            self._patience.start(mid)
        wait = {1: ", waiting for PUBACK", 2: ", waiting for PUBREC"}.get(qos, "")
        self._report(token, Outcome.SENT, f"sent{wait}", mid, None)

    def _overdue(self, mid: int, seconds: int) -> None:
        """No acknowledgement so far; nothing is given up."""
        flight = self._flights[mid]
        has = "the broker has it (PUBREC)" if flight.awaited == "PUBCOMP" else "sent"
        self._report(flight.token, Outcome.LATE, f"{has}, no {flight.awaited} for {seconds} s", mid, None)

    def _cleared(self, ids: tuple[int, ...]) -> None:
        """The store gave these up: the server has no session."""
        for mid in ids:
            flight = self._flights.pop(mid, None)
            self._patience.stop(mid)
            if flight is not None:
                self._queued.pop(flight.token, None)
                self._report(flight.token, Outcome.LOST, "lost: never acknowledged, and the session is gone", mid, None)
        self._changed()


def _no_flow(mid: int) -> str:
    return f"no own publish with the identifier {mid} is open: it was acknowledged, never sent from here, or forgotten"


def milliseconds(value: float) -> str:
    """`0.4 ms`, `17 ms`, `2.1 s`."""
    if value < 10:
        return f"{value:.1f} ms"
    return f"{value:.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"


def _size(packet: Publish, version: Version) -> int:
    """Length of the packet in bytes, without copying its payload. Raises EncodeError."""
    head = encode(replace(packet, payload=b""), version)
    length = read_vbi(head, 1, len(head)).value + len(packet.payload)
    return 1 + len(variable_byte_integer(length)) + length


def limits_of(properties: Properties, version: Version) -> Limits:
    """Receive Maximum and Maximum Packet Size of a CONNACK; 3.x has neither."""
    if version is not Version.V5:
        return Limits()
    size = replies.first(properties, PropertyId.MAXIMUM_PACKET_SIZE)
    return Limits(
        replies.number(properties, PropertyId.RECEIVE_MAXIMUM, RECEIVE_MAXIMUM) or RECEIVE_MAXIMUM,
        size if isinstance(size, int) else None,
    )
