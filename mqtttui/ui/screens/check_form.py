"""What a test run shall do: how far, on which topic, how often."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from mqtttui.analysis.check_run import QOS, Depth, Plan
from mqtttui.config.check import CheckJob, beside
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.topics import check_filter, check_topic
from mqtttui.text import shorten, visible
from mqtttui.ui.forms.rows import FormError, Kind, Row, as_number, parse_bytes, parse_number, parse_seconds
from mqtttui.ui.screens.form_dialog import GO, FormDialog

_TOPIC, _DEPTH, _QOS, _COUNT, _INTERVAL, _TIMEOUT = "topic", "depth", "qos", "count", "interval", "timeout"
_MOST = 10_000
_DEPTHS = {
    "publish a probe": Depth.PUBLISH,
    "subscribe only": Depth.SUBSCRIBE,
    "connect only": Depth.CONNECT,
}
_QOS_CHOICES = {"0, 1 and 2": QOS, "0 and 1": (0, 1), "only 0": (0,), "only 1": (1,), "only 2": (2,)}


class CheckForm(FormDialog[CheckJob]):
    """Asks for a test run of one broker."""

    def __init__(self, options: ConnectOptions, before: CheckJob | None) -> None:
        """`options`: how one connects; `before`: the job before this one."""
        super().__init__(
            f"Test run: how long does {shorten(visible(options.url), 60)} take",
            "Enter in Topic or ctrl+s begins; ctrl+c stops it. Esc leaves",
        )
        self._options = beside(options, f"mqtttui-test-{secrets.token_hex(4)}")
        plan = before.plan if before is not None else Plan(b"")
        self._topic = visible(plan.topic) or f"mqtttui/check/{secrets.token_hex(8)}"
        self._depth = next((name for name, depth in _DEPTHS.items() if depth is plan.depth), next(iter(_DEPTHS)))
        self._qos = next((name for name, qos in _QOS_CHOICES.items() if qos == plan.qos), next(iter(_QOS_CHOICES)))
        self._count = str(before.count if before is not None else 5)
        self._interval = as_number(before.interval if before is not None else 1.0)
        self._timeout = as_number(plan.timeout)

    def rows(self) -> Sequence[Row]:
        connect = self._options.connect
        depth = _DEPTHS[self._depth]
        subscribes = depth is Depth.SUBSCRIBE
        helps = "not used: connect only" if depth is Depth.CONNECT else "may this client publish and subscribe there?"
        probes = [Row(_QOS, "Probes at QoS", Kind.CHOICE, self._qos, tuple(_QOS_CHOICES))] if depth is Depth.PUBLISH else []
        return [
            Row(_TOPIC, "Filter" if subscribes else "Topic", value=self._topic, help=helps),
            Row(_DEPTH, "How far", Kind.CHOICE, self._depth, tuple(_DEPTHS)),
            *probes,
            Row(_COUNT, "Runs", value=self._count, width=10),
            Row(_INTERVAL, "Apart", value=self._interval, unit="s", width=10, help="from the start of a run to that of the next one"),
            Row(_TIMEOUT, "Time-out", value=self._timeout, unit="s", width=10, help="for connecting, and for each answer"),
            Row("own", f"as {visible(connect.client_id)}: a clean session beside yours, no will", Kind.NOTE),
            Row(GO, "Begin", Kind.ACTION),
        ]

    def change(self, row: str, value: str) -> None:
        match row:
            case "topic":
                self._topic = value
            case "depth":
                self._depth = value
            case "qos":
                self._qos = value
            case "count":
                self._count = value
            case "interval":
                self._interval = value
            case _:
                self._timeout = value

    def value(self) -> CheckJob:
        depth, version = _DEPTHS[self._depth], self._options.connect.version
        topic = parse_bytes(self._topic, _TOPIC) if depth is not Depth.CONNECT else b""
        problem = check_filter(topic, version) if depth is Depth.SUBSCRIBE else check_topic(topic, version)
        if problem and depth is not Depth.CONNECT:
            raise FormError(_TOPIC, problem)
        plan = Plan(topic, depth, _QOS_CHOICES[self._qos], parse_seconds(self._timeout, _TIMEOUT))
        count = parse_number(self._count, _COUNT, 1, _MOST)
        interval = 0.0 if self._interval.strip() == "0" else parse_seconds(self._interval, _INTERVAL)
        return CheckJob(self._options, plan, count, interval)
