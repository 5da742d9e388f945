"""The place of the views: the filter bar on top, below it the one view that is shown; and the keys of the filter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from mqtttui.config.saved_filters import Kept, SavedFilter, StoreError
from mqtttui.protocol.fields import Dissection
from mqtttui.text import shorten
from mqtttui.ui.background import in_thread
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.field_filters import Join, joined
from mqtttui.ui.filter_state import FilterState
from mqtttui.ui.filtering import Applied
from mqtttui.ui.hunting import Hunting
from mqtttui.ui.panes.inspector import Inspector
from mqtttui.ui.panes.view import View
from mqtttui.ui.related import with_related
from mqtttui.ui.screens.menu import Choice, Menu
from mqtttui.ui.search import Search
from mqtttui.ui.views import PACKETS, VIEWS, Parts
from mqtttui.ui.widgets.filter_bar import FilterBar

_LONG = 200
"""Characters of a problem that are said in a line."""
_JOINS = (
    ("e", "only this", Join.ALONE),
    ("n", "all but this", Join.NOT),
    ("a", "… and this", Join.AND),
    ("x", "… and not this", Join.AND_NOT),
    ("o", "… or this", Join.OR),
    ("r", "… or not this", Join.OR_NOT),
)
_WITHOUT_FILTER = (Join.ALONE, Join.NOT)


class ViewBox(Vertical):
    """All views."""

    SCOPE: ClassVar[str] = "views"
    BINDINGS = bindings_for("views")

    @dataclass
    class Said(Message):
        """One line for the person."""

        text: str

    @dataclass
    class StateChanged(Message):
        """Filter, count or progress changed."""

        state: FilterState

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ViewBox.StateChanged)

    def __init__(self, parts: Parts, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts = parts
        self._filtering = parts.filtering
        self._current = PACKETS
        self._state = FilterState()
        self._writing = asyncio.Lock()
        self._told = ""
        self.bar = FilterBar(parts.filtering, id="filter-bar")
        self.packets = Inspector(parts.log, parts.describe, self._with_related, id="inspector")
        self._made: dict[str, View] = {PACKETS: self.packets}
        pump = parts.pump
        self.hunting = Hunting(parts.log, self.packets.packets, pump, parts.marks, self._go_to, self._say)

    def _with_related(self, dissection: Dissection, no: int) -> Dissection:
        return with_related(dissection, no, self._parts.log, self._parts.pump)

    def compose(self) -> ComposeResult:
        yield self.bar
        yield self.packets

    def on_mount(self) -> None:
        self.run_worker(self._keep(lambda kept: kept), group="filters")

    # Views

    async def mount_rest(self) -> None:
        """The views that the first paint does without."""
        others = [(row.name, row.make(self._parts)) for row in VIEWS if row.make is not None]
        for _, view in others:
            view.display = False
        await self.mount(*(view for _, view in others))
        self._made.update(others)

    @property
    def current(self) -> View:
        """The view that is shown."""
        return self._made[self._current]

    @property
    def name_of_current(self) -> str:
        """Its name."""
        return self._current

    def show(self, name: str) -> None:
        """Show a view."""
        self._current = name
        for each, view in self._made.items():
            view.display = each == name
        self.current.grew()

    def grew(self) -> None:
        """Log, followers or filter have come further."""
        self.current.grew()
        self._show_state()

    def on_resize(self, event: events.Resize) -> None:
        self.bar.fit(self.app.size.width)

    # Filter

    def apply(self, wanted: Applied | None) -> None:
        """Put another filter into force."""
        self._filtering.apply(wanted)
        self._filter_changed()

    def apply_text(self, typed: str, *, strict: bool = False) -> bool:
        """The same from text. False, and it is said, if that is no filter."""
        checked = self._filtering.check_strict(typed) if strict else self._filtering.check(typed)
        if checked.error is not None:
            self._say(f"no filter: {shorten(checked.error.problem, _LONG)} {checked.error.remedy}".strip())
            return False
        self.apply(checked.applied)
        return True

    def join_filter(self, expression: str, how: str) -> None:
        """Apply a strict filter, exclude what it selects, or ask how to combine it with the one in force."""
        applied = self._filtering.applied
        before = applied.filter.text if applied is not None else ""
        if how == "combine":
            choices = [
                Choice(key, label, text, text)
                for key, label, join in _JOINS
                if before or join in _WITHOUT_FILTER
                for text in (joined(before, expression, join),)
            ]
            self.app.push_screen(Menu(Content("Filter"), choices), self._chosen)
        else:
            join = Join.ALONE if how == "apply" else Join.AND_NOT
            self.apply_text(joined(before, expression, join), strict=True)

    def _chosen(self, text: str | None) -> None:
        if text is not None:
            self.apply_text(text, strict=True)

    def _filter_changed(self) -> None:
        for view in self._made.values():
            view.show_filter(self._filtering)
        self._show_state()
        applied = self._filtering.applied
        if applied is not None:
            self.run_worker(self._keep(lambda kept: kept.remembered(applied.typed)), group="filters")

    def _show_state(self) -> None:
        filtering, view, applied = self._filtering, self._filtering.view, self._filtering.applied
        state = FilterState()
        if view is not None:
            state = FilterState(
                typed=applied.typed if applied is not None else "",
                meaning=applied.filter.text if applied is not None and applied.quick else "",
                matches=view.matches,
                answers=view.answers,
                total=view.total,
                with_answers=filtering.answers,
                noise=filtering.hide_noise,
                percent=min(99, 100 * view.tested // max(1, view.total)) if filtering.testing else None,
                stopped=view.cancelled,
                too_slow=applied.filter.timeouts if applied is not None else 0,
            )
        if state != self._state:
            self._state = state
            self.bar.show_state(state)
            self.post_message(self.StateChanged(state))

    # The user's filters

    @property
    def saved(self) -> Sequence[SavedFilter]:
        """Those with a name."""
        return self._parts.store.kept.saved

    async def _keep(self, change: Callable[[Kept], Kept], done: str = "") -> None:
        """Change the file of filters, and say `done`; a change that changes nothing reads it."""
        async with self._writing:
            try:
                kept = await in_thread(partial(self._parts.store.change, change))
            except StoreError as error:
                if str(error) != self._told or done:
                    self._told = str(error)
                    self._say(f"filters are not kept: {error}")
                return
        self.bar.show_history(kept.history)
        if done:
            self._say(done)

    def on_filter_bar_save_wanted(self, event: FilterBar.SaveWanted) -> None:
        event.stop()
        if not event.text:
            self._say("no filter to save: type one first")
            return
        from mqtttui.ui.screens.filters import SavePrompt

        def save(name: str | None) -> None:
            if name:
                done = f"filter saved as {name}; ctrl+o lists them"
                self.run_worker(self._keep(lambda kept: kept.with_saved(name, event.text), done), group="filters")

        self.app.push_screen(SavePrompt(event.text, self._parts.store.kept), save)

    def on_filter_bar_list_wanted(self, event: FilterBar.ListWanted) -> None:
        event.stop()
        self.choose_filter()

    def on_filter_bar_help_wanted(self, event: FilterBar.HelpWanted) -> None:
        event.stop()
        from mqtttui.ui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen((), filters=True))

    def choose_filter(self) -> None:
        """Choose among saved and earlier filters."""
        from mqtttui.ui.screens.filters import FilterChoices

        def run(chosen: tuple[str, bool] | None) -> None:
            if chosen is None:
                return
            text, edit = chosen
            if edit or not self.apply_text(text):
                self.bar.open(text)
            else:
                self.bar.close()

        self.app.push_screen(FilterChoices(self._parts.store.kept, self._change), run)

    def _change(self, change: Callable[[Kept], Kept]) -> None:
        self.run_worker(self._keep(change), group="filters")

    # What the bar says

    def on_filter_bar_changed(self, event: FilterBar.Changed) -> None:
        event.stop()
        self._filter_changed()

    def on_filter_bar_closed(self, event: FilterBar.Closed) -> None:
        event.stop()
        if self.screen.focused is None:
            self.current.focus_list()

    def on_view_said(self, event: View.Said) -> None:
        event.stop()
        self._say(event.text)

    def _say(self, words: str) -> None:
        self.post_message(self.Said(words))

    def _go_to(self, number: int) -> None:
        self.post_message(View.GoTo(number))

    # Keys

    def action_next_finding(self) -> None:
        """To the next packet with a warning or an error."""
        self.hunting.finding()

    def action_next_mark(self) -> None:
        """To the next marked packet."""
        self.hunting.mark()

    def action_find(self) -> None:
        """Ask what to find, and go there."""
        from mqtttui.ui.screens.find import FindPrompt

        def run(search: Search | None) -> None:
            if search is not None:
                self.run_worker(self.hunting.find(search), group="find", exclusive=True)

        self.app.push_screen(FindPrompt(self.hunting.search), run)

    def action_again(self, back: bool = False) -> None:
        """The next finding, mark or hit, whatever was gone to last."""
        self.run_worker(self.hunting.again(back=back), group="find", exclusive=True)

    def action_previous_filter(self) -> None:
        """The filter before this one."""
        if not self._filtering.back():
            self._say("there was no filter before this one")
            return
        self._filter_changed()
        if self._filtering.applied is None:
            self._say("no filter")

    def action_toggle_answers(self) -> None:
        """Show the answers of what the filter selects, or not."""
        on = self._filtering.toggle_answers()
        self._filter_changed()
        suffix = "" if self._filtering.applied is not None else "; that shows when a filter is in force (/)"
        self._say(("answers are shown with what the filter selects" if on else "only what the filter selects") + suffix)

    def action_toggle_noise(self) -> None:
        """Hide pings, answered acks and $SYS, or show them again."""
        on = self._filtering.toggle_noise()
        self._filter_changed()
        self._say("pings, answered acks and $SYS are hidden; o shows them" if on else "pings, answered acks and $SYS are shown again")
