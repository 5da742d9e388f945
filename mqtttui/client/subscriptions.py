"""The subscriptions of a peer: what was asked, what was granted, and whether the server still holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from mqtttui.client import replies
from mqtttui.client.events import SubscriptionState
from mqtttui.client.link import Link
from mqtttui.client.patience import Patience
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import Properties, Suback, Subscribe, Text, TopicRequest, Unsuback, Unsubscribe, encode

REFUSED = 0x80

Granted = Callable[[int | None, str], None]
"""Called with the code of a SUBACK for one filter and its words, or None if the connection ended first."""


def key_of(filter: Text) -> bytes:
    """The filter's bytes, which tell one subscription from another."""
    return filter.encode("utf-8", "surrogateescape") if isinstance(filter, str) else filter


@dataclass(frozen=True, slots=True)
class _Asked:
    """A SUBSCRIBE or UNSUBSCRIBE without its answer."""

    keys: tuple[bytes, ...]
    qos: tuple[int, ...] = ()
    granted: Granted | None = None
    """For a subscription that does not belong to the user's list."""
    silent: bool = False


class Subscriptions:
    """The table, and the exchanges that change it."""

    def __init__(self, changed: Callable[[tuple[SubscriptionState, ...]], None]) -> None:
        self._changed = changed
        self._rows: dict[bytes, SubscriptionState] = {}
        self._asked: dict[int, _Asked] = {}
        self._wanted: set[bytes] = set()
        """Filters that were granted and not given up since."""
        self._patience = Patience(self._overdue)

    @property
    def all(self) -> tuple[SubscriptionState, ...]:
        """The rows in the order in which they were first asked for."""
        return tuple(self._rows.values())

    def get(self, key: bytes) -> SubscriptionState | None:
        """The row of a filter."""
        return self._rows.get(key)

    def holds(self, key: bytes) -> bool:
        """Whether the user's table has this filter at the server, or has just asked for it."""
        row = self._rows.get(key)
        pending = any(key in asked.keys and asked.qos and asked.granted is None for asked in self._asked.values())
        return pending or (row is not None and row.active)

    # Requests

    def subscribe(self, link: Link, version: Version, requests: tuple[TopicRequest, ...], properties: Properties) -> None:
        """Send one SUBSCRIBE. Raises EncodeError or OverflowError before anything is sent."""
        mid = self._send(link, version, requests, properties)
        identifier = replies.first(properties, PropertyId.SUBSCRIPTION_IDENTIFIER)
        for request in requests:
            key = key_of(request.filter)
            before = self._rows.get(key)
            self._rows[key] = SubscriptionState(
                request,
                identifier if isinstance(identifier, int) else None,
                properties,
                before.granted if before else None,
                "waiting for SUBACK",
                before.active if before else False,
                key,
            )
        self._asked[mid] = _Asked(tuple(key_of(request.filter) for request in requests), tuple(request.qos for request in requests))
        self._patience.start(mid)
        self._tell()

    def subscribe_aside(self, link: Link, version: Version, request: TopicRequest, granted: Granted) -> None:
        """Send a SUBSCRIBE that does not enter the table. Raises EncodeError or OverflowError."""
        mid = self._send(link, version, (request,), ())
        self._asked[mid] = _Asked((key_of(request.filter),), (request.qos,), granted)

    def unsubscribe(self, link: Link, version: Version, filters: tuple[Text, ...], properties: Properties, *, aside: bool = False) -> None:
        """Send one UNSUBSCRIBE; `aside` leaves the table alone. Raises EncodeError or OverflowError."""
        mid = link.next_id()
        try:
            data = encode(Unsubscribe(mid, filters, properties), version)
        except ValueError:
            link.release(mid)
            raise
        link.send_request(data, mid, PacketType.UNSUBSCRIBE)
        self._asked[mid] = _Asked(tuple(key_of(text) for text in filters), silent=aside)
        if not aside:
            self._patience.start(mid)
            self._answer(self._asked[mid].keys, "waiting for UNSUBACK")

    def remove(self, filters: Iterable[Text]) -> bool:
        """Drop rows that no server holds, without sending anything. False if one of them is held: then nothing is dropped."""
        keys = [key_of(text) for text in filters]
        if any((row := self._rows.get(key)) is not None and row.active for key in keys):
            return False
        for key in keys:
            self._forget(key)
        self._tell()
        return True

    def _send(self, link: Link, version: Version, requests: tuple[TopicRequest, ...], properties: Properties) -> int:
        mid = link.next_id()
        try:
            data = encode(Subscribe(mid, requests, properties), version)
        except ValueError:
            link.release(mid)
            raise
        link.send_request(data, mid, PacketType.SUBSCRIBE)
        return mid

    # Answers

    def subacked(self, packet: Suback, version: Version) -> None:
        """A SUBACK: one code a filter."""
        asked = self._answered(packet.packet_id)
        if asked is None:
            return
        for index, (key, qos) in enumerate(zip(asked.keys, asked.qos, strict=True)):
            code = packet.codes[index] if index < len(packet.codes) else None
            text = _granted_text(code, qos, packet.properties, version)
            if asked.granted is not None:
                asked.granted(code, text)
            elif (row := self._rows.get(key)) is not None:
                # A refused SUBSCRIBE leaves an older subscription with the same filter as it was (MQTT 5, section 3.8.4).
                active = row.active if code is None or code >= REFUSED else True
                if active:
                    self._wanted.add(key)
                self._rows[key] = replace(row, granted=code, answer=text, active=active, late=False)
        self._tell()

    def unsubacked(self, packet: Unsuback, version: Version) -> None:
        """An UNSUBACK: the rows go, unless a code says that they stay."""
        asked = self._answered(packet.packet_id)
        if asked is None or asked.silent:
            return
        for index, key in enumerate(asked.keys):
            code = packet.codes[index] if index < len(packet.codes) else 0
            row = self._rows.get(key)
            if row is not None and code >= REFUSED:
                text = replies.refusal(code, packet.properties, PacketType.UNSUBACK, version)
                self._rows[key] = replace(row, answer=f"unsubscribe {text}", late=False)
            else:
                self._forget(key)
        self._tell()

    # The connection's life

    def connected(self, session_present: bool, *, said: bool = True) -> None:
        """A CONNACK came: either the server has the session and its subscriptions, or it has none. MQTT 3.1 has not `said`."""
        held = "held by the session" if said else "held, if the server kept the session"
        for key, row in self._rows.items():
            if session_present and row.active:
                self._rows[key] = replace(row, answer=held)
            else:
                self._rows[key] = replace(row, active=False, granted=None, answer="not renewed")
        self._tell()

    def renewals(self) -> list[tuple[tuple[TopicRequest, ...], Properties]]:
        """What to send to get the granted subscriptions again that the server has lost: one SUBSCRIBE for each set of properties."""
        groups: dict[Properties, list[TopicRequest]] = {}
        for row in self._rows.values():
            if not row.active and row.key in self._wanted:
                groups.setdefault(row.properties, []).append(row.request)
        return [(tuple(requests), properties) for properties, requests in groups.items()]

    def disconnected(self, session_ends: bool) -> None:
        """The connection is over; with `session_ends` the server forgets the subscriptions."""
        waiting, self._asked = self._asked, {}
        self._patience.clear()
        unanswered = {key for asked in waiting.values() for key in asked.keys if asked.granted is None and not asked.silent}
        for asked in waiting.values():
            if asked.granted is not None:
                asked.granted(None, "the connection ended")
        for key, row in self._rows.items():
            if key in unanswered:
                row = replace(row, answer="no answer: the connection ended", late=False)
            if session_ends and row.active:
                row = replace(row, active=False, answer="ended with the session")
            self._rows[key] = row
        self._tell()

    def _forget(self, key: bytes) -> None:
        self._rows.pop(key, None)
        self._wanted.discard(key)

    def _answered(self, mid: int) -> _Asked | None:
        self._patience.stop(mid)
        return self._asked.pop(mid, None)

    def _overdue(self, mid: int, seconds: int) -> None:
        """No answer so far; one that comes later still counts."""
        asked = self._asked[mid]
        self._answer(asked.keys, f"no {'SUBACK' if asked.qos else 'UNSUBACK'} for {seconds} s", late=True)

    def _answer(self, keys: Iterable[bytes], answer: str, *, late: bool = False) -> None:
        for key in keys:
            if (row := self._rows.get(key)) is not None:
                self._rows[key] = replace(row, answer=answer, late=late)
        self._tell()

    def _tell(self) -> None:
        self._changed(self.all)


def _granted_text(code: int | None, qos: int, properties: Properties, version: Version) -> str:
    """`granted QoS 1`, `granted QoS 0, asked for 1`, `refused: 0x87 not authorized`."""
    if code is None:
        return "SUBACK has no code for this filter"
    if code >= REFUSED:
        return replies.refusal(code, properties, PacketType.SUBACK, version)
    if code > 2:
        return f"unknown answer 0x{code:02x}"
    return f"granted QoS {code}" + ("" if code == qos else f", asked for {qos}")
