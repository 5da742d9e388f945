"""The client's side of SCRAM (RFC 5802, RFC 7677): three messages, and the check that the server knows the password too."""

from __future__ import annotations

import re

from mqtttui.text import shorten, visible

MOST_ITERATIONS = 600_000
"""What the server may ask for at most: its number decides how long this machine computes."""

_LONGEST = 8_192
"""Bytes of a server's message. Its nonce is in our answer, which has to fit into an AUTH."""
_ITERATIONS = re.compile(r"(?:^|,)i=(\d{1,10})(?:,|$)")


class ScramError(ValueError):
    """Why the exchange cannot go on; one line for a person, visible text."""


class Scram:
    """One exchange: `first`, `final`, `verify`, each once."""

    def __init__(self, method: str, username: str, password: str) -> None:
        # Late: loading it takes longer than connecting, and few logins need it.
        from scramp import ScramClient, ScramException

        self._errors = (ScramException, ValueError)
        try:
            self._client = ScramClient([method], username, password)
        except self._errors as error:
            raise ScramError(_words(error)) from None
        self.step = 0
        """How many messages of the server have come."""

    def first(self) -> bytes:
        """What begins the exchange."""
        return str(self._client.get_client_first()).encode()

    def final(self, server_first: bytes) -> bytes:
        """The proof, for the server's salt and nonce. Raises ScramError."""
        self.step = 1
        message = _text(server_first)
        found = _ITERATIONS.search(message)
        if found is not None and int(found.group(1)) > MOST_ITERATIONS:
            raise ScramError(f"the server asks for {int(found.group(1)):,} iterations; more than {MOST_ITERATIONS:,} are not computed here")
        try:
            self._client.set_server_first(message)
            return str(self._client.get_client_final()).encode()
        except self._errors as error:
            raise ScramError(_words(error)) from None

    def verify(self, server_final: bytes) -> None:
        """Check the server's signature. Raises ScramError."""
        self.step = 2
        try:
            self._client.set_server_final(_text(server_final))
        except self._errors as error:
            raise ScramError(_words(error)) from None


def _text(message: bytes) -> str:
    if len(message) > _LONGEST:
        raise ScramError(f"the server's message has {len(message):,} bytes; more than {_LONGEST:,} are not answered here")
    try:
        return message.decode("utf-8")
    except UnicodeDecodeError:
        raise ScramError("the server's message is not UTF-8") from None


def _words(error: Exception) -> str:
    return shorten(visible(str(error)), 200)
