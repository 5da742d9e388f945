"""Where and how to record, as a person says it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.config.errors import ConfigError
from mqtttui.config.recording import RecordOptions, parse_ring, record_options, whole_number


@pytest.mark.parametrize(
    ("text", "ring"),
    [
        ("10x100M", (10, 100_000_000)),
        ("2X20k", (2, 20_000)),
        ("3×1G", (3, 1_000_000_000)),
        ("5*10000", (5, 10_000)),
        (" 2x1MB ", (2, 1_000_000)),
    ],
)
def test_rings(text: str, ring: tuple[int, int]) -> None:
    assert parse_ring(text) == ring
    assert record_options("f", text) == RecordOptions("f", ring)


@pytest.mark.parametrize("text", ["", "10", "x", "10x", "x10M", "0x1M", "1x1M", "2x9999", "-2x1M", "2x1T", "2x1.5M", "٢x١M", "2x1M\n2x1M"])
def test_what_is_no_ring_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_ring(text)
    assert "10x100M" in caught.value.hint


@given(st.text(max_size=20))
def test_any_text_is_a_ring_or_refused(text: str) -> None:
    try:
        files, size = parse_ring(text)
    except ConfigError as error:
        assert str(error).isprintable()
    else:
        assert files >= 2 and size >= 10_000


@pytest.mark.parametrize(("path", "ring"), [("", None), ("-", "2x1M")])
def test_unusable_places(path: str, ring: str | None) -> None:
    with pytest.raises(ConfigError):
        record_options(path, ring)


def test_what_would_be_overwritten_is_said_before_the_screen_starts(tmp_path: Path) -> None:
    (tmp_path / "a.pcapng").touch()
    (tmp_path / "r-00003.pcapng").touch()
    for taken, name in (
        (RecordOptions(str(tmp_path / "a.pcapng")), "a.pcapng"),
        (RecordOptions(str(tmp_path / "r.pcapng"), (2, 10_000)), "r-00003"),
    ):
        with pytest.raises(ConfigError, match=name):
            taken.check_free()
        replace(taken, force=True).check_free()
    for free in (RecordOptions("-"), RecordOptions(str(tmp_path / "b")), RecordOptions(str(tmp_path / "no" / "r"), (2, 10_000))):
        free.check_free()


def test_whole_numbers() -> None:
    assert whole_number("12", "--count") == 12
    for text in ("0", "-1", "1.5", "", "x", "9" * 40):
        with pytest.raises(ConfigError, match="--count"):
            whole_number(text, "--count")
