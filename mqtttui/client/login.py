"""From CONNECT to CONNACK: what is due, and the AUTH packets between them and later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mqtttui.client import authentication, errors
from mqtttui.client.authentication import Authentication, AuthenticationError
from mqtttui.client.events import Challenge, Failure
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.packets import Auth, Connect, Properties


class Login:
    """That of one connection. While the user is asked he has the time, instead of the server."""

    def __init__(
        self,
        options: ConnectOptions,
        *,
        automatic: bool,
        send: Callable[[Auth], None],
        challenged: Callable[[Challenge | None], None],
        observed: Callable[[str], None],
        failed: Callable[[Failure], None],
        late: Callable[[], Failure],
    ) -> None:
        """`automatic`: SCRAM may be carried out. `late` says what it means that no CONNACK came in time."""
        self.authentication = Authentication(options.connect, send, challenged, automatic=automatic)
        self._seconds = options.connack_timeout
        self._observed, self._failed, self._late = observed, failed, late
        self._timer: asyncio.TimerHandle | None = None
        self._accepted = False

    def connect(self) -> Connect:
        """The CONNECT as it leaves. Raises AuthenticationError."""
        return self.authentication.connect()

    def wait(self) -> None:
        """CONNACK, or the next AUTH, is due from now on."""
        self.stop()
        loop = asyncio.get_running_loop()
        if not self._accepted:
            seconds = authentication.ANSWER_SECONDS if self.authentication.challenge is not None else self._seconds
            self._timer = loop.call_later(seconds, self._over)
        elif self.authentication.server_is_asked:
            self._timer = loop.call_later(authentication.AGAIN_SECONDS, self._silent)

    def stop(self) -> None:
        """Nothing is due any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def received(self, packet: Auth) -> None:
        """An AUTH of the server."""
        if not self._accepted and not self.authentication.named:
            self._failed(errors.authentication_wanted())
            return
        try:
            text = self.authentication.received(packet)
        except AuthenticationError as error:
            self._failed(errors.authentication_failed(str(error), "" if self._accepted else "connack"))
            return
        if text:
            self.stop()
            self._observed(text)

    def accepted(self, properties: Properties) -> None:
        """CONNACK says Success. Raises AuthenticationError if the server has not proven what it should."""
        self.authentication.accepted(properties)
        self._accepted = True
        self.stop()

    def _over(self) -> None:
        asked = self.authentication.challenge is not None
        self._failed(errors.authentication_unanswered(authentication.ANSWER_SECONDS) if asked else self._late())

    def _silent(self) -> None:
        """The connection is as good as before: the server only has not said that it knows the user again."""
        self._observed(f"no answer to the re-authentication for {authentication.AGAIN_SECONDS:g} s: the connection stays as it was")
