"""One test run against a broker: connect, subscribe, publish a probe at each QoS, get it back, unsubscribe, ping, disconnect.

Rules:

1. The Session does all of it, as it does for the screen; this module only asks, one thing after the other.
2. Every number comes from the stamps of the log and of the steps of connecting. When this task gets its turns changes none.
3. An answer counts when it is in the log. What does not come within the plan's time-out ends the run, and so does a refusal,
   a malformed packet or the end of the connection; a DISCONNECT is sent in any case if the connection stands.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from mqtttui.analysis.check_measuring import Seen, Trace, probe
from mqtttui.analysis.check_run import Depth, Plan, Run, RunError
from mqtttui.capture.log import Log, Packet
from mqtttui.client import certificates, commands, replies
from mqtttui.client.events import Event, Phase, Rejected, StateChanged
from mqtttui.client.session import Session
from mqtttui.config.check import CheckJob
from mqtttui.config.options import ConnectOptions, ReconnectOptions
from mqtttui.protocol.enums import Direction, ErrorClass, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Ack, Connack, Pingresp, Properties, Suback, TopicRequest, Unsuback
from mqtttui.protocol.parse import parse

T = TypeVar("T")

PEER = "test run"
"""The peer of a run's connection in the log."""

_LOG_BYTES = 16 * 1024 * 1024
_REFUSED = 0x80
_STEPS = {"dns": "resolve"} | {name: name for name in ("unix", "tcp", "proxy", "tls", "websocket")}
"""Metric -> the step of connecting that it is the time of."""
_NOT_BACK = "May this client subscribe to the topic? Some brokers grant a subscription that their access list forbids."
_SILENT = "The broker hangs, is overloaded, or drops what it does not like without a word."


async def check_all(job: CheckJob, done: Callable[[Run], None], progress: Callable[[int, str], None], log: Log | None = None) -> None:
    """The runs of `job`, one after the other. `progress` hears the number of a run and what is waited for, `done` each run that ended.

    `log`: where their packets are recorded; without one they are forgotten. Raises what `check_once` does.
    """
    loop = asyncio.get_running_loop()
    if job.options.tls is not None:
        await certificates.load()
    for number in range(1, job.count + 1):
        due = loop.time() + job.interval
        done(await check_once(job.options, job.plan, number, partial(progress, number), log))
        if number < job.count:
            progress(number, "done, the next one comes")
            await asyncio.sleep(max(0.0, due - loop.time()))


async def check_once(
    options: ConnectOptions, plan: Plan, number: int = 1, progress: Callable[[str], None] = lambda text: None, log: Log | None = None
) -> Run:
    """One run; `progress` hears what is waited for. Raises nothing but CancelledError, and has disconnected then too."""
    return await _Checking(options, plan, number, progress, log).run()


class _Failed(Exception):
    """The run is over."""

    def __init__(self, error: RunError) -> None:
        super().__init__(error.title)
        self.error = error


