"""Exports while the screen lives: in slices, with progress, to be stopped at any time."""

from __future__ import annotations

import asyncio
import os
import time
from array import array
from collections.abc import Callable, Sequence

from textual.content import Content

from mqtttui.export.remarks import remarks
from mqtttui.export.saving import Format, Saving
from mqtttui.text import visible
from mqtttui.ui import notices
from mqtttui.ui.content import grouped, size
from mqtttui.ui.screens.export import Export, Which
from mqtttui.ui.views import Parts

_SLICE_NS = 8_000_000
_TELL_NS = 400_000_000
_DISK_SECONDS = 0.01


class Exporting:
    """At most one export of a log at a time."""

    def __init__(
        self, parts: Parts, say: Callable[[str], object], notice: Callable[[Content], object], in_use: Callable[[str], str]
    ) -> None:
        """`in_use` gives why a file may not be overwritten, visible text."""
        self._in_use = in_use
        self._parts = parts
        self._say = say
        self._notice = notice
        self._saving: Saving | None = None
        self._stopped = False
        self.saved = 0
        """Every packet up to this No. that is kept is in a capture that was written."""

    @property
    def running(self) -> bool:
        """Something is being written."""
        return self._saving is not None

    def counts(self) -> dict[Which, int]:
        """How many packets there are of each kind."""
        view, log = self._parts.filtering.view, self._parts.log
        marked = sum(1 for no in self._parts.marks.numbers() if no in log)
        return {Which.ALL: log.kept, Which.DISPLAYED: view.matches if view is not None else log.kept, Which.MARKED: marked}

    def numbers(self, which: Which) -> Sequence[int]:
        """The packets of an export, rising."""
        view, log = self._parts.filtering.view, self._parts.log
        match which:
            case Which.MARKED:
                return [no for no in self._parts.marks.numbers() if no in log]
            case Which.DISPLAYED if view is not None:
                return array("Q", view.passing())
            case _:
                return array("Q", log.numbers())

    async def run(self, wanted: Export) -> None:
        """Write, and say what came of it."""
        if self.running:
            self._say("another export is being written; ctrl+c stops it")
            return
        parts = self._parts
        path = os.fspath(wanted.path)
        if why := self._in_use(path):
            self._notice(notices.not_written(f"{visible(os.fsencode(path))} {why}"))
            return
        comments = remarks(parts.log, parts.marks, parts.pump.findings, mask=wanted.mask)
        try:
            saving = Saving(
                parts.log, self.numbers(wanted.which), path, wanted.form, force=wanted.force, mask=wanted.mask, comments=comments
            )
        except OSError as error:
            self._notice(notices.not_written(f"{visible(os.fsencode(path))}: {visible(error.strerror or str(error))}"))
            return
        self._saving, self._stopped = saving, False
        last, over = parts.log.last, False
        try:
            over = await self._write(saving)
        finally:
            self._saving = None
            if not over:
                saving.cancel()
        if over and not saving.problem and wanted.which is Which.ALL and wanted.form in (Format.PCAPNG, Format.TCP):
            self.saved = last
        self._tell(saving, over)

    async def _write(self, saving: Saving) -> bool:
        """False if it was stopped."""
        told = time.monotonic_ns() + _TELL_NS
        while not self._stopped:
            began = time.monotonic_ns()
            if saving.advance(time.monotonic_ns, _SLICE_NS):
                return True
            if began > told:
                told = began + _TELL_NS
                self._say(f"writing: {grouped(saving.done)} of {grouped(saving.total)}; ctrl+c stops")
            # A slice that ended early waits for the disk.
            await asyncio.sleep(_DISK_SECONDS if time.monotonic_ns() - began < _SLICE_NS // 2 else 0)
        return False

    def _tell(self, saving: Saving, over: bool) -> None:
        if not over:
            self._say(f"stopped: {saving.name} {'is as it was before' if saving.overwrites else 'was taken away again'}")
        elif saving.problem:
            self._notice(notices.not_written(saving.problem))
        else:
            line = f"{grouped(saving.written)} packet{'' if saving.written == 1 else 's'}, {size(saving.bytes)} to {saving.name}"
            if saving.remarks:
                self._notice(notices.written(line, saving.remarks))
            else:
                self._say(line)

    def stop(self) -> bool:
        """Write no further. False if nothing was being written."""
        self._stopped = True
        return self.running
