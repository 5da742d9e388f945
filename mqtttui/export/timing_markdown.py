"""Round trips and test runs as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mqtttui.analysis.check_statistics import Summary
from mqtttui.analysis.trips import Trip
from mqtttui.export.markdown import plain
from mqtttui.export.units import duration
from mqtttui.protocol.enums import Direction

STATISTICS = ("n", "min", "median", "p95", "max")
ANSWERS = {Direction.C2S: "broker", Direction.S2C: "client"}
"""Who answers what this side asked."""


def timing_markdown(title: str, said: str, times: Mapping[tuple[Trip, Direction], Summary], facts: Sequence[tuple[str, str]]) -> str:
    """`title` and the sentence `said`, the round trips as a table, and what else is known, by name."""
    parts = [f"**{plain(title)}**: {plain(said)}"]
    if times:
        rows = [[trip.value.strip(), ANSWERS[waited], *statistics(summary)] for (trip, waited), summary in times.items()]
        parts.append(table(("round trip", "answered by", *STATISTICS), rows))
    parts.append("\n".join(f"- {name}: {plain(text)}" for name, text in facts))
    return "\n\n".join(part for part in parts if part) + "\n"


def statistics(summary: Summary) -> list[str]:
    """Number, least, median, 95th percentile and greatest, of times."""
    return [f"{summary.count:,}", *(duration(round(each)) for each in (summary.minimum, summary.median, summary.p95, summary.maximum))]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, numbers stand right. Cells are made harmless."""
    rule = ["---", *("--:" for _ in heads[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *([plain(cell) for cell in row] for row in rows)))
