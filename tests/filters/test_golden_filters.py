"""The 98 filters whose results tshark gave (inspector.md 6.4), and those that it and we refuse."""

from __future__ import annotations

import pytest

from mqtttui.filters.compiler import compile_filter
from mqtttui.filters.errors import FilterError
from mqtttui.filters.row import Facts
from tests.support import golden
from tests.support.filtering import selected


class Comments:
    """The comments that the golden capture has."""

    def marked(self, no: int, /) -> bool:
        return False

    def comment(self, no: int, /) -> str:
        return {31: "sets alias 1", 33: "uses alias 1"}.get(no, "")


def golden_filters() -> list[tuple[str, list[int], list[int]]]:
    """Filter, frames in the TCP/IP encapsulation, frames as exported PDUs."""
    rows = [line.split("\t") for line in (golden.FOLDER / "filters.tsv").read_text("utf-8").splitlines() if not line.startswith("#")]
    return [(text, _numbers(tcp), _numbers(exported)) for text, _, tcp, exported in rows]


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


GOLDEN = golden_filters()
BY_ENCAPSULATION = {"tcp.dstport == 1883 and mqtt.msgtype == 3", "tcp.stream == 1 and mqtt.msgtype == 3", "frame.len > 100"}
"""Exported PDUs have no TCP and other sizes; what we show is what a TCP/IP export has."""


def test_there_are_98() -> None:
    assert len(GOLDEN) == 98
    assert {text for text, tcp, exported in GOLDEN if tcp != exported} == BY_ENCAPSULATION


@pytest.mark.parametrize(("text", "tcp", "exported"), GOLDEN, ids=[text for text, _, _ in GOLDEN])
def test_golden_filters_select_what_tshark_selects(text: str, tcp: list[int], exported: list[int]) -> None:
    assert selected(text, facts=Facts(marks=Comments())) == tcp


REJECTED = {
    "mqtt.msgtype in {1 2}": "2",
    "mqtt.qos in {1,}": "}",
    "mqtt.topic == sensors/temp": "sensors/temp",
    "mqtt.topic == 'sensors/temp'": "'sensors/temp'",
    'mqtt.topic="a"': "=",
    "mqtt.retain == true": "true",
    "mqtt.qos == 300": "300",
    "mqtt.msgid == 70000": "70000",
    'mqtt.qos == "abc"': '"abc"',
    "mqtt.msgtype == Publish": "Publish",
    "mqtt.qos contains 1": "mqtt.qos",
    'mqtt.qos matches "1"': "mqtt.qos",
    "mqtt.topic & 1": "mqtt.topic",
    "mqtt.properties == 1": "mqtt.properties",
    "mqtt.topic == mqtt.msg": "mqtt.msg",
    'mqtt.topic matches "["': "[",
    r'mqtt.topic matches "^x/\d$"': r"\d",
    "(mqtt.hdrflags & 0x0f) == 2": "==",
    "30 < mqtt.len < 60": "<",
    "mqtt.msgtype == 3 xor mqtt.qos == 0": "xor",
    'mqtt.topic not contains "a"': "not",
    "len(mqtt.topic)": "len(mqtt.topic)",
    'lower(mqtt.msg) contains "x"': "mqtt.msg",
    "mqtt.msg contains temp": "temp",
    "MQTT.topic": "MQTT.topic",
    "mqtt.msgtype EQ 3": "EQ",
    "mqtt.msgtype == 3 AND mqtt.qos == 1": "AND",
    "mqtt.kalive == 60.0": "60.0",
    "mqtt.hdrflags[0] == 3a": "[0]",
    "mqtt.unknownfield == 1": "mqtt.unknownfield",
    "mqtt.topic == ": "",
    "(mqtt.qos == 1": "(",
    "mqtt.qos == 1 mqtt.retain == 1": "mqtt.retain",
    "mqtt.msgtype == 3 // x": "//",
}
"""Refused filter -> the place."""


@pytest.mark.parametrize(("text", "place"), REJECTED.items(), ids=list(REJECTED))
def test_what_tshark_refuses_is_refused_with_place_and_remedy(text: str, place: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text)
    error = caught.value
    assert text[error.start : error.end] == place
    assert error.problem.endswith(".") and error.remedy.endswith((".", "?"))
    line, mark = error.picture().split("\n")
    assert line == text and mark == " " * error.start + "^" + "~" * (error.end - error.start - 1)
