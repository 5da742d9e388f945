"""Any connection survives the way into a profile and back; changes to the file leave everything else alone."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.config.profile_edit import HEAD, document_of, save, table_of
from mqtttui.config.profile_fields import Contents
from mqtttui.config.profile_values import escape, expand
from mqtttui.config.profiles import Profiles, read
from tests.support.profiles import any_text, contents

PATH = Path("profiles.toml")


def written(*tables: tuple[str, Contents]) -> Profiles:
    """A file that holds these, read."""
    return read(document_of({name: table_of(each, {}) for name, each in tables}), PATH, {})


@settings(max_examples=30)
@given(contents)
def test_any_connection_survives_the_round_trip(given_contents: Contents) -> None:
    found = written(("it", given_contents))
    assert found.problems == ()
    assert found.profiles["it"].contents == given_contents


@settings(max_examples=15)
@given(contents, contents, contents)
def test_any_change_says_what_is_meant_and_leaves_the_rest(first: Contents, second: Contents, other: Contents) -> None:
    before = written(("a", first), ("b", other))
    after = read(save("a", second, {}, {})(before), PATH, {})
    assert after.profiles["a"].contents == second
    assert after.profiles["b"].contents == other


@settings(max_examples=15)
@given(contents, contents)
def test_any_profile_can_extend_any_other(base: Contents, wanted: Contents) -> None:
    text = document_of({"base": table_of(base, {}), "child": {"extends": "base"}}, HEAD)
    before = read(text, PATH, {})
    assert before.profiles["child"].contents == base
    after = read(save("child", wanted, {}, {})(before), PATH, {})
    assert after.profiles["child"].contents == wanted
    assert after.profiles["child"].extends == "base"
    assert after.profiles["base"].contents == base


@settings(max_examples=30)
@given(contents)
def test_saving_what_is_there_changes_not_one_character(given_contents: Contents) -> None:
    before = written(("it", given_contents))
    assert save("it", given_contents, {}, {})(before) == before.text


@given(any_text | st.text(alphabet="${}AB:-", max_size=12))
def test_no_text_is_taken_for_a_variable_once_it_is_escaped(text: str) -> None:
    assert expand(escape(text), {}) == text


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    found = read(text, PATH, {})
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert found.problems
