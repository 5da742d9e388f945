"""The line below the payload: how large the message is, what stands against sending it, what was just done."""

from __future__ import annotations

from textual.content import Content

from mqtttui.client.events import ConnectionState, Phase
from mqtttui.protocol.enums import Version
from mqtttui.ui.content import join
from mqtttui.ui.forms.payload import FIELD, PayloadKind
from mqtttui.ui.forms.publish import PublishDraft, packet_size
from mqtttui.ui.forms.rows import FormError


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


def _limit_words(size: int | None, limit: int | None) -> str:
    return f", over the server's limit of {limit:,} B" if size is not None and limit is not None and size > limit else ""
