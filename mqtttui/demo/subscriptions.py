"""Who gets a message: the subscriptions of all sessions.

Rules:
1. A session that several of its filters match gets one copy, at the highest of the granted QoS, with the Subscription
   Identifiers of all of them (the standard allows this or one copy each, section 3.3.4).
2. No Local leaves a subscription out; Retain As Published of any of them keeps the flag.
3. Of a share group (`$share/name/filter`) one session gets the message: connected ones in turn, else the next one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from mqtttui.demo.messages import Delivery, Message
from mqtttui.protocol.topics import is_shared, matches


class Subscriber(Protocol):
    """What a subscription needs to know of its session."""

    client_id: str

    @property
    def online(self) -> bool:
        """Whether a client is connected to it."""


S = TypeVar("S", bound=Subscriber)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One granted filter with its options."""

    filter: bytes
    """As it was sent, with `$share/name/`."""
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    identifier: int | None = None


class Subscriptions(Generic[S]):
    """All subscriptions, by filter."""

    def __init__(self) -> None:
        self._plain: dict[bytes, dict[S, Subscription]] = {}
        self._wild: dict[bytes, dict[S, Subscription]] = {}
        self._shared: dict[bytes, dict[S, Subscription]] = {}

    def __len__(self) -> int:
        return sum(len(holders) for table in (self._plain, self._wild, self._shared) for holders in table.values())

    def add(self, session: S, subscription: Subscription) -> bool:
        """Grants a filter, replacing the session's earlier one [MQTT-3.8.4-3]; whether it is a new one."""
        holders = self._table(subscription.filter).setdefault(subscription.filter, {})
        new = session not in holders
        holders[session] = subscription
        return new

    def remove(self, session: S, filter: bytes) -> bool:
        """Takes a filter back; whether there was one."""
        table = self._table(filter)
        holders = table.get(filter, {})
        if session not in holders:
            return False
        del holders[session]
        if not holders:
            del table[filter]
        return True

    def remove_all(self, session: S) -> None:
        """Takes all filters of a session back."""
        for table in (self._plain, self._wild, self._shared):
            for filter in [filter for filter, holders in table.items() if session in holders]:
                self.remove(session, filter)

    def recipients(self, message: Message) -> list[tuple[S, Delivery]]:
        """Who gets `message`, and how."""
        found: dict[S, list[Subscription]] = {}
        for session, subscription in self._matching(message.topic):
            if not (subscription.no_local and session.client_id == message.publisher):
                found.setdefault(session, []).append(subscription)
        return [(session, _delivery(message, subscriptions)) for session, subscriptions in found.items()] + self._shares(message)

    def _matching(self, topic: bytes) -> Iterable[tuple[S, Subscription]]:
        yield from self._plain.get(topic, {}).items()
        for filter, holders in self._wild.items():
            if matches(filter, topic):
                yield from holders.items()

    def _shares(self, message: Message) -> list[tuple[S, Delivery]]:
        out = []
        for filter, holders in self._shared.items():
            if not matches(filter, message.topic):
                continue
            chosen = next((session for session in holders if session.online), next(iter(holders)))
            subscription = holders.pop(chosen)
            # Behind the others: whose turn it was comes last next time.
            holders[chosen] = subscription
            out.append((chosen, _delivery(message, [subscription])))
        return out

    def _table(self, filter: bytes) -> dict[bytes, dict[S, Subscription]]:
        if is_shared(filter):
            return self._shared
        return self._wild if b"+" in filter or b"#" in filter else self._plain


def retained_applies(subscription: Subscription, new: bool, retain_handling: int) -> bool:
    """Whether a SUBSCRIBE makes the broker send retained messages ([MQTT-3.3.1-9 to -11]; never for a share group)."""
    if is_shared(subscription.filter):
        return False
    return retain_handling == 0 or (retain_handling == 1 and new)


def _delivery(message: Message, subscriptions: list[Subscription]) -> Delivery:
    qos = min(message.qos, max(subscription.qos for subscription in subscriptions))
    keeps = any(subscription.retain_as_published for subscription in subscriptions)
    identifiers = tuple(subscription.identifier for subscription in subscriptions if subscription.identifier is not None)
    return Delivery(message, qos, message.retain and keeps, identifiers)
