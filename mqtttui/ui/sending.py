"""Sending by hand, step by step: whether it may be sent, the warning before it, the command, and how far it got. No widgets."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from mqtttui.client.commands import Command, ConnectRaw, SendRaw
from mqtttui.client.events import ConnectionState, Phase, RawSent
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.fields import Dissection
from mqtttui.ui.editing_words import ending_words
from mqtttui.ui.forms.packet_new import afterwards, endings
from mqtttui.ui.forms.rows import FormError

_OPEN = (Phase.CONNECTING, Phase.CONNECTED, Phase.DISCONNECTING)
"""Phases in which bytes may find a connection."""


class Sending:
    """The packets that one screen sends, one after the other. The words are for the person; at most one of them is not empty."""

    def __init__(self, peer: str, options: Callable[[], ConnectOptions]) -> None:
        """`options` gives those of a new connection; it raises FormError while the Connection form has a mistake."""
        self._peer = peer
        self._options = options
        self._armed: tuple[bool, bytes] | None = None
        self._tokens = count(1)
        self._token = 0
        self._remark = ""
        self.after = 0
        """No. of the last packet before the sending."""
        self.running = False
        self.problem = ""
        self.warning = ""
        self.said = ""

    def say(self, *, problem: str = "", warning: str = "", said: str = "") -> None:
        """These words instead of others."""
        self.problem, self.warning, self.said = problem, warning, said

    def edited(self) -> None:
        """The packet is another one: what was said before about sending it does not hold any more."""
        self._armed = None
        self.say(said=self.said)

    def send(self, found: Dissection, state: ConnectionState, last: int, *, first: bool, times: int, spacing: float) -> Command | None:
        """The command that sends the packet, as the `first` bytes of a new connection or on the open one; else None, and why is said.

        `last` is the No. of the last packet so far. What may end the connection is sent at the second time of asking.
        """
        options = self._target(state, first=first)
        if options is None:
            return None
        if not found.raw:
            self.say(problem="there are no bytes to send")
            return None
        reasons = endings(found, first=first)
        if first and state.phase is Phase.CONNECTED:
            reasons.insert(0, "the present connection is ended first")
        if reasons and self._armed != (first, found.raw):
            self._armed = (first, found.raw)
            self.say(warning=ending_words(reasons, first=first, times=times))
            return None
        self._armed = None
        self._token, self.after, self.running = next(self._tokens), last, True
        self._remark = afterwards(found, first=first)
        self.say(said="sending")
        if first:
            return ConnectRaw(self._peer, options, found.raw, self._token)
        return SendRaw(self._peer, found.raw, times, spacing, self._token)

    def told(self, event: RawSent) -> bool:
        """How far it got; False if this is about something else."""
        if event.token != self._token:
            return False
        self.running = not event.done
        if not event.done:
            self.say(said=f"{event.text}, ctrl+c stops")
        elif not event.sent:
            self.say(problem=event.text)
        else:
            self.say(said=event.text + (f"; {self._remark}" if self._remark else ""))
        return True

    def rejected(self, words: str) -> None:
        """It was not carried out."""
        self.running = False
        self.say(problem=words)

    def _target(self, state: ConnectionState, *, first: bool) -> ConnectOptions | None:
        """Options of the connection that is meant; None if there is none, which is said."""
        if not first:
            if state.phase in _OPEN and state.options is not None:
                return state.options
            self.say(problem="not connected: ctrl+o sends it as the first bytes of a new connection")
            return None
        if state.phase is Phase.CONNECTED and state.options is not None:
            return state.options
        try:
            return self._options()
        except FormError as problem:
            if state.options is None:
                self.say(problem=f"no server to connect to: {problem.text}; the Connection pane (1) has it")
            return state.options
