"""The steps of connecting, with their times."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from mqtttui.client.events import Step, StepStatus, Try
from mqtttui.config.options import ConnectOptions
from mqtttui.text import shorten

_DETAIL_CHARACTERS = 400


def step_names(options: ConnectOptions) -> tuple[str, ...]:
    """The steps that such an attempt has, in their order."""
    if options.unix_path:
        return ("unix", "connect", "connack")
    proxy = ("proxy",) if options.proxy is not None else ()
    websocket = ("websocket",) if options.websocket is not None else ()
    return ("resolve", "tcp", *proxy, "tls", *websocket, "connect", "connack")


class Steps:
    """The steps of one attempt, in their order; tells every change."""

    def __init__(self, names: tuple[str, ...], changed: Callable[[tuple[Step, ...]], None]) -> None:
        self._changed = changed
        self._steps = {name: Step(name) for name in names}

    def start(self, name: str, detail: str = "", began: int | None = None) -> None:
        """`name` begins; `began` in monotonic ns, now unless given."""
        self._set(name, status=StepStatus.RUNNING, started=began or time.monotonic_ns(), detail=detail)

    def note(self, name: str, detail: str) -> None:
        """A new detail for a step, whatever its status."""
        self._set(name, detail=detail)

    def begin_try(self, name: str, address: str) -> None:
        """One more address is tried within a step."""
        self._set(name, tries=(*self._steps[name].tries, Try(address, time.monotonic_ns())))

    def end_try(self, name: str, error: str = "", ended: int | None = None) -> None:
        """The latest try worked, or failed with `error`."""
        *before, last = self._steps[name].tries
        self._set(name, tries=(*before, replace(last, ended=ended or time.monotonic_ns(), error=error)))

    def done(self, name: str, detail: str = "", ended: int | None = None, tried: int | None = None) -> None:
        """`name` worked; `ended` in monotonic ns, now unless given; `tried`: when what worked began, if not with the step."""
        ended = ended or time.monotonic_ns()
        self._set(name, status=StepStatus.DONE, ended=ended, detail=detail or self._steps[name].detail, tried=tried)

    def skip(self, name: str, detail: str = "") -> None:
        """`name` is not needed."""
        self._set(name, status=StepStatus.SKIPPED, detail=detail)

    def fail(self, name: str, detail: str) -> None:
        """`name` failed; the steps after it are never reached."""
        step = self._steps[name]
        now = time.monotonic_ns()
        self._set(name, status=StepStatus.FAILED, started=step.started or now, ended=now, detail=detail)

    @property
    def running(self) -> str:
        """The step under way, empty between steps."""
        return next((name for name, step in self._steps.items() if step.status is StepStatus.RUNNING), "")

    @property
    def all(self) -> tuple[Step, ...]:
        """The steps as they stand."""
        return tuple(self._steps.values())

    def _set(self, name: str, **changes: object) -> None:
        if isinstance(detail := changes.get("detail"), str):
            changes["detail"] = shorten(detail, _DETAIL_CHARACTERS)
        self._steps[name] = replace(self._steps[name], **changes)  # type: ignore[arg-type]
        self._changed(self.all)
