"""The file of filters: what goes in comes out, whatever was typed; nothing that a person wrote gets lost."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.config.saved_filters import MAX_HISTORY, MAX_NAME, FilterStore, Kept, SavedFilter, StoreError, _toml
from mqtttui.text import printable

TYPED = st.text().map(printable).filter(str.strip)
NAME = (
    st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=30)
    .map(printable)
    .map(str.strip)
    .filter(lambda name: 0 < len(name) <= MAX_NAME)
)


@pytest.fixture
def store(tmp_path: Path) -> FilterStore:
    return FilterStore(tmp_path / "deep" / "filters.toml")


def test_no_file_is_no_filters_and_reading_makes_none(store: FilterStore) -> None:
    assert store.load() == Kept()
    assert store.change(lambda kept: kept) == Kept()
    assert not store.path.parent.exists()


@given(history=st.lists(TYPED, max_size=5), saved=st.dictionaries(NAME, TYPED, max_size=5))
def test_everything_typed_survives_the_file(tmp_path_factory: pytest.TempPathFactory, history: list[str], saved: dict[str, str]) -> None:
    store = FilterStore(tmp_path_factory.mktemp("filters") / "filters.toml")

    def fill(kept: Kept) -> Kept:
        for text in history:
            kept = kept.remembered(text)
        for name, text in saved.items():
            kept = kept.with_saved(name, text)
        return kept

    written = store.change(fill)
    again = FilterStore(store.path)
    assert again.load() == written
    assert set(written.history) == set(history)
    assert {each.name: each.text for each in written.saved} == saved
    if history or saved:
        assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_the_history_is_bounded_and_has_nothing_twice() -> None:
    kept = Kept()
    for number in range(MAX_HISTORY + 50):
        kept = kept.remembered(f"mqtt.len == {number}").remembered("temp")
    assert len(kept.history) == MAX_HISTORY
    assert kept.history[:2] == ("temp", f"mqtt.len == {MAX_HISTORY + 49}")
    assert kept.remembered("   ") == kept
    assert kept.remembered("x" * 10_000) == kept


def test_what_another_application_wrote_meanwhile_stays(store: FilterStore) -> None:
    other = FilterStore(store.path)
    store.change(lambda kept: kept.remembered("one"))
    other.change(lambda kept: kept.with_saved("two", "mqtt"))
    kept = store.change(lambda kept: kept.remembered("three"))
    assert kept.history == ("three", "one")
    assert kept.saved == (SavedFilter("two", "mqtt"),)


def test_unknown_keys_of_a_saved_filter_stay(store: FilterStore) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_text('[[saved]]\nname = "slow"\nfilter = "mqtttui.rtt > 100"\nalarm = "bell"\ntimes = 3\n"odd key" = true\n')
    kept = store.change(lambda kept: kept.remembered("x").with_saved("slow", "mqtttui.rtt > 200"))
    assert kept.saved[0].text == "mqtttui.rtt > 200"
    assert FilterStore(store.path).load() == kept
    assert dict(kept.saved[0].extra) == {"alarm": "bell", "times": 3, "odd key": True}


def test_saving_under_a_name_replaces_and_removing_can_be_taken_back(store: FilterStore) -> None:
    kept = store.change(lambda kept: kept.with_saved("b", "1").with_saved("A", "2").with_saved("b", "3"))
    assert [(each.name, each.text) for each in kept.saved] == [("A", "2"), ("b", "3")]
    removed = kept.saved[1]
    kept = store.change(lambda kept: kept.without("b"))
    assert [each.name for each in kept.saved] == ["A"]
    assert store.change(lambda kept: kept.restored(removed)).saved[1] == removed
    kept = Kept(history=("a", "b", "c"))
    assert kept.without_earlier("b").with_earlier("b", 1) == kept


@pytest.mark.parametrize(
    "content",
    ["history = [", 'history = "x"', "history = [1]", "saved = 3", "[[saved]]\nname = 1\nfilter = 'x'", "[[saved]]\nfilter = 'x'", "\xff"],
)
def test_a_file_that_cannot_be_understood_is_named_and_left_alone(store: FilterStore, content: str) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_bytes(content.encode("latin-1"))
    for action in (store.load, lambda: store.change(lambda kept: kept.remembered("x"))):
        with pytest.raises(StoreError, match=r"filters\.toml"):
            action()
    assert store.path.read_bytes() == content.encode("latin-1")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = FilterStore(tmp_path / "file" / "filters.toml")
    with pytest.raises(StoreError):
        store.change(lambda kept: kept.remembered("x"))


def test_hostile_text_in_the_file_is_made_printable(store: FilterStore) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_text(_toml(Kept(("\x1b[31m",), (SavedFilter("\x1b]0;x\x07", 'mqtt.topic == "\x9b"'),))), encoding="utf-8")
    kept = store.load()
    assert kept.history == ("\\x1b[31m",)
    assert kept.saved[0].name.isprintable()
    assert kept.saved[0].text == 'mqtt.topic == "\\xc2\\x9b"'
