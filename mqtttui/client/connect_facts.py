"""What the CONNECT that leaves says, in its bytes, and what follows from it: version, clean or not, when the session ends."""

from __future__ import annotations

from mqtttui.client import replies
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connack, Connect, connect_flags
from mqtttui.protocol.parse import connect_level


def connect_version(first: bytes) -> Version | None:
    """The version that bytes made by hand ask for; None if they begin with no CONNECT, or name no known level."""
    asked = connect_level(first)
    return None if asked is None else Version.from_level(asked[1])


def wire_version(connect: Connect) -> Version:
    """The version that the server reads out of the CONNECT: its level decides, if it is a known one."""
    try:
        return Version(connect.level & 0x7F) if connect.level is not None else connect.version
    except ValueError:
        return connect.version


def is_clean(connect: Connect) -> bool:
    """Clean Session or Clean Start as it stands in the flags that leave."""
    flags = connect.flags if connect.flags is not None else connect_flags(connect)
    return bool(flags & 2)


def session_ends(connect: Connect, connack: Connack, version: Version) -> bool:
    """Whether the server forgets the session with the connection, as far as is known."""
    if version is not Version.V5:
        return is_clean(connect)
    expiry = replies.number(connect.properties, PropertyId.SESSION_EXPIRY_INTERVAL, 0)
    return replies.number(connack.properties, PropertyId.SESSION_EXPIRY_INTERVAL, expiry) == 0
