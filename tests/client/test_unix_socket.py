"""Unix sockets that cannot be connected to, and why."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sessions import Driver


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # The path of a socket is short, pytest's folders are not.
        yield Path(name)


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("missing", "No such socket"),
        ("file", "Connection refused"),
        ("dead", "Connection refused"),
        ("datagram", "Not a stream socket"),
        ("long", "Not the path of a socket"),
    ],
)
async def test_why_not(place: Path, kind: str, title: str) -> None:
    path = place / ("x" * 200 if kind == "long" else "s")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM) as listener:
        if kind == "file":
            path.touch()
        elif kind in ("dead", "datagram"):
            listener.bind(str(path))
        async with Driver() as driver:
            driver.connect(1, unix_path=str(path))
            failure = (await driver.failed()).failure
            assert failure is not None
            assert (failure.title, failure.step) == (title, "unix")
            assert str(path)[:30] in failure.detail
            assert failure.hint
