"""Looks into other clients' sessions, in words: the consequence before, the report after."""

from __future__ import annotations

from collections.abc import Sequence

from mqtttui.client.events import SessionReport
from mqtttui.ui.content import count_bytes, fit
from mqtttui.ui.forms.words import NEVER
from mqtttui.ui.widgets.read_view import Line

PEEK, DRAIN, END = "peek", "drain", "end"
_TOPICS = 200
"""Rows of the report."""

KICKS = "A client that is connected with this id is thrown out."


def consequences(mode: str, *, v5: bool, expiry: int | None) -> list[str]:
    """What the look will do, one sentence each; `expiry` None while the form has no good number."""
    lines = [KICKS]
    if mode == PEEK:
        lines.append("Nothing is acknowledged and the link is cut: the device still gets its queue, marked DUP.")
        lines.append("Messages of QoS 0 that the broker kept are gone once they show.")
    elif mode == DRAIN:
        lines.append("Every message is acknowledged: the device will never get them. The session stays.")
    else:
        lines.append("The session ends: queue and subscriptions are gone, the device begins anew.")
    if mode != DRAIN and v5:
        lines.append("No more than Receive Maximum messages show; many brokers stop earlier (mosquitto at 20, ejabberd at 1).")
    elif mode == PEEK:
        lines.append("No more messages show than the broker sends unacknowledged (mosquitto 20, ejabberd 1).")
    elif mode == END:
        lines.append("MQTT 3 ends it by a clean session: what was in it does not show.")
    if v5 and mode != END and expiry is not None:
        lines.append(f"The session {_lives(expiry)}, until the device connects again with its own expiry.")
    elif not v5 and mode != END:
        lines.append("MQTT 3 knows no expiry: a session that had one never ends by itself, until the device connects again.")
    if v5:
        lines.append("A will of the device that still waits for its delay is not published.")
    return lines


def report_lines(report: SessionReport) -> Sequence[Line]:
    """What was found so far."""
    lines: list[Line] = [[(_present(report), "warning" if report.session_present is False else "name")]]
    if report.failure is not None:
        lines.append([(report.failure.title, "error"), (f"  {report.failure.detail}" if report.failure.detail else "", "")])
        lines.append([(report.failure.hint, "")])
    if report.session_present is not False or report.count:
        lines.append([(_counted(report), "")])
    for row in report.messages[:_TOPICS]:
        again = f"  {row.repeated:,} sent before (DUP)" if row.repeated else ""
        lines.append([(f"  {row.count:>7,} ", "name"), (f"QoS {row.qos}  ", "dim"), (row.topic, ""), (again, "dim")])
    hidden = sum(row.count for row in report.messages[_TOPICS:]) + report.others
    if hidden:
        lines.append([(f"  and {hidden:,} more on other topics", "dim")])
    lines.append([("", "")])
    lines += [[(line, "")] for line in _left(report)]
    if report.done:
        lines.append([(report.ended, "dim")])
    else:
        lines.append([("looking … ctrl+c stops", "dim")])
    if report.connection is not None:
        lines.append([(f"Its packets are those of connection {report.connection} in the packet list.", "dim")])
    return lines


def short_report(report: SessionReport) -> str:
    """One line, for a notice."""
    if report.failure is not None:
        return f"session of {report.client_id}: {report.failure.title}"
    return f"session of {report.client_id}: {_present(report).lower()}, {_messages(report.count)}; S shows them"


def _present(report: SessionReport) -> str:
    match report.session_present:
        case True:
            return "Session present"
        case False:
            return "The broker has no session for this id"
        case None if report.connection is None and not report.done:
            return "Connecting"
        case None if report.connection is None or report.failure is not None:
            return "Not connected"
        case None:
            return "The broker does not say whether there was a session"


def _counted(report: SessionReport) -> str:
    if not report.count:
        return "No message came." if report.done else "No message so far."
    words = f"{_messages(report.count)} came before any SUBSCRIBE, payloads of {count_bytes(report.size)}"
    return words + (f", {report.unfinished:,} PUBREL" if report.unfinished else "") + ":"


def _left(report: SessionReport) -> list[str]:
    """What is still there, as far as one can know."""
    if report.session_present is False:
        return ["None is left behind: the session that the CONNECT made was ended again."] if report.done and report.mode != END else []
    lines = []
    if report.mode == PEEK:
        if report.withheld:
            lines.append(f"Still queued for the device: these {report.withheld:,}, for none was acknowledged.")
        if report.window is not None and report.withheld >= report.window:
            lines.append(f"The window of {report.window:,} is full: more may wait. A larger Receive Maximum shows more.")
        elif report.withheld:
            lines.append("More may wait: a broker sends only so many at a time (mosquitto 20 unless set otherwise, ejabberd 1).")
        if report.qos0:
            lines.append(f"Gone: {report.qos0:,} of QoS 0, which nobody can hold back.")
    elif report.mode == DRAIN:
        lines.append("Nothing is queued any more, as far as one can see: nothing else came." if report.done and not report.failure else "")
    elif report.done and not report.failure:
        lines.append("The session is ended; nothing is queued any more.")
    if report.unfinished and report.mode == PEEK:
        lines.append(f"{report.unfinished:,} QoS 2 messages are with the device already; only their PUBCOMP is missing.")
    if report.expiry is not None and report.mode != END:
        lines.append(f"The session {_lives(report.expiry)}, until the device connects again with its own expiry.")
    return [line for line in lines if line]


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"


def _lives(expiry: int) -> str:
    return "never ends by itself" if expiry == NEVER else f"ends {expiry:,} s after this look" if expiry else "ends with this look"


def title(report: SessionReport) -> str:
    """The headline of the report."""
    return fit(f"Session of {report.client_id}", 60).rstrip()
