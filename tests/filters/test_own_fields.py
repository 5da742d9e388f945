"""The names that Wireshark does not have: topics of answers, operations, properties by name, JSON, marks, findings."""

from __future__ import annotations

import pytest

from mqtttui.analysis.expert.finding import Finding
from mqtttui.analysis.operation import Operation, OpKind, OpState
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.marks import Marks
from mqtttui.capture.recorder import Recorder
from mqtttui.filters.compiler import compile_filter
from mqtttui.filters.fields import FIELDS
from mqtttui.filters.row import Facts, Row
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Severity, Version
from mqtttui.protocol.fields import Context, Dissection
from mqtttui.protocol.packets import (
    Ack,
    Connack,
    Connect,
    Packet,
    Pingreq,
    Pingresp,
    Property,
    Publish,
    Suback,
    Subscribe,
    TopicRequest,
    encode,
)
from mqtttui.protocol.properties import PROPERTIES, PropertySpec
from tests.support.filtering import golden_log, paired, selected

UP, DOWN = Direction.C2S, Direction.S2C
MILLISECOND = 1_000_000


def logged(*packets: tuple[Direction, Packet], version: Version = Version.V5, name: str = "", transport: str = "") -> Log:
    """A log with these packets, 10 ms from each to the next."""
    log = Log()
    number = log.open_connection(
        peer="garden",
        origin=Origin.OWN,
        source="[::1]:40000",
        destination="[::1]:1883",
        mono=0,
        wall=0,
        version=version,
        name=name,
        transport=transport,
    )
    recorder = Recorder(log, number)
    for index, (way, packet) in enumerate(packets):
        time = index * 10 * MILLISECOND
        (recorder.outbound if way is UP else recorder.inbound)(encode(packet, version), time, time)
    return log


CONVERSATION = (
    (UP, Connect("", Version.V5)),
    (DOWN, Connack(properties=(Property(PropertyId.ASSIGNED_CLIENT_IDENTIFIER, "srv-7"), Property(PropertyId.RECEIVE_MAXIMUM, 10)))),
    (UP, Subscribe(1, (TopicRequest("a/+", 1), TopicRequest("b/#", 2)))),
    (DOWN, Suback(1, (1, 2))),
    (DOWN, Publish("a/x", b'{"temp": 21.5, "tags": ["p", {"q": null}], "on": true, "name": "Box"}', 1, packet_id=5)),
    (UP, Ack(PacketType.PUBACK, 5)),
    (DOWN, Publish("b/y", b"plain", 2, packet_id=6)),
    (UP, Ack(PacketType.PUBREC, 6)),
    (DOWN, Ack(PacketType.PUBREL, 6)),
    (UP, Ack(PacketType.PUBCOMP, 6)),
    (UP, Pingreq()),
    (DOWN, Pingresp()),
    (UP, Publish("c/z", b"[1, 2]", 1, packet_id=2, properties=(Property(PropertyId.USER_PROPERTY, ("k", "v")),))),
    (UP, Pingreq()),
)


