"""Generated filters on our own exports, against Wireshark: real clients in all versions, and the golden capture with its faults."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mqtttui.capture.log import Log
from mqtttui.export.pcapng import Encapsulation, write_log
from mqtttui.filters.compiler import compile_filter
from mqtttui.filters.errors import FilterError
from mqtttui.filters.fields import FIELDS
from mqtttui.filters.row import Row
from tests.support.brokers import Broker
from tests.support.filter_generator import Generator
from tests.support.filter_oracle import frames, tshark_or_none
from tests.support.filtering import golden_log
from tests.support.pcapng_oracle import needs_tshark
from tests.support.real_capture import record

DIFFERENCES = {
    "findings": "Wireshark has three checks for MQTT, and takes comments for findings",
    "columns": "4.0 cannot filter by columns",
    "text payloads": "exist in Wireshark only with a preference",
    "versions": "mqtt.unknown_version: the log always knows a version",
    "frames": "frame begins with headers; frame.protocols names what stands in the payload; comments are the export's own",
    "layers": "TLS and WebSocket are not exported; exported PDUs have neither TCP nor IP as protocols, and other sizes",
    "empty payloads": "4.0 finds nothing in a payload of no bytes, not even with ^$, and logs a critical error",
    "binary properties": "Wireshark takes them for text and loses bytes: mqtt.prop_string on the golden capture",
}
"""What is not compared, and why."""

UNCOMPARABLE = (
    {name for name, spec in FIELDS.items() if not spec.portable or name.startswith("_ws.")}
    | {"mqtt.msg_text", "mqtt.willmsg_text", "mqtt.unknown_version"}
    | {"frame", "frame.protocols", "frame.comment", "tls", "websocket"}
)
ONLY_IN_TCP = {name for name in FIELDS if name.startswith("tcp")} | {"ip", "ipv6", "frame.len", "frame.cap_len"}

Capture = tuple[Log, Path, set[str], list[Row]]
"""A log, its export, the names that can be compared, and the log's rows (so that each is dissected once)."""


@pytest.fixture(scope="module")
def real_log(mosquitto_broker: Broker) -> Log:
    return asyncio.run(record(mosquitto_broker))


@pytest.fixture(scope="module", params=Encapsulation, ids=lambda encapsulation: encapsulation.name)
def encapsulation(request: pytest.FixtureRequest) -> Encapsulation:
    needs_tshark()
    assert isinstance(request.param, Encapsulation)
    return request.param


