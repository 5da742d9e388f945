"""The menu of what the client does wrong on request; each choice names its consequence."""

from __future__ import annotations

from mqtttui.client.commands import Behave, Command, Misbehave, StopBeside, TakeOver, WatchWill
from mqtttui.client.events import ConnectionState
from mqtttui.protocol.enums import Version
from mqtttui.text import shorten, visible
from mqtttui.ui.screens.menu import Choice

WITH_CODE = "code"
"""Asks for more: which code, in which packet."""
_TOPIC = 14


def misbehaving_choices(state: ConnectionState) -> list[Choice]:
    """What can be done wrong on this connection, and how to end it."""
    connect = state.options.connect if state.options is not None else None
    kick = f"must be kicked after 1.5 × {state.keep_alive:,} s = {state.keep_alive * 1.5:g} s" if state.keep_alive else ""
    choices = [Choice("b", "behave again", "behave", "acks that were held back leave now")] if state.misbehaving else []
    if state.beside:
        choices.append(Choice("e", "end what is beside", "stop", state.beside[0]))
    choices += [
        Choice("p", "send no pings", "silence", kick or "keep-alive is off: nothing happens"),
        Choice("h", "hold back all acks", "withhold", "the broker must keep the messages"),
        Choice("n", "hold back one ack", "next", "that of the next message"),
    ]
    if connect is not None and connect.version is Version.V5:
        choices.append(Choice("r", "answer with a code…", WITH_CODE, "refused: the broker must drop it"))
    choices.append(Choice("t", "take over", "take over", "the same CONNECT twice: this one ends"))
    if connect is not None and connect.will is not None:
        topic = shorten(visible(connect.will.topic), _TOPIC)
        choices.append(Choice("w", "watch for the will", "watch", f"a second client subscribes: {topic}"))
    return choices


def misbehaving_command(choice: str | None, state: ConnectionState) -> Command | None:
    """The command of a choice; None for one that asks for more."""
    peer = state.peer
    match choice:
        case "behave":
            return Behave(peer)
        case "stop":
            return StopBeside(peer)
        case "silence":
            return Misbehave(peer, "silence")
        case "withhold":
            return Misbehave(peer, "withhold")
        case "next":
            return Misbehave(peer, "withhold", 1)
        case "take over":
            return TakeOver(peer)
        case "watch":
            return WatchWill(peer)
        case _:
            return None