@pytest.fixture
def log() -> Log:
    return logged(*CONVERSATION, name="mqtt://garden.example", transport="wss")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ('topic(mqtttui.topic, "a/+")', [3, 4, 5, 6]),
        ('mqtttui.topic == "b/y"', [7, 8, 9, 10]),
        ('mqtttui.topic == "b/#"', [3, 4]),
        ("mqtttui.topic and not mqtt.topic", [4, 6, 8, 9, 10]),
        ("mqtttui.unacked", [13, 14]),
        ("mqtttui.unacked == 1 and mqtt.msgtype == 3", [13]),
        ("mqtttui.rtt", [2, 4, 6, 8, 9, 10, 12]),
        ("mqtttui.rtt > 9.9 and mqtttui.rtt <= 10", [2, 4, 6, 8, 9, 10, 12]),
        ("mqtttui.rtt > 10.5", []),
        ("mqtttui.request_in == 3", [4]),
        ("mqtttui.response_in == 6", [5]),
        ("mqtttui.response_in > mqtttui.request_in", [8, 9]),
        ('mqtttui.dir == "in"', [2, 4, 5, 7, 9, 12]),
        ('mqtttui.dir == "out" and mqtt.msgtype == 3', [13]),
        ('mqtttui.conn contains "garden"', list(range(1, 15))),
        ('mqtttui.profile == "garden" and mqtt.ver', [1]),
        ('mqtttui.conn.clientid == "srv-7" and mqtt.msgtype == 12', [11, 14]),
        ('mqtttui.conn.ver == "MQTT v5.0" and mqtt.msgtype == 13', [12]),
        ("tls and websocket and mqtt.ver", [1]),
        ("ipv6.src == ::1 and not ip and mqtt.msgtype == 13", [12]),
        ("mqtttui.json", [5, 13]),
        ('mqtttui.json["temp"] > 21', [5]),
        ('mqtttui.json["temp"] == 21.5', [5]),
        ('mqtttui.json["temp"] > 22', []),
        ('mqtttui.json["temp"] > "2"', []),
        ('mqtttui.json["on"] == true', [5]),
        ('mqtttui.json["on"] == 1', []),
        ('mqtttui.json["name"] contains "ox"', [5]),
        ('mqtttui.json["name"] matches "^b"', [5]),
        ('mqtttui.json["name"] in {"Cat", "Box"}', [5]),
        ('mqtttui.json["tags"][0] == "p"', [5]),
        ('mqtttui.json["tags"][1]["q"] == null', [5]),
        ('mqtttui.json["tags"]', [5]),
        ("mqtttui.json[1] == 2", [13]),
        ("mqtttui.json[7]", []),
        ("mqtttui.json[0] in {1..3}", [13]),
        ("mqtttui.prop.receive_maximum == 10", [2]),
        ("mqtttui.prop.topic_alias_maximum == 10", []),
        ('mqtttui.prop.assigned_client_identifier contains "srv"', [2]),
        ('mqtttui.prop.user_property == "k=v"', [13]),
        ('mqtttui.prop.user_property["k"] == "v"', [13]),
        ('mqtttui.prop.user_property["x"]', []),
        ('mqtttui.prop.user_property["k"][0] == 0x76', [13]),
    ],
)
def test_own_fields(log: Log, text: str, numbers: list[int]) -> None:
    assert selected(text, log, paired(log)) == numbers


def test_without_facts_the_fields_are_absent(log: Log) -> None:
    for name in ("rtt", "request_in", "response_in", "unacked", "op.kind", "bookmark", "comment"):
        assert selected(f"mqtttui.{name}", log) == []
    assert selected("_ws.col.info", log) == []
    assert selected("mqtttui.topic", log) == [3, 5, 7, 13]


VALUES: dict[str, object] = {"BYTE": 1, "UINT16": 300, "UINT32": 70_000, "VARIABLE": 268, "STRING": "text", "BINARY": b"\x01\xff"}


@pytest.mark.parametrize("spec", [spec for spec in PROPERTIES.values() if spec.id != PropertyId.USER_PROPERTY], ids=lambda spec: spec.name)
def test_every_property_by_its_name(spec: PropertySpec) -> None:
    name = f"mqtttui.prop.{spec.name.lower().replace(' ', '_')}"
    value = VALUES[spec.kind.name]
    # Any packet will do: in a place where it must not stand, a property is read all the same.
    found = logged((UP, Publish("t", b"", properties=(Property(spec.id, value),))), (UP, Publish("t", b"")))  # type: ignore[arg-type]
    shown = "01:ff" if isinstance(value, bytes) else f'"{value}"' if isinstance(value, str) else value
    assert selected(name, found) == [1]
    assert selected(f"{name} == {shown}", found) == [1]
    assert selected(f"{name} != {shown}", found) == []


def test_there_are_27_properties() -> None:
    assert sum(name.startswith("mqtttui.prop.") for name in FIELDS) == 27


