"""Fixtures for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

from tests.support.brokers import (
    aedes_broker,
    ejabberd_broker,
    mosquitto_broker,
    mutual_tls_mosquitto,
    nats_broker,
    password_mosquitto,
    tls_mosquitto,
)
from tests.support.certs import certificates

__all__ = [
    "aedes_broker",
    "certificates",
    "ejabberd_broker",
    "mosquitto_broker",
    "mutual_tls_mosquitto",
    "nats_broker",
    "password_mosquitto",
    "tls_mosquitto",
]

settings.register_profile("short", deadline=None)
settings.register_profile("long", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))
