"""Record without a screen: connect, subscribe, and write every packet of the connection to a capture file until told to end.

Theory of operation: the same Session as behind the screen, a log that is only a buffer, and a Recording that follows it.
Nothing is sent but CONNECT, one SUBSCRIBE, what MQTT demands, and DISCONNECT at the end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, replace

from mqtttui.analysis.follower import Follower, advance_all
from mqtttui.capture.log import Log, Span, default_limit
from mqtttui.client.commands import Connect, Subscribe
from mqtttui.client.events import ConnectionState, Event, Phase, Rejected, StateChanged
from mqtttui.client.session import Session
from mqtttui.config.options import ConnectOptions
from mqtttui.config.recording import STANDARD_OUTPUT, RecordOptions
from mqtttui.export.recording import Recording, Ring
from mqtttui.export.units import duration, size
from mqtttui.headless.voice import Voice
from mqtttui.protocol.enums import Direction, PacketType
from mqtttui.protocol.packets import Properties, TopicRequest
from mqtttui.text import shorten, visible

EXIT_FAILED = 1
EXIT_UNUSABLE = 2
EXIT_INCOMPLETE = 3
EXIT_BROKEN_PIPE = 141
"""What a shell reports for a program that SIGPIPE ended."""

STATUSES = """\
exit status: 0 it ended as asked (a signal, --count, --duration), 1 the connection failed, was lost or every subscription was
refused, 2 something that was given cannot be used, 3 packets are missing in the file (the disk was full or too slow)."""

_PEER = "record"
_TICK = 0.1
_CLOSE_SECONDS = 10.0
_BUFFER = 64 * 1024 * 1024
_LONGEST_NAME = 300
_REFUSED = 0x80


@dataclass(frozen=True, slots=True)
class Job:
    """What to record, where, and for how long."""

    options: ConnectOptions
    record: RecordOptions
    subscriptions: tuple[TopicRequest, ...] = ()
    properties: Properties = ()
    """Of the SUBSCRIBE."""
    count: int | None = None
    """End after so many messages."""
    seconds: float | None = None
    """End after so long."""


def run(job: Job) -> int:
    """Records until it ends, and gives the exit status. What happens is said on standard error."""
    log = Log(min(default_limit(), _BUFFER))
    options = job.record
    try:
        ring = Ring(*options.ring) if options.ring is not None else None
        recording = Recording(log, options.path, ring=ring, force=options.force, mask=not options.secrets)
    except OSError as error:
        name = shorten(visible(os.fsencode(error.filename if isinstance(error.filename, str) else options.path)), _LONGEST_NAME)
        hint = "; name another file, or add --force" if isinstance(error, FileExistsError) else ""
        Voice("record").say(f"'{name}' cannot be written: {visible(error.strerror or str(error))}{hint}")
        return EXIT_UNUSABLE
    return asyncio.run(_Run(job, log, recording).run())


class _Messages(Follower):
    """Counts the messages that came."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def read(self, log: Log, span: Span) -> None:
        first = span.segment.first
        for no in range(first + span.start, first + span.stop):
            head = log.head(no)
            self.count += head.direction is Direction.S2C and head.first_byte >> 4 == PacketType.PUBLISH


