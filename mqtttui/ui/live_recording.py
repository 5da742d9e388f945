"""The recording of a running application: started from the command line or by a key, and what is to be said of it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from mqtttui.analysis.pump import Pump
from mqtttui.capture.log import Log
from mqtttui.config.recording import RecordOptions
from mqtttui.export.units import size
from mqtttui.text import visible

if TYPE_CHECKING:
    from mqtttui.export.recording import Recording

_LOOK_SECONDS = 0.05


class LiveRecording:
    """At most one recording at a time. All texts that it gives are visible text."""

    def __init__(self, log: Log, pump: Pump) -> None:
        self._log = log
        self._pump = pump
        self._said = ""
        self.recording: Recording | None = None

    def start(self, options: RecordOptions, *, after: int = 0) -> str:
        """Records what comes behind packet `after`; gives why not, or an empty string."""
        from mqtttui.export.recording import Recording, Ring

        try:
            ring = Ring(*options.ring) if options.ring is not None else None
            made = Recording(self._log, options.path, ring=ring, force=options.force, mask=not options.secrets, after=after)
        except OSError as error:
            name = error.filename if isinstance(error.filename, str) else options.path
            return f"{visible(os.fsencode(name))} cannot be written: {visible(error.strerror or str(error))}"
        self.stop()
        self.recording = made
        self._pump.add(made)
        return ""

    def unsaved(self, kept: int) -> int:
        """How many of the `kept` packets are in no file."""
        return kept if self.recording is None else min(kept, self.recording.unwritten)

    def news(self) -> str | None:
        """A problem that has come up since the question before, an empty string when it is over, None when nothing changed."""
        problem = self.recording.problem if self.recording is not None else ""
        if problem == self._said:
            return None
        self._said = problem
        return problem

    @property
    def name(self) -> str:
        """The file that is written now, visible text; empty without a recording."""
        return self.recording.name if self.recording is not None else ""

    @property
    def status(self) -> tuple[str, str]:
        """How much is in the file, and why nothing gets there; empty without a recording."""
        return (size(self.recording.bytes), self.recording.problem) if self.recording is not None else ("", "")

    async def finish(self) -> str:
        """As `stop`, but what waits is written first while the screen lives."""
        from mqtttui.export.recording import CLOSE_SECONDS

        made = self.recording
        for _ in range(round(CLOSE_SECONDS / _LOOK_SECONDS)):
            if made is None or made.problem or not made.unwritten:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        return self.stop()

    def stop(self) -> str:
        """Ends the recording; gives what is in the file, and empty if there was none. Waits for a slow disk, but not for long."""
        from mqtttui.export.recording import CLOSE_SECONDS

        made, self.recording = self.recording, None
        if made is None:
            return ""
        self._pump.remove(made)
        whole = made.close(CLOSE_SECONDS)
        missing = "" if whole else f"; {made.unwritten:,} packets are missing"
        return f"{made.packets:,} packets, {size(made.bytes)} in {made.name}{missing}"
