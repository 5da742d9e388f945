"""The fast scan selects exactly what the filter selects packet by packet, whatever the packets and the filter."""

from __future__ import annotations

import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.analysis.operations import Operations
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.filters.compiler import compile_filter
from mqtttui.filters.dependence import CONNECTION, HEADER, LIGHT
from mqtttui.filters.fields import FIELDS
from mqtttui.filters.row import Facts, Row
from mqtttui.filters.scan import Scanner, blocks, scan
from mqtttui.filters.types import Type
from mqtttui.protocol.enums import Direction, PropertyId, Version
from mqtttui.protocol.packets import Connect, Packet, Property, Publish, encode
from tests.support import strategies
from tests.support.filtering import paired, selected, shared_golden_log

UP, DOWN = Direction.C2S, Direction.S2C

_NUMBERS = ("0", "1", "2", "3", "4", "8", "20", "0x30", "128")
_TEXTS = ('"a"', '"a/b"', '"b"', '"x"', '""', '"ab"', '"text/plain"', '"21.5"', '"in"')


def _comparable(kind: Type) -> st.SearchStrategy[str] | None:
    """What may stand behind a field of this type."""
    number = st.sampled_from(_NUMBERS)
    text = st.sampled_from(_TEXTS)
    relations = st.sampled_from(("==", "!=", "===", "!==", "<", ">", "<=", ">="))
    match kind:
        case Type.UINT:
            return st.one_of(
                st.builds(" {} {}".format, relations, number), st.just(" & 2"), st.just(" & 0x0c == 4"), st.just(" in {0, 2..4}")
            )
        case Type.FLOAT | Type.DURATION:
            return st.builds(" {} {}".format, relations, st.sampled_from(("0", "0.5", "3")))
        case Type.BOOL:
            return st.sampled_from((" == 1", " == 0", " != True"))
        case Type.STRING | Type.BYTES:
            return st.one_of(
                st.builds(" {} {}".format, relations, text),
                st.builds(" contains {}".format, text),
                st.sampled_from((' matches "^a"', ' matches "[0-9]$"', ' in {"a", "b"}', '[0:1] == "a"', "[-1:1] == 62")),
            )
        case Type.IPV4:
            return st.sampled_from((" == 127.0.0.1", " == 10.0.0.0/8", " != 127.0.0.1"))
        case _:
            return None


@st.composite
def terms(draw: st.DrawFn) -> str:
    """One test on a field of those that a scan treats in its own way, or of any other."""
    favoured = st.sampled_from(
        ["mqtt.topic", "mqtt.msg", "mqtt.msgid", "mqtt.msgtype", "mqtt.qos", "mqtt.len", "mqtttui.topic", "mqtt.topic_len"]
    )
    name = draw(favoured | st.sampled_from(sorted(FIELDS)))
    spec = FIELDS[name]
    behind = _comparable(spec.type)
    forms = ["exists"]
    if behind is not None and not spec.bare:
        forms += ["compare"] * 4 + ["all"]
        if spec.type in (Type.STRING, Type.BYTES):
            forms += ["len"]
        if spec.type is Type.STRING:
            forms += ["lower"]
        forms += ["count"]
    match draw(st.sampled_from(forms)):
        case "compare" if behind is not None:
            return name + draw(behind)
        case "all" if behind is not None:
            return f"all {name}{draw(behind.filter(lambda text: '&' not in text))}"
        case "len":
            return f"len({name}) > {draw(st.sampled_from(_NUMBERS))}"
        case "lower":
            return f'lower({name}) contains "a"'
        case "count":
            return f"count({name}) >= {draw(st.sampled_from(('0', '1', '2')))}"
        case _:
            return name


expressions: st.SearchStrategy[str] = st.recursive(
    terms()
    | st.sampled_from(
        [
            'topic(mqtt.topic, "a/#")',
            "mqtt.topic == mqtt.willtopic",
            'mqtttui.json["a"] > 1',
            "mqtt.qos == mqtt.conflag.qos",
            "mqtt.prop_key == mqtt.topic",
        ]
    ),
    lambda parts: st.one_of(
        st.builds("({} and {})".format, parts, parts), st.builds("({} or {})".format, parts, parts), st.builds("not ({})".format, parts)
    ),
    max_leaves=4,
)


@st.composite
def damaged(draw: st.DrawFn, encoded: st.SearchStrategy[bytes]) -> bytes:
    """One byte near the beginning is another."""
    raw = bytearray(draw(encoded))
    raw[draw(st.integers(0, min(len(raw) - 1, 40)))] = draw(st.integers(0, 255))
    return bytes(raw)


