"""What a packet has to do with others, as one more branch of its tree: links, times, and findings that need its conversation."""

from __future__ import annotations

from dataclasses import replace

from mqtttui.analysis.links import linked_fields
from mqtttui.analysis.pump import Pump
from mqtttui.capture.log import Log
from mqtttui.protocol.fields import Dissection, Field, Note

LINKS = frozenset({"mqtttui.request_in", "mqtttui.response_in", "mqtttui.first_in"})
"""Fields whose value is the number of another packet: Enter goes there."""


def with_related(dissection: Dissection, no: int, log: Log, pump: Pump) -> Dissection:
    """`dissection` of packet `no` with a last branch `Conversation`, if there is anything to say."""
    fields = linked_fields(no, log, pump.pairs, pump.operations)
    notes = tuple(
        Note(finding.id, finding.severity, finding.statement, _sentence(finding.text, finding.related), finding.start, finding.end)
        for finding in sorted(pump.findings.beyond(no, dissection), key=lambda finding: -finding.severity)
    )
    if not fields and not notes:
        return dissection
    branch = Field(
        "Conversation",
        "",
        0,
        0,
        None,
        "",
        explanation="what this packet answers, what answers it, and what is found in both together",
        generated=True,
        children=fields,
        notes=notes,
    )
    return replace(dissection, fields=(*dissection.fields, branch))


def _sentence(text: str, related: tuple[int, ...]) -> str:
    numbers = ", ".join(f"#{number:,}" for number in related[:4])
    return f"{text} See {numbers}{' …' if len(related) > 4 else ''}." if numbers and numbers not in text else text
