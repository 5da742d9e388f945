"""Below the payload: how large the message is, what stands against sending it, what was just done, and what can be done."""

from __future__ import annotations

from textual.content import Content

from mqtttui.client.events import ConnectionState, Phase
from mqtttui.protocol.enums import Version
from mqtttui.text import shorten, visible
from mqtttui.ui.content import as_whom, join
from mqtttui.ui.forms.payload import FIELD, PayloadKind
from mqtttui.ui.forms.publish import PublishDraft, packet_size
from mqtttui.ui.forms.rows import FormError, Kind, Row


def status_words(draft: PublishDraft, version: Version, state: ConnectionState, problem: str, good: str) -> Content:
    """`problem` and `good` are what was said last, visible text; at most one of them is not empty."""
    words = ""
    try:
        if draft.kind is PayloadKind.FILE and draft.held is None:
            words = "payload: the file"
        else:
            payload = draft.payload()
            words = f"payload {len(payload):,} B"
            size = packet_size(draft.packet(b""), version, len(payload))
            words += f", packet {size:,} B" if size is not None else ""
            words += _limit_words(size, state.maximum_packet_size)
    except FormError as error:
        if not problem and error.field == FIELD:
            problem = error.text
    json_problem = draft.json_problem()
    if draft.kind is PayloadKind.JSON and draft.held is None and not problem:
        words += " · JSON ok · ctrl+t formats" if json_problem is None else ""
        problem = f"not JSON: {json_problem}; ctrl+s sends it as it is" if json_problem and draft.typed.strip() else ""
    if state.phase is not Phase.CONNECTED:
        words += (" · " if words else "") + "not connected: c connects"
    warned = f"{'  ' if words else ''}!! {problem}" if problem else ""
    return join((words, "$dimmed"), (f" · {good}" if good else "", "$state-good"), (warned, "$state-bad"))


def action_rows(held: str | bytes | None, *, connected: bool, silent: bool, name: str) -> list[Row]:
    """What can be done. `held` is the topic of the message that waits, if one does; `name`, visible text, that of one connection
    of several; `silent`: the broker seems to refuse, and cannot say why.
    """
    off = "" if connected else "not connected"
    rows = [
        Row("send", f"Send{as_whom(name)}", Kind.ACTION, summary=off or "ctrl+s"),
        Row("verify", "Send and verify", Kind.ACTION, summary=off or "v: does it come back?"),
    ]
    if silent:
        rows.append(Row("try_v5", "Try the same with MQTT 5", Kind.ACTION, summary="V: which reason code?"))
    if held is not None:
        rows.append(Row("release", "Send the held one anyway", Kind.ACTION, summary=f"ctrl+o  {shorten(visible(held), 30)}"))
        rows.append(Row("forget", "Forget it", Kind.ACTION, summary="ctrl+n"))
    return rows


def _limit_words(size: int | None, limit: int | None) -> str:
    return f", over the server's limit of {limit:,} B" if size is not None and limit is not None and size > limit else ""
