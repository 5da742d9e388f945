"""`$SYS`: what the broker says about itself, in topics named as mosquitto's."""

from __future__ import annotations

import asyncio

from mqtttui import __version__
from mqtttui.demo.core import Core
from mqtttui.demo.messages import Message

ROOT = "$SYS/broker"


async def publish_system_topics(core: Core, interval: float) -> None:
    """Publishes all of them, retained, every `interval` seconds until it is cancelled."""
    while True:
        for name, value in values(core).items():
            core.publish(Message(f"{ROOT}/{name}".encode(), value.encode(), retain=True))
        await asyncio.sleep(interval)


def values(core: Core) -> dict[str, str]:
    """Topic below `ROOT` -> payload."""
    totals = core.totals
    clients = len(core.sessions) + len(core.local_clients)
    connected = core.connected + len(core.local_clients)
    return {
        "version": f"mqtttui demo broker {__version__}",
        "uptime": f"{int(core.loop.time() - core.started)} seconds",
        "clients/total": str(clients),
        "clients/connected": str(connected),
        "clients/disconnected": str(clients - connected),
        "clients/maximum": str(totals.clients_maximum + len(core.local_clients)),
        "messages/received": str(totals.messages_received),
        "messages/sent": str(totals.messages_sent),
        "publish/messages/received": str(totals.publishes_received),
        "publish/messages/sent": str(totals.publishes_sent),
        "publish/messages/dropped": str(totals.publishes_dropped + sum(session.dropped for session in core.sessions.values())),
        "bytes/received": str(totals.bytes_received),
        "bytes/sent": str(totals.bytes_sent),
        "retained messages/count": str(len(core.retained)),
        "subscriptions/count": str(len(core.subscriptions)),
    }
