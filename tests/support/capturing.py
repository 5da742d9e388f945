"""tshark listens on the loopback interface."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.pcapng_oracle import needs_tshark
from tests.support.waiting import wait_until_sync


@contextmanager
def capturing(port: int, path: Path) -> Iterator[None]:
    """tshark writes what passes `port` on the loopback interface to `path`; skips where it may not."""
    needs_tshark()
    errors = path.with_suffix(".err")
    with errors.open("wb") as log:
        process = subprocess.Popen(
            ["tshark", "-i", "lo", "-s", "0", "-f", f"tcp port {port}", "-w", str(path)], stdout=subprocess.DEVNULL, stderr=log
        )
    try:
        wait_until_sync(
            lambda: process.poll() is not None or "Capture started" in errors.read_text(errors="replace"),
            lambda: f"tshark does not start: {errors.read_text(errors='replace')}",
            20,
        )
        if process.poll() is not None:
            pytest.skip(f"no rights to capture: {errors.read_text(errors='replace').strip()[:200]}")
        yield
    finally:
        process.terminate()
        process.wait(20)