@cache
def packets(version: Version) -> st.SearchStrategy[tuple[Direction, bytes]]:
    """Packets that are well-formed, damaged or anything, full of what the filters above ask for."""
    topics = st.sampled_from(["a", "a/b", "b", "ab", "$SYS/x"]) | strategies.topics
    payloads = st.sampled_from([b"", b"a", b"21.5", b'{"a": 2}', b"x\nab"]) | strategies.any_bytes
    alias = (Property(PropertyId.TOPIC_ALIAS, 1),)
    listed = [alias, (Property(PropertyId.CONTENT_TYPE, "text/plain"), Property(PropertyId.USER_PROPERTY, ("a", "b"))), ()]
    properties = st.sampled_from(listed if version is Version.V5 else [()])
    plain = st.builds(Publish, topics, payloads, st.just(0), st.booleans(), properties=properties)
    held = st.builds(Publish, topics, payloads, st.integers(1, 2), packet_id=st.integers(1, 4), properties=properties)
    aliased = st.just(Publish("", b"a", properties=alias)) if version is Version.V5 else plain
    whole: st.SearchStrategy[Packet] = st.one_of(plain, held, aliased, strategies.acknowledgements(version), strategies.packets(version))
    encoded = st.builds(encode, whole, st.just(version))
    return st.tuples(strategies.directions, encoded | encoded | damaged(encoded) | strategies.any_packet_bytes)


streams: st.SearchStrategy[list[tuple[Version, list[tuple[Direction, bytes]]]]] = st.lists(
    strategies.versions.flatmap(lambda version: st.tuples(st.just(version), st.lists(packets(version), max_size=20))),
    min_size=1,
    max_size=3,
)
"""Connections with their packets."""


def recorded(connections: list[tuple[Version, list[tuple[Direction, bytes]]]]) -> tuple[Log, Facts]:
    """The packets of all connections, taken in turns; followed."""
    log = Log()
    recorders = []
    for index, (version, _) in enumerate(connections):
        source = ("127.0.0.1:5000", "[::1]:5000", "")[index]
        number = log.open_connection(
            peer="dev", origin=Origin.OWN, source=source, destination=source, mono=0, wall=0, version=version, transport="tcp"
        )
        recorders.append(Recorder(log, number))
    for step in range(max(len(packets) for _, packets in connections)):
        for recorder, (_, packets) in zip(recorders, connections, strict=True):
            if step < len(packets):
                direction, raw = packets[step]
                recorder.record(direction, raw, (step + 1) * 1_000_000, (step + 1) * 1_000_000)
    for recorder in recorders:
        recorder.closed(10**9, "over")
    facts = paired(log)
    assert facts.pairs is not None
    facts.operations = Operations(facts.pairs)
    while not facts.operations.advance(log):
        pass
    return log, facts


def expected(text: str, log: Log, facts: Facts) -> list[int]:
    """What the filter says of each packet by itself."""
    found = compile_filter(text)
    return [no for no in log.numbers() if found.matches(Row(log, no, facts))]


@settings(max_examples=100, deadline=None)
@given(streams, st.lists(expressions, min_size=1, max_size=5))
def test_the_scan_selects_what_the_filter_selects(
    connections: list[tuple[Version, list[tuple[Direction, bytes]]]], texts: list[str]
) -> None:
    log, facts = recorded(connections)
    for text in texts:
        assert list(scan(compile_filter(text), log, facts)) == expected(text, log, facts), text


_SIGNS = st.lists(st.sampled_from(["a", "B", "1", ".", " ", "[0-9]", "[^a]", "[a-b]"]), min_size=2, max_size=5).map("".join)
_SAID = st.lists(st.sampled_from([b"a", b"A", b"b", b"B1", b" ", b"1", b"\0"]), max_size=8).map(b"".join)


@settings(max_examples=150, deadline=None)
@given(_SIGNS, st.lists(st.tuples(_SAID, st.integers(0, 2)), min_size=1, max_size=60), st.sampled_from(["", "not ", "mqtt.qos == 0 and "]))
def test_patterns_of_fixed_length_in_payloads(pattern: str, said: list[tuple[bytes, int]], before: str) -> None:
    stream = [(Direction.S2C, encode(Publish("ab1", payload, qos, packet_id=0x6162 if qos else None), Version.V5)) for payload, qos in said]
    log, facts = recorded([(Version.V5, stream)])
    text = f'{before}mqtt.msg matches "{pattern}"'
    assert list(scan(compile_filter(text), log, facts)) == expected(text, log, facts)


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_every_field_on_the_golden_packets(name: str) -> None:
    log, facts = shared_golden_log(), paired(shared_golden_log())
    for text in (name, f"not {name}", f"count({name}) > 1") if not FIELDS[name].bare else (name,):
        assert list(scan(compile_filter(text), log, facts)) == selected(text, log, facts)


