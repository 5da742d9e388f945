"""Granted versus asked: the limits of a connection in both directions, beside what is in use now. No widgets.

What a side does not say has the standard's default (MQTT 5, sections 3.1.2.11 and 3.2.2.3). MQTT 3 says none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mqtttui.analysis.operation import InFlight
from mqtttui.client.events import ConnectionState
from mqtttui.protocol.enums import PropertyId as Id
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Properties
from mqtttui.text import shorten, visible
from mqtttui.ui.content import fit
from mqtttui.ui.forms.words import NEVER, number
from mqtttui.ui.widgets.read_view import Line

_NAME = 21
_ASKED = 14
_GRANTED = 14
_DEFAULT = " *"
"""Marks what was not said, so that the standard's default holds."""
_RECEIVE_MAXIMUM = 65_535
_LONGEST_ID = 40
_NOT_SAID = "not said"
_VERSIONS = {Version.V31: "MQTT 3.1", Version.V311: "MQTT 3.1.1", Version.V5: "MQTT 5"}


@dataclass(frozen=True, slots=True)
class Use:
    """What is in use on a connection now."""

    flight: InFlight
    largest_out: int
    """Bytes of the largest packet that left; 0 before the first."""
    largest_in: int


@dataclass(frozen=True, slots=True)
class Row:
    """One limit."""

    name: str
    asked: str
    granted: str
    used: str
    full: bool = False
    """Nothing is left of it."""
    changed: bool = False
    """The server has given something else than what was asked."""


def limits(state: ConnectionState, use: Use) -> list[tuple[str, list[Row]]]:
    """The limits of the current or latest connection, by who is bound by them."""
    if state.options is None or state.connack is None:
        return []
    if state.options.connect.version is Version.V5:
        return [
            ("What the server allows us", _ours(state, use)),
            ("What we allow the server", _servers(state, use)),
            ("For both", _both(state)),
        ]
    return [("What MQTT 3 says", _old(state)), ("In use", _old_use(use))]


def _ours(state: ConnectionState, use: Use) -> list[Row]:
    assert state.connack is not None
    granted = state.connack.properties
    window = number(granted, Id.RECEIVE_MAXIMUM)
    aliases = number(granted, Id.TOPIC_ALIAS_MAXIMUM) or 0
    size = number(granted, Id.MAXIMUM_PACKET_SIZE)
    limit = _RECEIVE_MAXIMUM if window is None else window
    held = f", {state.held:,} held" if state.held else ""
    qos = number(granted, Id.MAXIMUM_QOS)
    rows = [
        Row(
            "Receive Maximum",
            "",
            _or_default(window, f"{_RECEIVE_MAXIMUM:,}"),
            f"{use.flight.own:,} of {limit:,}{held}",
            use.flight.own >= limit,
        ),
        Row(
            "Topic aliases",
            "",
            f"{aliases:,}" if aliases else "none",
            _of(use.flight.own_aliases, aliases),
            0 < aliases <= use.flight.own_aliases,
        ),
        Row(
            "Largest packet",
            "",
            _or_default(size, "any", "B"),
            _largest(use.largest_out),
            size is not None and use.largest_out > size,
        ),
        Row("Highest QoS", "", _or_default(qos, "2"), ""),
        Row("Retained messages", "", _available(granted, Id.RETAIN_AVAILABLE), ""),
    ]
    subscriptions = [row for row in state.subscriptions if row.active]
    keys = [row.key for row in subscriptions]
    counts = (
        ("Wildcards", Id.WILDCARD_SUBSCRIPTION_AVAILABLE, sum(b"#" in key or b"+" in key for key in keys)),
        ("Subscription ids", Id.SUBSCRIPTION_IDENTIFIER_AVAILABLE, sum(row.identifier is not None for row in subscriptions)),
        ("Shared subscriptions", Id.SHARED_SUBSCRIPTION_AVAILABLE, sum(key.startswith(b"$share/") for key in keys)),
    )
    return [*rows, *(Row(name, "", _available(granted, id), f"{count:,} in use" if count else "") for name, id, count in counts)]


def _servers(state: ConnectionState, use: Use) -> list[Row]:
    assert state.options is not None
    asked = state.options.connect.properties
    window = number(asked, Id.RECEIVE_MAXIMUM)
    aliases = number(asked, Id.TOPIC_ALIAS_MAXIMUM) or 0
    size = number(asked, Id.MAXIMUM_PACKET_SIZE)
    limit = _RECEIVE_MAXIMUM if window is None else window
    flight = use.flight
    return [
        Row(
            "Receive Maximum",
            _or_default(window, f"{_RECEIVE_MAXIMUM:,}"),
            "",
            f"{flight.peer:,} of {limit:,}",
            flight.peer >= limit,
        ),
        Row(
            "Topic aliases",
            f"{aliases:,}" if aliases else "none",
            "",
            _of(flight.peer_aliases, aliases),
            0 < aliases <= flight.peer_aliases,
        ),
        Row(
            "Largest packet",
            _or_default(size, "any", "B"),
            "",
            _largest(use.largest_in),
            size is not None and use.largest_in > size,
        ),
    ]


