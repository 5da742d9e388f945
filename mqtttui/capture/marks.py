"""What a person noted about packets: marks and comments. Packets that carry one are pinned in the log."""

from __future__ import annotations

from mqtttui.capture.log import Log

MAX_COMMENT = 10_000
"""Characters; what is longer is cut."""
_COST = 200
_OWNER = "marks"


class Marks:
    """Marks and comments of one log, by No."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._marked: set[int] = set()
        self._comments: dict[int, str] = {}
        self._changed: dict[int, int] = {}
        """No. -> position of its latest change, in the order of the changes."""
        self._position = 0
        self._drained = 0

    def marked(self, no: int) -> bool:
        """Whether packet `no` is marked."""
        return no in self._marked

    def toggle(self, no: int) -> bool:
        """Marks packet `no`, or takes its mark away; gives whether it is marked now. What is not kept cannot be marked."""
        if no in self._marked:
            self._marked.discard(no)
            self._log.unpin(no)
        elif self._log.pin(no):
            self._marked.add(no)
        else:
            return False
        self._note(no)
        return no in self._marked

    def comment(self, no: int) -> str:
        """The comment on packet `no` as it was typed, empty without one."""
        return self._comments.get(no, "")

    def set_comment(self, no: int, text: str) -> bool:
        """Comments packet `no`; an empty text takes the comment away. False if the packet is not kept any more."""
        text = text.strip()[:MAX_COMMENT]
        before = self._comments.get(no, "")
        if text == before:
            return bool(before) or no in self._log
        if not before and not self._log.pin(no):
            return False
        if text:
            self._comments[no] = text
        else:
            del self._comments[no]
            self._log.unpin(no)
        self._note(no)
        return True

    def numbers(self) -> list[int]:
        """The marked packets, rising."""
        return sorted(self._marked)

    def commented(self) -> list[int]:
        """The packets with a comment, rising."""
        return sorted(self._comments)

    @property
    def position(self) -> int:
        """How many changes there were so far."""
        return self._position

    def changes_since(self, position: int) -> tuple[list[int], int]:
        """The numbers whose mark or comment changed after `position`, each once, and the position to ask with next."""
        found: list[int] = []
        for no, when in reversed(self._changed.items()):
            if when <= position:
                break
            found.append(no)
        return found[::-1], self._position

    def drain_changes(self) -> list[int]:
        """The same for a single reader: what changed since the call before."""
        found, self._drained = self.changes_since(self._drained)
        return found

    def _note(self, no: int) -> None:
        self._position += 1
        self._changed.pop(no, None)
        self._changed[no] = self._position
        size = _COST * (len(self._changed) + len(self._marked)) + sum(_COST + 4 * len(text) for text in self._comments.values())
        self._log.report(_OWNER, size)
