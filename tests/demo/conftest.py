"""A fresh embedded broker for each test; none may have failed inside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mqtttui.demo.broker import DemoBroker


@pytest.fixture
def broker() -> Iterator[DemoBroker]:
    """A running broker."""
    with DemoBroker() as running:
        yield running
    assert running.faults == []
