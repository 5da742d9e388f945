"""Try the same with MQTT 5: a second connection repeats what a 3.x broker refused without a word, and shows the reason code.

A 3.1.1 broker acknowledges a PUBLISH that its rules forbid, or closes the connection; MQTT 5 has a reason code for each.

1. The second connection has a client id of its own, so that it does not take the first one over.
2. What is repeated is chosen in a menu: a message is sent once more, and that is said.
3. A message at QoS 0 is repeated at QoS 1, for nobody answers QoS 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from textual.content import Content

from mqtttui.client.commands import Command, Connect, Subscribe
from mqtttui.client.events import ConnectionState, Event, Fix, Outcome, Phase, PublishChanged, StateChanged
from mqtttui.config.options import ConnectOptions, ReconnectOptions
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Publish, TopicRequest
from mqtttui.text import preview, shorten, visible
from mqtttui.ui import notices
from mqtttui.ui.forms.connect import generated_client_id
from mqtttui.ui.forms.fixes import apply_fix
from mqtttui.ui.forms.rows import FormError
from mqtttui.ui.peers import Peer, Peers
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.screens.menu import Choice, Menu
from mqtttui.ui.switchboard import Switchboard

_REFUSED = 0x80
"""Reason codes from here on are errors (MQTT 5, section 2.4)."""
_TOPIC = 40
_SETTLED = (Outcome.ACKED, Outcome.REFUSED, Outcome.LOST, Outcome.HELD)
_BODY = "A second connection with a client id of its own; MQTT 5 says why it refuses."


@dataclass(slots=True)
class Trial:
    """One second connection, and what is to be repeated on it."""

    of: str
    """Id of the peer whose refusal is looked into."""
    requests: tuple[TopicRequest, ...] = ()
    publish: Publish | None = None
    begun: bool = False
    """What the peer tells is about this trial, not about a connection before it."""
    asked: bool = False
    """SUBSCRIBE has left."""
    token: int = 0
    """Of the PUBLISH; 0 before it is sent."""
    said: str = ""
    """What is known already; visible text."""
    over: bool = False


class TryV5:
    """Asks, opens the second connection, and tells what came of it."""

    def __init__(self, peers: Peers, main: MainScreen, board: Switchboard, send: Callable[[Command], None]) -> None:
        self._peers = peers
        self._main = main
        self._board = board
        self._send = send
        self._trials: dict[str, Trial] = {}
        """By the id of the second connection."""

    def ask(self) -> None:
        """What shall be repeated."""
        peer = self._peers.current
        options = _options(peer)
        if options is None:
            self._main.say("there is no connection to repeat: the form has a mistake")
            return
        if options.connect.version is Version.V5:
            self._main.say("this connection speaks MQTT 5: what it refuses has a reason code")
            return
        if self._peers.full and self._second(peer) is None:
            self._main.say("no more connections are possible; L closes one")
            return
        requests, publish = _requests(peer.state), peer.panes.publish.latest
        choices = []
        if publish is not None:
            choices.append(Choice("p", "CONNECT, PUBLISH", "publish", f"once more: {_topic(publish)}"))
        if requests:
            choices.append(Choice("s", "CONNECT, SUBSCRIBE", "subscribe", _filters(requests)))
        choices.append(Choice("c", "CONNECT", "connect", "whether the broker takes the connection"))

        async def run(choice: str | None) -> None:
            match choice:
                case "connect":
                    await self._begin(peer, options, Trial(peer.id))
                case "subscribe":
                    await self._begin(peer, options, Trial(peer.id, requests))
                case "publish" if publish is not None:
                    await self._begin(peer, options, Trial(peer.id, publish=replace(publish, qos=publish.qos or 1, packet_id=None)))
                case _:
                    return

        self._main.app.push_screen(Menu(Content("Try the same with MQTT 5"), choices, Content(_BODY)), run)

    async def _begin(self, peer: Peer, options: ConnectOptions, trial: Trial) -> None:
        options = in_v5(options)
        second = self._second(peer)
        if second is None:
            second = await self._board.open(f"{peer.name} v5", options)
        else:
            second.panes.connection.load(options)
            self._board.select(second)
        second.after.offer_nothing()
        if trial.publish is not None:
            second.panes.publish.load(trial.publish)
        self._trials[second.id] = trial
        self._main.show_pane("publish" if trial.publish is not None else "subscriptions" if trial.requests else "connection")
        self._send(Connect(second.id, options))
        second.adopt(peer)  # What the form of the first one shows by now is another matter.

    def _second(self, peer: Peer) -> Peer | None:
        """The second connection of an earlier trial."""
        ids = (id for id, trial in self._trials.items() if trial.of == peer.id)
        return next((found for id in ids if (found := self._peers.of(id)) is not None), None)

    # What happens

    def heard(self, event: Event) -> None:
        """Something happened to a peer."""
        trial, peer = self._trials.get(event.peer), self._peers.of(event.peer)
        if trial is None or peer is None or trial.over:
            return
        if isinstance(event, StateChanged):
            self._state_changed(peer, trial, event.state)
        elif isinstance(event, PublishChanged) and event.token == trial.token and event.outcome in _SETTLED and trial.publish is not None:
            self._tell(peer, trial, f"PUBLISH {_topic(trial.publish)}: {event.text}")

    def _state_changed(self, peer: Peer, trial: Trial, state: ConnectionState) -> None:
        if not trial.begun:
            trial.begun = state.phase is Phase.CONNECTING
        elif state.failure is not None and state.phase in (Phase.IDLE, Phase.WAITING):
            after = "CONNECT" if state.connack is None or state.connack.code else "after that"
            why = ", ".join(filter(None, (state.failure.title, state.failure.detail)))
            self._tell(peer, trial, f"{after}: {why}", failed=True)
        elif state.phase is Phase.IDLE:
            trial.over = True  # The person stopped it. What connects later is another matter.
        elif state.phase is not Phase.CONNECTED:
            return
        elif not trial.said:
            trial.said = "CONNECT: accepted"
            self._go_on(peer, trial)
        elif trial.asked:
            answers = [row for row in state.subscriptions if row.request in trial.requests]
            if len(answers) == len(trial.requests) and all(row.granted is not None for row in answers):
                words = [f"{shorten(visible(row.key), _TOPIC)}: {row.answer}" for row in answers]
                self._tell(peer, trial, f"SUBSCRIBE {', '.join(words)}")

    def _go_on(self, peer: Peer, trial: Trial) -> None:
        """CONNACK is there: what comes next."""
        if trial.requests:
            trial.asked = True
            self._send(Subscribe(peer.id, trial.requests))
        elif trial.publish is not None:
            trial.token = peer.panes.publish.repeat(trial.publish)
        else:
            self._tell(peer, trial, "")

    def _tell(self, peer: Peer, trial: Trial, words: str, *, failed: bool = False) -> None:
        trial.over = True
        said = " · ".join(part for part in (trial.said, words) if part)
        self._main.notice(notices.tried(peer.name, said, failed=failed))


def in_v5(options: ConnectOptions) -> ConnectOptions:
    """The same CONNECT in MQTT 5 with a client id of its own, without what stood in for fields of it, and without reconnects."""
    options = apply_fix(options, Fix.USE_V5)
    connect = replace(options.connect, client_id=generated_client_id(), protocol_name=None, level=None, flags=None)
    return replace(options, connect=connect, reconnect=ReconnectOptions())


def _options(peer: Peer) -> ConnectOptions | None:
    """Those of the latest connection, or of the form."""
    if peer.state.options is not None:
        return peer.state.options
    try:
        return peer.panes.connection.options()
    except FormError:
        return None


def _requests(state: ConnectionState) -> tuple[TopicRequest, ...]:
    """The filters that were refused; all, if none was."""
    refused = tuple(row.request for row in state.subscriptions if row.granted is not None and row.granted >= _REFUSED)
    return refused or tuple(row.request for row in state.subscriptions)


def _filters(requests: tuple[TopicRequest, ...]) -> str:
    shown = [shorten(visible(request.filter), _TOPIC) for request in requests[:3]]
    return ", ".join(shown) + (f" and {len(requests) - 3} more" if len(requests) > 3 else "")


def _topic(publish: Publish) -> str:
    raw = publish.topic if isinstance(publish.topic, bytes) else publish.topic.encode("utf-8", "surrogateescape")
    return preview(raw, _TOPIC)
