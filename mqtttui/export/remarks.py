"""What a file says about a packet beside its bytes: a person's comment and mark, and our findings."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mqtttui.analysis.expert.finding import Finding
from mqtttui.analysis.findings import Findings
from mqtttui.capture.log import Log
from mqtttui.capture.marks import Marks
from mqtttui.export.mask import on_secret
from mqtttui.export.pcapng import Comments, is_ours
from mqtttui.protocol.enums import Severity

MARK = "marked"
"""The comment that stands for a mark."""
_FINDING = re.compile(r"(error|warn|note|chat) [A-H][0-9]{2}: ")


def remarks(
    log: Log,
    marks: Marks | None = None,
    findings: Findings | None = None,
    *,
    minimum: Severity = Severity.WARN,
    mask: bool = True,
) -> Comments:
    """For each packet: its comment as it was typed, `marked`, and a line for each finding from `minimum` on that is not muted.

    With `mask`, findings on a secret stay out: they may name a byte of it.
    """

    def of(no: int) -> list[str]:
        out: list[str] = []
        if marks is not None:
            if comment := marks.comment(no):
                out.append(comment)
            if marks.marked(no):
                out.append(MARK)
        found: list[Finding] = []
        if findings is not None and no in log:
            found = [each for each in findings.of(no) if each.severity >= minimum and each.id not in findings.muted]
        if found:
            dissection = log.dissect(no)
            for each in found:
                if not (mask and on_secret(dissection, each.start, each.end)):
                    statement = f" [{each.statement}]" if each.statement else ""
                    out.append(f"{each.severity.label} {each.id}: {each.text}{statement}")
        return out

    return of


def taken_apart(texts: Iterable[str]) -> tuple[str, bool]:
    """The comment of a person, and whether there is a mark, in the remarks of a file on one packet.

    Findings are found anew, and what the export said of itself is no comment.
    """
    texts = tuple(texts)
    comment = "\n".join(text for text in texts if text != MARK and not _FINDING.match(text) and not is_ours(text))
    return comment, MARK in texts