class Operations:
    """One operation: packets 7 to 10."""

    def of(self, no: int, /) -> int | None:
        return 7 if 7 <= no <= 10 else None

    def operation(self, start: int, now: int, /) -> Operation:
        assert now == 77
        return Operation(7, OpKind.PUBLISH, b"b/y", OpState.FAILED, 0x87, 30 * MILLISECOND, (), None, 0, DOWN, 2, 0)


def test_operations(log: Log) -> None:
    facts = Facts(operations=Operations(), now=lambda: 77)
    for text in (
        'mqtttui.op.kind == "publish"',
        'mqtttui.op.state == "failed"',
        "mqtttui.op.reason == 0x87",
        "mqtttui.op.total == 30",
        "mqtttui.op.start == 7",
    ):
        assert selected(text, log, facts) == [7, 8, 9, 10], text
    assert selected('mqtttui.op.state == "open"', log, facts) == []


class Findings:
    """A warning on packet 5."""

    def of(self, no: int, /) -> tuple[Finding, ...]:
        return (Finding("D12", Severity.WARN, 5, "", "The server sends what nobody asked for.", ""),) if no == 5 else ()


def test_findings(log: Log) -> None:
    facts = Facts(findings=Findings())
    for text in (
        "mqtttui.expert",
        'mqtttui.expert contains "nobody"',
        'mqtttui.expert.id == "D12"',
        'mqtttui.expert.severity >= "warn"',
        "_ws.expert",
        '_ws.expert.severity == "Warning"',
        '_ws.expert.group == "Protocol"',
        '_ws.expert.message matches "ASKED"',
    ):
        assert selected(text, log, facts) == [5], text
    assert selected('mqtttui.expert.severity == "error"', log, facts) == []


def test_findings_of_single_packets_need_no_expert() -> None:
    golden = golden_log()
    assert selected('mqtttui.expert.id == "D01"', golden) == [19]
    assert 20 in selected('mqtttui.expert.severity == "error"', golden)


def test_marks_and_comments(log: Log) -> None:
    marks = Marks(log)
    marks.toggle(3)
    marks.set_comment(4, "look here")
    facts = Facts(marks=marks)
    assert selected("mqtttui.bookmark", log, facts) == selected("frame.marked == 1", log, facts) == [3]
    assert selected('mqtttui.comment contains "look"', log, facts) == selected("frame.comment", log, facts) == [4]


def test_info_and_frame_numbers(log: Log) -> None:
    facts = Facts(info=lambda no: f"packet {no}", frame_number=lambda no: no * 2 if no < 3 else 0)
    assert selected('_ws.col.info == "packet 12"', log, facts) == [12]
    assert selected("frame.number in {1..5}", log, facts) == [1, 2, 3, 4, 5]
    assert selected("frame.number == 4", log, facts) == [2, 4]


def test_a_filter_says_which_facts_it_needs() -> None:
    assert compile_filter("mqtttui.unacked").changes_later
    assert compile_filter("frame.marked == 1").changes_later
    assert not compile_filter('mqtttui.topic == "a"').changes_later


def test_columns_need_no_bytes(monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    def forbidden(self: Log, no: int) -> object:
        raise AssertionError("the packet was read")

    monkeypatch.setattr(Log, "__getitem__", forbidden)
    assert selected("frame.number > 2 and mqtt.msgtype == 3 and mqtt.qos == 1 and tcp.stream == 0", log) == [5, 13]
    assert selected("frame.time_relative >= 0.05 and mqtt.retain == 0 and frame.len > 1", log) == [7, 13]
    assert selected('mqtttui.dir == "in" and ipv6.src == ::1 and mqtt.msgtype == 13', log) == [12]


def test_a_packet_is_dissected_once(monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    calls = []

    def counted(raw: bytes, context: Context, nodes: int) -> Dissection:
        calls.append(raw)
        return dissect(raw, context, nodes)

    monkeypatch.setattr("mqtttui.filters.row.dissect", counted)
    found = compile_filter('mqtt.topic == "q" or mqtt.msgid == 77 or mqtt.topic_len > 900')
    assert not found.matches(Row(log, 5))
    assert len(calls) == 1