class _Checking:
    """One run."""

    def __init__(self, options: ConnectOptions, plan: Plan, number: int, progress: Callable[[str], None], log: Log | None) -> None:
        self._options = replace(options, reconnect=ReconnectOptions(), dial_timeout=plan.timeout, connack_timeout=plan.timeout)
        self._plan = plan
        self._number = number
        self._progress = progress
        self._name = uuid.uuid4().hex
        self._trace = Trace(self._name)
        self._woken = asyncio.Event()
        self._log = Log(_LOG_BYTES) if log is None else log
        self._session = Session(PEER, self._log, self._event)
        self._connection: int | None = None
        self._unread: deque[range] = deque()
        """Numbers of the connection's packets that are still to be read."""
        self._problem = ""
        """A malformed packet of the broker. Of bytes that are no packet the session tells, as of all that comes before CONNACK."""
        self._rejected = ""
        self._queued: dict[int, int] = {}
        self._skipped: list[str] = []

    async def run(self) -> Run:
        """See `check_once`."""
        wall, requested = time.time_ns(), time.monotonic_ns()
        error: RunError | None = None
        try:
            await self._steps()
        except _Failed as failed:
            error = failed.error
        finally:
            self._progress("disconnecting")
            steps = self._session.state.steps
            await self._session.close()
        self._read()
        times = self._trace.times(requested, self._queued)
        if error is not None:
            times.pop("total", None)
        spans = {step.name: step.nanoseconds for step in steps}
        times |= {key: span for key, name in _STEPS.items() if (span := spans.get(name)) is not None}
        return Run(self._number, wall, times, self._trace.sizes(), error, tuple(self._skipped))

    # The run, step by step

    async def _steps(self) -> None:
        self._session.execute(commands.Connect(PEER, self._options))
        connack = await self._until(self._connected, "CONNACK", timed=False)
        match self._plan.depth:
            case Depth.CONNECT:
                await self._ping()
            case Depth.SUBSCRIBE:
                await self._subscribe()
                await self._ping()  # Retained messages come before its answer.
                await self._unsubscribe()
            case Depth.PUBLISH:
                await self._subscribe()
                for qos in self._plan.qos:
                    await self._probe(qos, connack)
                await self._unsubscribe()
                await self._ping()

    async def _ping(self) -> None:
        self._session.execute(commands.Ping(PEER))
        await self._until(lambda: self._trace.received(Pingresp), "PINGRESP")

    def _connected(self) -> Connack | None:
        state = self._session.state
        return state.connack if state.phase is Phase.CONNECTED else None

    async def _subscribe(self) -> None:
        qos = max(self._plan.qos, default=0)
        self._session.execute(commands.Subscribe(PEER, (TopicRequest(self._plan.topic, qos),)))
        answer = (await self._until(lambda: self._trace.received(Suback), "SUBACK")).packet
        if isinstance(answer, Suback):
            if len(answer.codes) != 1:  # [MQTT-3.9.3-1]
                raise _Failed(_malformed("SUBACK", f"{len(answer.codes)} answers to one filter"))
            self._accept(answer.codes[0], answer.properties, PacketType.SUBACK)

    async def _unsubscribe(self) -> None:
        self._session.execute(commands.Unsubscribe(PEER, (self._plan.topic,)))
        answer = (await self._until(lambda: self._trace.received(Unsuback), "UNSUBACK")).packet
        if isinstance(answer, Unsuback):
            self._accept(answer.codes[0] if answer.codes else 0, answer.properties, PacketType.UNSUBACK)

    async def _probe(self, qos: int, connack: Connack) -> None:
        highest = replies.number(connack.properties, PropertyId.MAXIMUM_QOS, 2)
        if qos > highest:
            self._skipped.append(f"QoS {qos}: the broker allows QoS {highest} at most")
            return
        packet = probe(self._plan.topic, self._name, qos, v5=self._version is Version.V5)
        self._queued[qos] = time.monotonic_ns()
        self._session.execute(commands.SendPublish(PEER, qos, packet, anyway=True))
        if qos:
            await self._acknowledged(PacketType.PUBACK if qos == 1 else PacketType.PUBREC)
        if qos == 2:
            await self._acknowledged(PacketType.PUBCOMP)
        await self._until(lambda: self._trace.came_back(qos), f"the probe of QoS {qos}", _NOT_BACK)

    async def _acknowledged(self, kind: PacketType) -> None:
        answer = (await self._until(lambda: self._trace.answer(kind), kind.name)).packet
        if isinstance(answer, Ack):
            self._accept(answer.reason_code or 0, answer.properties or (), kind)

    def _accept(self, code: int, properties: Properties, kind: PacketType) -> None:
        """Raises _Failed for a code of refusal."""
        if code >= _REFUSED:
            why = replies.explain(code, properties, kind, self._version)
            raise _Failed(RunError(ErrorClass.REFUSED, kind.name, f"Refused: {why.label}", why.detail, why.hint))

    @property
    def _version(self) -> Version:
        return self._options.connect.version

    # Waiting

    async def _until(self, found: Callable[[], T | None], what: str, hint: str = _SILENT, *, timed: bool = True) -> T:
        """What `found` gives as soon as it gives something. Raises _Failed. Without `timed` the session's own time-outs count."""
        self._progress(f"waiting for {what}")
        deadline = asyncio.get_running_loop().time() + self._plan.timeout if timed else None
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    self._woken.clear()
                    self._read()
                    if (value := found()) is not None:
                        return value
                    self._raise_if_over(what)
                    await self._woken.wait()
        except TimeoutError:
            detail = f"nothing within {self._plan.timeout:g} s"
            raise _Failed(RunError(ErrorClass.TIMEOUT, what, f"No answer: {what} did not come", detail, hint)) from None

    def _raise_if_over(self, what: str) -> None:
        state = self._session.state
        if self._rejected:
            raise _Failed(RunError(ErrorClass.PROTOCOL, what, "Not sent", self._rejected))
        if (failure := state.failure) is not None:
            raise _Failed(RunError(failure.kind, failure.step or what, failure.title, failure.detail, failure.hint))
        if self._problem and state.phase is Phase.CONNECTED:
            raise _Failed(_malformed(what, self._problem))
        if state.ended:
            raise _Failed(RunError(ErrorClass.CLOSED, what, state.ended))

    def _read(self) -> None:
        """Takes what is new in the log over into the trace."""
        while self._unread:
            for no in self._unread.popleft():
                if no in self._log:  # A flood may have evicted it already.
                    self._take(self._log[no])

    def _take(self, row: Packet) -> None:
        packet = None if row.framing_error else parse(row.raw, row.version, row.direction)
        if packet is not None:
            self._trace.add(Seen(row.mono, row.direction, len(row.raw), packet))
        elif row.direction is Direction.S2C and not row.framing_error and not self._problem:
            self._problem = f"{PacketType(row.raw[0] >> 4).name}: {row.raw[:20].hex(' ')}"

    def _event(self, event: Event) -> None:
        match event:
            case Rejected(text=words):
                self._rejected = words
            case StateChanged(state=state) if state.connection != self._connection and state.connection is not None:
                self._connection = state.connection
                self._log.watch(state.connection, self._grown)
            case _:
                pass
        self._woken.set()

    def _grown(self, first: int, last: int) -> None:
        self._unread.append(range(first, last + 1))
        self._woken.set()


def _malformed(step: str, detail: str) -> RunError:
    hint = "A fault of the broker or of something between."
    return RunError(ErrorClass.PROTOCOL, step, "The broker sent a malformed packet", detail, hint)