def test_blocks_of_any_size_give_the_same() -> None:
    log = shared_golden_log()
    found = compile_filter('mqtt.topic contains "sensors" or mqtt.qos == 1')
    scanner = Scanner(found, log)
    for rows in (1, 3, 100):
        seen = []
        for block in blocks(log, Facts(), 0, 1_000, rows):
            verdict = scanner.screen(block, block.everything)
            sure = block.rows(verdict.passes)
            assert set(sure) <= set(block.rows(verdict.may_pass))
            seen += [block.first + row for row in block.rows(verdict.may_pass) if row in sure or scanner.matches(block.first + row)]
        assert seen == selected(found.text)


def test_a_part_of_the_log() -> None:
    found = compile_filter("mqtt.msgtype == 3")
    whole = list(scan(found, shared_golden_log()))
    assert list(scan(found, shared_golden_log(), after=8, budget=10)) == [no for no in whole if 8 < no <= 18]
    assert list(scan(found, Log())) == []


def test_a_version_that_changes_on_the_way() -> None:
    log = Log()
    recorder = Recorder(log, log.open_connection(peer="", origin=Origin.OWN, mono=0, wall=0))
    held = Publish("t", b"a", properties=(Property(PropertyId.CONTENT_TYPE, "ab"),))
    for version in (Version.V311, Version.V5, Version.V31):
        recorder.outbound(encode(Connect(version=version), version) + encode(held, Version.V5), 1, 1)
    for text in ('mqtt.msg == "a"', 'mqtt.property.content_type == "ab"', "len(mqtt.msg) > 1"):
        assert list(scan(compile_filter(text), log)) == expected(text, log, Facts()), text


def test_the_names_with_a_way_of_their_own_exist() -> None:
    assert FIELDS.keys() >= HEADER | CONNECTION | LIGHT


def test_a_common_filter_dissects_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    recorder = Recorder(log, log.open_connection(peer="", origin=Origin.OWN, mono=0, wall=0, version=Version.V5))
    listed = (Property(PropertyId.CONTENT_TYPE, "text/plain"), Property(PropertyId.USER_PROPERTY, ("k", "v")))
    for index in range(50):
        recorder.inbound(encode(Publish(f"a/{index}", b"21.%d" % index, properties=listed), Version.V5), 1, 1)
        recorder.inbound(encode(Publish(f"a/{index}", b"21.%d" % index, qos=1, packet_id=index + 1), Version.V5), 1, 1)
    texts = (
        'mqtt.topic contains "4" and mqtt.msg contains "21.4" and mqtt.qos > 0',
        'mqtt.topic matches "^a/1" or len(mqtt.msg) > 4',
        "mqtt.msgid == 7 and tcp.stream == 0",
        'topic(mqtttui.topic, "a/+") and frame.number > 3',
    )
    wanted = [expected(text, log, Facts()) for text in texts]
    filters = [compile_filter(text) for text in texts]

    def refuse(row: Row) -> None:
        raise AssertionError(f"packet {row.no} was dissected")

    scanners = [Scanner(each, log) for each in filters]
    monkeypatch.setattr(Row, "dissection", property(refuse))
    for scanner, numbers in zip(scanners, wanted, strict=True):
        (block,) = blocks(log, Facts(), 0, 1_000)
        verdict = scanner.screen(block, block.everything)
        assert verdict.passes == verdict.may_pass
        assert [block.first + row for row in block.rows(verdict.passes)] == numbers


def test_a_pattern_that_takes_for_ever_is_cut_short() -> None:
    log = Log()
    recorder = Recorder(log, log.open_connection(peer="", origin=Origin.OWN, mono=0, wall=0))
    recorder.inbound(encode(Publish("t", b"a" * 40 + b"!"), Version.V311) * 3, 1, 1)
    found = compile_filter('mqtt.msg matches "^(a|aa)+$"')
    assert list(scan(found, log)) == []


def test_a_hundred_thousand_packets_take_a_moment() -> None:
    log = Log(1 << 30)
    recorder = Recorder(log, log.open_connection(peer="", origin=Origin.OWN, mono=0, wall=0))
    chunk = b"".join(encode(Publish(f"plant/line{index % 20}/temp", b'{"value": %d}' % index), Version.V311) for index in range(1_000))
    for _ in range(100):
        recorder.inbound(chunk, 1, 1)
    started_at = time.process_time()
    found = sum(1 for _ in scan(compile_filter('mqtt.qos == 0 and mqtt.topic contains "line17" and mqtt.msg contains "77"'), log))
    assert found == 1_000
    assert (time.process_time() - started_at) / 100_000 < 5e-6, "about 0.5 microseconds a packet on a quiet machine"
