"""The draft of a SUBSCRIBE: one or several filters with their options, and the properties of the packet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from mqtttui import text
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.packets import Properties, TopicRequest
from mqtttui.protocol.topics import check_filter, is_shared
from mqtttui.ui.forms.properties import PropertiesDraft
from mqtttui.ui.forms.rows import CLOSED, ON, OPEN, FormError, Kind, Row, parse_bytes, parse_text, toggle

RETAIN_HANDLING = ("send them", "if new", "not at all")
"""What Retain Handling 0, 1, 2 does with retained messages (section 3.8.3.1)."""
MAX_FILTERS = 100


@dataclass(slots=True)
class _Entry:
    token: int
    values: dict[str, str]


class SubscribeDraft:
    """The form's values; row ids are `filter.<token>.<option>`, `properties.…`, `another` and `send`."""

    def __init__(self) -> None:
        self.version = Version.V311
        self.properties = PropertiesDraft("properties", PacketType.SUBSCRIBE)
        self._open = False
        self._complaint = ("", "")
        """A row and why it could not be sent, until something changes."""
        self._tokens = count(1)
        self._entries: list[_Entry] = []
        self.clear()

    def clear(self) -> None:
        """One empty filter."""
        self.load((TopicRequest(""),), ())

    def load(self, requests: Sequence[TopicRequest], properties: Properties = ()) -> None:
        """Show these instead."""
        self._entries = [self._new(request) for request in requests]
        self.properties.load(properties)
        self._open = bool(properties)
        self._complaint = ("", "")

    def another(self) -> str:
        """Add a filter with the options of the last one. Gives the row to go to."""
        if len(self._entries) < MAX_FILTERS:
            last = self._entries[-1].values
            self._entries.append(_Entry(next(self._tokens), {**last, "filter": ""}))
        return f"filter.{self._entries[-1].token}.filter"

    @property
    def first_row(self) -> str:
        """Where typing starts."""
        return f"filter.{self._entries[0].token}.filter"

    def remove(self, row: str) -> None:
        """Take out a filter (the last one stays) or a property."""
        entry = self._find(row)
        if entry is not None and len(self._entries) > 1:
            self._entries.remove(entry)
        elif self.properties.owns(row):
            self.properties.remove(row)

    def move(self, row: str, step: int) -> None:
        """Move a filter or a property up or down."""
        entry = self._find(row)
        if entry is not None:
            index = self._entries.index(entry)
            target = min(max(0, index + step), len(self._entries) - 1)
            self._entries.insert(target, self._entries.pop(index))
        elif self.properties.owns(row):
            self.properties.move(row, step)

    def change(self, row: str, value: str) -> None:
        """A row was typed, chosen or toggled."""
        self._complaint = ("", "")
        entry = self._find(row)
        if entry is not None:
            entry.values[row.rpartition(".")[2]] = value
        elif row == "section.properties":
            self._open = value == OPEN
        elif self.properties.owns(row):
            self.properties.change(row, value)

    def requests(self) -> tuple[TopicRequest, ...]:
        """The filters as they will leave. Raises FormError for what cannot be written or is empty."""
        out = []
        several = len(self._entries) > 1
        for entry in self._entries:
            row = f"filter.{entry.token}.filter"
            raw = parse_bytes(entry.values["filter"], row)
            if not raw:
                raise FormError(row, "a topic filter, such as sensors/+/temp or sensors/#" + ("; Del removes it" if several else ""))
            if len(raw) > 0xFFFF:
                raise FormError(row, f"{len(raw):,} bytes; at most 65,535 fit")
            v5 = self.version is Version.V5
            out.append(
                TopicRequest(
                    parse_text(entry.values["filter"], row),
                    int(entry.values["qos"]),
                    v5 and entry.values["no_local"] == ON,
                    v5 and entry.values["rap"] == ON,
                    RETAIN_HANDLING.index(entry.values["handling"]) if v5 else 0,
                )
            )
        return tuple(out)

    def packet_properties(self) -> Properties:
        """The properties of the packet; none before MQTT 5. Raises FormError."""
        return self.properties.properties() if self.version is Version.V5 else ()

    def complain(self, problem: FormError) -> None:
        """Show a row with the reason why it could not be sent."""
        self._open = self._open or self.properties.owns(problem.field)
        self._complaint = (problem.field, problem.text)

    def rows(self, send: str, send_hint: str, *, can_close: bool = False) -> list[Row]:
        """Every row; `send` names the last action, `can_close` adds one that puts the form away."""
        out: list[Row] = []
        for entry in self._entries:
            out.extend(self._entry_rows(entry))
        out.append(Row("another", "one more filter", Kind.ACTION, summary="in the same packet"))
        if self.version is Version.V5:
            out.append(
                Row("section.properties", "Properties", Kind.SECTION, OPEN if self._open else CLOSED,
                    summary=f"{self.properties.summary} (identifier, user properties)")
            )  # fmt: skip
            if self._open:
                out.extend(self.properties.rows())
        out.append(Row("send", send, Kind.ACTION, summary=send_hint))
        if can_close:
            out.append(Row("cancel", "Close", Kind.ACTION, summary="sends nothing"))
        return out

    def _entry_rows(self, entry: _Entry) -> list[Row]:
        prefix, values = f"filter.{entry.token}", entry.values
        several = len(self._entries) > 1
        error, warning = self._problems(values["filter"], f"{prefix}.filter")
        rows = [
            Row(f"{prefix}.filter", "Filter", value=values["filter"], placeholder="sensors/+/temp", error=error, warning=warning,
                help="+ is one level, # is all below" + ("; Del removes it" if several else ""), removable=several),
            Row(f"{prefix}.qos", "QoS", Kind.CHOICE, values["qos"], ("0", "1", "2") + (("3",) if values["qos"] == "3" else ()), indent=1),
        ]  # fmt: skip
        if self.version is Version.V5:
            shared = is_shared(text.parse(values["filter"])) if not error and values["filter"] else False
            no_local = "with $share: a protocol error" if shared and values["no_local"] == ON else ""
            rows += [
                Row(f"{prefix}.no_local", "No Local", Kind.TOGGLE, values["no_local"], summary="not my own", indent=1, warning=no_local),
                Row(f"{prefix}.rap", "Keep retain", Kind.TOGGLE, values["rap"], summary="Retain As Published", indent=1),
                Row(f"{prefix}.handling", "Retained", Kind.CHOICE, values["handling"], RETAIN_HANDLING, indent=1,
                    help="Retain Handling: what happens to retained messages when the subscription is made"),
            ]  # fmt: skip
        return rows

    def _problems(self, typed: str, row: str) -> tuple[str, str]:
        if row == self._complaint[0]:
            return self._complaint[1], ""
        if not typed:
            return "", ""
        try:
            raw = parse_bytes(typed, row)
        except FormError as problem:
            return problem.text, ""
        return "", check_filter(raw, self.version) or breadth_words(raw, self.version)

    def _new(self, request: TopicRequest) -> _Entry:
        values = {
            "filter": text.visible(request.filter),
            "qos": str(request.qos),
            "no_local": toggle(request.no_local),
            "rap": toggle(request.retain_as_published),
            "handling": RETAIN_HANDLING[min(request.retain_handling, 2)],
        }
        return _Entry(next(self._tokens), values)

    def _find(self, row: str) -> _Entry | None:
        parts = row.split(".")
        if parts[0] != "filter":
            return None
        return next((entry for entry in self._entries if str(entry.token) == parts[1]), None)


def breadth_words(raw: bytes, version: Version) -> str:
    """Words for filters that bring more, or other things, than one may think."""
    if raw == b"#":
        return "# is every message of the broker (except $SYS and its like): that may be a lot"
    if raw in (b"+/#", b"/#"):
        return f"{raw.decode()} is nearly every message of the broker: that may be a lot"
    if raw == b"$SYS/#":
        return "the broker's own figures; many brokers refuse them"
    if is_shared(raw) and version is not Version.V5:
        return "shared subscriptions are MQTT 5; before, some brokers know them and others take $share for a topic level"
    return ""


def option_words(request: TopicRequest, identifier: int | None, version: Version) -> str:
    """`nl rap rh1 #7`: the options of a subscription, short; empty when all are as usual."""
    words = []
    if version is Version.V5:
        words += ["nl"] if request.no_local else []
        words += ["rap"] if request.retain_as_published else []
        words += [f"rh{request.retain_handling}"] if request.retain_handling else []
    words += [f"#{identifier}"] if identifier is not None else []
    return " ".join(words)
