"""The packet list's columns and the Info line."""

from __future__ import annotations

import pytest
from hypothesis import given

from mqtttui.analysis.pairs import Answered
from mqtttui.capture.dissecting import unframed
from mqtttui.export.info import info
from mqtttui.export.reading import is_text, payload_preview
from mqtttui.export.summary import Summary, short_topic, summary
from mqtttui.export.units import count_bytes, duration, size
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.fields import Context, Dissection
from mqtttui.protocol.packets import Publish, encode
from tests.support import golden, strategies

MS = 1_000_000


def taken(number: int) -> Dissection:
    packet = golden.packet(number)
    return dissect(packet.raw, packet.context)


@pytest.mark.parametrize(
    ("number", "packet_id", "flags", "text"),
    [
        (1, "", "", "dev-1  v3.1.1 · clean · ka 60 s · will will/t · user user · password"),
        (2, "", "", "ok · new session"),
        (3, "#1", "", "sensors/# q1, cmd/+/set q2"),
        (4, "#1", "", "granted in part: q1, 0x80 failure"),
        (5, "", "q0", "sensors/temp  21.5"),
        (7, "#2", "", "ok"),
        (12, "#1", "q1 ret", 'sensors/json  {"temp": 22.25, "unit":"C"}'),
        (15, "", "", ""),
        (17, "#5", "q1 dup", "sensors/dup  00 01 ff"),
        (21, "", "q0 ret", "sensors/temp  (empty: deletes the retained message)"),
        (23, "", "q0", "café/ünï  é"),
        (26, "", "", "normal, no will fires"),
        (28, "", "", "ok · session present · your id is srv-assigned"),
        (32, "#11", "", '0x10 no matching subscribers · "nobody"'),
        (33, "", "q0", 'a/b  {"a":2}'),
        (40, "#12", "", "ok, 0x11 no subscription existed"),
        (41, "", "", '0x8e session taken over · "taken over"'),
    ],
)
def test_columns(number: int, packet_id: str, flags: str, text: str) -> None:
    row = summary(taken(number))
    kind = taken(number).type
    assert kind is not None
    assert (row.type, row.packet_id, row.flags, row.text) == (kind.name, packet_id, flags, text)


def test_answers_say_what_they_answer_and_how_long_it_took() -> None:
    assert summary(taken(7), answered=Answered(17 * MS, b"cmd/temp")).text == "ok · 17 ms · cmd/temp"
    assert summary(taken(7), answered=Answered(None, b"cmd/temp")).text == "ok · cmd/temp"
    assert summary(taken(16), answered=Answered(2_100_000)).text == "2.1 ms"
    assert summary(taken(40), answered=Answered(MS, b"x/#")).text.endswith("1.0 ms · x/# +1")
    assert "\x1b" not in summary(taken(7), answered=Answered(MS, b"\x1b[2J")).text


@pytest.mark.parametrize(
    ("topic", "cells", "shown"),
    [
        ("a/b", 10, "a/b"),
        ("spBv1.0/Plant1/DDATA/Line4/Node7/temp", 28, "spBv1.0/Plant1/DDATA/…/temp"),
        ("spBv1.0/Plant1/DDATA/Line4/Node7/temp", 20, "spBv1.0/…/Node7/temp"),
        ("spBv1.0/Plant1/DDATA/Line4/Node7/temp", 8, "spBv1.0…"),
        ("demo/greenhouse/bench-2/temperature", 28, "demo/…/bench-2/temperature"),
        ("one-very-long-level", 8, "one-ver…"),
        ("/a/b/c/d/e", 6, "/a/…/e"),
    ],
)
def test_long_topics_lose_middle_levels(topic: str, cells: int, shown: str) -> None:
    assert short_topic(topic, cells) == shown


