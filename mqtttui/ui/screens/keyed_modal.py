"""A screen over everything whose keys are rows of the table: a line of keys, help and palette for what can be done on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar, Generic

from textual import events
from textual.screen import ModalScreen, ScreenResultType
from textual.widget import Widget

from mqtttui.ui.bindings import KEYS, Key, keys_of
from mqtttui.ui.palette import Palette, entries
from mqtttui.ui.screens.help import HelpScreen
from mqtttui.ui.widgets.bars import KeyLine, unique_by_key


class KeyedModal(ModalScreen[ScreenResultType | None], Generic[ScreenResultType], inherit_bindings=False):
    """The base. A subclass carries `SCOPE` and `BINDINGS`, and yields `key_line` at its end."""

    SCOPE: ClassVar[str] = ""

    def __init__(self, hand_out: Callable[[str, bool], Awaitable[str]]) -> None:
        """`hand_out` copies or plainly prints a text and says where it went."""
        super().__init__()
        self._hand_out = hand_out
        self.key_line = KeyLine(id="modal-keys")

    def show_keys(self) -> None:
        """The keys that work now."""
        rows = [key for scope in self.scopes() for key in keys_of(scope) if key.footer]
        self.key_line.keys = unique_by_key([key for key in rows if self._works(key)])

    def _works(self, key: Key) -> bool:
        return self._carrier(key.scope).check_action(key.action.partition("(")[0], ()) is not False

    def scopes(self) -> tuple[str, ...]:
        """Scopes of the focused control and what is around it, innermost first."""
        nodes = self.focused.ancestors_with_self if self.focused is not None else (self,)
        return tuple(scope for node in nodes if node is not self.app and isinstance(scope := getattr(node, "SCOPE", None), str))

    def _carrier(self, scope: str) -> Widget:
        found = next((node for node in self.walk_children(Widget) if getattr(node, "SCOPE", None) == scope), None)
        return found or self

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.show_keys()

    async def on_key_line_pressed(self, event: KeyLine.Pressed) -> None:
        event.stop()
        await self.run_key(event.key)

    async def run_key(self, key: Key) -> None:
        """Carry out a row of the table at the control that carries its scope."""
        await self.app.run_action(key.action, default_namespace=self._carrier(key.scope))

    def hand_out(self, text: str, *, plain: bool) -> None:
        """Copy a text, or print it on the plain terminal, and say where it went."""
        self.run_worker(self._hand(text, plain), group="copy", exclusive=True)

    async def _hand(self, text: str, plain: bool) -> None:
        self.key_line.say(await self._hand_out(text, plain))

    def action_leave(self) -> None:
        """Back."""
        self.dismiss(None)

    def action_help(self) -> None:
        """The keys."""
        self.app.push_screen(HelpScreen(self.scopes()))

    def action_palette(self) -> None:
        """What can be done here, by name."""

        async def run(entry: str | None) -> None:
            if entry is not None:
                await self.run_key(keys[entry])

        carried = {self.SCOPE, *(getattr(node, "SCOPE", None) for node in self.walk_children(Widget))}
        keys = {key.id: key for key in KEYS if key.scope in carried and self._works(key)}
        self.app.push_screen(Palette([entry for entry in entries((), carried.__contains__) if entry.id in keys]), run)
