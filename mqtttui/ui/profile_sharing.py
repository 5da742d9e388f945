"""Profiles from elsewhere and for others: import and export, with what was left out said."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from textual.content import Content

from mqtttui import text
from mqtttui.config.errors import ConfigError
from mqtttui.config.profile_edit import Change, save
from mqtttui.config.profile_export import NoCommand, exported, mosquitto_command, stripped
from mqtttui.config.profile_import import Imported, free_name, imported
from mqtttui.config.profile_secrets import place_words, secrets_of
from mqtttui.config.profiles import Profile, Profiles, entry_name
from mqtttui.config.secrets import Asked, FromKeyring, Source, store
from mqtttui.config.whole_file import write_whole
from mqtttui.ui import notices
from mqtttui.ui.background import in_thread
from mqtttui.ui.screens.line_prompt import LinePrompt
from mqtttui.ui.screens.main import MainScreen

_FILE = "mqtttui-profiles.toml"
_REMARKS = 4


class ProfileSharing:
    """Dialogs over the main screen."""

    def __init__(self, main: MainScreen, change: Callable[[Change, str], bool], give_out: Callable[[str], object]) -> None:
        self._main = main
        self._change = change
        self._give_out = give_out

    # Import

    def ask_import(self, known: Profiles, then: Callable[[], None]) -> None:
        """Ask what to take in; `then` follows."""

        def run(given: str | None) -> None:
            if given is not None:
                self._main.run_worker(self._import(given, known, then), name="import", group="profiles", exclusive=True)
            else:
                then()

        hint = "a URL, a mosquitto command, or a file: MQTTX's export, profiles"
        self._main.app.push_screen(LinePrompt(Content("Import"), f"{hint}; Enter takes it in", placeholder="~/Downloads/data.json"), run)

    async def _import(self, given: str, known: Profiles, then: Callable[[], None]) -> None:
        try:
            found = await in_thread(partial(imported, given))
        except ConfigError as error:
            self._main.notice(notices.profiles_say(f"not imported: {error}"))
            return
        taken = {*known.profiles, *known.broken}
        remarks = [remark for each in found for remark in each.remarks]
        names: list[str] = []
        why = ""
        for each in found:
            name = free_name(each.name, taken)
            sources, problem = await self._sources(name, each, skip=bool(why))
            why = why or problem
            contents = replace(each.contents, pending={**each.contents.pending, **sources})
            more = {"group": each.group, "label": each.label, "guard": each.guard}
            if not self._change(save(name, contents, more, os.environ), ""):
                break
            names.append(text.visible(name))
            taken.add(name)
        if why:
            remarks.append(f"secrets are asked for: {why}")
        self._say(names, remarks)
        then()

    async def _sources(self, name: str, each: Imported, *, skip: bool) -> tuple[dict[str, Source], str]:
        """Where its secrets are from now on, and why that is not the keyring."""
        sources: dict[str, Source] = {}
        for place, secret in secrets_of(each.contents.options).items():
            sources[place] = Asked()
            if skip:
                continue
            try:
                await in_thread(partial(store, entry_name(name, place), secret))
            except ConfigError as error:
                return {place: Asked() for place in secrets_of(each.contents.options)}, error.title
            sources[place] = FromKeyring(entry_name(name, place))
        return sources, ""

    def _say(self, names: Sequence[str], remarks: Sequence[str]) -> None:
        count = f"{len(names):,} profiles" if len(names) != 1 else "profile"
        line = f"imported: {count} {text.shorten(', '.join(names), 60)}"
        left = [f"not taken over: {remark}" for remark in remarks[:_REMARKS]]
        if len(remarks) > _REMARKS:
            left.append(f"and {len(remarks) - _REMARKS:,} more")
        if names and not left:
            self._main.say(line)
        elif names:
            self._main.notice(notices.written(line, left))

    # Export

    def ask_export(self, profiles: Sequence[Profile]) -> None:
        """Ask where to, and write them without secrets."""
        if not profiles:
            self._main.say("there is no profile to write")
            return

        def check(name: str) -> str:
            if not name:
                return "a name is needed"
            return "there is a file of that name: choose another" if Path(name).expanduser().exists() else ""

        def run(name: str | None) -> None:
            if name:
                self._write(Path(name).expanduser(), profiles)

        what = f"{len(profiles):,} profiles" if len(profiles) > 1 else f"profile {text.visible(profiles[0].name)}"
        prompt = LinePrompt(Content(f"Write {what} to a file, without secrets"), "Enter writes it, Esc leaves", _FILE, check=check)
        self._main.app.push_screen(prompt, run)

    def _write(self, path: Path, profiles: Sequence[Profile]) -> None:
        try:
            write_whole(path, exported(profiles))
        except OSError as error:
            self._main.notice(notices.not_written(f"{text.visible(str(path))}: {error.strerror or 'it cannot be written'}"))
            return
        left = sorted({place_words(place) for each in profiles for place in stripped(each.contents).pending})
        without = f", without {', '.join(left)}" if left else ""
        self._main.say(f"written to {text.visible(str(path))}{without}")

    def copy_command(self, profile: Profile) -> None:
        """The same as a command of mosquitto's clients."""
        try:
            command = mosquitto_command(profile.contents)
        except NoCommand as error:
            self._main.say(f"mosquitto's clients cannot do this: {error}")
        else:
            self._give_out(command)
