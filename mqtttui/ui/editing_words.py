"""What the screen for packets made by hand says: what the bytes are, where they go, what they lead to."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from mqtttui import text
from mqtttui.client.events import ConnectionState, Phase
from mqtttui.export.summary import summary
from mqtttui.protocol.enums import Direction, PacketType, Severity
from mqtttui.protocol.fields import Dissection
from mqtttui.ui.content import Part, count_bytes, join
from mqtttui.ui.forms.packet import PacketDraft
from mqtttui.ui.forms.packet_new import LETTERS, described
from mqtttui.ui.screens.menu import Choice

LATEST = "latest"


def title_words(about: str, draft: PacketDraft, state: ConnectionState, *, as_hex: bool, name: str = "") -> tuple[str, str]:
    """Both ends of the line on top: which packet, as what it is edited, and where it would go (`name`: of which connection)."""
    changed = ", changed" if draft.changed else ""
    where = state.phase.value
    if state.phase is Phase.CONNECTED and state.options is not None:
        version = state.options.connect.version
        where = f"connected, MQTT {version.label}"
        if draft.version is not version and draft.dissection.type is not PacketType.CONNECT:
            where += f": reads it otherwise than as {draft.version.label}"
    return (
        f"{about}{changed}, {count_bytes(len(draft.raw))}",
        f"{'as hex' if as_hex else 'as fields'} · {f'{name}: ' if name else ''}{where}",
    )


def what_it_is(found: Dissection) -> Content:
    """One line: type, identifier, topic, and how much is wrong with it."""
    if found.type is None:
        words = found.notes[0].text.rstrip(".") if found.notes else "no packet"
        return join(("not a packet: ", "bold $state-bad"), words)
    short = summary(found)
    head = " ".join(part for part in (short.type, short.flags, short.packet_id) if part)
    rest = short.text if short.text and not found.malformed else described(found.type) if not short.text else short.text
    parts: list[Part] = [(head, "bold"), f"  {text.shorten(rest, 200)}", ("  ", "")]
    errors = sum(note.severity is Severity.ERROR for note in found.notes)
    warnings = sum(note.severity is Severity.WARN for note in found.notes)
    if errors:
        parts.append((f"{errors} error{'s' if errors > 1 else ''} ", "$state-bad"))
    if warnings:
        parts.append((f"{warnings} warning{'s' if warnings > 1 else ''} ", "$state-warn"))
    if not errors and not warnings:
        parts.append(("nothing wrong with it", "$dimmed"))
    return join(*parts)


def ending_words(reasons: Sequence[str], *, first: bool, times: int) -> str:
    """The warning that stands before something that may end the connection."""
    key = "ctrl+o" if first else "ctrl+t" if times > 1 else "ctrl+s"
    return f"{key} again sends it: {'; '.join(reasons)}"


def new_choices(latest: PacketDraft | None) -> list[Choice]:
    """The menu of new packets; the one edited last comes first."""
    out = []
    if latest is not None:
        out.append(Choice("l", "the latest", LATEST, summary(latest.dissection).type + ", as it was left"))
    return out + [Choice(letter, kind.name, kind.name, described(kind)) for kind, letter in LETTERS.items()]


def packet_title(number: int, direction: Direction, kind: PacketType | None) -> str:
    """Of a captured packet."""
    name = kind.name if kind is not None else "not framed"
    side = "" if direction is Direction.C2S else " from the broker"
    return f"Edit {number} {name}{side}"