def test_a_row_fits_its_width() -> None:
    row = Summary("PUBLISH", "", "q0", "site/building/floor/room/device/temp", '{"value": 21.5, "unit": "C"}')
    assert row.fitted(200) == row.text
    assert row.fitted(50) == 'site/building/…/temp  {"value": 21.5, "unit": "C"}'
    for cells in range(1, 80):
        assert len(row.fitted(cells)) <= cells


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b"", "(empty)"),
        (b"21.5", "21.5"),
        (b'{\n  "a": 1,\n  "b": [1]\n}\n', '{ "a": 1, "b": [1] }'),
        (b"two\nlines", "two\\x0alines"),
        (b"\x1b[31mred", "\\x1b[31mred"),
        (b"\x82\xa1a\x01", "82 a1 61 01"),
        (b"\x00\x01\x02\x03", "00 01 02 03"),
        (bytes(range(128, 160)), "80 81 82 83 84 85 86 87 88 89 8a 8b …"),
        (b"x" * 100, "x" * 39 + "…"),
        ("ü".encode() * 3_000, "ü" * 39 + "…"),
    ],
)
def test_payload_previews(payload: bytes, shown: str) -> None:
    assert payload_preview(payload, 40) == shown
    assert len(shown) <= 40


def test_text_cut_inside_a_character_is_text() -> None:
    assert is_text("aü".encode()[:-1], whole=False)
    assert not is_text("aü".encode()[:-1])


def test_a_large_payload_costs_no_more_than_its_preview() -> None:
    raw = encode(Publish("t", b'{"a": "' + b"x" * 5_000_000 + b'"}'), Version.V311)
    assert len(summary(dissect(raw, Context(Version.V311, Direction.S2C))).text) < 200


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "Connect Command [dev-1] v3.1.1 clean ka 60 s will [will/t] QoS1 user user password"),
        (2, "Connect Ack accepted, new session"),
        (3, "Subscribe Request (id=1) [sensors/#] [cmd/+/set] QoS1 QoS2"),
        (4, "Subscribe Ack (id=1) [1, 0x80 failure]"),
        (6, "Publish Message (id=2) [sensors/hum] QoS1 2 bytes 55"),
        (15, "Ping Request"),
        (33, 'Publish Message [a/b] 7 bytes {"a":2}'),
        (41, 'Disconnect Req 0x8e session taken over "taken over"'),
    ],
)
def test_info(number: int, text: str) -> None:
    assert info(taken(number)) == text


def test_info_begins_with_wiresharks_words_and_says_malformed() -> None:
    broken = dissect(bytes.fromhex("30050050616263"), Context(Version.V311, Direction.C2S))
    assert info(broken) == "Publish Message [] [Malformed Packet]"
    assert summary(broken).rest == "malformed"


def test_what_could_not_be_framed_says_why() -> None:
    rest = unframed(dissect(b"\x30\xff\xff\xff\xff", Context(Version.V311, Direction.C2S)), "no length")
    assert info(rest) == summary(rest).text == "no length"
    assert summary(rest).type == "not MQTT"
    cut = unframed(dissect(b"\x30\x20", Context(Version.V311, Direction.C2S)), "incomplete, 2 of 34 bytes")
    assert summary(cut).type == "incomplete"


@given(strategies.any_packet_bytes, strategies.contexts)
def test_any_bytes_have_printable_columns(raw: bytes, context: Context) -> None:
    dissection = dissect(raw, context)
    row = summary(dissection, answered=Answered(5, raw))
    for text in (row.type, row.packet_id, row.flags, row.text, row.fitted(30), info(dissection)):
        assert text.isprintable()


@pytest.mark.parametrize(
    ("nanoseconds", "shown"),
    [
        (0, "0.00 ms"), (420_000, "0.42 ms"), (2_100_000, "2.1 ms"), (17 * MS, "17 ms"), (999 * MS, "999 ms"), (1_300 * MS, "1.3 s"),
        (42_000 * MS, "42 s"), (125_000 * MS, "2 min 5 s"), (120_000 * MS, "2 min"), (11_520_000 * MS, "3 h 12 min"),
    ],
)  # fmt: skip
def test_durations(nanoseconds: int, shown: str) -> None:
    assert duration(nanoseconds) == shown


def test_sizes() -> None:
    assert [size(count) for count in (0, 999, 1_200, 98_000, 3_400_000, 5 * 10**9, 7 * 10**12)] == [
        "0 B", "999 B", "1.2 kB", "98 kB", "3.4 MB", "5.0 GB", "7.0 TB",
    ]  # fmt: skip
    assert (count_bytes(1), count_bytes(1_204)) == ("1 byte", "1,204 bytes")
