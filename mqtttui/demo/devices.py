"""Simulated devices: a greenhouse, a cellar, a workshop, a house and a weather station.

Together they publish about four messages a second under `demo/`, with a burst now and then. Readings wander, seeded, so
that two runs with the same seed show the same. Each device is a coroutine that runs until it is cancelled.

What there is to see:
- plain numbers, JSON, raw samples and MessagePack; QoS 0, 1 and 2; retained and live;
- content types, user properties, message expiry;
- `demo-cellar-pump` dies now and then: its will says `offline` until it is back;
- `demo-lamp` answers requests on `demo/house/lamp/set` (Response Topic, Correlation Data);
- `demo/workshop/terminal` carries terminal escapes, as a log line of a real machine may.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from mqtttui.demo.core import Core
from mqtttui.demo.local_client import LocalClient
from mqtttui.demo.messages import Message, raw
from mqtttui.demo.payloads import as_json, as_message_pack, as_samples
from mqtttui.demo.refusals import of_publish
from mqtttui.protocol.enums import PropertyId
from mqtttui.protocol.packets import Property, Will

LAMP_SET = "demo/house/lamp/set"
LAMP_STATE = "demo/house/lamp/state"
LAMP_ANSWERS = "demo/house/remote/answers"
PUMP_STATUS = "demo/cellar/pump/status"
ANSWER_DELAY = 0.03
"""Seconds that the lamp needs to answer."""
BURST = 25
_SAMPLES = 16
_TERMINAL_LINE = "\x1b[31mpress too hot\x1b[0m \u202emirrored\u202c [bold]or not[/bold]\r\n".encode()
"""A colour, a change of the writing direction, markup, a line end: all of it must be shown, none of it obeyed."""


class Stage:
    """What devices share: the broker, chance, and how fast time goes."""

    def __init__(self, core: Core, seed: int, pace: float) -> None:
        self.core = core
        self._seed = seed
        self._pace = pace

    def client(self, client_id: str) -> tuple[LocalClient, Random]:
        """A connected client and its own chance, so that one device does not change what another shows."""
        client = LocalClient(self.core, client_id)
        client.connect()
        return client, Random(f"{self._seed} {client_id}")

    async def pause(self, seconds: float) -> None:
        """Waits, at this stage's pace."""
        await asyncio.sleep(seconds / self._pace)


async def run_devices(core: Core, seed: int, pace: float) -> None:
    """All devices, until cancelled. At `pace` 2 everything happens twice as fast."""
    stage = Stage(core, seed, pace)
    async with asyncio.TaskGroup() as group:
        for bench in (1, 2, 3):
            group.create_task(_bench(stage, bench))
        for device in _DEVICES:
            group.create_task(device(stage))


async def _bench(stage: Stage, number: int) -> None:
    """Temperature as a plain number, soil and air as JSON."""
    client, chance = stage.client(f"demo-bench-{number}")
    root = f"demo/greenhouse/bench-{number}"
    unit = (_property(PropertyId.CONTENT_TYPE, "text/plain"), _pair("unit", "°C"))
    described = (_property(PropertyId.CONTENT_TYPE, "application/json"), _property(PropertyId.PAYLOAD_FORMAT_INDICATOR, 1))
    client.publish(f"{root}/name", f"Bench {number} – {_PLANTS[number - 1]}".encode(), qos=1, retain=True)
    temperature, humidity, moisture = 20 + chance.random() * 3, 55 + chance.random() * 10, 0.4
    count = 0
    while True:
        temperature = _wander(chance, temperature, 0.2, 17, 27)
        humidity = _wander(chance, humidity, 0.8, 45, 80)
        moisture = _wander(chance, moisture, 0.01, 0.2, 0.6)
        client.publish(f"{root}/temperature", f"{temperature:.1f}".encode(), retain=count == 0, properties=unit)
        if count % 2 == 0:
            climate = as_json({"temperature": round(temperature, 1), "humidity": round(humidity), "soil": round(moisture, 2), "seq": count})
            client.publish(f"{root}/climate", climate, qos=1, retain=True, properties=described)
        count += 1
        await stage.pause(chance.random() if count == 1 else 2 + chance.random())


async def _meter(stage: Stage) -> None:
    """Energy: JSON at QoS 1, worth nothing after half a minute."""
    client, chance = stage.client("demo-meter")
    energy, power = 4_711.0, 320.0
    properties = (
        _property(PropertyId.MESSAGE_EXPIRY_INTERVAL, 30),
        _property(PropertyId.CONTENT_TYPE, "application/json"),
        _pair("meter", "DE-0815"),
        _pair("phase", "L1"),
        _pair("phase", "L2"),
    )
    while True:
        power = _wander(chance, power, 40, 90, 2_400)
        energy += power / 3_600_000 * 3
        payload = as_json({"energy_kWh": round(energy, 4), "power_W": round(power), "valid": True})
        client.publish("demo/house/meter/energy", payload, qos=1, retain=True, properties=properties)
        await stage.pause(3)


async def _press(stage: Stage) -> None:
    """Vibration: 16 raw samples, no structure to see without knowing it; every so often a whole log in one go."""
    client, chance = stage.client("demo-press")
    binary = (_property(PropertyId.CONTENT_TYPE, "application/octet-stream"), _pair("format", "int16 little endian"))
    turn = 0
    while True:
        turn += 1
        wave = [round(800 * math.sin((turn + step) / 2.5) + chance.gauss(0, 90)) for step in range(_SAMPLES)]
        client.publish("demo/workshop/press/vibration", as_samples(wave), properties=binary)
        if turn % 8 == 0:
            client.publish("demo/workshop/terminal", _TERMINAL_LINE)
        if turn % 12 == 0:
            for line in range(1, BURST + 1):
                text = f"{line:02d}/{BURST} stroke {turn * 100 + line}: {chance.randint(40, 60)} kN"
                client.publish("demo/workshop/press/log", text.encode())
        await stage.pause(3 + chance.random())


