"""The connect menu: what can be done with a connection that stands or is being made."""

from __future__ import annotations

from mqtttui.client.commands import Cancel, Command, Connect, CutLink, Disconnect, Ping
from mqtttui.client.events import ConnectionState
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.ui.screens.menu import Choice

_DISCONNECT_WITH_WILL = 0x04
"""Reason code `Disconnect with Will Message` (MQTT 5, section 3.14.2.1)."""

ANOTHER = "another"
"""The choice that is no command: another connection beside this one."""
AUTH, AGAIN, LIMITS, SESSION, MISBEHAVE, TRY_V5 = "auth", "again", "limits", "session", "misbehave", "try_v5"
"""Choices that open something else."""


def busy_choices(state: ConnectionState) -> list[Choice]:
    """What can be done while connecting or waiting for the next attempt."""
    choices = [Choice("x", "stop", "cancel", "stop connecting")]
    return [_ANSWER, *choices] if state.challenge is not None else choices


def connected_choices(state: ConnectionState) -> list[Choice]:
    """What can be done with a standing connection; each says what becomes of the will."""
    connect = state.options.connect if state.options is not None else None
    has_will = connect is not None and connect.will is not None
    dropped = "the will is not published" if has_will else "there is no will"
    fires = "the will fires" if has_will else "there is no will"
    choices = [Choice("d", "disconnect", "disconnect", dropped)]
    if connect is not None and connect.version is Version.V5:
        choices.append(Choice("w", "disconnect with 0x04", "will", fires))
    named = connect is not None and any(item.id == PropertyId.AUTHENTICATION_METHOD for item in connect.properties)
    again = [Choice("a", "authenticate again", AGAIN, "AUTH 0x19 on this connection")] if named else []
    old = connect is not None and connect.version is not Version.V5
    return [
        *([_ANSWER] if state.challenge is not None else again),
        *choices,
        Choice("x", "cut the link", "cut", f"without DISCONNECT: {fires}"),
        Choice("r", "reconnect", "reconnect", "disconnect, then the same CONNECT again"),
        Choice("p", "ping", "ping", "send a PINGREQ now"),
        Choice("l", "limits", LIMITS, "granted, asked, and in use now"),
        Choice("s", "session of a device…", SESSION, "peek into its queue, drain it, end it"),
        Choice("m", "misbehave…", MISBEHAVE, "no pings, no acks, codes, take-over"),
        Choice("n", "another connection", ANOTHER, "beside this one, with its own client id"),
        *([Choice("v", "try the same with v5", TRY_V5, "which reason code is it refused with?")] if old else []),
    ]


_ANSWER = Choice("a", "answer AUTH", AUTH, "the server waits for it")


def command_of(choice: str | None, state: ConnectionState) -> Command | None:
    """The command that a choice stands for."""
    peer = state.peer
    match choice:
        case "disconnect":
            return Disconnect(peer)
        case "will":
            return Disconnect(peer, _DISCONNECT_WITH_WILL)
        case "cut":
            return CutLink(peer)
        case "reconnect" if state.options is not None:
            return Connect(peer, state.options)
        case "ping":
            return Ping(peer)
        case "cancel":
            return Cancel(peer)
        case _:
            return None
