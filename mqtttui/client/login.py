"""From CONNECT to CONNACK: what is due, and the AUTH packets between them and later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mqtttui.client import errors
from mqtttui.client.authentication import ANSWER_SECONDS, Authentication, AuthenticationError
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
        if not self._accepted:
            seconds = ANSWER_SECONDS if self.authentication.challenge is not None else self._seconds
            self._timer = asyncio.get_running_loop().call_later(seconds, self._over)

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
            self._observed(text)

    def accepted(self, properties: Properties) -> None:
        """CONNACK says Success. Raises AuthenticationError if the server has not proven what it should."""
        self.authentication.accepted(properties)
        self._accepted = True
        self.stop()

    def _over(self) -> None:
        asked = self.authentication.challenge is not None
        self._failed(errors.authentication_unanswered(ANSWER_SECONDS) if asked else self._late())
