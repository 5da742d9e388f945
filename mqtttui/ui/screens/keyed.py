"""A screen whose keys are rows of the table: which scopes are around the focus, and who carries out a row."""

from __future__ import annotations

from collections.abc import Iterator

from textual.screen import Screen
from textual.widget import Widget

from mqtttui.ui.bindings import Key, key_label


class KeyedScreen(Screen[None], inherit_bindings=False):
    """The base of the main screen."""

    def parts_in_use(self) -> Iterator[Widget]:
        """All widgets that keys may reach, in their order on the screen."""
        return iter(self.walk_children(Widget))

    def scopes(self) -> tuple[str, ...]:
        """Scopes of the focused control and what is around it, innermost first."""
        out: list[str] = []
        node = self.focused
        while node is not None:
            scope = getattr(node, "SCOPE", None)
            if isinstance(scope, str):
                out.append(scope)
            node = node.parent if isinstance(node.parent, Widget) else None
        return (*out, "app")

    def carries(self, scope: str) -> bool:
        """Some control on the screen carries this scope (`app` is everywhere)."""
        return scope == "app" or any(getattr(node, "SCOPE", None) == scope for node in self.parts_in_use())

    async def run_key(self, key: Key) -> None:
        """Carry out a row of the table at the control that carries its scope."""
        await self.app.run_action(key.action, default_namespace=self._carrier(key.scope))

    def works(self, key: Key) -> bool:
        """The first key of a row reaches its binding, and is not typed into the focused control."""
        focused = self.focused
        if focused is None:
            return True
        if self._carrier(key.scope).check_action(key.action.partition("(")[0].removeprefix("app."), ()) is False:
            return False
        first = key.keys.split(",")[0]
        character = key_label(first)
        return not focused.check_consume_key(first, character if len(character) == 1 and character.isascii() else None)

    def _carrier(self, scope: str) -> Widget | Screen[None]:
        near = self.focused
        while near is not None:
            if getattr(near, "SCOPE", None) == scope:
                return near
            near = near.parent if isinstance(near.parent, Widget) else None
        return next((node for node in self.parts_in_use() if getattr(node, "SCOPE", None) == scope), self)
