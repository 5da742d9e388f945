"""What a command may do: the one place on its way from a pane to the session. Command, guard and state -> Allowed, Question or Refusal.

1. Every command is named here; a new one does not pass the type check until it is.
2. `read-only` refuses whatever sends more than CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ and DISCONNECT. What makes the server
   publish the will is asked about: the person may have no other way to end a connection.
3. `ask` asks before publishing, clearing a retained message, bytes made by hand, and subscriptions to everything or to a share.
4. To drain a session of somebody else, or to end it, is asked about in any case.
5. Warnings name the consequence, guard or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from mqtttui import text
from mqtttui.analysis.check_run import Depth
from mqtttui.client.commands import (
    Authenticate,
    Behave,
    Cancel,
    Command,
    Connect,
    ConnectRaw,
    CutLink,
    Disconnect,
    Examine,
    FlowStep,
    Misbehave,
    Ping,
    ReleaseHeld,
    SendPublish,
    SendRaw,
    StopBeside,
    StopSending,
    Subscribe,
    TakeOver,
    Unsubscribe,
    WatchWill,
)
from mqtttui.client.events import ConnectionState
from mqtttui.config.guard import Guard
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connect as ConnectPacket
from mqtttui.protocol.packets import Publish, Text
from mqtttui.protocol.topics import is_shared
from mqtttui.ui.session_words import DRAIN, PEEK, consequences

_CELLS = 50
_FOR_EVER = 0xFFFF_FFFF
_WITH_WILL = 0x04
"""Reason code `Disconnect with Will Message`."""
_HAND_MADE = "bytes made by hand"
_MISBEHAVIOUR = {
    "silence": "without pings the server ends the connection, and publishes the will if there is one",
    "withhold": "the server keeps what is not acknowledged, and sends nothing more once its window is full",
    "answer": "the server is told that a message could not be taken",
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may be carried out."""

    warning: str = ""
    """What it does to others; visible text."""


