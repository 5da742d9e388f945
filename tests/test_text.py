"""The one door for text from the wire: only printable characters come out, and the way back gives the same bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui import text
from tests.support import strategies


def test_characters_alone_are_printable_and_reversible() -> None:
    for point in [*range(0x3000), *range(0xD800, 0xE000), *range(0xFE00, 0x10000), *range(0xE0000, 0xE0200)]:
        char = chr(point)
        shown = text.visible(char)
        assert shown.isprintable() and shown, hex(point)
        if not 0xD800 <= point <= 0xDFFF:
            assert text.parse(shown) == char.encode(), hex(point)


def test_every_code_point_is_printable_and_reversible_as_text_and_as_bytes() -> None:
    for start in range(0, 0x110000, 0x400):
        chars = "".join(chr(point) for point in range(start, start + 0x400) if not 0xD800 <= point <= 0xDFFF)
        shown = text.visible(chars)
        assert shown == text.visible(chars.encode()) and shown.isprintable()
        assert text.parse(shown) == chars.encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_printable_and_reversible(raw: bytes) -> None:
    shown = text.visible(raw)
    assert shown.isprintable()
    assert text.parse(shown) == raw
    assert text.visible(bytearray(raw)) == text.visible(memoryview(raw)) == shown


@given(strategies.hostile_text)
def test_hostile_text_is_printable(raw: str) -> None:
    shown = text.visible(raw)
    assert shown.isprintable()
    lines = text.visible(raw, lines=True)
    assert all(part.isprintable() for part in lines.split("\n"))
    assert lines.count("\n") == raw.count("\n")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_text_of_lines_is_reversible(raw: str) -> None:
    assert text.parse(text.visible(raw, lines=True)) == raw.encode()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain [/b] text", "plain [/b] text"),
        (b"\x1b[31m", r"\x1b[31m"),
        (b"a\\b", r"a\\b"),
        (b"\xff\xfe", r"\xff\xfe"),
        ("\u202e", r"\xe2\x80\xae"),
        ("\x9b", r"\xc2\x9b"),
        ("\u200b", r"\xe2\x80\x8b"),
        (b"\x00", r"\x00"),
        ("é ☃ 🐟", "é ☃ 🐟"),
        ("\udcff", r"\xff"),
        ("\ud800", r"\xed\xa0\x80"),
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),
    ],
)
def test_visible(raw: str | bytes, shown: str) -> None:
    assert text.visible(raw) == shown


def test_piles_of_combining_marks_are_cut_down() -> None:
    shown = text.visible("a" + "\u0301" * 50)
    assert shown.count("\u0301") == 4
    assert text.parse(shown) == ("a" + "\u0301" * 50).encode()
    assert text.visible("\u0301") == r"\xcc\x81"


@pytest.mark.parametrize(
    ("shown", "raw"),
    [(r"\\", b"\\"), (r"\x41\x42", b"AB"), (r"\n\t\r", b"\n\t\r"), (r"\\x41", rb"\x41"), ("é", "é".encode()), ("", b"")],
)
def test_parse(shown: str, raw: bytes) -> None:
    assert text.parse(shown) == raw


@pytest.mark.parametrize(("shown", "position"), [("a\\", 1), (r"\q", 0), (r"ab\x4", 2), (r"\\\xzz", 2), (r"\N", 0)])
def test_parse_names_the_wrong_backslash(shown: str, position: int) -> None:
    with pytest.raises(text.EscapeError) as caught:
        text.parse(shown)
    assert caught.value.position == position


@given(st.binary(max_size=300), st.integers(1, 60))
def test_a_preview_fits_and_says_when_it_is_cut(raw: bytes, cells: int) -> None:
    shown = text.preview(raw, cells)
    assert len(shown) <= cells and shown.isprintable()
    whole = text.visible(raw)
    assert shown == whole if len(whole) <= cells and not shown.endswith(text.ELLIPSIS) else shown.endswith(text.ELLIPSIS)


def test_a_preview_of_much_costs_little() -> None:
    raw = memoryview(bytes(64 << 20))
    assert len(text.preview(raw, 80)) == 80


@given(st.text(max_size=30), st.integers(1, 30))
def test_shorten(shown: str, cells: int) -> None:
    short = text.shorten(shown, cells)
    assert len(short) <= cells
    assert short == shown or short == shown[: cells - 1] + text.ELLIPSIS


@given(st.text(max_size=30), st.integers(1, 30))
def test_shorten_middle(shown: str, cells: int) -> None:
    short = text.shorten_middle(shown, cells)
    if len(shown) <= cells:
        assert short == shown
    else:
        assert len(short) == cells
        last = (cells - 1) // 2
        assert short[: cells - 1 - last] == shown[: cells - 1 - last]
        assert short[cells - 1 - last :] == text.ELLIPSIS + shown[len(shown) - last :]
