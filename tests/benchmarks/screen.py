"""The whole application in a terminal of its own, receiving: `screen_on` for `recording.py`, and the program that it starts.

The program is MqttTui with its real driver and screen. It connects, paints what comes, and when the last message is
recorded, read by all followers and shown, it writes how many seconds that took since the first one and quits.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

import mqtttui
from mqtttui.app import PEER, MqttTui
from mqtttui.client.commands import Subscribe
from mqtttui.config.options import ConnectOptions
from mqtttui.config.settings import Settings
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Connect, TopicRequest

COLUMNS, ROWS = 120, 36
FILTERS = ((b"#", None), (b"plant/line3/#", None), (b"plant/+/machine1/temperature", None))
"""Three subscriptions to count for."""
_BEFORE = 4
"""CONNECT, CONNACK, SUBSCRIBE and SUBACK."""
_CONNECTED = 2
_LOOK = 0.002
_SECONDS = 120


class Receiver(MqttTui):
    """The application, which leaves when `packets` messages are recorded, followed and shown."""

    CSS_PATH = [Path(mqtttui.__file__).parent / sheet for sheet in MqttTui.CSS_PATH]

    def __init__(self, port: int, packets: int, result: Path) -> None:
        super().__init__(
            Settings(options=ConnectOptions(host="127.0.0.1", port=port, connect=Connect("benchmark", Version.V311)), connect_now=True)
        )
        self._wanted = packets + _BEFORE
        self._result = result
        self._counting = False

    def on_ready(self) -> None:
        self.set_interval(_LOOK, self._look)

    def _look(self) -> None:
        if not self.ready or self.log_of_packets.received < _CONNECTED:
            return
        if not self._counting:
            self._counting = True
            self.peers.current.session.execute(Subscribe(PEER, (TopicRequest("#"),)))
            self.pump.counters.set_filters(PEER, [(key, key, identifier) for key, identifier in FILTERS])
        packets = self._main.inspector.packets
        if self.log_of_packets.received < self._wanted or not self.pump.caught_up or packets.selected != self.log_of_packets.last:
            return
        begin = self.log_of_packets.head(_BEFORE + 1).mono
        self._result.write_text(f"{(time.monotonic_ns() - begin) / 1e9}")
        self.exit()


async def screen_on(port: int, packets: int) -> float:
    """Seconds from the first message to the last one recorded, followed and shown."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, os.read, ours, 1 << 20)
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "seconds"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.benchmarks.screen", str(port), str(packets), str(result),
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )  # fmt: skip
        try:
            await asyncio.wait_for(process.wait(), _SECONDS)
        finally:
            loop.remove_reader(ours)
            if process.returncode is None:
                process.kill()
            os.close(theirs)
            os.close(ours)
        return float(result.read_text())


if __name__ == "__main__":
    Receiver(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])).run()