def _both(state: ConnectionState) -> list[Row]:
    assert state.options is not None
    assert state.connack is not None
    connect, granted = state.options.connect, state.connack.properties
    expiry = number(connect.properties, Id.SESSION_EXPIRY_INTERVAL) or 0
    given = number(granted, Id.SESSION_EXPIRY_INTERVAL)
    keep_alive = number(granted, Id.SERVER_KEEP_ALIVE)
    assigned = any(item.id == Id.ASSIGNED_CLIENT_IDENTIFIER for item in granted)
    own = shorten(visible(connect.client_id), _LONGEST_ID)
    ping = f"latest ping {state.ping_ms:.0f} ms" if state.ping_ms is not None else ""
    session = "session present" if state.connack.session_present else "new session"
    return [
        Row(
            "Keep-alive",
            _seconds(connect.keep_alive),
            "as asked" if keep_alive is None else _seconds(keep_alive),
            ping,
            changed=keep_alive is not None,
        ),
        Row("Session ends", _expiry(expiry), "as asked" if given is None else _expiry(given), session, changed=given not in (None, expiry)),
        Row("Client id", own or "empty", "as asked" if not assigned else "assigned", state.client_id if assigned else "", changed=assigned),
    ]


def _old(state: ConnectionState) -> list[Row]:
    assert state.options is not None
    assert state.connack is not None
    connect = state.options.connect
    says = connect.version is Version.V311
    session = ("session present" if state.connack.session_present else "new session") if says else _NOT_SAID
    ping = f"latest ping {state.ping_ms:.0f} ms" if state.ping_ms is not None else ""
    return [
        Row("Keep-alive", _seconds(connect.keep_alive), _NOT_SAID, ping),
        Row("Clean session", "yes" if connect.clean else "no", session, ""),
    ]


def _old_use(use: Use) -> list[Row]:
    flight = use.flight
    return [
        Row("Messages to the server", "", _NOT_SAID, f"{flight.own:,}"),
        Row("Messages to us", "", _NOT_SAID, f"{flight.peer:,}"),
        Row("Largest packet out", "", _NOT_SAID, _largest(use.largest_out)),
        Row("Largest packet in", "", "", _largest(use.largest_in)),
    ]


def limit_lines(state: ConnectionState, use: Use) -> Sequence[Line]:
    """The table, to be read."""
    sections = limits(state, use)
    if not sections:
        return [[("No CONNACK has come yet: there are no limits to show. c connects.", "dim")]]
    lines: list[Line] = [[(f"{'':<{_NAME}} {'asked':<{_ASKED}} {'granted':<{_GRANTED}} in use", "dim")]]
    for title, rows in sections:
        lines += [[("", "")], [(title, "name")]]
        lines += [_line(row) for row in rows]
    assert state.options is not None
    version = state.options.connect.version
    if version is Version.V5:
        lines += [[("", "")], [("* not said: the default of the standard", "dim")]]
    if version is not Version.V5:
        lines += [
            [("", "")],
            [(f"{_VERSIONS[version]} has no other limits: Receive Maximum, aliases, sizes and the rest came with MQTT 5.", "dim")],
        ]
        lines += [[("A broker has them all the same, and closes the connection or drops messages without a word.", "dim")]]
    return lines


def _line(row: Row) -> Line:
    used = "error" if row.full else ""
    granted = "warning" if row.changed else ""
    return [
        (f"{fit(row.name, _NAME)} {fit(row.asked, _ASKED)} ", ""),
        (fit(row.granted, _GRANTED) + " ", granted),
        (row.used, used),
    ]


def _or_default(value: int | None, default: str, unit: str = "") -> str:
    if value is None:
        return f"{default}{_DEFAULT}"
    return f"{value:,} {unit}".rstrip()


def _largest(count: int) -> str:
    return f"{count:,} B so far" if count else ""


def _of(used: int, limit: int) -> str:
    return f"{used:,} of {limit:,}" if limit else ""


def _available(granted: Properties, id: int) -> str:
    value = number(granted, id)
    return f"yes{_DEFAULT}" if value is None else "yes" if value else "no"


def _seconds(value: int) -> str:
    return f"{value:,} s" if value else "off"


def _expiry(seconds: int) -> str:
    return "never" if seconds == NEVER else f"after {seconds:,} s" if seconds else "at the end"
