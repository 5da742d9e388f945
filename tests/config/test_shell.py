"""Splitting as a shell does, compared with the standard library's shlex and with sh itself."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.config.errors import ConfigError
from mqtttui.config.shell import split


def words(text: str) -> list[str]:
    return [word.text for word in split(text)[0]]


@pytest.mark.parametrize(
    "text",
    [
        "a b  c",
        "a 'b c' \"d e\"",
        "a'b'\"c\"d",
        "a ''  \"\"",
        r'a "\"\\\$x" \ b',
        r"a 'b\c' b\'c",
        r'"a\nb"',
        "a \\\n  b\\\nc",
        "-m '{\"on\": true}'",
        'a "b\\\nc"',
        "a=b 'x\ny'",
        "é 'ü ö'",
    ],
)
def test_same_as_sh(text: str) -> None:
    out = subprocess.run(["sh", "-c", f"printf '%s\\0' {text}"], capture_output=True, check=True, timeout=10).stdout
    assert words(text) == out.decode().split("\0")[:-1]


@given(st.lists(st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12), max_size=6))
def test_quoted_words_come_back(texts: list[str]) -> None:
    assert words(shlex.join(texts)) == texts


@given(st.text(alphabet="ab '\"\\\n$`#|;xn{}(", max_size=30))
def test_any_text_gives_words_or_a_config_error(text: str) -> None:
    try:
        found, _ = split(text)
    except ConfigError as error:
        assert error.position is not None
        assert 0 <= error.position < len(text)
        assert error.hint
    else:
        assert [word.position for word in found] == sorted(word.position for word in found)


def test_ansi_c_quotes() -> None:
    assert words(r"$'a\tb\n\x41\\\'\101\u00e9'") == ["a\tb\nA\\'Aé"]
    assert words(r"$'\xff'") == ["\udcff"]


@pytest.mark.parametrize("text", ["-t #", "-t '#'", r"-t \#"])
def test_hash_is_a_topic(text: str) -> None:
    assert words(text) == ["-t", "#"]


@pytest.mark.parametrize("text", ["$SYS/#", '"$SYS/#"', "'$SYS/#'", r"\$SYS/#"])
def test_roots_of_topics_are_no_variables(text: str) -> None:
    assert words(text) == ["$SYS/#"]


@pytest.mark.parametrize("text", ["-P $PASS", '-P "${PASS}"', "-P $(cat x)", "-P `cat x`", "-P $1"])
def test_variables_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not expanded"):
        split(text)
    assert words("-P 'a$PASS'") == ["-P", "a$PASS"]


@pytest.mark.parametrize(
    ("text", "rest"), [("a b | jq .", "| jq ."), ("a b; rm x", "; rm x"), ("a b > file", "> file"), ("a b\nc d", "c d"), ("a b &", "&")]
)
def test_the_first_command_ends(text: str, rest: str) -> None:
    found, left = split(text)
    assert [word.text for word in found] == ["a", "b"]
    assert left == rest


def test_positions() -> None:
    assert [word.position for word in split("  a 'b c' \\\n d")[0]] == [2, 4, 13]


@pytest.mark.parametrize(("text", "position"), [("a 'b", 2), ('a "b', 2), ("a x$'b", 3)])
def test_unclosed_quote(text: str, position: int) -> None:
    with pytest.raises(ConfigError, match="not closed") as caught:
        split(text)
    assert caught.value.position == position