class _Run:
    """One run, from CONNECT to the end."""

    def __init__(self, job: Job, log: Log, recording: Recording) -> None:
        self._job = job
        self._log = log
        self._recording = recording
        self._messages = _Messages()
        self._voice = Voice("record")
        self._session = Session(_PEER, log, self._event)
        self._over = asyncio.Event()
        self._status = 0
        self._state = ConnectionState(_PEER)
        self._subscribed = False
        self._refused: set[bytes] = set()
        self._problem = ""
        self._began = time.monotonic()
        self._shown = (0.0, 0)

    async def run(self) -> int:
        """Gives the exit status."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._over.set)
        if self._job.seconds is not None:
            loop.call_later(self._job.seconds, self._over.set)
        options = self._job.options
        # Without its subscriptions a connection that came back would record nothing.
        reconnect = replace(options.reconnect, resubscribe=True)
        self._session.execute(Connect(_PEER, replace(options, reconnect=reconnect)))
        while not self._over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self._over.wait()
            await self._write()
        await self._session.close()
        return self._end()

    async def _write(self) -> None:
        """Whatever was recorded goes to the file; then what there is to say."""
        while True:
            if advance_all((self._recording, self._messages), self._log):
                break
            await asyncio.sleep(0)
        if self._job.count is not None and self._messages.count >= self._job.count:
            self._over.set()
        if (problem := self._recording.problem) != self._problem:
            self._problem = problem
            if problem and self._job.record.path == STANDARD_OUTPUT:
                self._status = EXIT_BROKEN_PIPE
                self._over.set()
            else:
                self._voice.say(problem or f"{self._recording.name} is written again")
        self._progress()

    def _progress(self) -> None:
        now = time.monotonic()
        then, before = self._shown
        if not self._voice.is_terminal or now - then < 1:
            return
        received = self._log.received
        rate = (received - before) / (now - then) if then else 0
        self._shown = now, received
        recording = self._recording
        files = f" in {recording.files:,} files" if self._job.record.ring else ""
        waiting = f"  not written {recording.unwritten:,}" if recording.problem or recording.missed else ""
        self._voice.progress(
            f"{self._state.phase.value}  {received:,} packets  {rate:,.0f}/s  {size(recording.bytes)}{files}"
            f"  {duration(int((now - self._began) * 1e9))}{waiting}"
        )

    def _end(self) -> int:
        whole = self._recording.close(_CLOSE_SECONDS)
        recording = self._recording
        if self._status == EXIT_BROKEN_PIPE:
            return self._status
        self._voice.say(f"{recording.packets:,} packets, {size(recording.bytes)} in {recording.name}")
        if not whole:
            why = f": {recording.problem}" if recording.problem else ""
            self._voice.say(f"{recording.unwritten:,} packets are missing{why}")
        return self._status or (0 if whole else EXIT_INCOMPLETE)

    # What the session tells

    def _event(self, event: Event) -> None:
        match event:
            case StateChanged(state=state):
                before, self._state = self._state, state
                self._phase_changed(before, state)
                self._answers(state)
            case Rejected(text=text):
                self._voice.say(text)
            case _:
                pass  # Nothing is published here.

    def _phase_changed(self, before: ConnectionState, state: ConnectionState) -> None:
        if before.phase is not state.phase:
            if state.phase is Phase.CONNECTED:
                self._voice.say(f"connected to {visible(self._job.options.url)}, writing {self._recording.name}")
                if state.warning:
                    self._voice.say(f"warning: {state.warning}")
                self._subscribe()
            elif state.phase is Phase.WAITING:
                self._voice.say(f"{_why(state)}; trying again")
        if state.phase is Phase.IDLE and (state.failure is not None or state.ended) and not self._over.is_set():
            self._voice.say(_why(state))
            self._status = EXIT_FAILED
            self._over.set()

    def _subscribe(self) -> None:
        if self._job.subscriptions and not self._subscribed:
            self._subscribed = True
            # The session tells of its state from within; what it is asked for comes after that.
            command = Subscribe(_PEER, self._job.subscriptions, self._job.properties)
            asyncio.get_running_loop().call_soon(self._session.execute, command)

    def _answers(self, state: ConnectionState) -> None:
        rows = state.subscriptions
        refused = {row.key: row for row in rows if row.granted is not None and row.granted >= _REFUSED}
        for key, row in refused.items():
            if key not in self._refused:
                self._voice.say(f"SUBSCRIBE {shorten(visible(key), 60)}: {row.answer}")
        self._refused = set(refused)
        if rows and len(refused) == len(rows) and not self._over.is_set():
            self._status = EXIT_FAILED
            self._over.set()


def _why(state: ConnectionState) -> str:
    failure = state.failure
    if failure is None:
        return state.ended
    return ". ".join(part for part in (f"{failure.title}: {failure.detail}" if failure.detail else failure.title, failure.hint) if part)
