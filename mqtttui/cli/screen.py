"""What the options say about the screen and the recording, and the start of the screen."""

from __future__ import annotations

from collections.abc import Sequence

from mqtttui.cli.options import RECORDING_OPTIONS
from mqtttui.config.arguments import Given
from mqtttui.config.errors import ConfigError
from mqtttui.config.settings import Settings
from mqtttui.text import shorten, visible


def screen_settings(given: Sequence[Given], here: set[str]) -> Settings:
    """What is said about the screen and the recording; `here` are the keys of this command line."""
    values = {each.option.key: each.value for each in given}
    record = None
    if "record" in values:
        from mqtttui.config.recording import record_options

        record = record_options(values["record"], values.get("ring"), force="force" in values, secrets="secrets" in values)
    elif lone := [each.label for each in given if each.option in RECORDING_OPTIONS and each.option.key in here]:
        raise ConfigError(f"this has no effect: {lone[0]} (needs a recording: add --record FILE)", hint="leave it out, or add it")
    if "display-filter" in values:
        from mqtttui.config.display_filter import parse_display_filter

        label = next(each.label for each in reversed(given) if each.option.key == "display-filter")
        parse_display_filter(values["display-filter"], label)
    return Settings(
        ascii="ascii" in values,
        mouse="no-mouse" not in values,
        display_filter=values.get("display-filter", ""),
        theme=values.get("theme", ""),
        record=record,
    )


def run_screen(settings: Settings) -> int:
    """The application until it is left; gives its exit status. Raises ConfigError."""
    from mqtttui.app import MqttTui

    app = MqttTui(settings)
    if settings.theme and settings.theme not in app.available_themes:
        known = ", ".join(sorted(app.available_themes))
        raise ConfigError(f"--theme: there is no usable theme '{shorten(visible(settings.theme), 40)}'", hint=f"use one of {known}")
    app.run(mouse=settings.mouse)
    return app.return_code or 0
