"""Blocking work beside the loop: whatever becomes of it reaches who waits."""

from __future__ import annotations

import asyncio

import pytest

from mqtttui.client.threads import in_thread


@pytest.mark.parametrize("kind", [OSError, RuntimeError, KeyError])
async def test_what_goes_wrong_is_raised_where_it_is_waited_for(kind: type[Exception]) -> None:
    def work() -> None:
        raise kind("x")

    async with asyncio.timeout(30):
        with pytest.raises(kind):
            await in_thread(work, "test")
        assert await in_thread(lambda: 7, "test") == 7
