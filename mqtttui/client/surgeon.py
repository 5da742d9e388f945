"""A look into the session that another client left behind, on a connection of its own.

1. The CONNECT resumes the session (Clean Start 0) with that client's id: if it is connected, the server ends its connection.
2. To peek is to acknowledge nothing and to cut the link: the server keeps every QoS 1 and 2 message and sends it to the client
   again, with DUP [MQTT-3.3.1-1, MQTT-4.4.0-1]. Messages of QoS 0 that it had kept are gone, for they have no acknowledgement.
3. No more than Receive Maximum messages come without acknowledgement; what a server holds back by itself is not seen.
4. In MQTT 5 the Session Expiry Interval of our CONNECT replaces the client's, until that one connects again. There is no will
   in it: one of the client's that still waits for its delay is not published any more [MQTT-3.1.3-9].
5. Where there was no session, the one that our CONNECT made is ended again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from mqtttui.capture.log import Log
from mqtttui.client import replies
from mqtttui.client.answers import Answers, Order
from mqtttui.client.beside import Beside
from mqtttui.client.commands import Examine
from mqtttui.client.connect_facts import wire_version
from mqtttui.client.events import SeenMessages, SessionReport
from mqtttui.config.options import ConnectOptions, ReconnectOptions
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import Ack, Connect, Disconnect, Property, Publish
from mqtttui.text import visible

MAX_TOPICS = 1_000
"""Topics and QoS that are counted one by one."""
_TOLD_EVERY = 0.2
_OWN = {PropertyId.SESSION_EXPIRY_INTERVAL, PropertyId.RECEIVE_MAXIMUM, PropertyId.TOPIC_ALIAS_MAXIMUM, PropertyId.MAXIMUM_PACKET_SIZE}
"""Properties that are left out: an alias hides the topic, a size hides messages."""


def examining(asked: Examine) -> Connect:
    """The CONNECT of a look."""
    connect = asked.options.connect
    v5 = connect.version is Version.V5
    properties = tuple(item for item in connect.properties if item.id not in _OWN)
    if v5:
        expiry = 0 if asked.mode == "end" else asked.expiry
        properties += (Property(PropertyId.SESSION_EXPIRY_INTERVAL, expiry),)
        properties += (Property(PropertyId.RECEIVE_MAXIMUM, asked.receive_maximum),)
    # 3.x ends a session by beginning a clean one [MQTT-3.1.2-6].
    clean = asked.mode == "end" and not v5
    return replace(connect, client_id=asked.client_id, clean=clean, will=None, flags=None, properties=properties if v5 else ())


class Look:
    """One look; `tell` hears of every step."""

    def __init__(self, asked: Examine, log: Log, tell: Callable[[SessionReport], None]) -> None:
        self._asked = asked
        self._log = log
        self._tell = tell
        v5 = asked.options.connect.version is Version.V5
        self._report = SessionReport(asked.token, visible(asked.client_id), asked.mode, window=asked.receive_maximum if v5 else None)
        self._seen: dict[tuple[bytes, int], list[int]] = {}
        self._others = 0
        self._count = self._qos0 = self._unfinished = self._size = 0
        self._latest = 0.0

    async def run(self) -> None:
        """From the CONNECT to the end. Raises EncodeError or AuthenticationError before anything is sent."""
        options = self._options()
        version = wire_version(options.connect)
        self._say()
        withhold = self._asked.mode != "drain"
        answers = Answers(version, Order() if withhold else None)
        async with Beside(options, self._asked.peer, self._log, answers=answers, heard=self._heard) as connection:
            connected = await connection.connected()
            self._from_state(connection)
            if connected:
                await self._listen(connection, answers)
                if connection.ended is None:
                    await self._leave(connection, version)
            ended = connection.ended
            self._counts(answers)
            if self._report.session_present is False and version is Version.V311 and self._asked.mode != "end":
                await self._tidy_up(options)
            failure = ended.failure if ended is not None else None
            self._say(done=True, failure=failure, ended=ended.text if ended is not None else "")

    def stopped(self, why: str) -> None:
        """It ended on this side; visible text."""
        self._say(done=True, ended=why)

    def _options(self) -> ConnectOptions:
        return replace(self._asked.options, connect=examining(self._asked), reconnect=ReconnectOptions())

    def _from_state(self, connection: Beside) -> None:
        state = connection.state
        connack = state.connack
        present: bool | None = None
        expiry: int | None = None
        if connack is not None and not connack.code:
            # A clean session is never present, whatever was there before.
            known = connection.version is not Version.V31 and not connection.options.connect.clean
            present = connack.session_present if known else None
            if connection.version is Version.V5:
                asked = replies.number(connection.options.connect.properties, PropertyId.SESSION_EXPIRY_INTERVAL, 0)
                expiry = replies.number(connack.properties, PropertyId.SESSION_EXPIRY_INTERVAL, asked)
        self._say(connection=state.connection, session_present=present, expiry=expiry)

    async def _listen(self, connection: Beside, answers: Answers) -> None:
        """Until nothing has come for so long, or the connection ends."""
        loop = asyncio.get_running_loop()
        self._latest = loop.time()
        told = 0.0
        while connection.ended is None and (left := self._heard_last(connection) + self._asked.quiet - loop.time()) > 0:
            if loop.time() - told >= _TOLD_EVERY:
                told = loop.time()
                self._counts(answers)
                self._say()
            await connection.over(min(left, _TOLD_EVERY))

    def _heard_last(self, connection: Beside) -> float:
        """When something of the session came last (time of the loop): also a part of a message, over a slow line."""
        tap = connection.link.tap if connection.link is not None else None
        return max(self._latest, tap.last_in / 1e9) if tap is not None and tap.mid_packet else self._latest

    async def _leave(self, connection: Beside, version: Version) -> None:
        none = self._report.session_present is False
        if self._asked.mode == "peek" and not none:
            connection.cut()
        else:
            ends = (Property(PropertyId.SESSION_EXPIRY_INTERVAL, 0),) if none and self._asked.expiry and self._asked.mode != "end" else ()
            await connection.leave(Disconnect(0, ends) if version is Version.V5 else Disconnect())
        await connection.over()

    async def _tidy_up(self, options: ConnectOptions) -> None:
        """End the session that the CONNECT has made where there was none."""
        clean = replace(options, connect=replace(options.connect, clean=True))
        async with Beside(clean, self._asked.peer, self._log) as connection:
            if await connection.connected():
                await connection.leave(Disconnect())

    def _heard(self, packet: Publish | Ack, mono: int) -> None:
        self._latest = asyncio.get_running_loop().time()
        if isinstance(packet, Ack):
            self._unfinished += packet.type is PacketType.PUBREL and self._asked.mode != "drain"
            return
        self._count += 1
        self._qos0 += packet.qos == 0
        self._size += len(packet.payload)
        topic = packet.topic.encode("utf-8", "surrogateescape") if isinstance(packet.topic, str) else packet.topic
        key = (topic, packet.qos)
        if key not in self._seen and len(self._seen) >= MAX_TOPICS:
            self._others += 1
            return
        row = self._seen.setdefault(key, [0, 0])
        row[0] += 1
        row[1] += packet.dup

    def _counts(self, answers: Answers) -> None:
        rows = [SeenMessages(visible(topic), qos, count, repeated) for (topic, qos), (count, repeated) in self._seen.items()]
        self._report = replace(
            self._report,
            messages=tuple(sorted(rows, key=lambda row: (-row.count, row.topic, row.qos))),
            others=self._others,
            count=self._count,
            qos0=self._qos0,
            unfinished=self._unfinished,
            size=self._size,
            withheld=len(answers.withheld),
        )

    def _say(self, **changes: object) -> None:
        self._report = replace(self._report, **changes)  # type: ignore[arg-type]
        self._tell(self._report)
