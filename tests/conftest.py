"""Fixtures for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.brokers import (
    aedes_broker,
    ejabberd_broker,
    mosquitto_broker,
    mosquitto_ways,
    mutual_tls_mosquitto,
    nats_broker,
    password_mosquitto,
    tls_mosquitto,
)
from tests.support.certs import certificates
from tests.support.steady import steady_pilots

__all__ = [
    "aedes_broker",
    "certificates",
    "ejabberd_broker",
    "mosquitto_broker",
    "mosquitto_ways",
    "mutual_tls_mosquitto",
    "nats_broker",
    "password_mosquitto",
    "tls_mosquitto",
]


@pytest.fixture(autouse=True, scope="session")
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the application keeps for the user (filters, profiles) is kept for the tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            patch.setenv(variable, str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True, scope="session")
def _steady_pilots() -> Iterator[None]:
    with steady_pilots():
        yield


settings.register_profile("short", deadline=None)
settings.register_profile("long", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))
