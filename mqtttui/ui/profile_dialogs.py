"""Profiles on the screen: choosing, saving, changing, taking in and giving out. The file is read anew each time it is looked at."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from textual.content import Content

from mqtttui import text
from mqtttui.config import paths
from mqtttui.config.errors import ConfigError
from mqtttui.config.options import ConnectOptions
from mqtttui.config.profile_edit import HEAD, Change, change, check_name, delete, duplicate, rename, save, set_default
from mqtttui.config.profile_fields import Contents
from mqtttui.config.profile_secrets import place_words, secrets_of
from mqtttui.config.profiles import Profile, Profiles, entry_name, load
from mqtttui.config.secrets import FromKeyring, Source, forget, store, words_of
from mqtttui.config.whole_file import write_whole
from mqtttui.protocol.packets import TopicRequest
from mqtttui.ui import notices
from mqtttui.ui.background import in_thread
from mqtttui.ui.editor import EditorError, edit_file
from mqtttui.ui.forms.rows import FormError
from mqtttui.ui.peers import Peer, Peers
from mqtttui.ui.peers_shown import show_peers
from mqtttui.ui.profile_sharing import ProfileSharing
from mqtttui.ui.screens.line_prompt import LinePrompt
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.screens.menu import Choice, Menu
from mqtttui.ui.screens.profiles import ProfilesScreen, Wish
from mqtttui.ui.screens.save_profile import Before, Place, SaveProfile, Wanted


class ProfileDialogs:
    """Opens dialogs over the main screen; what they change is written at once."""

    def __init__(self, peers: Peers, main: MainScreen, give_out: Callable[[str], object]) -> None:
        """`give_out` copies a text."""
        self._peers = peers
        self._main = main
        self._path = paths.profiles_file()
        self._known = Profiles(self._path)
        self._sharing = ProfileSharing(main, self._change, give_out)

    @property
    def known(self) -> Mapping[str, Profile]:
        """The profiles as they were last read."""
        return self._known.profiles

    def read(self) -> Profiles:
        """The file as it is now; what cannot be read is said, and is empty."""
        try:
            self._known = load(self._path, os.environ)
        except ConfigError as error:
            self._main.notice(notices.profiles_say(str(error)))
            self._known = Profiles(self._path)
        return self._known

    # ---------------------------------------------------------------- the list

    def ask(self, cursor: str = "") -> None:
        """The list of profiles, and what to do with which."""
        self._main.app.push_screen(ProfilesScreen(self.read, self._last(), cursor), self._wished)

    def _wished(self, wish: Wish | None) -> None:
        if wish is None:
            return
        profile = self._known.profiles.get(wish.name)
        match wish.what:
            case "load" | "connect" if profile is not None:
                self.fill(self._peers.current, profile)
                if wish.what == "connect":
                    self._main.connection.action_connect()
                else:
                    self._main.say(f"profile {text.visible(profile.name)} fills the form; ctrl+s connects")
            case "new":
                self._ask_save(None)
            case "edit":
                self._main.run_worker(self._edit(wish.name), name="editor", group="profiles", exclusive=True)
            case _:
                self._ask_more(wish.name)

    def fill(self, peer: Peer, profile: Profile) -> None:
        """The profile into the form of a peer."""
        contents = profile.contents
        peer.profile, peer.fetched = profile, {}
        peer.panes.connection.load(contents.options)
        peer.panes.connection.expect(contents.subscriptions)
        peer.after.subscribe(contents.subscriptions, contents.subscribe_properties)
        if contents.publish is not None:
            peer.panes.publish.load(contents.publish)
        self._described(peer)
        self._remember(profile.name)
        self._main.show_pane("connection")

    def begin(self, peer: Peer, profile: Profile, options: ConnectOptions, requests: Sequence[TopicRequest]) -> None:
        """The profile that the start was asked for, with what the command line says otherwise."""
        peer.profile = profile
        peer.panes.connection.load(options)
        peer.panes.connection.expect(requests)
        self._described(peer)
        self._remember(profile.name)
        name = text.visible(profile.name)
        self._main.say(f"profile {name}{'' if ' ' in name else f'; a host of that name is mqtt://{name}'}")

    def clear(self, peer: Peer) -> None:
        """What the form shows is no profile any more."""
        peer.profile, peer.fetched = None, {}
        self._described(peer)

    def _described(self, peer: Peer) -> None:
        profile = peer.profile
        words, awaited = "", {}
        if profile is not None:
            awaited = {place: words_of(source) for place, source in profile.contents.pending.items()}
            guard = {"ask": ", asks before it sends", "read-only": ", read-only"}.get(profile.guard.value, "")
            label = f" {text.visible(profile.label)}" if profile.label else ""
            words = f"Profile {text.visible(profile.name)}{label}{guard}"
        peer.panes.connection.describe(words, awaited)
        if not peer.is_busy:
            peer.take_profile()
        show_peers(self._peers, self._main)

    # ---------------------------------------------------------------- more

    def _ask_more(self, name: str) -> None:
        profile = self._known.profiles.get(name)
        shown = text.shorten(text.visible(name), 30)
        choices = []
        if profile is not None:
            default = self._known.default == name
            choices += [
                Choice("s", "save the form here", "save", f"replaces what {shown} says"),
                Choice("d", "duplicate", "duplicate", "under another name"),
                Choice("r", "rename", "rename", ""),
                Choice("x", "delete", "delete", "asks first"),
                Choice("f", "no default" if default else "default", "default", "" if default else "fills the form at the start"),
                Choice("w", "write to a file", "export", "without secrets"),
                Choice("m", "copy as a command", "command", "for mosquitto_sub, without password"),
            ]
        choices += [
            Choice("n", "new", "new", "saves the form under a new name"),
            Choice("i", "import", "import", "URL, command, MQTTX's export, profiles"),
            Choice("a", "write all to a file", "export all", "without secrets"),
            Choice("e", "edit the file", "edit", "in $EDITOR"),
        ]
        title = f"Profile {shown}" if profile is not None else "Profiles"
        self._main.app.push_screen(Menu(Content(title), choices), partial(self._do_more, profile))

    def _do_more(self, profile: Profile | None, what: str | None) -> None:
        name = profile.name if profile is not None else ""
        match what:
            case None:
                self.ask(name)
            case "new":
                self._ask_save(None)
            case "edit":
                self._main.run_worker(self._edit(name), name="editor", group="profiles", exclusive=True)
            case "import":
                self._sharing.ask_import(self._known, lambda: self.ask(""))
            case "export all":
                self._sharing.ask_export(list(self._known.profiles.values()))
            case "save" if profile is not None:
                self._ask_save(profile)
            case "duplicate" if profile is not None:
                self._ask_name(profile, f"Duplicate {text.visible(name)} as", duplicate)
            case "rename" if profile is not None:
                self._ask_name(profile, f"Another name for {text.visible(name)}", rename)
            case "delete" if profile is not None:
                self._ask_delete(profile)
            case "default":
                self._change(set_default("" if self._known.default == name else name, os.environ), "")
                self.ask(name)
            case "export" if profile is not None:
                self._sharing.ask_export([profile])
            case "command" if profile is not None:
                self._sharing.copy_command(profile)

    def _ask_name(self, profile: Profile, title: str, make: Callable[[str, str, Mapping[str, str]], Change]) -> None:
        def run(name: str | None) -> None:
            if name is not None and self._change(make(profile.name, name.strip(), os.environ), f"profile {text.visible(name.strip())}"):
                self._renamed(profile.name, name.strip() if make is rename else profile.name)
            self.ask(name.strip() if name is not None else profile.name)

        prompt = LinePrompt(Content(title), "Enter takes it, Esc leaves", text.visible(profile.name), check=self._why_not)
        self._main.app.push_screen(prompt, run)

    def _renamed(self, name: str, new: str) -> None:
        for peer in self._peers.all:
            if peer.profile is not None and peer.profile.name == name and new in self._known.profiles:
                peer.profile = self._known.profiles[new]
                self._described(peer)

    def _ask_delete(self, profile: Profile) -> None:
        others = [each.entries for each in self._known.profiles.values() if each.name != profile.name]
        entries = profile.entries.difference(*others)

        def run(choice: str | None) -> None:
            if choice == "delete" and self._change(delete(profile.name, os.environ), f"profile {text.visible(profile.name)} is deleted"):
                for peer in self._peers.all:
                    if peer.profile is not None and peer.profile.name == profile.name:
                        self.clear(peer)
                if entries:
                    self._main.run_worker(self._forget(entries), name="keyring", group="profiles")
            self.ask("")

        body = Content("its password in the keyring goes too") if entries else None
        choices = [Choice("y", "delete", "delete"), Choice("n", "keep", "")]
        self._main.app.push_screen(Menu(Content(f"Delete the profile {text.visible(profile.name)}?"), choices, body), run)

    async def _forget(self, entries: frozenset[str]) -> None:
        for entry in sorted(entries):
            try:
                await in_thread(partial(forget, entry))
            except ConfigError as error:
                self._main.notice(notices.profiles_say(f"an entry stays in the keyring: {error}"))

    async def _edit(self, name: str) -> None:
        try:
            self._begin_file()
            await edit_file(self._main.app, self._path)
        except EditorError as problem:
            self._main.notice(notices.profiles_say(str(problem)))
            return
        except OSError as error:
            self._main.notice(notices.profiles_say(f"the file cannot be made: {error.strerror or 'why is not said'}"))
            return
        self.read()
        for peer in self._peers.all:
            if peer.profile is not None and peer.profile.name in self._known.profiles:
                peer.profile = self._known.profiles[peer.profile.name]
                self._described(peer)
        problems = self._known.problems
        if problems:
            more = f" (and {len(problems) - 1:,} more)" if len(problems) > 1 else ""
            self._main.notice(notices.profiles_say(self._known.said(problems[0]) + more))
        self.ask(problems[0].profile if problems else name)

    def _begin_file(self) -> None:
        if not self._path.exists():
            write_whole(self._path, HEAD)

    # ---------------------------------------------------------------- saving

    def _ask_save(self, profile: Profile | None) -> None:
        peer = self._peers.current
        try:
            options = peer.panes.connection.options()
        except FormError as problem:
            self._main.show_pane("connection")
            self._main.connection.form.go(problem.field)
            self._main.say(f"not saved: {problem.text}")
            return
        message = peer.panes.publish.message()
        requests = [row.request for row in peer.state.subscriptions if row.active]
        based = profile or peer.profile
        before = Before(
            name=profile.name if profile is not None else "",
            group=based.group if based is not None else "",
            label=profile.label if profile is not None else "",
            guard=based.guard if based is not None else Before().guard,
            places=_places(peer, profile, options),
            subscriptions=len(requests) or len(based.contents.subscriptions if based is not None else ()),
            message=text.shorten(text.visible(message.topic), 40) if message is not None else "",
        )

        async def try_to(wanted: Wanted) -> None:
            problem = await self._save(peer, options, wanted, profile)
            if problem:
                self._main.app.push_screen(SaveProfile(before.again(wanted), check, f"not saved: {problem}"), run)

        def run(wanted: Wanted | None) -> None:
            if wanted is not None:
                self._main.run_worker(try_to(wanted), name="save profile", group="profiles", exclusive=True)

        def check(name: str) -> str:
            return "" if profile is not None and name == profile.name else self._why_not(name)

        self._main.app.push_screen(SaveProfile(before, check), run)

    async def _save(self, peer: Peer, options: ConnectOptions, wanted: Wanted, before: Profile | None) -> str:
        """Keep the secrets and write the file; gives why a secret cannot be kept."""
        based = before or peer.profile
        requests = tuple(row.request for row in peer.state.subscriptions if row.active)
        listed = based.contents if based is not None else Contents(options)
        secrets = secrets_of(options)
        sources: dict[str, Source] = {}
        for place, source in wanted.sources.items():
            sources[place] = source
            secret = secrets.get(place)
            if isinstance(source, FromKeyring) and (not source.entry or (secret and secret != peer.fetched.get(place))):
                sources[place] = FromKeyring(entry_name(wanted.name, place))
                what = place_words(place)
                if secret is None:
                    return f"type the {what} into the form (1) first, and it goes into the keyring"
                try:
                    await in_thread(partial(store, entry_name(wanted.name, place), secret))
                except ConfigError as error:
                    return f"{error.title}. The {what} needs another place, or is asked for"
                peer.fetched[place] = secret
        contents = Contents(
            options,
            (requests or listed.subscriptions) if wanted.subscriptions else (),
            listed.subscribe_properties if wanted.subscriptions and not requests else (),
            peer.panes.publish.message() if wanted.publish else None,
            sources,
        )
        more = {"group": wanted.group, "label": wanted.label, "guard": wanted.guard}
        shown = text.visible(wanted.name)
        if self._change(save(wanted.name, contents, more, os.environ), f"saved as {shown}: mqtttui {shown} connects with it"):
            peer.profile = self._known.profiles.get(wanted.name)
            self._described(peer)
            self._remember(wanted.name)
        return ""

    # ---------------------------------------------------------------- the file

    def _change(self, make: Change, done: str) -> bool:
        """Change the file; says why that failed."""
        try:
            self._known = change(self._path, os.environ, make)
        except ConfigError as error:
            self._main.notice(notices.profiles_say(str(error)))
            return False
        if done:
            self._main.say(done)
        return True

    def _why_not(self, name: str) -> str:
        try:
            check_name(name.strip(), self._known)
        except ConfigError as error:
            return str(error)
        return ""

    def _last(self) -> str:
        try:
            return paths.last_profile_file().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def _remember(self, name: str) -> None:
        try:
            write_whole(paths.last_profile_file(), f"{name}\n")
        except OSError as error:
            self._main.say(f"which profile was last cannot be remembered: {error.strerror or 'the file cannot be written'}")


def _places(peer: Peer, profile: Profile | None, options: ConnectOptions) -> list[Place]:
    """The secrets of the form, and where they come from until now."""
    based = profile or peer.profile
    found = secrets_of(options)
    ours = based is not None and peer.profile is not None and based.name == peer.profile.name
    pending = based.contents.pending if based is not None and ours else {}
    plain = secrets_of(profile.contents.options) if profile is not None else {}
    names = dict.fromkeys([*found, *pending])
    return [Place(name, pending.get(name), name in plain and plain[name] == found.get(name)) for name in names]
