"""What `mqtttui check` is asked: how often, how far, on which topic, within which limits."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mqtttui.analysis.check_run import METRICS, QOS, Depth, Plan
from mqtttui.analysis.check_thresholds import AVAILABILITY, FAMILIES, Thresholds
from mqtttui.config.arguments import Option
from mqtttui.config.errors import ConfigError
from mqtttui.config.options import ConnectOptions, ReconnectOptions
from mqtttui.config.recording import whole_number
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.topics import check_filter, check_topic
from mqtttui.text import shorten, visible

CHECK = "Check"
CHECK_OPTIONS = (
    Option(("-t", "--topic"), "TOPIC", "topic of the probes (mqtttui/check/ and a random name); with --subscribe-only a filter", CHECK),
    Option(("-q", "--qos"), "LIST", "QoS of the probes, such as 0,1 for a broker that closes at QoS 2 (0,1,2)", CHECK),
    Option(("--connect-only",), "", "neither subscribe nor publish", CHECK),
    Option(("--subscribe-only",), "", "subscribe to -t, and publish nothing", CHECK),
    Option(("-C", "--count"), "NUMBER", "so many runs (1)", CHECK),
    Option(("--interval",), "SECONDS", "from the start of a run to that of the next one (1)", CHECK),
    Option(("--timeout",), "SECONDS", "for name lookup, TCP and TLS together, and for each answer (10)", CHECK),
    Option(
        ("--warn",),
        "NAME=LIMIT",
        "warning above this, e.g. publish=50ms, total=2s; availability=99% below it. Of several runs the 95th percentile counts",
        CHECK,
        repeat=True,
    ),
    Option(
        ("--critical",),
        "NAME=LIMIT",
        "critical above this, availability below it; without that one a failed run is critical",
        CHECK,
        repeat=True,
    ),
    Option(("--json",), "", "print one JSON object", CHECK),
)

_NEEDS: Mapping[str, frozenset[Depth]] = {
    metric.key: frozenset({Depth.PUBLISH})
    if metric.key.startswith(("publish", "latency"))
    else frozenset({Depth.PUBLISH, Depth.SUBSCRIBE})
    if metric.key in ("subscribe", "first-message", "unsubscribe")
    else frozenset(Depth)
    for metric in METRICS
}
_TIME = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(us|µs|ms|s|min)")
_UNITS = {"us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9}
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%")
_SECONDS = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class CheckJob:
    """What to check."""

    options: ConnectOptions
    plan: Plan
    count: int = 1
    interval: float = 1.0
    """Seconds from the start of a run to that of the next one."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    json: bool = False


def beside(options: ConnectOptions, client_id: str) -> ConnectOptions:
    """The same way into the broker for a test run beside the connection that `options` are of: nobody is sent off, nothing stays.

    With a client id of its own, a clean session that ends with the connection, and without will.
    """
    connect = options.connect
    properties = tuple(item for item in connect.properties if item.id != PropertyId.SESSION_EXPIRY_INTERVAL)
    own = replace(connect, client_id=client_id, clean=True, will=None, flags=None, properties=properties)
    return replace(options, connect=own, reconnect=ReconnectOptions())


def check_job(
    options: ConnectOptions, values: Mapping[str, str], topics: Sequence[tuple[str, str]], limits: Sequence[tuple[str, str]], topic: str
) -> CheckJob:
    """What the options say: `values` by key, `topics` as (label, topic), `limits` as (`warn` or `critical`, text).

    `topic` is that of the probes if none is given. Raises ConfigError.
    """
    if "connect-only" in values and "subscribe-only" in values:
        raise ConfigError("--subscribe-only: --connect-only says something else", hint="give one of the two")
    depth = Depth.CONNECT if "connect-only" in values else Depth.SUBSCRIBE if "subscribe-only" in values else Depth.PUBLISH
    plan = Plan(
        _topic(topics, depth, options.connect.version, topic),
        depth,
        _qos(values["qos"]) if "qos" in values else QOS,
        _seconds(values["timeout"], "--timeout") if "timeout" in values else 10.0,
    )
    if plan.timeout == 0:
        raise ConfigError("--timeout: 0 seconds are too few", hint="write seconds, such as 10 or 0.5")
    thresholds = Thresholds()
    for key, text in limits:
        thresholds = _with_limit(thresholds, key, text, depth)
    return CheckJob(
        options,
        plan,
        whole_number(values["count"], "--count") if "count" in values else 1,
        _seconds(values["interval"], "--interval") if "interval" in values else 1.0,
        thresholds,
        "json" in values,
    )


def _topic(topics: Sequence[tuple[str, str]], depth: Depth, version: Version, default: str) -> bytes:
    if not topics:
        if depth is Depth.SUBSCRIBE:
            raise ConfigError("--subscribe-only: there is nothing to subscribe to", hint="add -t FILTER")
        return default.encode()
    if len(topics) > 1:
        raise ConfigError(f"{topics[1][0]}: {topics[0][0]} has a topic already", hint="give one topic")
    (label, text), *_ = topics
    shown = f"{label}: '{shorten(visible(text), 60)}'"
    if depth is Depth.SUBSCRIBE:
        if problem := check_filter(text, version):
            raise ConfigError(f"{shown} is no topic filter", problem)
    elif problem := check_topic(text, version):
        raise ConfigError(f"{shown} is no topic for a probe", problem, hint="name a topic of its own; --subscribe-only takes filters")
    return text.encode("utf-8", "surrogateescape")


def _qos(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part in ("0", "1", "2") for part in parts):
        raise ConfigError(f"--qos: '{shorten(visible(text), 40)}' is no list of QoS", hint="write 0, 0,1 or 0,1,2")
    return tuple(sorted({int(part) for part in parts}))


def _seconds(text: str, label: str) -> float:
    if not _SECONDS.fullmatch(text):
        raise ConfigError(f"{label}: '{shorten(visible(text), 40)}' is no number of seconds", hint="write seconds, such as 10 or 0.5")
    return float(text)


def _with_limit(thresholds: Thresholds, key: str, text: str, depth: Depth) -> Thresholds:
    """`thresholds` with one more of `NAME=LIMIT`. Raises ConfigError."""
    name, _, limit = text.partition("=")
    shown = f"--{key}: '{shorten(visible(text), 60)}'"
    if name == AVAILABILITY:
        match = _PERCENT.fullmatch(limit)
        if match is None or float(match[1]) > 100:
            raise ConfigError(f"{shown} has no percentage", hint=f"write {AVAILABILITY}=99.5%")
        percent = float(match[1])
        return replace(thresholds, available_warning=percent) if key == "warn" else replace(thresholds, available_critical=percent)
    if name not in FAMILIES:
        near = difflib.get_close_matches(name, [*FAMILIES, AVAILABILITY], n=1)
        hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(FAMILIES)}, {AVAILABILITY}"
        raise ConfigError(f"{shown} names nothing that is measured", hint=hint)
    match = _TIME.fullmatch(limit)
    if match is None:
        raise ConfigError(f"{shown} has no time", hint=f"write {name}=50ms, {name}=1.5s")
    if not any(depth in _NEEDS[metric] for metric in FAMILIES[name]):
        raise ConfigError(f"{shown} is not measured with --{depth.value}-only", hint="leave out one of the two")
    value = round(float(match[1]) * _UNITS[match[2]])
    if key == "warn":
        return replace(thresholds, warning={**thresholds.warning, name: value})
    return replace(thresholds, critical={**thresholds.critical, name: value})
