"""What an application of ours looks like in a terminal: themes, ASCII signs, the mouse, and who has the terminal just now."""

from __future__ import annotations

from textual.filter import LineFilter
from textual.theme import Theme

from mqtttui import text
from mqtttui.config import paths
from mqtttui.config.settings import Settings
from mqtttui.ui.glyphs import AsciiFilter
from mqtttui.ui.key_order import KeysInOrder
from mqtttui.ui.mouse import report_mouse
from mqtttui.ui.theme import DEFAULT_THEME, load_themes, variable_defaults


class Looks(KeysInOrder):
    """The base of the application; `tell` says a line to the person."""

    def __init__(self, settings: Settings) -> None:
        self._themes = load_themes([paths.themes_dir(), paths.user_themes_dir()])
        self._themes_by_name: dict[str, Theme] = {theme.name: theme for theme in self._themes.themes}
        self._ascii = AsciiFilter(enabled=settings.ascii)
        chosen = next((name for name in (settings.theme, DEFAULT_THEME) if name in self._themes_by_name), None)
        if chosen is not None:
            # Before the style sheets are read: for a theme that comes later they would all be parsed once more.
            self.set_reactive(Looks.theme, chosen)
        super().__init__()
        self._mouse = settings.mouse
        self._lent = False
        """Another program has the terminal, or what was printed plainly stands there."""

    def tell(self, words: str) -> None:
        """One line for the person about what a key did."""
        raise NotImplementedError

    # Themes

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for themes that leave them out."""
        return variable_defaults(self.current_theme)

    @property
    def available_themes(self) -> dict[str, Theme]:
        """Textual's own themes and those from files."""
        return {**super().available_themes, **self._themes_by_name}

    @property
    def theme_names(self) -> tuple[str, ...]:
        """Our own themes and the user's."""
        return self._themes.names

    def choose_theme(self, name: str) -> str:
        """Takes theme `name`; gives why not, or an empty string."""
        if name in self.available_themes:
            self.theme = name
            return ""
        return f"theme {text.visible(name)} is not there or has a mistake"

    def theme_problems(self, wanted: str) -> list[str]:
        """What is wrong with themes, when `wanted` (empty: the default) was asked for."""
        problems = [str(problem) for problem in self._themes.problems]
        if wanted and wanted != self.theme and (why := self.choose_theme(wanted)):
            problems.append(why)
        return problems

    def action_next_theme(self) -> None:
        """The next of our themes."""
        names = self.theme_names
        if names:
            at = names.index(self.theme) + 1 if self.theme in names else 0
            self.theme = names[at % len(names)]
            self.tell(f"theme {text.visible(self.theme)}")

    # Terminal

    def get_line_filters(self) -> list[LineFilter]:
        """Textual's own, then the ASCII table if it was asked for."""
        return [*super().get_line_filters(), *([self._ascii] if self._ascii.enabled else [])]

    def watch_terminal(self) -> None:
        """Learn when the terminal is lent to another program, and when it comes back."""
        self.app_suspend_signal.subscribe(self, lambda _: self._lend(True))
        self.app_resume_signal.subscribe(self, lambda _: self._lend(False))

    def _lend(self, lent: bool) -> None:
        self._lent = lent
        if not lent:
            self._apply_mouse()

    def ring(self) -> None:
        """The terminal's bell, unless the terminal is lent to somebody."""
        if not self._lent:
            self.bell()

    def action_toggle_mouse(self) -> None:
        """The mouse works here, or is left to the terminal."""
        self._mouse = not self._mouse
        self._apply_mouse()
        self.tell("mouse on" if self._mouse else "mouse off: the terminal's own selection works; M turns it on again")

    def _apply_mouse(self) -> None:
        if self._driver is not None:
            report_mouse(self._driver, self._mouse)
