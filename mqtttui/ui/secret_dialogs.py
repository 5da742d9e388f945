"""Secrets that a profile does not write down: fetched beside the loop, or asked for, before the connection is made."""

from __future__ import annotations

import os

from mqtttui.config.errors import ConfigError
from mqtttui.config.options import ConnectOptions
from mqtttui.config.profile_secrets import place_words, with_secret
from mqtttui.config.secrets import Asked, Source, fetch, words_of
from mqtttui.text import shorten, visible
from mqtttui.ui import notices
from mqtttui.ui.background import in_thread
from mqtttui.ui.peers import Peer
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.screens.secret_prompt import SecretPrompt


class SecretDialogs:
    """Completes the options of a connection."""

    def __init__(self, main: MainScreen) -> None:
        self._main = main

    async def complete(self, peer: Peer, options: ConnectOptions) -> ConnectOptions | None:
        """`options` with what its profile keeps elsewhere; None if something could not be had, which is said. Runs in a worker."""
        for place, source in peer.missing(options).items():
            secret = await self._get(peer, place, source, options)
            if secret is None:
                return None
            peer.fetched[place] = secret
            try:
                options = with_secret(options, place, secret)
            except ConfigError as error:
                self._main.notice(notices.no_secret(place_words(place), str(error)))
                return None
        return options

    async def _get(self, peer: Peer, place: str, source: Source, options: ConnectOptions) -> bytes | None:
        if isinstance(source, Asked):
            name = visible(peer.profile.name) if peer.profile is not None else ""
            title = f"{place_words(place).capitalize()} of {shorten(name, 30)}"
            answer: bytes | None = await self._main.app.push_screen_wait(SecretPrompt(title, f"for {visible(options.url)}"))
            if answer is None:
                self._main.say(f"not connected: no {place_words(place)} was given")
            return answer
        self._main.say(f"{place_words(place)} {words_of(source)} …")
        try:
            return await in_thread(lambda: fetch(source, os.environ))
        except ConfigError as error:
            self._main.notice(notices.no_secret(place_words(place), str(error)))
            return None
