"""A connection's place in the log."""

from __future__ import annotations

import time

from mqtttui.capture.log import Log
from mqtttui.capture.records import Origin, WebSocketEvent, WebSocketKind
from mqtttui.client.layer import Layer
from mqtttui.client.websocket import WebSocketLayer
from mqtttui.config.mosquitto_way import mosquitto_way
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.enums import Direction, Version
from mqtttui.text import visible


def open_in_log(log: Log, peer: str, options: ConnectOptions, version: Version, layer: Layer) -> int:
    """Tells the log of a connection that stands now, and of what its WebSocket does beside carrying packets; its number."""
    way, no_way = mosquitto_way(options)
    number = log.open_connection(
        peer=peer,
        origin=Origin.OWN,
        source=layer.local,
        destination=layer.remote,
        mono=time.monotonic_ns(),
        wall=time.time_ns(),
        version=version,
        name=visible(options.url),
        transport=options.transport,
        way=way,
        no_way=no_way,
    )

    def frame_seen(kind: WebSocketKind, direction: Direction, detail: bytes) -> None:
        log.add_websocket_event(number, WebSocketEvent(kind, direction, log.last_of(number), detail))

    if isinstance(layer, WebSocketLayer):
        layer.observe(frame_seen)
    return number
