"""How a connection stands, in a few lines: phase, steps, what the server granted, why it failed."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from textual.content import Content

from mqtttui.client.events import ConnectionState, Phase, StepStatus, Upgrade
from mqtttui.protocol.enums import Version
from mqtttui.text import visible
from mqtttui.ui.content import Part, join
from mqtttui.ui.forms.words import granted_words, session_words, step_words, will_words
from mqtttui.ui.security_words import certificate_words, tls_words

_STEP_STYLES = {
    StepStatus.WAITING: "$dimmed",
    StepStatus.RUNNING: "$state-warn",
    StepStatus.DONE: "",
    StepStatus.FAILED: "bold $state-bad",
    StepStatus.SKIPPED: "",
}

_OBSERVED = 3
"""Lines of what the broker did lately."""


def state_content(state: ConnectionState, now: int, *, differs: bool = False) -> Content:
    """Everything about a connection; `now` in monotonic ns, `differs`: the form has other settings than the connection."""
    lines: list[list[Part]] = [_headline(state, now)]
    if state.warning:
        lines.append([("! " + state.warning, "$state-warn")])
    lines += [[("beside: ", "$dimmed"), (line, "")] for line in state.beside]
    lines += [[("seen: ", "$dimmed"), (line, "")] for line in state.observed[-_OBSERVED:]]
    if state.challenge is not None:
        lines.append([("the server waits for AUTH; c answers", "$state-warn")])
    if state.phase is Phase.CONNECTED:
        lines.extend(_connected(state, differs))
    elif state.phase is Phase.WAITING and state.ended:
        lines.append([("lost: ", "$dimmed"), (state.ended, "")])
    failure = state.failure
    shown = [(words, step.status) for step in state.steps if (words := step_words(step))]
    if shown and (state.phase is not Phase.IDLE or failure is not None):
        lines.append([part for words, status in shown for part in ((words, _STEP_STYLES[status]), ("  ", ""))])
    if state.phase is Phase.CONNECTED:
        lines.extend(_security(state))
    if failure is not None:
        lines.append([(failure.title, "bold $state-bad"), (f"  {failure.detail}" if failure.detail else "", "")])
        if failure.hint:
            lines.append([("hint: ", "$dimmed"), (failure.hint, ""), ("  D shows more", "$dimmed")])
    elif state.phase is Phase.IDLE and state.ended:
        lines.append([(state.ended, "")])
    if state.upgrade is not None and failure is not None and failure.step == "websocket":
        lines.extend(_upgrade(state.upgrade))
    return Content("\n").join(join(*line) for line in lines)


def certificate_content(state: ConnectionState) -> Content:
    """The certificate of a server whose handshake failed; it stands below what can be done about that."""
    failure, info = state.failure, state.tls_info
    if failure is None or failure.step != "tls" or info is None or not info.certificates:
        return Content("")
    words = certificate_words(info.certificates[0])
    return join(("the server's certificate: ", "$dimmed"), (words, ""), ("  H shows all", "$dimmed"))


def retry_words(state: ConnectionState, now: int) -> str:
    """`retry 3 in 4 s` while waiting, `retry 3` while it runs, empty otherwise; `now` in monotonic ns."""
    if not state.attempt or state.phase not in (Phase.WAITING, Phase.CONNECTING):
        return ""
    words = f"retry {state.attempt:,}"
    if state.phase is Phase.CONNECTING or state.next_attempt is None:
        return words
    return f"{words} in {max(0, math.ceil((state.next_attempt - now) / 1e9)):,} s"


def keep_alive_words(state: ConnectionState) -> str:
    """`ka 60 s`, `ka 20 s (asked 60)` where the server has changed it, `no keep-alive`."""
    asked = state.options.connect.keep_alive if state.options is not None else state.keep_alive
    words = f"ka {state.keep_alive:,} s" if state.keep_alive else "no keep-alive"
    return words if asked == state.keep_alive else f"{words} (asked {asked:,})"


def _headline(state: ConnectionState, now: int) -> list[Part]:
    url = visible(state.options.url) if state.options is not None else ""
    retry = retry_words(state, now)
    match state.phase:
        case Phase.CONNECTED:
            session = session_words(state)
            place = _place(state, url)
            return [("connected", "bold $state-good"), (f" to {place}", ""), (f" · {session}" if session else "", "")]
        case Phase.CONNECTING:
            return [
                ("connecting", "bold $state-warn"),
                (f" to {_place(state, url, connected=False)}{f', {retry}' if retry else ''}", ""),
                ("  ctrl+o cancels", "$dimmed"),
            ]
        case Phase.WAITING:
            return [("waiting to reconnect", "bold $state-warn"), (f", {retry}", ""), ("  ctrl+o cancels", "$dimmed")]
        case Phase.DISCONNECTING:
            return [("disconnecting", "bold $state-warn")]
        case Phase.IDLE:
            return [("not connected", "bold"), ("  ctrl+s connects", "$dimmed")]


def _place(state: ConnectionState, url: str, *, connected: bool = True) -> str:
    """What is at the other end; with a proxy its own address says nothing of the broker."""
    options = state.options
    if options is not None and options.proxy is not None and not options.unix_path:
        return f"{url} through {visible(options.proxy.url)}"
    return (connected and state.address) or url


def _security(state: ConnectionState) -> list[list[Part]]:
    """TLS and WebSocket, a line each."""
    lines: list[list[Part]] = []
    if state.tls:
        words, soon = tls_words(state, datetime.now(UTC))
        lines.append([(words, "$state-warn" if soon else "$dimmed")])
    if state.upgrade is not None:
        answer = next(iter(state.upgrade.response), "")
        lines.append([(f"WebSocket: {answer}", "$dimmed")])
    if lines:
        lines[-1].append(("  H shows all", "$dimmed"))
    return lines


def _upgrade(upgrade: Upgrade) -> list[list[Part]]:
    """The exchange of HTTP: `>` what was asked, `<` the answer."""
    asked: list[list[Part]] = [[("> " + line, "$dimmed")] for line in upgrade.request]
    answered: list[list[Part]] = [[("< " + line, "")] for line in upgrade.response]
    return asked + answered


def _connected(state: ConnectionState, differs: bool) -> list[list[Part]]:
    lines: list[list[Part]] = []
    if state.connack is not None:
        words = granted_words(state.connack)
        if words:
            lines.append([("granted: ", "$dimmed"), (" · ".join(words), "")])
        elif state.options is not None and state.options.connect.version is Version.V5:
            lines.append([("granted: ", "$dimmed"), ("as asked, no limits", "")])
    if state.options is not None:
        will = will_words(state.options.connect, state.keep_alive, state.connack)
        if will:
            lines.append([(will, "")])
    if differs:
        lines.append([("the form differs from this connection; ctrl+s connects anew", "$state-warn")])
    busy = [f"{state.in_flight}/{state.receive_maximum:,} in flight"] if state.in_flight else []
    busy += [f"{state.held} held"] if state.held else []
    busy += [f"ping {state.ping_ms:.0f} ms"] if state.ping_ms is not None else []
    if busy:
        lines.append([(" · ".join(busy), "")])
    return lines
