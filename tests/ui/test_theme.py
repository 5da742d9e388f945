"""Themes: ours are complete and readable, broken ones are told and left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.color import Color

from mqtttui.config import paths
from mqtttui.config.settings import Settings
from mqtttui.ui.theme import DEFAULT_THEME, OWN_VARIABLES, load_themes, variable_defaults
from tests.support.screen import running

GOOD = 'name = "ocean"\n[colors]\nprimary = "#336699"\n'


def test_ours_are_found_complete_and_without_problems() -> None:
    found = load_themes([paths.themes_dir()])
    assert found.problems == ()
    assert {"mqtttui-dark", "mqtttui-light"} <= set(found.names)
    assert DEFAULT_THEME in found.names
    for theme in found.themes:
        assert set(theme.variables) == set(OWN_VARIABLES), theme.name
    assert {theme.dark for theme in found.themes} == {True, False}


@pytest.mark.parametrize("name", ["direction-in", "direction-out", "dimmed", "state-good", "state-warn", "state-bad", "generated"])
def test_text_colours_are_readable_on_every_background(name: str) -> None:
    for theme in load_themes([paths.themes_dir()]).themes:
        backgrounds = [theme.background, theme.surface, theme.panel, theme.variables["cursor-row"], theme.variables["cursor-row-blurred"]]
        text = Color.parse(theme.variables[name])
        for background in backgrounds:
            assert background is not None
            contrast = _contrast(text, Color.parse(background))
            assert contrast >= 3.0, f"{theme.name}: {name} on {background}: {contrast:.2f}"


def _contrast(one: Color, other: Color) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Color) -> float:
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("nonsense", "not TOML"),
        ('[colors]\nprimary = "#12"\n', "colors.primary: '#12' is no colour"),
        ("[colors]\nprimary = 7\n", "is no colour"),
        ('[colors]\naccent = "#123456"\n', "colors.primary: is missing"),
        (GOOD + 'primry = "#123456"\n', "meant primary?"),
        (GOOD + '[variables]\ndirection-inn = "#123456"\n', "meant direction-in?"),
        (GOOD + '[variables]\nrule = "ansi_red"\n', "is no colour"),
        ("colors = 1\n", "must be a table"),
        ('dark = 3\n[colors]\nprimary = "red"\n', "must be true or false"),
    ],
)
def test_a_broken_theme_is_told_and_left_out(tmp_path: Path, body: str, problem: str) -> None:
    (tmp_path / "ocean.toml").write_text(body)
    found = load_themes([tmp_path])
    assert found.themes == ()
    assert any(problem in str(item) for item in found.problems), [str(item) for item in found.problems]


def test_a_user_theme_may_leave_our_variables_out(tmp_path: Path) -> None:
    (tmp_path / "ocean.toml").write_text(GOOD)
    found = load_themes([tmp_path, tmp_path / "missing"])
    assert found.names == ("ocean",)
    assert set(variable_defaults(found.themes[0])) == set(OWN_VARIABLES)


async def test_a_broken_user_theme_is_said_and_the_default_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mqtttui" / "themes"
    folder.mkdir(parents=True)
    (folder / "bad.toml").write_text('[colors]\nprimary = "#zz"\n')
    (folder / "ocean.toml").write_text(GOOD)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    async with running(Settings(theme="bad")) as run:
        await run.shows("bad.toml", "is no colour")
        assert run.app.theme == DEFAULT_THEME
    async with running(Settings(theme="ocean")) as run:
        assert run.app.theme == "ocean"
        await run.shows("not connected")
