"""Check a broker: test runs without a screen, told as a monitor and a person read them."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

from mqtttui.analysis.check_run import Run
from mqtttui.analysis.check_statistics import Report
from mqtttui.analysis.check_thresholds import judge
from mqtttui.client.checking import check_all
from mqtttui.config.check import CheckJob
from mqtttui.export.units import duration
from mqtttui.headless.check_report import json_report, text_report
from mqtttui.headless.voice import Voice

STATUSES = """\
Exit status, as Nagios-like monitors read it: 0 ok, 1 warning, 2 critical, 3 unknown (something given cannot be used, or it was
interrupted before a run had ended). The first line is in their form, with performance data behind the bar.

Times are those between the packets as they pass the socket. Names for --warn and --critical: dns, unix, tcp, proxy, tls,
websocket, connack, connected, subscribe, first-message, publish (or publish-qos0, -qos1, -qos2, -qos2-pubrec, -qos2-pubcomp),
latency (or latency-qos0, -qos1, -qos2), unsubscribe, ping, total, availability."""


def run(job: CheckJob) -> int:
    """Runs it, prints the report on standard output, and gives the exit status."""
    report = Report(asyncio.run(_Checks(job).run()))
    verdict = judge(report, job.thresholds)
    print(json_report(job, report, verdict) if job.json else text_report(job, report, verdict))
    return int(verdict.status)


class _Checks:
    """The runs, one after the other, until there are enough or a signal comes."""

    def __init__(self, job: CheckJob) -> None:
        self._job = job
        self._voice = Voice("check")
        self._runs: list[Run] = []

    async def run(self) -> list[Run]:
        """Those that ended by themselves."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(check_all(self._job, self._runs.append, self._progress), name="check")
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task
        self._voice.clear()
        return self._runs

    def _progress(self, number: int, text: str) -> None:
        latest = self._runs[-1] if self._runs else None
        parts = [f"run {number} of {self._job.count}"]
        if latest is not None:
            failed = sum(each.error is not None for each in self._runs)
            total = latest.times.get("total")
            parts += [f"{failed} failed"] if failed else []
            parts += [f"the last one took {duration(total)}"] if total is not None else []
        self._voice.progress("  ".join([*parts, text]))
