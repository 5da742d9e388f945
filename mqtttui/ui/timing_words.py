"""What the timing view says in words: who takes the time, how the keep-alive, the TCP and the rates stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mqtttui.analysis.check_statistics import Summary
from mqtttui.analysis.rates import SPANS, Flow
from mqtttui.analysis.timing import KeepAlive
from mqtttui.client.events import TcpMeasured
from mqtttui.export.units import count_bytes, duration, size

GOOD, LATE, BAD = range(3)
_LEVELS = "▁▂▃▄▅▆▇█"
_SECOND = 1_000_000_000
_SILENT_NS = 2 * _SECOND
"""A ping that waits longer is worth a sentence."""
_RATE = 17
_OUTLIER = 4
_FIRST = 8


class Said(NamedTuple):
    """A sentence, and how bad it is."""

    text: str
    alarm: int = GOOD


class Standing(NamedTuple):
    """What is known of the connection that is shown."""

    probe: Summary | None
    """The round trips that tell most of the broker: those of its client's pings, or else of other small packets."""
    name: str
    """What these are: `a ping`."""
    waiting_ns: int | None
    """How long the oldest unanswered ping has waited; None if there is none."""
    tcp: TcpMeasured | None
    """The latest look, while it is open."""
    proxied: bool
    """The TCP leads to a proxy."""
    why_no_tcp: str
    """Why there is nothing to say of TCP."""


def verdict(standing: Standing) -> Said:
    """Who takes the time, in one sentence."""
    tcp, probe = standing.tcp, standing.probe
    other = "proxy" if standing.proxied else "network"
    if tcp is not None and tcp.info.backoff:
        times = "once" if tcp.info.backoff == 1 else f"{tcp.info.backoff} times in a row"
        return Said(f"The {other} does not answer: what left last was sent again {times}.", BAD)
    if tcp is not None and (stuck := (tcp.info.unsent or 0) + tcp.waiting):
        taker = "proxy or the network to it" if standing.proxied else "broker or the network"
        return Said(f"{count_bytes(stuck)} wait to be sent: the {taker} takes no more for now.", LATE)
    if standing.waiting_ns is not None and standing.waiting_ns >= _SILENT_NS:
        waited = duration(standing.waiting_ns)
        if tcp is not None and not tcp.info.unacknowledged:
            silent = "what is behind it" if standing.proxied else "the broker"
            return Said(f"A ping has waited for {waited}: the {other} took it, {silent} does not answer.", BAD)
        return Said(f"A ping has waited for {waited}.", BAD)
    if probe is None:
        return _without_probe(standing)
    many = f"median of {probe.count:,}" if probe.count > 1 else "only one"
    whole = f"{duration(round(probe.median))} ({many})"
    name = standing.name[:1].upper() + standing.name[1:]
    if tcp is None:
        return Said(f"{name} takes {whole}; the shares of network and broker are not known: {standing.why_no_tcp}.")
    network = tcp.info.rtt_ns if tcp.info.shortest_ns is None else tcp.info.shortest_ns
    rest = round(probe.median) - network
    way, behind = ("the way to the proxy", "what is behind it") if standing.proxied else ("the network", "the broker")
    if rest <= network // 10:
        return Said(f"{name} takes {whole}, no longer than {way}: {behind} answers at once.")
    return Said(f"{name} takes {whole}: {way} {duration(network)}, {behind} {duration(rest)}.")


def _without_probe(standing: Standing) -> Said:
    if standing.tcp is None:
        return Said("Nothing was answered so far.")
    network = standing.tcp.info.rtt_ns if standing.tcp.info.shortest_ns is None else standing.tcp.info.shortest_ns
    way, behind = ("way to the proxy", "the share of what is behind it") if standing.proxied else ("network", "the broker's share")
    return Said(f"The {way} takes {duration(network)}; a ping (c, then p) shows {behind}.")


def keep_alive_words(stand: KeepAlive | None, *, open_now: bool = True) -> Said:
    """`60 s · silent 12 s, may be cut in 78 s · spare 6.0 s at worst`; of a connection that is over, only what it was."""
    if stand is None:
        return Said("no CONNECT seen")
    if not stand.seconds:
        silent = f" · silent {duration(stand.silent)}" if open_now else ""
        return Said(f"off: a dead link is noticed only when something is sent{silent}")
    left = f"may be cut in {duration(stand.left)}" if stand.left >= 0 else f"may be cut since {duration(-stand.left)}"
    spare = f"spare {duration(stand.margin)}" if stand.margin >= 0 else f"late by {duration(-stand.margin)}"
    if not open_now:
        return Said(f"{stand.seconds:,} s · {spare} at worst", LATE if stand.margin < 0 else GOOD)
    alarm = BAD if stand.left < 0 else LATE if stand.margin < 0 else GOOD
    return Said(f"{stand.seconds:,} s · silent {duration(stand.silent)}, {left} · {spare} at worst", alarm)


def tcp_words(samples: Sequence[TcpMeasured], *, proxied: bool) -> Said:
    """`0.31 ms ± 0.05 ms, shortest 0.20 ms · sent again 0 · unsent 0 B`."""
    sample = samples[-1]
    info = sample.info
    shortest = f", shortest {duration(info.shortest_ns)}" if info.shortest_ns is not None else ""
    unsent = size((info.unsent or 0) + sample.waiting) if info.unsent is not None else f"{size(sample.waiting)} or more"
    again = info.retransmitted
    lately = again - samples[0].info.retransmitted
    which = "to the proxy: " if proxied else ""
    text = f"{which}{duration(info.rtt_ns)} ± {duration(info.variation_ns)}{shortest} · sent again {again:,} · unsent {unsent}"
    return Said(text, LATE if lately or info.backoff or (info.unsent or 0) + sample.waiting else GOOD)


def rate_lines(out: Flow, back: Flow, now: int) -> list[str]:
    """A head, and a line for each direction: packets and bytes a second over each span, and all that passed."""
    heads = [*(f"{seconds} s" for seconds in SPANS), "in all"]
    lines = [" " * _FIRST + "".join(head.rjust(_RATE) for head in heads)]
    for name, flow in (("▼ in", back), ("▲ out", out)):
        cells = []
        for seconds in SPANS:
            rate = flow.rate(now, seconds)
            cells.append(f"{_number(rate.packets)}/s {size(round(rate.bytes))}/s")
        cells.append(f"{flow.packets:,} {size(flow.bytes)}")
        lines.append(name.ljust(_FIRST) + "".join(cell.rjust(_RATE) for cell in cells))
    return lines


def spark(values: Sequence[int], cells: int) -> str:
    """The latest `cells` values as bars, the highest one full."""
    shown = values[-cells:] if cells > 0 else ()
    top = max(shown, default=0)
    return "".join(_LEVELS[min(len(_LEVELS) - 1, value * len(_LEVELS) // (top + 1))] if top else _LEVELS[0] for value in shown)


def full(summaries: Sequence[Summary]) -> int:
    """What a full bar stands for: the largest 95th percentile, but no outlier makes all medians invisible."""
    p95 = max((summary.p95 for summary in summaries), default=0)
    return min(p95, max((round(summary.median * _OUTLIER) for summary in summaries), default=0))


def bar(median: float, p95: int, largest: int, cells: int) -> tuple[str, str]:
    """Up to the median, and on to the 95th percentile. The last cell stays free, so that a full bar is seen to end."""
    cells -= 1
    if largest <= 0 or cells <= 0:
        return "", ""
    first = min(cells, max(1, round(median / largest * cells)))
    return "█" * first, "░" * max(0, min(cells, round(p95 / largest * cells)) - first)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.1f}"
