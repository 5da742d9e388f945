"""When a login by SCRAM is carried out by itself (RFC 5802; MQTT 5, section 4.12), and what its CONNECT then leaves out."""

from __future__ import annotations

from dataclasses import replace

from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connect

METHODS = ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512")


def scram_method(connect: Connect) -> str:
    """The method to carry out; empty if the exchange is the user's own.

    It needs MQTT 5, one of `METHODS`, a user name and a password, and neither Authentication Data nor flags given by hand.
    """
    named = [item.value for item in connect.properties if item.id == PropertyId.AUTHENTICATION_METHOD]
    by_hand = connect.flags is not None or any(item.id == PropertyId.AUTHENTICATION_DATA for item in connect.properties)
    if connect.version is not Version.V5 or len(named) != 1 or by_hand or not connect.username or not connect.password:
        return ""
    name = named[0].decode("utf-8", "replace") if isinstance(named[0], bytes) else str(named[0])
    return name if name in METHODS else ""


def as_it_leaves(connect: Connect) -> Connect:
    """The CONNECT of such a login without the password, which is only proven to be known; any other as it is."""
    return replace(connect, password=None) if scram_method(connect) else connect
