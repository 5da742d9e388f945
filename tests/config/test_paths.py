"""Where things lie, and that nothing is created by asking."""

from __future__ import annotations

from pathlib import Path

import pytest

from mqtttui.config import paths


def test_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert paths.config_dir() == tmp_path / "config" / "mqtttui"
    assert paths.user_themes_dir() == tmp_path / "config" / "mqtttui" / "themes"
    assert paths.data_dir() == tmp_path / "data" / "mqtttui"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["", "relative/path"])
def test_unset_empty_or_relative(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", value)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert paths.config_dir() == tmp_path / ".config" / "mqtttui"
    assert paths.data_dir() == tmp_path / ".local" / "share" / "mqtttui"
    assert list(tmp_path.iterdir()) == []


def test_our_own_themes_are_there() -> None:
    names = {file.stem for file in paths.themes_dir().glob("*.toml")}
    assert {"mqtttui-dark", "mqtttui-light"} <= names
