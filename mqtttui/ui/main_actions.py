"""What keys do on the main screen alone: where to go, what to show. Nothing of it concerns a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mqtttui.ui.looks import Looks

if TYPE_CHECKING:
    from mqtttui.ui.dialogs import Dialogs
    from mqtttui.ui.outlets import Outlets
    from mqtttui.ui.panes.inspector import Inspector
    from mqtttui.ui.panes.view import View
    from mqtttui.ui.screens.main import MainScreen
    from mqtttui.ui.widgets.escaped_input import EscapedInput


class MainActions(Looks):
    """A layer of the application."""

    _main: MainScreen
    _outlets: Outlets
    _dialogs: Dialogs

    def tell(self, words: str) -> None:
        self._main.say(words)

    def action_focus_next(self) -> None:
        """The next control."""
        super().action_focus_next()
        self._enter(1)

    def action_focus_previous(self) -> None:
        """The control before."""
        super().action_focus_previous()
        self._enter(-1)

    def _enter(self, step: int) -> None:
        # The start screen is painted without any form.
        from mqtttui.ui.widgets.form import Form

        if self.focused is not None and isinstance(form := self.focused.parent, Form):
            form.enter(step)

    def action_show_pane(self, name: str) -> None:
        """Go to a pane or view."""
        self._main.show_pane(name)

    def action_edit_filter(self) -> None:
        """Type a filter."""
        self._main.edit_filter()

    def action_saved_filters(self) -> None:
        """Choose a saved or earlier filter."""
        self._main.views.choose_filter()

    def action_toggle_drawer(self) -> None:
        """Show or fold the panes."""
        self._main.toggle_drawer()

    def action_leave_field(self) -> None:
        """Leave the field or the details."""
        self._main.leave_field()

    def action_help(self) -> None:
        """Keys."""
        self._dialogs.help()

    def action_apply_fix(self) -> None:
        """Apply the likely fix and try again."""
        if self._main.connection.apply_fix():
            self._main.notice(None)
        else:
            self._main.say("there is nothing to fix")

    def on_escaped_input_paste_refused(self, event: EscapedInput.PasteRefused) -> None:
        self._main.say(f"not pasted: {event.size:,} characters are too many for one line")

    def on_inspector_packet_opened(self) -> None:
        self._main.notice(None)

    def on_inspector_link_wanted(self, event: Inspector.LinkWanted) -> None:
        from mqtttui.ui.link_words import why_no_link

        log, pairs = self._main.parts.log, self._main.parts.pump.pairs
        number = (pairs.answer_of if event.forward else pairs.request_of)(event.number)
        if number is None:
            self._main.say(why_no_link(log, event.number, forward=event.forward))
        else:
            self._main.go_to(number)

    def on_inspector_copy_wanted(self, event: Inspector.CopyWanted) -> None:
        self._outlets.copy(event)

    def on_view_text_wanted(self, event: View.TextWanted) -> None:
        self._outlets.hand_out(event.text, plain=event.plain)

    def action_export(self) -> None:
        """Write packets to a file."""
        self._outlets.export()

    def action_record(self) -> None:
        """Begin a recording; end the one that runs."""
        self._outlets.record()