@pytest.fixture(scope="module")
def real(real_log: Log, encapsulation: Encapsulation, tmp_path_factory: pytest.TempPathFactory) -> Capture:
    return exported(real_log, encapsulation, tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def golden(encapsulation: Encapsulation, tmp_path_factory: pytest.TempPathFactory) -> Capture:
    log, path, names, rows = exported(golden_log(), encapsulation, tmp_path_factory.mktemp("golden"))
    return log, path, names - {"mqtt.prop_string"}, rows


def exported(log: Log, encapsulation: Encapsulation, folder: Path) -> Capture:
    path = folder / "export.pcapng"
    with path.open("wb") as out:
        written = write_log(log, log.numbers(), out, mask=False, encapsulation=encapsulation)
    assert written.packets == log.last and not written.remarks
    names = set(FIELDS) - UNCOMPARABLE - (set() if encapsulation is Encapsulation.TCP else ONLY_IN_TCP)
    return log, path, names, [Row(log, no) for no in log.numbers()]


def ours(capture: Capture, text: str) -> list[int] | None:
    """What we select, None for a filter that we refuse."""
    try:
        found = compile_filter(text)
    except FilterError:
        return None
    return [row.no for row in capture[3] if found.matches(row)]


def differing(capture: Capture, texts: list[str]) -> list[tuple[str, list[int] | None, list[int] | None]]:
    """The filters with another result in Wireshark, ours and its result.

    sharkd reads a file twice, so that an alias is known before the packet that binds it: tshark, which reads once, judges.
    """
    path = capture[1]
    found = []
    for text, theirs in zip(texts, frames(path, texts), strict=True):
        mine = ours(capture, text)
        if mine != theirs and mine != (again := tshark_or_none(path, text)):
            found.append((text, mine, again))
    return found


def assert_telling(capture: Capture, texts: list[str], accepted: int) -> None:
    """Most of the filters are filters, and many of them tell packets apart."""
    log = capture[0]
    results = [ours(capture, text) for text in texts]
    assert sum(result is not None for result in results) >= accepted
    assert sum(bool(result) and len(result or ()) < log.last for result in results) >= accepted // 2


def test_generated_filters_on_real_clients(real: Capture) -> None:
    generator = Generator(real[0], real[2], 20_240_531)
    texts = [generator.filter() for _ in range(450)]
    assert_telling(real, texts, 400)
    assert differing(real, texts) == []


def test_generated_filters_on_the_golden_capture(golden: Capture) -> None:
    generator = Generator(golden[0], golden[2], 7)
    texts = [generator.filter() for _ in range(250)]
    assert_telling(golden, texts, 200)
    assert differing(golden, texts) == []


def test_a_few_with_tshark_itself(real: Capture) -> None:
    generator = Generator(real[0], real[2], 99)
    for text in [generator.filter() for _ in range(12)]:
        assert ours(real, text) == tshark_or_none(real[1], text), text


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_many_with_tshark_itself(real: Capture) -> None:
    generator = Generator(real[0], real[2], 5)
    for text in [generator.filter() for _ in range(300)]:
        assert ours(real, text) == tshark_or_none(real[1], text), text


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_many_generated_filters(real: Capture, golden: Capture, seed: int) -> None:
    for capture in (real, golden):
        generator = Generator(capture[0], capture[2], 1_000 + seed)
        texts = [generator.filter() for _ in range(1_000)]
        assert differing(capture, texts) == []


def test_ipv6(encapsulation: Encapsulation, tmp_path: Path) -> None:
    log = golden_log("[2001:db8::1]", "[2001:db8:0:1::2]")
    capture = exported(log, encapsulation, tmp_path)
    names = {"ip.src", "ipv6.src", "ipv6.dst", "ipv6.addr", "mqtt.msgtype"} | (
        set() if encapsulation is Encapsulation.EXPORTED else ONLY_IN_TCP
    )
    generator = Generator(log, names, 6)
    texts = [generator.filter() for _ in range(120)]
    texts += [
        "ipv6.src == 2001:db8::/64",
        "ipv6.addr in {::1 .. 2001:db8::1}",
        'string(ipv6.dst) contains ":1::2"',
        "ipv6.addr > 2001:db8::1",
    ]
    assert sum(ours(capture, text) is not None for text in texts) > 100
    assert differing(capture, texts) == []


HAND_WRITTEN = """
mqtt.topic[0:100] == ""
mqtt.topic[12:] == ""
mqtt.topic[0:3,100] == "sen"
mqtt.topic[100]
mqtt.msg > "2" and mqtt.msg < "3"
mqtt.msg >= "21.5"
mqtt.msg contains ""
mqtt.topic contains ""
mqtt.qos != -1
mqtt.qos === -1
mqtt.qos !== -1
mqtt.qos in {-1..2}
mqtt.qos == mqtt.retain
mqtt.username != mqtt.topic
mqtt.topic === mqtt.topic
all mqtt.topic in {"sensors/#", "cmd/+/set"}
all mqtt.topic in {"a".."t"}
all mqtt.property_id not in {0x26}
mqtt.topic in {a, "b".."c"}
mqtt.username == user
mqtt.topic matches r"temp\\b"
mqtt.topic == "\\x61/b"
mqtt.topic == "caf\\u00e9/\\303\\xbcn\\xc3\\xaf"
mqtt.msg matches "\\\\Qtemp\\\\E\\"\\\\h*:"
mqtt.topic matches "caf.."
mqtt.topic matches "caf.{2}/"
mqtt.topic matches "\\\\Aa/b\\\\Z"
mqtt.topic matches "a{,2}"
mqtt.topic matches "(?i:A)/(?-i:B)"
mqtt.topic matches "[]a]/"
mqtt.topic matches "a(?=/b)"
mqtt.topic matches "(?<level>[a-z])/\\\\W?b"
mqtt.topic matches "\\\\N{3}"
frame.time > "2023-11-14 22:13:20.02 UTC"
frame.time > "2023-11-14T22:13:20.02Z"
frame.time > "2023-11-14T23:13:20.02+01:00"
frame.time_relative >= 0.02s
frame.time_epoch > 1700000000.00002
ip.src > 10.0.0.0/24
ip.src in {10.0.0.2..10.0.0.9}
len(mqtt) > 100
string(ip.src) contains "10.0"
mqtt.hdrflags & 0x08 == 0
mqtt.msgtype == mqtt.msgtype & 3
mqtt contains "temp"
!!mqtt.qos
not not mqtt.qos == 1 and not mqtt.retain == 1
"""


def test_corners(golden: Capture) -> None:
    texts = [line for line in HAND_WRITTEN.splitlines() if line]
    assert all(ours(golden, text) is not None for text in texts)
    assert differing(golden, texts) == []