@dataclass(frozen=True, slots=True)
class Question:
    """It may be carried out if the person says so again."""

    title: str
    consequence: str
    """Visible text."""
    yes: str
    """What is done then, in a word or two."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """It may not be carried out."""

    text: str
    """Why; visible text."""


Verdict = Allowed | Question | Refusal


@dataclass(frozen=True, slots=True)
class Guarding:
    """What a command is judged by."""

    guard: Guard
    name: str
    """Of the profile, or its label; visible text."""
    users: Mapping[Text, str]
    """Client ids that are in use, and by whom, visible text."""


def judge(command: Command, by: Guarding, state: ConnectionState) -> Verdict:
    """What becomes of a command. `state` is that of its peer."""
    match command:
        case Connect(options=options):
            return _connect(options.connect, by)
        case Subscribe(requests=requests):
            return _subscribe([request.filter for request in requests], by)
        case SendPublish(packet=packet):
            return _publish(packet, by)
        case ReleaseHeld(send=True):
            return _sending("Send the held publish?", "it goes to everybody who subscribes to its topic", "send it", "publishing", by)
        case SendRaw(raw=raw, times=times):
            often = f", {times:,} times" if times > 1 else ""
            what = f"{len(raw):,} bytes go to the broker as they are{often}"
            return _sending("Send bytes made by hand?", what, "send them", _HAND_MADE, by)
        case ConnectRaw(first=first):
            what = f"{len(first):,} bytes go to the broker as the first ones of a new connection"
            return _sending("Send bytes made by hand?", what, "send them", _HAND_MADE, by)
        case FlowStep(step="forget"):
            return Allowed()
        case FlowStep(step=step):
            return _sending("Take this step by hand?", f"{step.upper()} leaves now, whatever the flow says", "send it", "steps by hand", by)
        case Disconnect(reason_code=code):
            return _will("Disconnect with the will?", by, state) if code == _WITH_WILL else Allowed(left_behind(state))
        case CutLink():
            return _will("Cut the link?", by, state)
        case TakeOver():
            return _will("Take this session over?", by, state)
        case Misbehave(how=how):
            return _sending("Misbehave?", _MISBEHAVIOUR[how], "do it", "misbehaving", by)
        case Examine():
            return _examine(command, by)
        case ReleaseHeld() | Cancel() | Unsubscribe() | Ping() | StopSending() | Authenticate() | Behave() | WatchWill() | StopBeside():
            return Allowed()
        case _:
            assert_never(command)


def judge_check(depth: Depth, by: Guarding) -> Verdict:
    """What becomes of a test run that goes so far."""
    if depth is not Depth.PUBLISH:
        return Allowed()
    return _sending("Publish probes?", "a probe at each QoS goes to its topic", "publish them", "publishing; leave the probes out", by)


def left_behind(state: ConnectionState) -> str:
    """What stays on the server when the connection ends now; empty for nothing."""
    options = state.options
    if options is None or state.connack is None:
        return ""
    connect = options.connect
    expiry = session_expiry(connect)
    if not expiry or not any(row.active for row in state.subscriptions):
        return ""
    shown = text.shorten(state.client_id or text.visible(connect.client_id), _CELLS)
    return f"the session of {shown} lives on {_span(expiry)}: it leaves a queue that grows"


def session_expiry(connect: ConnectPacket) -> int:
    """Seconds that the session outlives the connection; 0xFFFFFFFF: for ever."""
    if connect.version is not Version.V5:
        return 0 if connect.clean else _FOR_EVER
    given = [item.value for item in connect.properties if item.id == PropertyId.SESSION_EXPIRY_INTERVAL]
    return given[0] if given and isinstance(given[0], int) else 0


def shared_words(filter: Text) -> str:
    """What a subscription to a share does to others; empty if it is none."""
    raw = filter.encode("utf-8", "surrogateescape") if isinstance(filter, str) else filter
    if not is_shared(raw):
        return ""
    return f"{text.shorten(text.visible(raw), _CELLS)} takes messages from the real workers of this group"


def kicked_words(connect: ConnectPacket, users: Mapping[Text, str]) -> str:
    """Whom a client id throws off; empty for nobody that is known."""
    user = users.get(connect.client_id, "") if connect.client_id else ""
    return f"kicks {text.shorten(text.visible(connect.client_id), _CELLS)} off: {user} uses this client id" if user else ""


def _connect(connect: ConnectPacket, by: Guarding) -> Verdict:
    kicked = kicked_words(connect, by.users)
    if kicked and by.guard is not Guard.NONE:
        return Question("Connect with this client id?", kicked, "connect")
    return Allowed(kicked)


def _subscribe(filters: list[Text], by: Guarding) -> Verdict:
    shared = next((words for words in map(shared_words, filters) if words), "")
    wide = any(each in ("#", b"#") for each in filters)
    if by.guard is not Guard.NONE and (shared or wide):
        everything = "# asks for every message of the broker, and for all retained ones at once"
        return Question("Subscribe?", "; ".join(each for each in (everything if wide else "", shared) if each), "subscribe")
    return Allowed(shared)


def _publish(packet: Publish, by: Guarding) -> Verdict:
    topic = text.shorten(text.visible(packet.topic), _CELLS)
    if packet.retain and not packet.payload:
        return _sending("Clear the retained message?", f"{topic} loses its retained message", "clear it", "clearing retained messages", by)
    kept = ", and the server keeps it" if packet.retain else ""
    what = f"{len(packet.payload):,} bytes to {topic} at QoS {packet.qos}{kept}"
    return _sending("Publish?", what, "publish", "publishing", by)


def _examine(command: Examine, by: Guarding) -> Verdict:
    """A look takes the session for a moment; to drain it or to end it takes messages for good, and is asked about without a guard too."""
    shown = text.shorten(text.visible(command.client_id), _CELLS)
    user = by.users.get(command.client_id, "")
    kicked = f"kicks {shown} off{f': {user} uses this client id' if user else ', if it is connected'}"
    if command.mode == PEEK:
        return Allowed(kicked if user else "") if by.guard is Guard.NONE else Question("Look into this session?", kicked, "look")
    drained = command.mode == DRAIN
    if by.guard is Guard.READ_ONLY:
        return Refusal(f"{by.name} is read-only: no {'draining' if drained else 'ending of sessions'}")
    v5 = command.options.connect.version is Version.V5
    lines = consequences(command.mode, v5=v5, expiry=command.expiry)
    if user:
        lines[0] = f"{kicked[:1].upper()}{kicked[1:]}."
    title = f"Drain the queue of {shown}?" if drained else f"End the session of {shown}?"
    return Question(title, "\n".join([*lines, "This cannot be undone."]), "drain it" if drained else "end it")


def _sending(title: str, consequence: str, yes: str, what: str, by: Guarding) -> Verdict:
    match by.guard:
        case Guard.NONE:
            return Allowed()
        case Guard.ASK:
            return Question(title, consequence, yes)
        case Guard.READ_ONLY:
            return Refusal(f"{by.name} is read-only: no {what}")


def _will(title: str, by: Guarding, state: ConnectionState) -> Verdict:
    will = state.options.connect.will if state.options is not None else None
    if will is None or by.guard is Guard.NONE:
        return Allowed(left_behind(state))
    return Question(title, f"the server publishes the will to {text.shorten(text.visible(will.topic), _CELLS)}", "do it")


def _span(seconds: int) -> str:
    if seconds == _FOR_EVER:
        return "for ever"
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"for {seconds // length:,} {unit}"
    return f"for {seconds} s"
