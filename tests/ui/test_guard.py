"""What a guard lets through: every command, with every guard."""

from __future__ import annotations

import pytest

from mqtttui.analysis.check_run import Depth
from mqtttui.client import commands
from mqtttui.client.commands import Command
from mqtttui.client.events import ConnectionState, Phase, SubscriptionState
from mqtttui.config.guard import Guard
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connack, Connect, Property, Publish, Text, TopicRequest, Will
from mqtttui.ui.guard import Allowed, Guarding, Question, Refusal, judge, judge_check, left_behind

USERS: dict[Text, str] = {"dev-7": "profile lab"}
OPTIONS = ConnectOptions(connect=Connect("dev-42"))
KICKING = ConnectOptions(connect=Connect("dev-7"))
WITH_WILL = ConnectOptions(connect=Connect("dev-42", will=Will("gone")))
IDLE = ConnectionState("main")


def subscribe(*filters: str) -> Command:
    return commands.Subscribe("main", tuple(TopicRequest(filter) for filter in filters))


def publish(**fields: object) -> Command:
    return commands.SendPublish("main", 1, Publish("t/x", **fields))  # type: ignore[arg-type]


TABLE: list[tuple[Command, type, type]] = [
    (commands.Connect("main", OPTIONS), Allowed, Allowed),
    (commands.Connect("main", KICKING), Question, Question),
    (commands.Disconnect("main"), Allowed, Allowed),
    (commands.Cancel("main"), Allowed, Allowed),
    (commands.CutLink("main"), Allowed, Allowed),
    (subscribe("t/+"), Allowed, Allowed),
    (subscribe("t/#"), Allowed, Allowed),
    (subscribe("a", "#"), Question, Question),
    (subscribe("$share/g/t"), Question, Question),
    (commands.Unsubscribe("main", ("t",)), Allowed, Allowed),
    (publish(payload=b"x"), Question, Refusal),
    (publish(retain=True), Question, Refusal),
    (commands.ReleaseHeld("main", 1), Question, Refusal),
    (commands.ReleaseHeld("main", 1, send=False), Allowed, Allowed),
    (commands.Ping("main"), Allowed, Allowed),
    (commands.SendRaw("main", b"\xc0\x00"), Question, Refusal),
    (commands.ConnectRaw("main", OPTIONS, b"\x10\x00"), Question, Refusal),
    (commands.StopSending("main"), Allowed, Allowed),
    (commands.FlowStep("main", 1, "dup"), Question, Refusal),
    (commands.FlowStep("main", 1, "pubrel"), Question, Refusal),
    (commands.FlowStep("main", 1, "pubcomp"), Question, Refusal),
    (commands.FlowStep("main", 1, "forget"), Allowed, Allowed),
    (commands.Authenticate("main", b"x"), Allowed, Allowed),
    (commands.Misbehave("main", "silence"), Question, Refusal),
    (commands.Misbehave("main", "withhold"), Question, Refusal),
    (commands.Behave("main"), Allowed, Allowed),
    (commands.TakeOver("main"), Allowed, Allowed),
    (commands.WatchWill("main"), Allowed, Allowed),
    (commands.Examine("main", 1, OPTIONS, "dev-9"), Question, Question),
    (commands.Examine("main", 1, OPTIONS, "dev-9", "drain"), Question, Refusal),
    (commands.Examine("main", 1, OPTIONS, "dev-9", "end"), Question, Refusal),
    (commands.StopBeside("main"), Allowed, Allowed),
]
"""A command, what `ask` makes of it, and what `read-only` does."""


def test_every_command_is_in_the_table() -> None:
    assert {type(command) for command, _, _ in TABLE} == set(Command.__args__)


