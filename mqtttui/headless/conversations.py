"""What the text of `decode` says of conversations: each finding once, with its packet, or afterwards if it was printed before.

A packet's own notes are in its dissection; here is what takes several packets to see, from the follower that the screen has
too. Of hexadecimal, which has no times, it reads a log of its own, and nothing is said that depends on time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from mqtttui.analysis.expert.store import MAX_KEPT
from mqtttui.analysis.findings import Findings
from mqtttui.capture.log import Log
from mqtttui.capture.records import END_OF_CAPTURE, Origin
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.fields import Dissection, Note
from mqtttui.protocol.framing import Batch


class Telling:
    """Gives each finding once."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._position = 0
        self._told: OrderedDict[int, set[tuple[str, str]]] = OrderedDict()
        """Packet -> ids and words of its findings that were given."""

    def on(self, no: int, dissection: Dissection | None) -> tuple[Note, ...]:
        """The findings on packet `no` that were not given yet."""
        found = [each for each in self._findings.beyond(no, dissection) if (each.id, each.text) not in self._told.get(no, ())]
        if not found:
            return ()
        self._told.setdefault(no, set()).update((each.id, each.text) for each in found)
        if len(self._told) > 2 * MAX_KEPT:
            self._told.popitem(last=False)
        return tuple(Note(each.id, each.severity, each.statement, each.text, each.start, each.end) for each in found)

    def changed(self) -> list[int]:
        """The packets that got a finding since the last call."""
        numbers, self._position = self._findings.changes_since(self._position)
        return list(dict.fromkeys(numbers))


class HexConversations:
    """The packets of hexadecimal as a log that findings follow."""

    def __init__(self) -> None:
        self._log = Log()
        self._findings = Findings()
        self._telling = Telling(self._findings)
        self._number = -1

    def add(self, connection: int, dissection: Dissection) -> None:
        """The next packet comes, of `connection`. Numbers of connections rise."""
        log, context = self._log, dissection.context
        while self._number < connection:
            self._open(context.version)
        no = log.last + 1
        # Time passes from one packet to the next, but not so much that anything could be late.
        if dissection.type is None:
            log.append_unframed(connection, context.direction, dissection.raw, "cannot be framed", no, no)
        else:
            if dissection.type is PacketType.CONNECT:
                log.set_version(connection, dissection.version, no)
            log.append(connection, context.direction, Batch(dissection.raw, (len(dissection.raw),)), no, no)
            if context.resolved_topic is not None:
                log.set_topic(no, context.resolved_topic)
        self._follow()
        log.forget(no - 1)

    def on_latest(self, dissection: Dissection) -> tuple[Note, ...]:
        """What is found on the packet that came last."""
        return self._telling.on(self._log.last, dissection)

    def late(self) -> Iterator[tuple[int, Note]]:
        """Numbers of earlier packets, and what was found on them meanwhile."""
        for no in self._telling.changed():
            for note in self._telling.on(no, None):
                yield no, note

    def _open(self, version: Version) -> None:
        log = self._log
        if self._number >= 0:
            log.close_connection(self._number, log.last, END_OF_CAPTURE)
            self._follow()
        self._number = log.open_connection(peer="hex", origin=Origin.FILE, mono=log.last, wall=log.last, version=version)

    def _follow(self) -> None:
        while not self._findings.advance(self._log):
            pass
