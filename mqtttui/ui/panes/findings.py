"""The findings view: what the checks found, grouped by check and cause, warnings and errors first.

One row is one check with one cause; below the list stands what its latest finding says, what to check, and the packets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip

from mqtttui.analysis.expert.finding import Finding, Group
from mqtttui.analysis.findings import Findings
from mqtttui.capture.log import Evicted, Log
from mqtttui.export.markdown import finding_markdown
from mqtttui.protocol.enums import Severity
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.content import Part, fit, grouped, join
from mqtttui.ui.panes.list_view import ListView, RowList

_SIGNS = {Severity.ERROR: "✗", Severity.WARN: "!", Severity.NOTE: "·", Severity.CHAT: "·"}
_NAMES = {Severity.ERROR: "error", Severity.WARN: "warn", Severity.NOTE: "note", Severity.CHAT: "chat"}
_MEDIUM = 72
_SAMPLE = 10
"""Packets of a row that are named under a filter."""


class GroupList(RowList):
    """The rows."""

    SCOPE: ClassVar[str] = "findings"
    BINDINGS = bindings_for(SCOPE)
    COMPONENT_CLASSES: ClassVar[set[str]] = {"findings--error", "findings--warn", "findings--note"}

    def __init__(self) -> None:
        super().__init__()
        self._groups: Sequence[Group] = ()

    @property
    def row_count(self) -> int:
        return len(self._groups)

    @property
    def current(self) -> Group | None:
        """The selected row."""
        return self._groups[self.cursor] if self.cursor < len(self._groups) else None

    def show(self, groups: Sequence[Group], *, stay: bool = False) -> None:
        """Other rows; the same check stays selected, or (`stay`) the cursor where it is."""
        before = None if stay else self.current
        self._groups = groups
        if before is not None:
            at = next((at for at, group in enumerate(groups) if (group.id, group.cause) == (before.id, before.cause)), self.cursor)
            self.place(top=self.top + at - self.cursor, cursor=at)
        else:
            self.place(cursor=self.cursor)

    @property
    def opens(self) -> int | None:
        """The latest packet with the finding."""
        return self.current.latest if self.current is not None else None

    # Painting

    def head(self, y: int, width: int) -> Strip:
        if not self._groups:
            return Strip([Segment(fit(f" {self.empty}", width), self.style_of("line--dimmed"))])
        places = f"  {'first':>9} {'latest':>9}" if width >= _MEDIUM else ""
        return Strip([Segment(fit(f"    Check {'Packets':>9}{places}  What", width), self.style_of("line--head"))])

    def row(self, index: int, width: int) -> Strip:
        group = self._groups[index]
        style = self.style_of(f"findings--{_NAMES[group.severity]}" if group.severity >= Severity.WARN else "findings--note")
        dim = self.style_of("line--dimmed")
        style = dim if group.muted else style
        segments = [
            self.cursor_mark(index),
            Segment(f" {_SIGNS[group.severity]} ", style),
            Segment(f"{group.id:<5} ", style),
            Segment(f"{group.count:>9,}"),
        ]
        if width >= _MEDIUM:
            segments.append(Segment(f"  {group.first:>9,} {group.latest:>9,}", dim))
        room = width - sum(segment.cell_length for segment in segments) - 2
        cause = f": {group.cause}" if group.cause else ""
        muted = " (muted)" if group.muted else ""
        return Strip([*segments, Segment("  " + fit(f"{group.title}{cause}{muted}", room), dim if group.muted else None)])


class FindingsView(ListView):
    """Findings of one log."""

    def __init__(self, log: Log, findings: Findings) -> None:
        self._list = GroupList()
        super().__init__(log, self._list, id="findings")
        self._findings = findings
        self._all = False
        """Notes and life-cycle remarks too."""

    # Rows

    def look(self, *, stay: bool = False) -> None:
        """See ListView; with `stay` the cursor stays where it is."""
        groups = self._findings.groups(Severity.CHAT if self._all else Severity.WARN)
        self._list.empty = self._empty_words()
        self._list.show(self._selected(groups), stay=stay)
        self._show_summary()
        self.show_detail()

    def _selected(self, groups: Sequence[Group]) -> Sequence[Group]:
        """Those with a packet that the filter in force selects, of each only these packets."""
        view = self._filtering.view if self._filtering is not None else None
        if view is None:
            return groups
        narrowed = []
        for group in groups:
            numbers = [no for no in self._findings.numbers(group.id, group.cause) if no in view]
            if numbers:
                sample = tuple(numbers[-_SAMPLE:])
                narrowed.append(replace(group, count=len(numbers), first=numbers[0], latest=numbers[-1], sample=sample))
        return narrowed

    def _empty_words(self) -> str:
        if self._filtering is not None and self._filtering.active:
            return "no finding on the packets that the filter selects"
        if not self._log.last:
            return "no packet yet: what breaks a rule of the standard, or looks wrong, appears here"
        return "nothing wrong so far" + ("" if self._all else "; r shows notes as well")

    def _show_summary(self) -> None:
        findings = self._findings
        behind = self._log.last - findings.position
        parts: list[Part] = [
            (f" {grouped(findings.errors)} with an error", "$state-bad" if findings.errors else "$dimmed"),
            (f" · {grouped(findings.warnings)} with a warning", "$state-warn" if findings.warnings else "$dimmed"),
            (" · notes too" if self._all else " · r shows notes", "$dimmed"),
        ]
        if findings.muted:
            parts.append((f" · muted: {', '.join(sorted(findings.muted))}", "$dimmed"))
        if behind > 0:
            parts.append((f" · {grouped(findings.position)} of {grouped(self._log.last)} packets checked", "$state-warn"))
        self._summary.show(join(*parts))

    def show_detail(self) -> None:
        group = self._list.current
        self._detail.display = group is not None
        if group is None:
            return
        finding = self.finding(group)
        words: list[Part] = []
        if finding is None:
            words.append((f"packet {group.latest:,} is not kept any more", "$dimmed"))
        else:
            words += [(f"{finding.text}", "bold"), (f"  [{finding.statement}]" if finding.statement else "", "$dimmed")]
            if finding.hint:
                words += [("\ncheck: ", "$dimmed"), finding.hint]
        packets = ", ".join(f"#{number:,}" for number in group.sample)
        more = group.count - len(group.sample)
        words.append((f"\non {packets}" + (f" and {more:,} more" if more > 0 else ""), "$dimmed"))
        if finding is not None and finding.related:
            words.append((f" · together with {', '.join(f'#{number:,}' for number in finding.related[:8])}", "$dimmed"))
        self._detail.show(join(*words))

    def finding(self, group: Group) -> Finding | None:
        """The latest finding of a row; None if its packet is gone."""
        try:
            found = [finding for finding in self._findings.of(group.latest) if finding.id == group.id]
        except Evicted:
            return None
        return found[-1] if found else None

    def asked(self, what: str) -> None:
        match what:
            case "which":
                self._toggle_rest()
            case "mute":
                self._toggle_mute()
            case "copy" | "print":
                self._hand_out(plain=what == "print")
            case _:
                self._follow()

    def _toggle_rest(self) -> None:
        """Notes and life-cycle remarks too, or not."""
        self._all = not self._all
        self.look()

    def _toggle_mute(self) -> None:
        """Count and show this check no more, or again."""
        group = self._list.current
        if group is None:
            return
        if group.id in self._findings.muted:
            self._findings.unmute(group.id)
        else:
            self._findings.mute(group.id)
        self.post_message(self.Said(f"{group.id} is {'muted' if group.id in self._findings.muted else 'heard again'}"))
        self.look(stay=True)

    def _follow(self) -> None:
        """Only the packets with this finding."""
        group = self._list.current
        if group is not None:
            self.post_message(self.FilterWanted(f'mqtttui.expert.id == "{group.id}"', "apply"))

    def _hand_out(self, *, plain: bool) -> None:
        """The latest finding as Markdown."""
        group = self._list.current
        finding = self.finding(group) if group is not None else None
        if finding is not None:
            self.post_message(self.TextWanted(finding_markdown(finding, self._log), plain))
        elif group is not None:
            self.post_message(self.Said(f"packet {group.latest:,} is not kept any more"))
