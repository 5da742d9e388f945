"""Does a publish come back? Subscribes to its very topic for a moment, like any packet visibly, and reports what arrives.

An equal subscription of the user's is used as it is and left alone. A retained message from before does not count: the
copy must arrive after the publish was handed over, without the RETAIN flag unless the subscription keeps it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from mqtttui.client import replies
from mqtttui.client.events import Outcome
from mqtttui.client.link import Link
from mqtttui.client.publishing import Report, milliseconds
from mqtttui.client.subscriptions import REFUSED, Subscriptions, key_of
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Publish, TopicRequest
from mqtttui.protocol.topics import check_topic

WATCH_SECONDS = 5.0
"""How long a copy may take; also how long the SUBACK is waited for."""


@dataclass(slots=True)
class _Watch:
    """One publish that is waited for."""

    token: int
    topic: bytes
    payload: bytes
    sent: asyncio.Future[None]
    """Done when the publish has left."""
    back: asyncio.Future[int]
    """Monotonic ns of the copy's arrival."""
    handed_over: int = 0


@dataclass(slots=True)
class _Aside:
    """A subscription of ours, shared by the watches on its topic."""

    granted: asyncio.Future[tuple[int | None, str]]
    users: int = field(default=0)


class Watching:
    """The watches of one connection."""

    def __init__(self, link: Link, version: Version, subscriptions: Subscriptions, report: Report, *, aliases: bool) -> None:
        """`aliases`: the server may use topic aliases, so that every PUBLISH must be looked at."""
        self._link, self._version = link, version
        self._subscriptions = subscriptions
        self._report = report
        self._every = aliases
        self._watches: list[_Watch] = []
        self._asides: dict[bytes, _Aside] = {}
        self._inbound_aliases: dict[int, bytes] = {}
        self._own_aliases: dict[int, bytes] = {}
        link.watching = aliases

    async def publish(self, token: int, packet: Publish, send: Callable[[], None]) -> None:
        """Subscribe, call `send`, and wait for the copy. Raises what `send` raises."""
        topic = self.topic_of(packet)
        problem = self._problem(topic)
        if problem:
            send()
            self._report(token, Outcome.NOT_BACK, f"not watched: {problem}", None, None)
            return
        assert topic is not None
        subscribed = False
        try:
            if not self._subscriptions.holds(topic):
                subscribed = True
                self._report(token, Outcome.QUEUED, "not sent yet: first subscribes to its topic, to watch for it", None, None)
                code, text = await self._subscribe(topic, packet.qos)
                if code is None or code >= REFUSED:
                    send()
                    self._report(token, Outcome.NOT_BACK, f"not watched: {text}", None, None)
                    return
            await self._wait(token, topic, packet, send)
        finally:
            if subscribed:
                self._unsubscribe(topic)

    async def _wait(self, token: int, topic: bytes, packet: Publish, send: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        watch = _Watch(token, topic, packet.payload, loop.create_future(), loop.create_future())
        self._watches.append(watch)
        self._link.watching = True
        try:
            send()
            await asyncio.wait((watch.sent, watch.back), return_when=asyncio.FIRST_COMPLETED)
            if watch.sent.cancelled():
                return
            await asyncio.wait((watch.back,), timeout=WATCH_SECONDS)
            if watch.back.cancelled():
                return
            if watch.back.done():
                ms = max(0.0, (watch.back.result() - watch.handed_over) / 1e6)
                self._report(token, Outcome.CAME_BACK, f"came back after {milliseconds(ms)}", None, ms)
            else:
                self._report(token, Outcome.NOT_BACK, f"did not come back within {WATCH_SECONDS:g} s", None, None)
        finally:
            self._watches.remove(watch)
            self._link.watching = self._every or bool(self._watches)

    def topic_of(self, packet: Publish) -> bytes | None:
        """The topic of an own publish, by its alias if it has no other; None if the alias stands for nothing."""
        topic = key_of(packet.topic)
        alias = replies.first(packet.properties, PropertyId.TOPIC_ALIAS)
        return self._own_aliases.get(alias) if not topic and isinstance(alias, int) else topic

    def leaving(self, packet: Publish) -> None:
        """An own publish is being sent: note what its alias stands for from now on."""
        alias = replies.first(packet.properties, PropertyId.TOPIC_ALIAS)
        if isinstance(alias, int) and packet.topic:
            self._own_aliases[alias] = key_of(packet.topic)

    def progress(self, token: int, outcome: Outcome) -> None:
        """What became of a publish: when it left, the waiting begins; when it failed, it ends."""
        for watch in self._watches:
            if watch.token != token:
                continue
            if outcome in (Outcome.SENT, Outcome.ACKED) and not watch.sent.done():
                watch.handed_over = self._link.tap.last_out
                watch.sent.set_result(None)
            elif outcome in (Outcome.LOST, Outcome.REFUSED):
                watch.sent.cancel()
                watch.back.cancel()

    def message(self, packet: Publish, mono: int) -> None:
        """A PUBLISH of the server, read at `mono` (monotonic ns)."""
        topic = key_of(packet.topic)
        alias = replies.first(packet.properties, PropertyId.TOPIC_ALIAS)
        if isinstance(alias, int):
            if topic:
                self._inbound_aliases[alias] = topic
            else:
                topic = self._inbound_aliases.get(alias, b"")
        for watch in self._watches:
            if not watch.back.done() and watch.topic == topic and watch.payload == packet.payload:
                row = self._subscriptions.get(topic)
                if packet.retain and not (row and row.active and row.request.retain_as_published):
                    continue
                if not watch.handed_over:
                    watch.handed_over = self._link.tap.last_out
                watch.back.set_result(mono)
                return

    def _problem(self, topic: bytes | None) -> str | None:
        if topic is None:
            return "the topic alias stands for no topic yet"
        problem = check_topic(topic, self._version)
        if problem:
            return problem
        row = self._subscriptions.get(topic)
        if row is not None and row.active and row.request.no_local:
            return "the subscription to this topic has No Local"
        return None

    async def _subscribe(self, topic: bytes, qos: int) -> tuple[int | None, str]:
        aside = self._asides.get(topic)
        if aside is None:
            aside = _Aside(asyncio.get_running_loop().create_future())
            self._asides[topic] = aside
            aside.users = 1
            request = TopicRequest(topic, min(qos, 2), retain_handling=2 if self._version is Version.V5 else 0)
            self._subscriptions.subscribe_aside(self._link, self._version, request, _settler(aside.granted))
        else:
            aside.users += 1
        await asyncio.wait((aside.granted,), timeout=WATCH_SECONDS)
        return aside.granted.result() if aside.granted.done() else (None, f"no SUBACK within {WATCH_SECONDS:g} s")

    def _unsubscribe(self, topic: bytes) -> None:
        aside = self._asides[topic]
        aside.users -= 1
        if aside.users:
            return
        del self._asides[topic]
        refused = aside.granted.done() and (aside.granted.result()[0] or 0) >= REFUSED
        if not refused and not self._link.closing and not self._subscriptions.holds(topic):
            self._subscriptions.unsubscribe(self._link, self._version, (topic,), (), aside=True)


def _settler(future: asyncio.Future[tuple[int | None, str]]) -> Callable[[int | None, str], None]:
    """A callback that settles `future` once."""

    def settle(code: int | None, text: str) -> None:
        if not future.done():
            future.set_result((code, text))

    return settle