@pytest.mark.parametrize(("command", "asked", "read_only"), TABLE, ids=lambda value: getattr(value, "__name__", type(value).__name__))
def test_guards(command: Command, asked: type, read_only: type) -> None:
    lasting = isinstance(command, commands.Examine) and command.mode != "peek"
    assert isinstance(judge(command, Guarding(Guard.NONE, "it", USERS), IDLE), Question if lasting else Allowed)
    assert isinstance(judge(command, Guarding(Guard.ASK, "it", USERS), IDLE), asked)
    assert isinstance(judge(command, Guarding(Guard.READ_ONLY, "it", USERS), IDLE), read_only)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (commands.Connect("main", KICKING), "kicks dev-7 off: profile lab uses this client id"),
        (subscribe("$share/g/jobs"), "$share/g/jobs takes messages from the real workers of this group"),
        (subscribe("jobs"), ""),
    ],
)
def test_warnings_name_the_consequence_without_a_guard_too(command: Command, words: str) -> None:
    assert judge(command, Guarding(Guard.NONE, "it", USERS), IDLE) == Allowed(words)


@pytest.mark.parametrize("guard", [Guard.NONE, Guard.ASK])
def test_one_question_has_all_that_comes_of_draining(guard: Guard) -> None:
    asked = judge(commands.Examine("main", 1, OPTIONS, "dev-7", "drain"), Guarding(guard, "it", USERS), IDLE)
    assert isinstance(asked, Question)
    assert asked.title == "Drain the queue of dev-7?"
    assert asked.consequence.startswith("Kicks dev-7 off: profile lab uses this client id.\n")
    assert "the device will never get them" in asked.consequence


def test_questions_and_refusals_say_what_would_happen() -> None:
    asked = judge(publish(payload=b"21.5", qos=1, retain=True), Guarding(Guard.ASK, "it", {}), IDLE)
    assert asked == Question("Publish?", "4 bytes to t/x at QoS 1, and the server keeps it", "publish")
    assert judge(publish(retain=True), Guarding(Guard.ASK, "it", {}), IDLE) == Question(
        "Clear the retained message?", "t/x loses its retained message", "clear it"
    )
    assert judge(publish(), Guarding(Guard.READ_ONLY, "LIVE", {}), IDLE) == Refusal("LIVE is read-only: no publishing")


@pytest.mark.parametrize("guard", [Guard.ASK, Guard.READ_ONLY])
def test_what_publishes_the_will_is_asked_about(guard: Guard) -> None:
    state = ConnectionState("main", Phase.CONNECTED, 0, WITH_WILL, connack=Connack())
    for command in (commands.CutLink("main"), commands.Disconnect("main", 0x04), commands.TakeOver("main")):
        verdict = judge(command, Guarding(guard, "it", {}), state)
        assert isinstance(verdict, Question)
        assert "publishes the will to gone" in verdict.consequence


@pytest.mark.parametrize(
    ("connect", "words"),
    [
        (Connect("d", Version.V5), ""),
        (Connect("d", Version.V5, properties=(Property(PropertyId.SESSION_EXPIRY_INTERVAL, 7_200),)), "lives on for 2 hours"),
        (Connect("d", Version.V5, properties=(Property(PropertyId.SESSION_EXPIRY_INTERVAL, 0xFFFFFFFF),)), "lives on for ever"),
        (Connect("d", clean=False), "lives on for ever"),
        (Connect("d"), ""),
    ],
)
def test_a_session_that_lives_on_is_said(connect: Connect, words: str) -> None:
    rows = (SubscriptionState(TopicRequest("t"), active=True),)
    state = ConnectionState(
        "main", Phase.CONNECTED, 0, ConnectOptions(connect=connect), connack=Connack(), client_id="d", subscriptions=rows
    )
    said = left_behind(state)
    assert words in said
    assert bool(words) == ("it leaves a queue that grows" in said)
    assert left_behind(state.with_(subscriptions=())) == ""


def test_a_test_run_publishes_only_where_that_is_allowed() -> None:
    for guard, kind in ((Guard.NONE, Allowed), (Guard.ASK, Question), (Guard.READ_ONLY, Refusal)):
        assert isinstance(judge_check(Depth.PUBLISH, Guarding(guard, "it", {})), kind)
        assert isinstance(judge_check(Depth.SUBSCRIBE, Guarding(guard, "it", {})), Allowed)
