"""Where things lie. Nothing is created here; a folder that is missing is simply not there."""

from __future__ import annotations

import os
from pathlib import Path

_NAME = "mqtttui"
_PACKAGE = Path(__file__).resolve().parent.parent


def config_dir() -> Path:
    """The user's settings: `$XDG_CONFIG_HOME/mqtttui`, else `~/.config/mqtttui`."""
    return _base("XDG_CONFIG_HOME", ".config") / _NAME


def data_dir() -> Path:
    """What the application keeps for the user: `$XDG_DATA_HOME/mqtttui`, else `~/.local/share/mqtttui`."""
    return _base("XDG_DATA_HOME", ".local/share") / _NAME


def state_dir() -> Path:
    """What is remembered from one start to the next and may be lost: `$XDG_STATE_HOME/mqtttui`, else `~/.local/state/mqtttui`."""
    return _base("XDG_STATE_HOME", ".local/state") / _NAME


def filters_file() -> Path:
    """The user's display filters: the latest ones, and those with a name."""
    return data_dir() / "filters.toml"


def columns_file() -> Path:
    """The columns of the packet list that the user has chosen."""
    return config_dir() / "columns.toml"


def profiles_file() -> Path:
    """The user's connections by name; a person may edit it."""
    return config_dir() / "profiles.toml"


def last_profile_file() -> Path:
    """The name of the profile that was used last."""
    return state_dir() / "last-profile"


def themes_dir() -> Path:
    """The themes that come with the application: inside the package when installed, beside it in a checkout."""
    installed = _PACKAGE / "themes"
    return installed if installed.is_dir() else _PACKAGE.parent / "themes"


def user_themes_dir() -> Path:
    """The user's own themes, one TOML file each."""
    return config_dir() / "themes"


def _base(variable: str, fallback: str) -> Path:
    # The XDG specification: an empty or relative value counts as unset.
    value = os.environ.get(variable, "")
    return Path(value) if value and os.path.isabs(value) else _home() / fallback


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # neither $HOME nor an entry in the user database
        return Path("/")
