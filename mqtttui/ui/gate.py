"""The gate: every command passes it on its way to the session, and nothing else reaches one.

1. `ui.guard` decides; what it allows, and what the person confirms, goes on. What is refused is told as the session tells it.
2. The guard in force is that of the connection that stands, until the session is told to make another one with what the form shows.
3. Secrets that a profile does not write down are fetched here, for a connection that the form asks for, and put into the form.
4. What is sent behind a command that is asked about, such as the UNSUBSCRIBE of a filter that another one replaces, goes or stays with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from textual.content import Content

from mqtttui import text
from mqtttui.capture.log import Origin
from mqtttui.client.commands import Command, Connect, ConnectRaw, Examine, SendPublish, SendRaw
from mqtttui.client.events import Event, Outcome, Phase, PublishChanged, Rejected
from mqtttui.config.check import CheckJob
from mqtttui.config.options import ConnectOptions
from mqtttui.config.profiles import Profile
from mqtttui.filters.clients import ClientIds
from mqtttui.protocol.packets import Text
from mqtttui.ui.forms.rows import FormError
from mqtttui.ui.guard import Allowed, Guarding, Question, Refusal, judge, judge_check, kicked_words
from mqtttui.ui.peers import Peer, Peers
from mqtttui.ui.peers_shown import show_peers
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.screens.menu import Choice, Menu
from mqtttui.ui.secret_dialogs import SecretDialogs

_YES = "yes"
_NO = "you said no"
_OTHERS = (Phase.CONNECTED, Phase.CONNECTING, Phase.WAITING)


class Gate:
    """Between the screen and the sessions of all peers."""

    def __init__(
        self, peers: Peers, main: MainScreen, emit: Callable[[Event], None], profiles: Callable[[], Mapping[str, Profile]]
    ) -> None:
        """`emit` tells what did not go on; `profiles` gives those that are known."""
        self._peers = peers
        self._main = main
        self._emit = emit
        self._profiles = profiles
        self._secrets = SecretDialogs(main)
        self._client_ids = ClientIds()
        self._behind: dict[str, list[Command]] = {}
        """Id of a peer about which a question is open -> what was sent behind it."""

    def send(self, command: Command) -> None:
        """Let a command through, ask about it, or refuse it."""
        peer = self._peers.of(command.peer)
        if peer is None:
            return
        if peer.id in self._behind:
            self._behind[peer.id].append(command)
            return
        by_form = isinstance(command, Connect | ConnectRaw) and self._asked_by_form(peer, command.options)
        go = partial(self._pass, peer, command, by_form=by_form)
        match judge(command, self._guarding(peer, command, by_form=by_form), peer.state):
            case Allowed(warning=warning):
                if warning:
                    self._main.say(f"! {warning}")
                go()
            case Question(title=title, consequence=consequence, yes=yes):
                asked = f"{peer.name}: {title}" if self._peers.several else title
                self._ask(peer, Question(asked, consequence, yes), go, partial(self._declined, command))
            case Refusal(text=words):
                self._not_sent(command, words)
                self._emit(Rejected(command.peer, words))

    def check(self, job: CheckJob, begin: Callable[[CheckJob], None]) -> None:
        """Let a test run of the current peer through, ask about it, or refuse it: its probes are messages."""
        peer = self._peers.current
        go = partial(self._complete, peer, job.options, lambda options: begin(replace(job, options=options)))
        match judge_check(job.plan.depth, self._guarding(peer)):
            case Allowed():
                go()
            case Question() as question:
                self._ask(peer, question, go, lambda: None)
            case Refusal(text=words):
                self._main.say(words)

    def users_of(self, peer: Peer, options: ConnectOptions) -> dict[Text, str]:
        """Client ids that others use on this broker: profiles, connections of ours, devices of a capture."""
        users: dict[Text, str] = {}
        log = self._main.parts.log
        for info in log.connections:
            if info.origin is not Origin.OWN and (found := self._client_ids.of(log, info.number)):
                users[_as_text(found)] = "a device in the packet list"
        own = peer.profile.name if peer.profile is not None else ""
        for profile in self._profiles().values():
            other = profile.contents.options
            if profile.name != own and (other.host, other.unix_path) == (options.host, options.unix_path) and other.connect.client_id:
                users[other.connect.client_id] = f"profile {text.visible(profile.name)}"
        for each in self._peers.all:
            live = each.state.options
            if (
                each is not peer
                and live is not None
                and each.state.phase in _OTHERS
                and live.host == options.host
                and live.connect.client_id
            ):
                users[live.connect.client_id] = f"the connection {each.name}"
        return users

    def who_is_kicked(self, id: str, options: ConnectOptions) -> str:
        """Whom the client id in a form throws off, in words; empty for nobody that is known."""
        peer = self._peers.of(id)
        return kicked_words(options.connect, self.users_of(peer, options)) if peer is not None else ""

    def _guarding(self, peer: Peer, command: Command | None = None, *, by_form: bool = False) -> Guarding:
        """`by_form`: what the form shows is to be connected with, and its profile decides."""
        options = getattr(command, "options", None)
        users = self.users_of(peer, options) if isinstance(options, ConnectOptions) else {}
        guard, label = peer.in_form if by_form else (peer.guard, peer.label)
        return Guarding(guard, label or "this profile", users)

    def _asked_by_form(self, peer: Peer, options: ConnectOptions) -> bool:
        try:
            return peer.panes.connection.options() == options
        except FormError:
            return False

    def _ask(self, peer: Peer, question: Question, go: Callable[[], None], stay: Callable[[], None]) -> None:
        self._behind[peer.id] = []

        def run(choice: str | None) -> None:
            behind = self._behind.pop(peer.id, [])
            (go if choice == _YES else stay)()
            for command in behind:
                if choice == _YES:
                    self.send(command)
                else:
                    self._not_sent(command, _NO)

        choices = [Choice("n", "no", ""), Choice("y", question.yes, _YES)]  # What Enter alone does sends nothing.
        self._main.app.push_screen(Menu(Content(question.title), choices, Content(question.consequence)), run)

    def _declined(self, command: Command) -> None:
        """The person said no."""
        self._not_sent(command, _NO)
        if isinstance(command, SendRaw | ConnectRaw):
            self._emit(Rejected(command.peer, _NO))
        else:
            self._main.say("nothing was sent")

    def _not_sent(self, command: Command, words: str) -> None:
        if isinstance(command, SendPublish):
            self._emit(PublishChanged(command.peer, command.token, Outcome.LOST, f"not sent: {words}"))

    def _pass(self, peer: Peer, command: Command, *, by_form: bool) -> None:
        if not isinstance(command, Connect | ConnectRaw | Examine):
            peer.session.execute(command)
            return

        def go(options: ConnectOptions) -> None:
            if by_form:
                peer.take_profile()
                show_peers(self._peers, self._main)
            peer.session.execute(replace(command, options=options))

        self._complete(peer, command.options, go)

    def _complete(self, peer: Peer, options: ConnectOptions, go: Callable[[ConnectOptions], None]) -> None:
        """Go on with the options; first fetch the secrets that the form leaves to the profile, if they come of the form."""

        async def fetch() -> None:
            found = await self._secrets.complete(peer, options)
            if found is None:
                return
            if self._peers.of(peer.id) is not peer or not self._asked_by_form(peer, options):
                self._main.say("not connected: the form was changed meanwhile")
                return
            peer.panes.connection.load(found)
            go(found)

        if peer.missing(options) and self._asked_by_form(peer, options):
            self._main.run_worker(fetch(), name="secrets", group=f"secrets {peer.id}", exclusive=True)
        else:
            go(options)


def _as_text(raw: bytes) -> Text:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw
