"""What the demo broker refuses, so that refusals can be seen: a user name and the topics under `forbidden/`."""

from __future__ import annotations

from dataclasses import dataclass

from mqtttui.demo.codes import Code
from mqtttui.protocol.packets import Connect
from mqtttui.protocol.topics import without_share

REFUSED_USER = "refuse"
"""Everybody else may come in, with any password or none."""
FORBIDDEN = b"forbidden"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not; `text` becomes the Reason String."""

    code: int
    text: str


def of_connect(connect: Connect) -> Refusal | None:
    """Whether this client stays outside."""
    if connect.username == REFUSED_USER:
        return Refusal(Code.NOT_AUTHORIZED, "the demo broker refuses the user name 'refuse'; use another one or none")
    if connect.will is not None:
        will = connect.will.topic
        return of_publish(will if isinstance(will, bytes) else will.encode())
    return None


def of_publish(topic: bytes) -> Refusal | None:
    """Whether a client may publish to this topic."""
    if _forbidden(topic):
        return Refusal(Code.NOT_AUTHORIZED, "nobody may publish under forbidden/")
    if topic.startswith(b"$"):
        return Refusal(Code.NOT_AUTHORIZED, "only the broker publishes to topics that start with $")
    return None


def of_filter(filter: bytes) -> Refusal | None:
    """Whether a client may subscribe to this filter."""
    if _forbidden(without_share(filter)):
        return Refusal(Code.NOT_AUTHORIZED, "nobody may subscribe under forbidden/")
    return None


def _forbidden(path: bytes) -> bool:
    return path == FORBIDDEN or path.startswith(FORBIDDEN + b"/")
