"""The test runs of this session of the application, the latest ones kept, so that two can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mqtttui.analysis.check_run import Run
from mqtttui.analysis.check_statistics import Report
from mqtttui.client.events import CheckEvent, CheckOver, CheckProgress, CheckRan
from mqtttui.config.check import CheckJob

KEPT = 20


@dataclass(slots=True)
class Checked:
    """One test run, or the one that is under way."""

    token: int
    job: CheckJob
    wall: int
    """When it was begun, wall-clock ns."""
    runs: list[Run] = field(default_factory=list)
    number: int = 1
    """Of the run that is under way."""
    waits: str = ""
    """What for; empty when it is over."""
    over: bool = False
    stopped: bool = False
    report: Report = field(default_factory=lambda: Report(()))
    """What was measured so far."""

    def ran(self, run: Run) -> None:
        """One run more."""
        self.runs.append(run)
        self.report = Report(self.runs)


class CheckRuns:
    """The store. `revision` grows with every change."""

    def __init__(self) -> None:
        self._kept: dict[int, Checked] = {}
        self._token = 0
        self.revision = 0

    @property
    def all(self) -> Sequence[Checked]:
        """Newest first."""
        return list(reversed(self._kept.values()))

    @property
    def running(self) -> Checked | None:
        """The one that is under way."""
        return next((each for each in self.all if not each.over), None)

    def begin(self, job: CheckJob, wall: int) -> Checked:
        """One more; the oldest goes if there are too many."""
        self._token += 1
        self.revision += 1
        made = self._kept[self._token] = Checked(self._token, job, wall, waits="begins")
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return made

    def take(self, event: CheckEvent) -> None:
        """What the client tells."""
        kept = self._kept.get(event.token)
        if kept is None:
            return
        self.revision += 1
        match event:
            case CheckProgress(number=number, text=text):
                kept.number, kept.waits = number, text
            case CheckRan(run=run):
                kept.ran(run)
            case CheckOver(stopped=stopped):
                kept.over, kept.stopped, kept.waits = True, stopped, ""
