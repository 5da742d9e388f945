"""What the application says in the line that stays until it is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from mqtttui import text
from mqtttui.ui.content import join

if TYPE_CHECKING:
    from mqtttui.client.events import Failure

_ESC = "   Esc closes"
_KEY = "bold $primary"

OFFER = join("Connected; nothing is subscribed. ", ("s", _KEY), " subscribes, for example # (everything)", _ESC)
MESSAGE_WAITS = join("Connected. The message waits in Publish: ", ("3", _KEY), ", then ", ("ctrl+s", _KEY), " sends it", _ESC)
"""After the first connection for a command that publishes."""

DEMO = join(
    "Demo devices. ", ("Enter", _KEY), " opens a packet, ", ("p", _KEY), " pauses, ", ("3", _KEY), " publishes, ", ("?", _KEY), " help"
)


def about(name: str, words: Content) -> Content:
    """The same of one connection out of several."""
    return join((f"{name}: ", "bold"), words)


def tried(name: str, words: str, *, failed: bool) -> Content:
    """What came of trying the same with MQTT 5; visible text."""
    return join((f"{name}: ", "bold"), (words, "$state-bad" if failed else ""), _ESC)


def failed(failure: Failure, *, fix: bool = True, silent: bool = False) -> Content:
    """Why there is no connection and what to check; if keys are about this one, those for the likely fix and for all that is known.

    `silent`: it gave no reason, and MQTT 5 would.
    """
    mend = join("  ", ("F8", _KEY), f" {failure.fixes[0].value}") if failure.fixes and fix else Content("")
    detail = f": {failure.detail}" if failure.detail else ""
    hint = f" · {failure.hint}" if failure.hint else ""
    why = join("  ", ("V", _KEY), " asks MQTT 5 why") if silent and fix else Content("")
    more = join("  ", ("D", _KEY), " shows more") if fix else Content("")
    return join((failure.title, "bold $state-bad"), detail, hint, mend, why, more, _ESC)


def no_theme(problems: Sequence[str]) -> Content:
    """What is wrong with themes."""
    return join(("theme: ", "$state-warn"), "; ".join(text.visible(problem) for problem in problems), _ESC)


def not_done(words: str) -> Content:
    """A command that was rejected; `words` are visible text."""
    return join(("not done: ", "$state-warn"), words, _ESC)


def observed(words: str) -> Content:
    """What the broker did about something that was done on request; visible text."""
    return join(("seen: ", "bold"), words, _ESC)


def no_secret(what: str, words: str) -> Content:
    """A secret of a profile could not be had; visible text."""
    return join(("not connected: ", "bold $state-bad"), f"{what}: {words}", _ESC)


def profiles_say(words: str) -> Content:
    """Something about the profiles that a person should know; visible text."""
    return join(("profiles: ", "$state-warn"), words, _ESC)


def no_demo(error: OSError) -> Content:
    """The demo broker cannot start."""
    return join(("the demo cannot start: ", "$state-bad"), text.visible(str(error)), _ESC)


def not_recorded(words: str) -> Content:
    """Packets do not get into the file; `words` are visible text."""
    return join(("recording: ", "$state-bad"), words, _ESC)


def not_written(words: str) -> Content:
    """An export that failed; `words` are visible text."""
    return join(("not written: ", "bold $state-bad"), words, _ESC)


def written(line: str, remarks: Sequence[str]) -> Content:
    """An export that a person should know something about; visible text."""
    return join((line, "bold"), *(f" · {remark}" for remark in remarks), _ESC)


def our_fault(words: str) -> Content:
    """An exception that nobody caught."""
    return join(("a fault of ours: ", "bold $state-bad"), text.visible(words), _ESC)
