"""Ask Wireshark's own filter engine: `tshark -Y` for one filter, sharkd (the same library) for hundreds on one loaded file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.pcapng_oracle import tshark


class Refused(Exception):
    """The filter is none to Wireshark."""


def tshark_frames(path: Path, text: str) -> list[int]:
    """The frames that `tshark -Y` selects. Raises Refused."""
    program = tshark()
    assert program is not None
    command = [program, "-r", str(path), "-T", "fields", "-e", "frame.number", "-Y", text]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    if done.returncode:
        raise Refused(done.stderr)
    return [int(line) for line in done.stdout.split()]


def sharkd_frames(path: Path, texts: Iterable[str]) -> list[list[int] | None] | None:
    """The frames of each filter, None for one that Wireshark refuses; None for all without sharkd."""
    program = shutil.which("sharkd")
    if program is None:
        return None
    wanted = list(texts)
    calls = [{"jsonrpc": "2.0", "id": 1, "method": "load", "params": {"file": str(path)}}]
    calls += [{"jsonrpc": "2.0", "id": 2 + index, "method": "frames", "params": {"filter": text}} for index, text in enumerate(wanted)]
    lines = "".join(json.dumps(call) + "\n" for call in calls)
    done = subprocess.run([program, "-"], input=lines, capture_output=True, check=False, text=True, timeout=300)
    answers = {answer["id"]: answer for line in done.stdout.splitlines() if line.startswith("{") for answer in [json.loads(line)]}
    assert answers[1]["result"]["status"] == "OK", answers[1]
    found: list[list[int] | None] = []
    for index in range(len(wanted)):
        answer = answers[2 + index]
        found.append([frame["num"] for frame in answer["result"]] if "result" in answer else None)
    return found


def frames(path: Path, texts: Iterable[str]) -> list[list[int] | None]:
    """The frames of each filter, None for one that Wireshark refuses."""
    wanted = list(texts)
    at_once = sharkd_frames(path, wanted)
    if at_once is not None:
        return at_once
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda text: tshark_or_none(path, text), wanted))


def tshark_or_none(path: Path, text: str) -> list[int] | None:
    try:
        return tshark_frames(path, text)
    except Refused:
        return None
