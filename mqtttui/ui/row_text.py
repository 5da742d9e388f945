"""What a row of the packet list says, made from log, dissection and pairing when the row becomes visible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from mqtttui.analysis.pairs import request_topic
from mqtttui.analysis.pump import Pump
from mqtttui.capture.log import Log, Packet
from mqtttui.capture.marks import Marks
from mqtttui.export.summary import summary
from mqtttui.protocol.enums import Direction, PacketType, Severity
from mqtttui.protocol.topics import matches
from mqtttui.text import shorten, shorten_middle, visible

_REMARK = 160
"""Characters of a remark: as much as a wide row shows."""
_LONGEST = 800
"""Characters of a topic or of what follows it: more than the widest row shows, and measured at every painting."""
_QUIET = (PacketType.PINGREQ, PacketType.PINGRESP)


class RowText(NamedTuple):
    """What a row says beside number, time, direction and length. All visible text."""

    type: str
    packet_id: str
    flags: str
    topic: str
    """May lose its middle levels; may be empty."""
    rest: str
    """What follows: payload, result, round trip."""
    worst: Severity | None
    remark: str
    """Short words on a finding or on an unsent packet, empty for none."""
    quiet: bool
    """Pings and messages of muted filters: dimmed as a whole."""
    mark: str
    """`◆` for a marked packet, `◇` for one with a comment only."""
    letter: str
    """Letter of the subscription that a message belongs to; empty for none, or when there is only one."""
    final: bool
    """Nothing that comes later changes it, so that it may be kept."""


Describe = Callable[[int], RowText]


class FilterMarks:
    """How the messages of subscriptions are marked in the list, those of each peer by its own filters."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._letters: dict[str, Mapping[bytes, str]] = {}
        self._muted: dict[str, set[bytes]] = {}

    def set_letters(self, peer: str, letters: Mapping[bytes, str]) -> None:
        """The letter of every filter of the peer."""
        self._letters[peer] = letters

    def mute(self, peer: str, key: bytes, *, muted: bool) -> None:
        """The messages of a filter are dimmed, or not any more."""
        known = self._muted.setdefault(peer, set())
        (known.add if muted else known.discard)(key)

    def of(self, packet: Packet) -> tuple[str, bool]:
        """Letter of the first filter that matches, and whether all that match are muted."""
        if packet.direction is not Direction.S2C or not self._letters or packet.raw[0] >> 4 != PacketType.PUBLISH:
            return "", False
        peer = self._log.connection(packet.connection).peer
        letters = self._letters.get(peer, {})
        topic = request_topic(packet)
        hits = [key for key in letters if matches(key, topic)]
        letter = letters[hits[0]] if hits and len(letters) > 1 else ""
        return letter, bool(hits) and self._muted.get(peer, set()).issuperset(hits)


def describer(log: Log, pump: Pump, filters: FilterMarks, marks: Marks) -> Describe:
    """A function that describes packet `no` of `log`. It raises Evicted for one that is gone."""

    def describe(no: int) -> RowText:
        pairs, findings = pump.pairs, pump.findings
        packet = log[no]
        dissection = log.dissect(no)
        shown = summary(dissection, answered=pairs.answered(no))
        muted_checks = findings.muted
        found = [(note.severity, note.text) for note in dissection.notes if note.id not in muted_checks]
        found += [(each.severity, each.text) for each in findings.beyond(no, None) if each.id not in muted_checks]
        worst = max((severity for severity, _ in found), default=None)
        letter, muted = filters.of(packet)
        remark = ""
        comment = marks.comment(no)
        if packet.unsent:
            remark = "not sent"
        elif comment:
            remark = shorten(visible(comment), _REMARK)
        elif worst is not None and worst >= Severity.WARN and dissection.type is not None:
            remark = shorten(next(text for severity, text in found if severity is worst), _REMARK)
        return RowText(
            shown.type,
            shown.packet_id,
            shown.flags,
            shorten_middle(shown.topic, _LONGEST),
            shorten(shown.rest, _LONGEST),
            worst,
            remark,
            muted or dissection.type in _QUIET,
            "◆" if marks.marked(no) else "◇" if comment else "",
            letter,
            min(pairs.position, findings.position) >= no and not packet.framing_error,
        )

    return describe
