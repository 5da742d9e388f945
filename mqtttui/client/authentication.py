"""Enhanced authentication (MQTT 5, section 4.12): the AUTH packets of one connection, by hand or by SCRAM.

Rules:

1. It is begun by an Authentication Method in the CONNECT, on an open connection by AUTH 0x19 [MQTT-4.12.1-1].
2. Each AUTH 0x18 of the server is a challenge. It waits for the user's answer, but not for ever.
3. SCRAM answers by itself. The server must prove that it knows the password as well, with CONNACK or AUTH 0x00, or the
   connection is ended: whoever cannot is not the server that was meant.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from mqtttui.client import replies
from mqtttui.client.events import Challenge
from mqtttui.client.publishing import milliseconds
from mqtttui.client.scram import Scram, ScramError
from mqtttui.config.scram import as_it_leaves, scram_method
from mqtttui.protocol.enums import PropertyId
from mqtttui.protocol.packets import Auth, Connect, Properties, Property
from mqtttui.text import shorten, visible

CONTINUE = 0x18
REAUTHENTICATE = 0x19

ANSWER_SECONDS = 120.0
"""How long the user has for an answer."""
AGAIN_SECONDS = 10.0
"""How long the server has for its answer to a re-authentication; then its silence is said, and another one may be begun."""
_SHOWN = 200


class AuthenticationError(ValueError):
    """Why the exchange cannot go on; one line for a person."""


class Authentication:
    """The exchanges of one connection. Knows no socket: `send` sends an AUTH, `tell` hears of a challenge, and of its end (None)."""

    def __init__(
        self, connect: Connect, send: Callable[[Auth], None], tell: Callable[[Challenge | None], None], *, automatic: bool
    ) -> None:
        """`automatic`: SCRAM may be carried out; otherwise the CONNECT leaves as it is. Raises AuthenticationError."""
        self._asked = connect
        self._send = send
        self._tell = tell
        self._method = replies.first(connect.properties, PropertyId.AUTHENTICATION_METHOD)
        self._scram_method = scram_method(connect) if automatic else ""
        self._scram: Scram | None = None
        self._challenge: Challenge | None = None
        self._number = 0
        self._again: int | None = None
        """Monotonic ns at which a re-authentication was begun."""

    @property
    def named(self) -> bool:
        """The CONNECT has an Authentication Method."""
        return self._method is not None

    @property
    def challenge(self) -> Challenge | None:
        """What waits for the user's answer."""
        return self._challenge

    @property
    def server_is_asked(self) -> bool:
        """The server owes the next AUTH of a re-authentication."""
        return self._again is not None and self._challenge is None

    def connect(self) -> Connect:
        """The CONNECT as it leaves: for SCRAM without the password, with the first message. Raises AuthenticationError."""
        if not self._scram_method:
            return self._asked
        data = Property(PropertyId.AUTHENTICATION_DATA, self._begin_scram())
        leaving = as_it_leaves(self._asked)
        return replace(leaving, properties=(*leaving.properties, data))

    def begin_again(self, data: bytes | None) -> None:
        """Send AUTH 0x19. Without data, SCRAM begins anew where it can. Raises AuthenticationError."""
        if not self.named:
            raise AuthenticationError("the CONNECT had no authentication method, so there is nothing to do again [MQTT-4.12.1-1]")
        waited = 0.0 if self._again is None else (time.monotonic_ns() - self._again) / 1e9
        if self._again is not None and (self._challenge is not None or waited < AGAIN_SECONDS):
            raise AuthenticationError("a re-authentication is under way")
        self._scram = None
        if data is None and self._scram_method:
            data = self._begin_scram()
        self._again = time.monotonic_ns()
        self._leave(REAUTHENTICATE, data)

    def answer(self, data: bytes | None) -> None:
        """Send AUTH 0x18 with the user's answer. Raises AuthenticationError."""
        if self._challenge is None:
            raise AuthenticationError("the server waits for no AUTH")
        self.settled()
        self._leave(CONTINUE, data)

    def settled(self) -> None:
        """Nothing waits for the user any more."""
        if self._challenge is not None:
            self._challenge = None
            self._tell(None)

    def received(self, packet: Auth) -> str:
        """An AUTH of the server. Returns what it has brought about, in words; may be empty. Raises AuthenticationError."""
        properties = packet.properties or ()
        data = _data(properties)
        if (packet.reason_code or 0) == CONTINUE:
            if self._scram is not None:
                self._leave(CONTINUE, self._scram_step(data))
            else:
                self._number += 1
                self._challenge = self._describe(data, properties)
                self._tell(self._challenge)
            return ""
        if packet.reason_code or self._again is None:
            return ""
        took = (time.monotonic_ns() - self._again) / 1e6
        self._again = None
        self.settled()
        self._verify(data)
        return f"authenticated again after {milliseconds(took)}"

    def accepted(self, properties: Properties) -> None:
        """A CONNACK with Success ends the exchange. Raises AuthenticationError if the server has proven nothing."""
        self.settled()
        self._verify(_data(properties))

    def _leave(self, code: int, data: bytes | None) -> None:
        method = self._method
        assert isinstance(method, str | bytes)
        properties: Properties = (Property(PropertyId.AUTHENTICATION_METHOD, method),)
        if data is not None:
            properties += (Property(PropertyId.AUTHENTICATION_DATA, data),)
        self._send(Auth(code, properties))

    def _describe(self, data: bytes | None, properties: Properties) -> Challenge:
        said = replies.first(properties, PropertyId.REASON_STRING)
        method = self._method
        return Challenge(
            self._number,
            shorten(visible(method), _SHOWN) if isinstance(method, str | bytes) else "",
            data,
            shorten(visible(said), _SHOWN) if isinstance(said, str | bytes) else "",
            self._again is not None,
            time.monotonic_ns() + int(ANSWER_SECONDS * 1e9),
        )

    # SCRAM

    def _begin_scram(self) -> bytes:
        username, password = self._asked.username, self._asked.password
        try:
            name = username.decode() if isinstance(username, bytes) else username or ""
            self._scram = Scram(self._scram_method, name, (password or b"").decode())
            return self._scram.first()
        except UnicodeDecodeError:
            raise AuthenticationError(f"{self._scram_method}: user name and password must be UTF-8") from None
        except ScramError as error:
            raise AuthenticationError(f"{self._scram_method}: {error}") from None

    def _scram_step(self, data: bytes | None) -> bytes:
        assert self._scram is not None
        if self._scram.step:
            raise AuthenticationError(f"{self._scram_method}: the server asks for more than the method has")
        try:
            return self._scram.final(data or b"")
        except ScramError as error:
            raise AuthenticationError(f"{self._scram_method}: {error}") from None

    def _verify(self, data: bytes | None) -> None:
        scram, self._scram = self._scram, None
        if scram is None:
            return
        if scram.step != 1 or data is None:
            raise AuthenticationError(f"{self._scram_method}: the server has not proven that it knows the password")
        try:
            scram.verify(data)
        except ScramError as error:
            raise AuthenticationError(f"{self._scram_method}: the server's signature is wrong ({error})") from None


def _data(properties: Properties) -> bytes | None:
    value = replies.first(properties, PropertyId.AUTHENTICATION_DATA)
    return value if isinstance(value, bytes) else None
