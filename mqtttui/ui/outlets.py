"""What leaves the application because the person wants it: copies, plain prints, exports, recordings."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from textual.content import Content

from mqtttui.capture.log import Evicted, Origin
from mqtttui.config.recording import RecordOptions
from mqtttui.text import visible
from mqtttui.ui import clipboard, notices
from mqtttui.ui.background import in_thread
from mqtttui.ui.content import count_bytes
from mqtttui.ui.copying import TO_FILE, Copyable, copyables
from mqtttui.ui.exporting import Exporting
from mqtttui.ui.field_filters import equals, of_packet
from mqtttui.ui.file_names import proposed
from mqtttui.ui.live_recording import LiveRecording
from mqtttui.ui.panes.inspector import Inspector
from mqtttui.ui.plain_print import print_plainly
from mqtttui.ui.screens.line_prompt import LinePrompt
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.screens.menu import Choice, Menu
from mqtttui.ui.views import Parts

_PAYLOAD_FILE = "payload.bin"


class Outlets:
    """Copies and prints what is on the main screen."""

    def __init__(self, parts: Parts, main: MainScreen, recording: LiveRecording, *, ascii: bool = False) -> None:
        self._parts = parts
        self._main = main
        self._recording = recording
        self._exporting = Exporting(parts, main.say, main.notice, self._in_use)
        self.opened = ""
        """The capture that is shown; empty for none."""
        self._ascii = ascii

    def copy(self, event: Inspector.CopyWanted) -> None:
        """Ask what of a packet to copy, or to print on the plain terminal."""
        log, number = self._parts.log, event.number
        filter_text = ""
        try:
            field = event.field
            filter_text = equals(field, log, number) if field is not None else of_packet(log, self._parts.pump.pairs, number)
        except Evicted:
            pass
        things = copyables(log, number, event.dissection, event.field, filter_text)
        if event.plain:
            things = [thing for thing in things if thing.id != TO_FILE]
        choices = [Choice(thing.key, thing.label, thing.key, thing.detail) for thing in things]
        title = Content(f"{'Print' if event.plain else 'Copy'} of packet {number:,}")
        self._main.app.push_screen(Menu(title, choices), partial(self._chosen, things, event.plain))

    def _chosen(self, things: list[Copyable], plain: bool, key: str | None) -> None:
        thing = next((thing for thing in things if thing.key == key), None)
        if thing is None:
            return
        if thing.id == TO_FILE:
            self._ask_for_file(thing)
        else:
            # Leaving the screen takes as long as the person likes: not within the menu's own end.
            self._main.run_worker(self._make(thing, plain), group="copy", exclusive=True)

    async def _make(self, thing: Copyable, plain: bool) -> None:
        text, remark = await in_thread(thing.text)
        await self._hand_out(text, plain, remark)

    def hand_out(self, text: str, *, plain: bool) -> None:
        """Copy a text that is ready, or print it on the plain terminal."""
        self._main.run_worker(self._hand_out(text, plain), group="copy", exclusive=True)

    async def give_out(self, text: str, plain: bool) -> str:
        """Copy a text, or print it on the plain terminal; gives one line that says where it went."""
        app = self._main.app
        return await (print_plainly(app, text, ascii=self._ascii) if plain else clipboard.copy(text, app.copy_to_clipboard))

    async def _hand_out(self, text: str, plain: bool, remark: str = "") -> None:
        said = await self.give_out(text, plain)
        self._main.say(said + (f" ({remark})" if remark else ""))

    def _ask_for_file(self, thing: Copyable) -> None:
        def run(name: str | None) -> None:
            if name:
                self._main.run_worker(self._write(thing, Path(name).expanduser()), group="copy")

        prompt = LinePrompt(Content("Payload to a file"), "Enter writes it, Esc leaves", visible(_PAYLOAD_FILE), check=_free)
        self._main.app.push_screen(prompt, run)

    async def _write(self, thing: Copyable, path: Path) -> None:
        data = thing.make().data
        raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape")
        shown = visible(str(path))
        try:
            await in_thread(partial(_write_new, path, raw))
        except OSError as error:
            self._main.say(f"{shown} cannot be written: {error.strerror or error}")
        else:
            self._main.say(f"{count_bytes(len(raw))} written to {shown}")

    async def copy_selection(self) -> None:
        """Copy the selected text; without one, ask what of the packet to copy."""
        app = self._main.app
        selection = app.screen.get_selected_text()
        if selection:
            self._main.say(await clipboard.copy(selection, app.copy_to_clipboard))
        elif app.screen is not self._main:
            return
        elif self._main.inspector.dissection is not None:
            self._main.inspector.action_copy()
        else:
            self._main.say("nothing to copy; q quits")

    # Files

    def _in_use(self, path: str) -> str:
        """Why a file may not be overwritten; empty if it may."""
        recording = self._recording.recording
        if recording is not None and recording.writes(path):
            return "is being recorded to: choose another name, or end the recording (W)"
        return "is the capture that is open here: choose another name" if _same(self.opened, path) else ""

    def export(self, path: str = "") -> None:
        """Ask what to write where; `path` is visible text to begin with."""
        from mqtttui.ui.screens.export import Export, ExportPrompt, Which

        def run(wanted: Export | None) -> None:
            if wanted is not None:
                self._main.run_worker(self._exporting.run(wanted), group="export")

        which = Which.DISPLAYED if self._parts.filtering.active else Which.ALL
        self._main.app.push_screen(ExportPrompt(self._exporting.counts(), which, path), run)

    def record(self) -> None:
        """Ask where to record to; end the recording that runs."""
        from mqtttui.ui.screens.record import Record, RecordPrompt

        if self._recording.recording is not None:
            self._main.run_worker(self._end_recording(), group="record", exclusive=True)
            return

        def run(wanted: Record | None) -> None:
            if wanted is not None:
                self.begin_recording(wanted.options, kept=wanted.kept)

        self._main.app.push_screen(RecordPrompt(self._parts.log.kept), run)

    async def _end_recording(self) -> None:
        said = await self._recording.finish()
        self._show_recording()
        if said:
            self._main.say(f"recorded: {said}")

    def begin_recording(self, options: RecordOptions, *, kept: bool = False) -> None:
        """Record from now on, or with what is `kept`."""
        if why := self._begin(options, kept=kept):
            self._main.notice(notices.not_recorded(why))
        else:
            self._main.say(f"recording to {self._recording.name}; W ends it")

    def record_kept(self) -> str:
        """Begin a recording with what is kept, if there is none; gives what happened."""
        if self._recording.recording is not None:
            return ""
        if why := self._begin(RecordOptions(proposed(".pcapng")), kept=True):
            self._main.notice(notices.not_recorded(why))
            return "not recorded"
        return f"recording to {self._recording.name}"

    def _begin(self, options: RecordOptions, *, kept: bool) -> str:
        if options.ring is None and (why := self._in_use(options.path)):
            return f"{visible(os.fsencode(options.path))} {why}"
        why = self._recording.start(options, after=0 if kept else self._parts.log.last)
        self._show_recording()
        return why

    def _show_recording(self) -> None:
        self._main.status.recording = self._recording.status

    def look(self) -> None:
        """How the recording stands, and what is to be said of it."""
        self._show_recording()
        if (news := self._recording.news()) is not None:
            if news:
                self._main.notice(notices.not_recorded(news))
            else:
                self._main.say("the recording goes on")

    def unsaved(self, *, piped: bool = False) -> int:
        """How many packets are in no file: neither recorded nor exported with all others, nor read from one (but from a pipe)."""
        log = self._parts.log
        if not piped and all(info.origin is Origin.FILE for info in log.connections):
            return 0
        return min(self._recording.unsaved(log.kept), max(0, log.last - self._exporting.saved))

    def stop(self) -> bool:
        """Write the export no further. False if none was being written."""
        return self._exporting.stop()


def _same(one: str, other: str) -> bool:
    try:
        return bool(one and other) and os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def _free(name: str) -> str:
    if not name:
        return "a name is needed"
    return "there is a file of that name: choose another" if Path(name).expanduser().exists() else ""


def _write_new(path: Path, raw: bytes) -> None:
    with path.open("xb") as file:
        file.write(raw)
