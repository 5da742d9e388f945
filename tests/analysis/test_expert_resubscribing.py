"""A filter subscribed to again while messages of the subscription before are still on their way: nothing of it is a fault."""

from __future__ import annotations

import pytest

from mqtttui.protocol.enums import Severity, Version
from tests.support.expert import Step, run
from tests.support.expert_cases import at, subscribed, subscribing
from tests.support.expert_topic_cases import down

V311, V5 = Version.V311, Version.V5
STORED, LIVE = down("t", b"stored", retain=True), down("t", b"live", retain=True)
AGAIN = subscribing("t", packet_id=901)


def worst(steps: list[Step], version: Version) -> list[str]:
    return [finding.id for finding in run(steps, version) if finding.severity >= Severity.WARN]


@pytest.mark.parametrize("version", [V311, V5], ids=lambda version: version.label)
def test_the_stored_message_may_come_for_both_subscriptions(version: Version) -> None:
    ask, answer = AGAIN
    check = "D14" if version is V5 else "D13"
    assert worst([*subscribed(version, "t"), *at(1, ask, STORED, answer, STORED)], version) == []
    assert worst([*subscribed(version, "t"), *at(1, ask, answer, STORED, STORED)], version) == [check]
    assert worst([*subscribed(version, "t"), *at(1, ask, STORED, answer, STORED, STORED)], version) == [check]


def test_live_messages_may_keep_retain_for_a_while_after_retain_as_published_was_given_up() -> None:
    ask, answer = AGAIN
    before = subscribed(V5, "t", retain_as_published=True)
    assert worst([*before, *at(1, ask, STORED, LIVE, answer, LIVE), *at(5, LIVE)], V5) == []
    assert worst([*before, *at(1, ask, answer, STORED), *at(12, LIVE)], V5) == ["D14"]
