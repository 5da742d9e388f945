"""Enhanced authentication of the demo broker (MQTT 5, section 4.12): a riddle to answer by hand, and SCRAM.

Who names no method gets in without; the methods are there to look at.
"""

from __future__ import annotations

from typing import Any

from mqtttui.demo.codes import Code
from mqtttui.demo.violations import Violation
from mqtttui.protocol.enums import PropertyId
from mqtttui.protocol.packets import Auth, Properties, Property

RIDDLE = "demo-riddle"
SCRAM = "SCRAM-SHA-256"
METHODS = (RIDDLE, SCRAM)
USER, PASSWORD = "demo", "demo"
"""Whom SCRAM lets in."""

CONTINUE, REAUTHENTICATE = 0x18, 0x19
SECONDS = 120.0
"""How long a client may take from one packet of the exchange to the next."""

_QUESTION = b"What is 6 times 7? Answer in digits."
_ANSWER = b"42"
_ITERATIONS = 4096


class Exchange:
    """One exchange, from CONNECT or from a re-authentication to its end."""

    def __init__(self, method: str) -> None:
        """Raises Violation for a method that is not known."""
        if method not in METHODS:
            raise Violation(Code.BAD_AUTHENTICATION_METHOD, f"this broker knows the methods {', '.join(METHODS)}")
        self.method = method
        self._asked = False
        self._scram: Any = None

    def step(self, properties: Properties) -> tuple[bool, Properties]:
        """What the client sent: whether that was all, and the properties of the answer. Raises Violation."""
        data = next((item.value for item in properties if item.id == PropertyId.AUTHENTICATION_DATA), b"")
        assert isinstance(data, bytes)
        done, answer = self._riddle(data) if self.method == RIDDLE else self._prove(data)
        named = Property(PropertyId.AUTHENTICATION_METHOD, self.method)
        return done, (named, Property(PropertyId.AUTHENTICATION_DATA, answer)) if answer else (named,)

    def _riddle(self, data: bytes) -> tuple[bool, bytes]:
        if not self._asked:
            self._asked = True
            return False, _QUESTION
        if data != _ANSWER:
            raise Violation(Code.NOT_AUTHORIZED, "that is not the answer")
        return True, b""

    def _prove(self, data: bytes) -> tuple[bool, bytes]:
        # Late: only this method needs it.
        from scramp import ScramException, ScramMechanism

        try:
            if self._scram is None:
                mechanism = ScramMechanism(SCRAM)
                secrets = mechanism.make_auth_info(PASSWORD, iteration_count=_ITERATIONS)
                self._scram = mechanism.make_server(lambda name: secrets if name == USER else _nobody())
                self._scram.set_client_first(data.decode())
                return False, str(self._scram.get_server_first()).encode()
            self._scram.set_client_final(data.decode())
            return True, str(self._scram.get_server_final()).encode()
        except (ScramException, ValueError):
            raise Violation(Code.NOT_AUTHORIZED, f"SCRAM failed; the user is {USER}, the password too") from None


def _nobody() -> Any:
    raise ValueError("no such user")


def method_of(properties: Properties) -> str | None:
    """The Authentication Method, None without one."""
    value = next((item.value for item in properties if item.id == PropertyId.AUTHENTICATION_METHOD), None)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value if isinstance(value, str) else None


def belongs(packet: Auth, exchange: Exchange, code: int) -> None:
    """Raises Violation unless the AUTH carries this code and the method of the exchange [MQTT-4.12.0-5]."""
    if packet.reason_code != code or method_of(packet.properties or ()) != exchange.method:
        raise Violation(Code.PROTOCOL_ERROR, "this AUTH does not go on with the exchange")
