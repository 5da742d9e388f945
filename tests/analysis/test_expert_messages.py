"""The checks of letters B, D, E and F: each strikes on one conversation and is silent on one like it that is in order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.analysis.expert.checks import CONVERSATION
from mqtttui.analysis.expert.finding import Finding
from mqtttui.capture.log import Log, Origin
from mqtttui.client.errors_ends import Before, lost
from mqtttui.client.parts import Ended
from mqtttui.protocol.checks import CHECKS
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.enums import PropertyId, Severity, Version
from mqtttui.protocol.packets import (
    Ack,
    Connack,
    Connect,
    Packet,
    Property,
    Publish,
    Suback,
    Subscribe,
    TopicRequest,
    Unsuback,
    Unsubscribe,
)
from tests.support import strategies
from tests.support.expert import DOWN, UP, Step, Story, ids, of, run
from tests.support.expert_cases import Case, begun, subscribed
from tests.support.expert_flow_cases import FLOW_CASES, SUBSCRIBING_CASES
from tests.support.expert_publish_cases import PUBLISH_CASES
from tests.support.expert_topic_cases import TOPIC_CASES

CASES = (*TOPIC_CASES, *PUBLISH_CASES, *FLOW_CASES, *SUBSCRIBING_CASES)


def test_every_check_has_two_conversations() -> None:
    assert {case.id for case in CASES} == {id for id in {*CHECKS, *CONVERSATION} if id[0] in "BDEF"}


def test_every_check_says_what_to_check() -> None:
    assert [id for id in {*CHECKS, *CONVERSATION} if id[0] in "BDEF" and not (CONVERSATION.get(id) or CHECKS[id]).hint] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_strikes(case: Case) -> None:
    findings = case.findings(case.strikes)
    found = of(case.id, findings)
    assert found, ids(findings)
    check = CONVERSATION.get(case.id) or CHECKS[case.id]
    assert {finding.severity for finding in found} == {case.severity or check.severity_in(case.version)}
    for finding in found:
        assert_well_put(finding, conversation=case.id in CONVERSATION)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_silent_on_what_is_in_order(case: Case) -> None:
    findings = case.findings(case.silent)
    assert case.id not in ids(findings)
    faults = {finding.id for finding in findings if finding.severity is Severity.ERROR}
    assert faults <= case.faults


def assert_well_put(finding: Finding, *, conversation: bool) -> None:
    """A finding has a sentence that names the sender, and points to packets before it."""
    assert finding.text.endswith(".") and not finding.text[0].islower(), finding.text
    assert finding.text.isprintable() and len(finding.text) < 250
    assert finding.hint
    if conversation:
        assert any(who in finding.text.lower() for who in ("the client", "the server")), finding.text
        assert 0 not in finding.related and finding.no not in finding.related, finding.related


# The ten broken packets that a user can send by hand: after what, the packet, until when, check, statement in 3.1.1 and 5.
BROKEN: dict[str, tuple[list[Step], Packet | bytes, float | None, str, str, str]] = {
    "reserved flag": ([], b"\xc1\x00", None, "A03", "MQTT-2.2.2-2", "MQTT-2.1.3-1"),
    "wildcard in a topic": ([], Publish("a/#"), None, "B06", "MQTT-3.3.2-2", "MQTT-3.3.2-2"),
    "QoS 3": ([], b"\x36\x06\x00\x01t\x00\x07\x00", None, "D01", "MQTT-3.3.1-4", "MQTT-3.3.1-4"),
    "identifier 0": ([], Publish("t", qos=1, packet_id=0), None, "D03", "MQTT-2.3.1-1", "MQTT-2.2.1-3"),
    "flags of SUBSCRIBE": ([], b"\x80\x06\x00\x01\x00\x01t\x00", None, "A03", "MQTT-3.8.1-1", "MQTT-3.8.1-1"),
    "filter a#/b": ([], Subscribe(1, (TopicRequest("a#/b"),)), None, "B09", "MQTT-4.7.1-2", "MQTT-4.7.1-1"),
    "unacknowledged": ([], Publish("t", qos=1, packet_id=5), 11, "E10", "MQTT-4.3.2-2", "MQTT-4.3.2-4"),
    "identifier in use": (
        [(UP, Publish("t", b"1", 1, packet_id=5))],
        Publish("t", b"2", 1, packet_id=5),
        None,
        "D04",
        "MQTT-2.3.1-2",
        "MQTT-2.2.1-3",
    ),
    "bad UTF-8": ([], Publish(b"a\xff"), None, "B01", "MQTT-1.5.3-1", "MQTT-1.5.4-1"),
    "second CONNECT": ([], Connect("c"), None, "C02", "MQTT-3.1.0-2", "MQTT-3.1.0-2"),
}


@pytest.mark.parametrize("version", [Version.V311, Version.V5], ids=lambda version: version.label)
@pytest.mark.parametrize("name", BROKEN)
def test_packets_that_the_user_broke(name: str, version: Version) -> None:
    before, packet, until, check, statement3, statement5 = BROKEN[name]
    if isinstance(packet, Connect):
        packet = replace(packet, version=version)
    steps = [*begun(version), *before]
    findings = run([*steps, (UP, packet)], version, until=until)
    (finding,) = [finding for finding in of(check, findings) if finding.no == len(steps) + 1]
    assert (statement5 if version is Version.V5 else statement3) in finding.statement.split(", ")
    assert finding.severity >= Severity.WARN
    assert finding.hint or check[0] not in "BDEF"


def test_what_the_client_sent_before_the_connack_counts() -> None:
    early: list[Step] = [
        (UP, Connect("c", clean=False)),
        (UP, Subscribe(1, (TopicRequest("t", 1),))),
        (UP, Publish("u", qos=1, packet_id=2)),
    ]
    late: list[Step] = [(DOWN, Connack(session_present=True)), (DOWN, Suback(1, (1,))), (DOWN, Ack(P.PUBACK, 2)), (DOWN, Publish("t"))]
    assert not {"F10", "E01", "B16"} & set(ids(run([*early, *late])))


def test_a_record_that_begins_in_the_middle_accuses_nobody() -> None:
    story = Story(Version.V5, origin=Origin.FILE)
    story.connection()
    story.steps(
        [
            (DOWN, Publish("t", qos=1, packet_id=3, dup=True)),
            (DOWN, Ack(P.PUBACK, 2)),
            (DOWN, Ack(P.PUBREC, 4)),
            (UP, Ack(P.PUBREL, 5)),
            (DOWN, Ack(P.PUBCOMP, 6)),
            (DOWN, Suback(7, (0,))),
            (DOWN, Unsuback(8, (0,))),
            (UP, Unsubscribe(9, ("t",))),
            (DOWN, Publish("", properties=(Property(PropertyId.TOPIC_ALIAS, 1),))),
            (DOWN, Publish("t", retain=True, properties=(Property(PropertyId.SUBSCRIPTION_IDENTIFIER, 1),))),
        ]
    )
    assert [finding.id for finding in story.findings() if finding.severity >= Severity.NOTE] == []


def test_packets_that_were_evicted_unread_accuse_nobody() -> None:
    story = Story(log=Log(200_000))
    story.connection()
    story.steps(
        [*subscribed(Version.V311, "t", granted=1), (DOWN, Publish("t", b"1", 1, packet_id=1)), (UP, Publish("u", b"1", 1, packet_id=2))]
    )
    story.check()
    story.steps([(UP, Ack(P.PUBACK, 1)), (DOWN, Ack(P.PUBACK, 2))])
    story.steps([(DOWN, Publish("t", bytes(500))) for _ in range(2_000)])
    assert story.log.first > 20
    story.steps(
        [
            (DOWN, Publish("t", b"2", 1, packet_id=1)),
            (UP, Publish("u", b"2", 1, packet_id=2)),
            (UP, Ack(P.PUBACK, 1)),
            (DOWN, Ack(P.PUBACK, 2)),
        ]
    )
    assert not [finding for finding in story.findings(30) if finding.severity >= Severity.WARN]


def test_a_lost_link_is_no_refusal() -> None:
    steps = [*begun(Version.V311), (UP, Publish("t"))]
    for before in (Before("c"), Before("c", "a PUBLISH to t", 0.01)):
        assert "E19" in ids(run(steps, closed=Ended(lost(None, before)).text))
    assert "E19" not in ids(run(steps, closed=Ended(lost(ConnectionResetError(104, "Connection reset by peer"), Before("c"))).text))


def test_a_side_that_cannot_be_read_any_more_accuses_nobody() -> None:
    garbage: list[Step] = [
        (UP, b"\x30\xff\xff\xff\xff\x7f"),
        (DOWN, Ack(P.PUBACK, 1)),
        (DOWN, Suback(2, (0,))),
        (DOWN, Publish("t", qos=1, packet_id=1)),
    ]
    found = run([*begun(Version.V311), *garbage], until=60)
    assert [finding.id for finding in found if finding.id[0] in "BDEF" and finding.severity > Severity.NOTE] == []


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Version, list[Step]]:
    """A version, and packets of both sides with few topics, identifiers and filters, so that they meet."""
    version = draw(strategies.versions)
    v5 = version is Version.V5
    topics, small = st.sampled_from(["a", "a/b", "b", "$a", ""]), st.integers(1, 3)
    listed = st.lists(
        st.sampled_from(
            [
                Property(PropertyId.TOPIC_ALIAS, 1),
                Property(PropertyId.SUBSCRIPTION_IDENTIFIER, 1),
                Property(PropertyId.RESPONSE_TOPIC, "b"),
                Property(PropertyId.USER_PROPERTY, ("mqtttui-probe", "1")),
            ]
        ),
        max_size=2,
    ).map(tuple)
    properties = listed if v5 else st.just(())
    payloads = st.sampled_from([b"", b"x", b"a payload of its own, 1", b"a payload of its own, 2"])
    filters = st.lists(st.sampled_from(["a", "a/#", "+", "#", "$share/g/a"]), min_size=1, max_size=3)
    codes = st.lists(st.sampled_from([0, 1, 2, 0x11, 0x80]), max_size=3).map(tuple)
    requests = filters.map(lambda names: tuple(TopicRequest(name, len(name) % 3) for name in names))
    published = st.one_of(
        st.builds(Publish, topics, payloads, st.just(0), st.booleans(), properties=properties),
        st.builds(Publish, topics, payloads, st.integers(1, 2), st.booleans(), st.booleans(), small, properties),
        st.builds(Publish, topics, payloads),
    )
    packets = st.one_of(
        published,
        published,
        st.builds(
            Ack, st.sampled_from([P.PUBACK, P.PUBREC, P.PUBREL, P.PUBCOMP]), small, st.sampled_from([None, 0x10, 0x87]) if v5 else st.none()
        ),
        st.builds(Subscribe, small, requests),
        st.builds(Suback, small, codes),
        st.builds(Unsubscribe, small, filters.map(tuple)),
        st.builds(Unsuback, small, codes if v5 else st.just(())),
        st.builds(Connect, st.just("c"), st.just(version), st.booleans()),
        st.builds(Connack, st.just(0), st.booleans()),
    )
    steps = draw(st.lists(st.tuples(strategies.directions, packets, st.integers(0, 7_000)), min_size=1, max_size=40))
    now, timed = 0, list[Step]()
    for direction, packet, wait in steps:
        now += wait if wait > 5_000 else wait // 100
        timed.append((direction, packet, now / 1000))
    return version, timed


@settings(max_examples=80, deadline=None)
@given(conversations())
def test_any_conversation_has_the_same_findings_with_and_without_passing_over(told: tuple[Version, list[Step]]) -> None:
    version, steps = told
    greeting = begun(version)
    found = [run([*greeting, *steps, *steps], version, until=100, settling=settling) for settling in (True, False)]
    assert found[0] == found[1]
    assert all(finding.text.isprintable() for finding in found[0])