async def _weather(stage: Stage) -> None:
    """A weather station that writes MessagePack, at QoS 2."""
    client, chance = stage.client("demo-weather")
    packed = (_property(PropertyId.CONTENT_TYPE, "application/msgpack"), _property(PropertyId.MESSAGE_EXPIRY_INTERVAL, 600))
    wind, pressure = 3.0, 1_013
    while True:
        wind = _wander(chance, wind, 0.7, 0, 18)
        pressure = round(_wander(chance, pressure, 1, 985, 1_040))
        reading = {"wind": round(wind, 1), "from": chance.choice(("N", "NO", "SW", "W")), "hPa": pressure, "rain": wind > 6, "gust": None}
        client.publish("demo/weather/station", as_message_pack(reading), qos=2, retain=True, properties=packed)
        await stage.pause(5)


async def _door(stage: Stage) -> None:
    """A door: two states, each at QoS 2 and retained."""
    client, chance = stage.client("demo-door")
    opened = False
    while True:
        client.publish("demo/house/door/state", b"open" if opened else b"closed", qos=2, retain=True)
        await stage.pause(3 + chance.random() * 3 if opened else 8 + chance.random() * 6)
        opened = not opened


async def _pump(stage: Stage) -> None:
    """A pump that dies after half a minute; its will says so, and a few seconds later it is back."""
    client, chance = stage.client("demo-cellar-pump")
    will = Will(PUMP_STATUS, b"offline", qos=1, retain=True, properties=(_pair("reason", "connection lost"),))
    while True:
        client.connect(will)
        client.publish(PUMP_STATUS, b"online", qos=1, retain=True)
        flow = 12.0
        for _ in range(12 + chance.randrange(6)):
            flow = _wander(chance, flow, 0.6, 6, 18)
            client.publish("demo/cellar/pump/flow", f"{flow:.2f}".encode(), properties=(_pair("unit", "l/min"),))
            await stage.pause(2)
        client.die()
        await stage.pause(8)


async def _lamp(stage: Stage) -> None:
    """A lamp: takes commands, retains its state, and answers whoever says where to."""
    client, _ = stage.client("demo-lamp")
    requests: asyncio.Queue[Message] = asyncio.Queue(100)

    def take(message: Message) -> None:
        if not requests.full():
            requests.put_nowait(message)

    client.subscribe(LAMP_SET, take)
    client.publish(LAMP_STATE, as_json({"on": False}), qos=1, retain=True)
    while True:
        request = await requests.get()
        await stage.pause(ANSWER_DELAY)
        lit = lamp_command(request.payload)
        if lit is not None:
            client.publish(LAMP_STATE, as_json({"on": lit}), qos=1, retain=True)
        for topic, answer in _answers(request, lit):
            client.publish(topic, answer, qos=1, properties=tuple(_kept(request, PropertyId.CORRELATION_DATA)))


def lamp_command(payload: bytes) -> bool | None:
    """What a command asks for: `on`, `off`, or JSON with `"on": true` or false; None if it is nothing of the kind."""
    if payload.strip() in (b"on", b"off"):
        return payload.strip() == b"on"
    try:
        command = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    wanted = command.get("on") if isinstance(command, dict) else None
    return wanted if isinstance(wanted, bool) else None


def _answers(request: Message, lit: bool | None) -> list[tuple[str, bytes]]:
    answer: dict[str, bool | str] = {"ok": True, "on": lit} if lit is not None else {"ok": False, "error": 'send {"on": true} or false'}
    topics = [raw(item.value) for item in _kept(request, PropertyId.RESPONSE_TOPIC) if isinstance(item.value, str)]
    return [(topic.decode(), as_json(answer)) for topic in topics if topic != LAMP_SET.encode() and of_publish(topic) is None]


def _kept(message: Message, wanted: PropertyId) -> list[Property]:
    return [item for item in message.properties if item.id == wanted]


async def _remote(stage: Stage) -> None:
    """A remote control: sends the lamp a request every now and then."""
    client, chance = stage.client("demo-remote")
    lit, count = True, 0
    while True:
        await stage.pause(6 if count == 0 else 15 + chance.random() * 5)
        count += 1
        properties = (
            _property(PropertyId.RESPONSE_TOPIC, LAMP_ANSWERS),
            _property(PropertyId.CORRELATION_DATA, f"request-{count}".encode()),
            _property(PropertyId.CONTENT_TYPE, "application/json"),
        )
        client.publish(LAMP_SET, as_json({"on": lit, "fade": 1.5}), qos=1, properties=properties)
        lit = not lit


_PLANTS = ("Tomaten", "Basilikum", "さくら")
_DEVICES: tuple[Callable[[Stage], Coroutine[Any, Any, None]], ...] = (_meter, _press, _weather, _door, _pump, _lamp, _remote)


def _wander(chance: Random, value: float, step: float, low: float, high: float) -> float:
    """The next value of a reading."""
    return min(high, max(low, value + chance.uniform(-step, step)))


def _property(id: PropertyId, value: int | str | bytes) -> Property:
    return Property(id, value)


def _pair(name: str, value: str) -> Property:
    return Property(PropertyId.USER_PROPERTY, (name, value))
