"""The subscriptions of a peer as rows: letter, filter, QoS asked and granted, options, count and rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import ClassVar, Protocol

from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip

from mqtttui import text
from mqtttui.client.events import SubscriptionState
from mqtttui.protocol.enums import Version
from mqtttui.ui.content import fit, grouped
from mqtttui.ui.forms.subscribe import option_words
from mqtttui.ui.widgets.lines import LineView

COLOURS = 6
"""Colours that the letters cycle through."""

_FAILED = 0x80
_QOS, _OPTIONS, _COUNT, _RATE = 4, 11, 11, 9
_FIXED = 3 + 1 + _QOS + 1 + _OPTIONS + _COUNT + _RATE


class CountOf(Protocol):
    """How many messages a subscription brought."""

    @property
    def total(self) -> int:
        """Since it was made."""

    @property
    def per_second(self) -> float:
        """Now."""


class SubscriptionTable(LineView):
    """Rows of subscriptions with a cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"subscription--{index}" for index in range(COLOURS)),
        "subscription--good",
        "subscription--warning",
        "subscription--bad",
    }
    HEAD_ROWS: ClassVar[int] = 1

    @dataclass
    class Moved(Message):
        """Another row is selected."""

    @dataclass
    class Opened(Message):
        """A row was double-clicked."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._subscriptions: Sequence[SubscriptionState] = ()
        self._counts: Mapping[bytes, CountOf] = {}
        self._muted: AbstractSet[bytes] = frozenset()
        self._letters: Mapping[bytes, str] = {}
        self._version = Version.V311

    def show(
        self,
        subscriptions: Sequence[SubscriptionState],
        counts: Mapping[bytes, CountOf],
        muted: AbstractSet[bytes],
        letters: Mapping[bytes, str],
        version: Version,
    ) -> None:
        """Show these; the cursor stays on its filter."""
        key = self.selected.key if self.selected is not None else None
        self._subscriptions, self._counts, self._muted, self._letters, self._version = subscriptions, counts, muted, letters, version
        at = next((index for index, item in enumerate(subscriptions) if item.key == key), self.cursor)
        self.place(cursor=at)

    @property
    def selected(self) -> SubscriptionState | None:
        """The subscription under the cursor."""
        return self._subscriptions[self.cursor] if self.cursor < len(self._subscriptions) else None

    @property
    def row_count(self) -> int:
        return len(self._subscriptions)

    def cursor_moved(self) -> None:
        self.post_message(self.Moved())

    def row_activated(self) -> None:
        self.post_message(self.Opened())

    def head(self, y: int, width: int) -> Strip:
        room = self._filter_width(width)
        words = f"   {fit('Filter', room)} {fit('QoS', _QOS)} {fit('Options', _OPTIONS)}{fit('Messages', _COUNT, right=True)}"
        return Strip([Segment(words + fit("a second", _RATE, right=True), self.style_of("line--head"))])

    def row(self, index: int, width: int) -> Strip:
        item = self._subscriptions[index]
        muted = item.key in self._muted
        letter = self._letters.get(item.key, " ")
        dim = self.style_of("line--dimmed")
        plain = dim if muted or not item.active else Style()
        colour = dim if muted else self.style_of(f"subscription--{colour_of(letter)}")
        shown = fit(text.visible(item.key), self._filter_width(width))
        return Strip(
            [
                self.cursor_mark(index),
                Segment(f"{letter} ", colour),
                Segment(f"{shown} ", plain),
                Segment(f"{fit(qos_words(item), _QOS)} ", self._qos_style(item)),
                *self._rest(item, muted, plain, dim),
            ]
        )

    def _rest(self, item: SubscriptionState, muted: bool, plain: Style, dim: Style) -> list[Segment]:
        if not item.active or item.late:
            style = self.style_of("subscription--warning") if item.late else self.style_of("subscription--bad") if _refused(item) else dim
            return [Segment(fit(item.answer, _OPTIONS + _COUNT + _RATE), style)]
        count = self._counts.get(item.key)
        total = grouped(count.total) if count is not None else "0"
        rate = "muted" if muted else rate_words(count.per_second) if count is not None else ""
        return [
            Segment(fit(option_words(item.request, item.identifier, self._version), _OPTIONS), dim),
            Segment(fit(total, _COUNT, right=True), plain),
            Segment(fit(rate, _RATE, right=True), dim if muted else plain),
        ]

    def _qos_style(self, item: SubscriptionState) -> Style:
        if item.granted is None:
            return self.style_of("line--dimmed")
        if _refused(item):
            return self.style_of("subscription--bad")
        return self.style_of("subscription--good" if item.granted == item.request.qos else "subscription--warning")

    @staticmethod
    def _filter_width(width: int) -> int:
        return max(10, width - _FIXED)


def colour_of(letter: str) -> int:
    """Which of the colours a letter has."""
    return (ord(letter) - ord("A")) % COLOURS if letter.strip() else 0


def rate_words(per_second: float) -> str:
    """`0/s`, `1,204/s`."""
    return f"{per_second:,.0f}/s"


def qos_words(item: SubscriptionState) -> str:
    """`1` as asked, `2>1` granted less, `1 ?` unanswered, `1 no` refused."""
    asked = item.request.qos
    if item.granted is None:
        return f"{asked} ?"
    if _refused(item):
        return f"{asked} no"
    return str(asked) if item.granted == asked else f"{asked}>{item.granted}"


def _refused(item: SubscriptionState) -> bool:
    return item.granted is not None and item.granted >= _FAILED
