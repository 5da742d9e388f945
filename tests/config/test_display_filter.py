"""A display filter on the command line: strict, and an error shows the place."""

from __future__ import annotations

import pytest

from mqtttui.cli import main
from mqtttui.cli.start import settings_from
from mqtttui.config.display_filter import one_line, parse_display_filter
from mqtttui.config.errors import ConfigError


def test_a_filter_is_taken_as_it_is() -> None:
    settings, warnings = settings_from(["-Y", "mqtt.qos > 0", "broker"], {})
    assert settings.display_filter == "mqtt.qos > 0"
    assert settings.connect_now
    assert warnings == []
    assert settings_from(["--demo", "--display-filter=mqtt.qos == 1"], {})[0].display_filter == "mqtt.qos == 1"
    assert settings_from([], {"MQTTTUI_DISPLAY_FILTER": "mqtt"})[0].display_filter == "mqtt"
    assert not settings_from(["-Y", "mqtt"], {})[0].connect_now


def test_a_quick_search_is_refused() -> None:
    with pytest.raises(ConfigError):
        settings_from(["-Y", "temp"], {})


def test_an_error_shows_the_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--demo", "-Y", "mqtt.qos == 1 and mqtt.topc"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("mqtttui: -Y: ")
    assert lines[1] == "  mqtt.qos == 1 and mqtt.topc"
    assert lines[2] == "  " + " " * len("mqtt.qos == 1 and ") + "^" + "~" * (len("mqtt.topc") - 1)
    assert "mqtt.topic" in lines[3]


def test_a_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="MQTTTUI_DISPLAY_FILTER"):
        settings_from([], {"MQTTTUI_DISPLAY_FILTER": "mqtt.qos =="})


def test_lines_are_joined_and_escapes_mean_the_same() -> None:
    assert one_line('mqtt.qos == 1\n  and mqtt.topic == "\x1b\\\\d"') == 'mqtt.qos == 1   and mqtt.topic == "\\x1b\\\\d"'
    assert parse_display_filter('mqtt.topic == "\x1b"', "-Y").tree == parse_display_filter('mqtt.topic == "\\x1b"', "-Y").tree


def test_hostile_filters_give_a_printable_error() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_display_filter("\x1b]0;x\x07 \u202e[/b]", "-Y")
    for line in f"{caught.value.title}\n{caught.value.hint}".split("\n"):
        assert line.isprintable()
