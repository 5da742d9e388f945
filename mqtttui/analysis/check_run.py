"""One test run of a broker as values: its metrics, its sizes, and how it failed.

Every time is the difference of two monotonic stamps, taken where bytes are handed over to the socket or read from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from mqtttui.protocol.enums import ErrorClass


@dataclass(frozen=True, slots=True)
class Metric:
    """One time that a run measures."""

    key: str
    """`publish-qos1`: in JSON, in thresholds and in performance data."""
    label: str
    """For people."""
    family: str = ""
    """A threshold on this name counts for all metrics of the family."""


QOS = (0, 1, 2)

METRICS: tuple[Metric, ...] = (
    Metric("dns", "DNS"),
    Metric("unix", "Unix socket"),
    Metric("tcp", "TCP connect"),
    Metric("proxy", "proxy"),
    Metric("tls", "TLS"),
    Metric("websocket", "WebSocket (upgrade)"),
    Metric("connack", "CONNACK"),
    Metric("connected", "connected, from the start"),
    Metric("subscribe", "subscribe (SUBACK)"),
    Metric("first-message", "first message after SUBSCRIBE"),
    Metric("publish-qos0", "publish QoS 0 (handed over)", "publish"),
    Metric("publish-qos1", "publish QoS 1 (PUBACK)", "publish"),
    Metric("publish-qos2", "publish QoS 2 (PUBCOMP)", "publish"),
    Metric("publish-qos2-pubrec", "  to PUBREC"),
    Metric("publish-qos2-pubcomp", "  PUBREL to PUBCOMP"),
    Metric("latency-qos0", "end to end QoS 0", "latency"),
    Metric("latency-qos1", "end to end QoS 1", "latency"),
    Metric("latency-qos2", "end to end QoS 2", "latency"),
    Metric("unsubscribe", "unsubscribe (UNSUBACK)"),
    Metric("ping", "ping"),
    Metric("total", "total"),
)
"""In the order of a run."""

SIZES: tuple[tuple[str, str], ...] = (
    *((f"publish-size-qos{qos}", f"PUBLISH QoS {qos}") for qos in QOS),
    ("publish-payload", "  its payload"),
    ("subscribe-size", "first message received"),
    ("subscribe-payload", "  its payload"),
    ("subscribe-total", "all messages received"),
)
"""Key and label; bytes of MQTT, without TLS and TCP."""


class Depth(Enum):
    """How far a run goes before it disconnects."""

    CONNECT = "connect"
    """CONNECT and CONNACK; a ping."""
    SUBSCRIBE = "subscribe"
    """Also SUBSCRIBE, and what comes until the ping is answered; nothing is published."""
    PUBLISH = "publish"
    """Also a probe at each QoS."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does."""

    topic: bytes
    """Of the probes; with `Depth.SUBSCRIBE` a filter."""
    depth: Depth = Depth.PUBLISH
    qos: tuple[int, ...] = QOS
    """Of the probes, rising."""
    timeout: float = 10.0
    """Seconds for dialing, and for each answer."""


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run failed. Texts are visible text."""

    kind: ErrorClass
    step: str
    """`resolve`, `tcp`, `tls`, `connack`, `SUBACK`, `PUBACK`, `probe QoS 1` …: what was waited for."""
    title: str
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One test run. A metric that does not exist (no TLS, an address instead of a name, not reached) is not in `times`."""

    number: int
    wall: int
    """When it began, wall-clock ns."""
    times: Mapping[str, int] = field(default_factory=dict)
    """Key of METRICS -> ns."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Key of SIZES -> bytes."""
    error: RunError | None = None
    skipped: Sequence[str] = ()
    """What was left out and why: `QoS 2: the broker allows QoS 1 at most`."""
