"""Every failure, provoked for real on loopback, as a person sees it.

The table is `tests/data/failures.txt`: title, detail, what to check, what one key can do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mqtttui.client.events import StepStatus
from tests.support.certs import Certificates
from tests.support.failing import Scene, shown
from tests.support.failure_scenes import SCENES
from tests.support.sessions import Driver


def table() -> dict[str, str]:
    """Name of a scene -> the lines that a person sees."""
    blocks = (Path(__file__).parent.parent / "data" / "failures.txt").read_text("utf-8").split("\n== ")[1:]
    return {name: lines.strip("\n") for name, _, lines in (block.partition("\n") for block in blocks)}


TABLE = table()


@pytest.fixture
async def scene(certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack, Driver() as driver:
        yield Scene(driver, certificates, tmp_path, monkeypatch, stack)


@pytest.mark.parametrize("name", SCENES)
async def test_a_failure_as_a_person_sees_it(scene: Scene, name: str) -> None:
    await SCENES[name](scene)
    state = await scene.driver.failed(20)
    assert shown(state, scene) == TABLE[name]
    assert state.failure is not None
    step = next((step for step in state.steps if step.name == state.failure.step), None)
    assert step is None or step.status is StepStatus.FAILED, "the phase that failed is the one that is marked"
