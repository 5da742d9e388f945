"""Changes to the profiles file that leave everything else in it as it stands: comments, order, spaces, `${VAR}`.

1. Each change is made to what the file holds now, and what comes out is read again before it is written: a change that would
   touch another profile, or not say what was meant, is not made.
2. Only what differs is written: a value that stays keeps its text. What another profile gives is not written again.
3. `tomlkit` is loaded for a change only.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mqtttui.config.errors import ConfigError
from mqtttui.config.options import default_port
from mqtttui.config.profile_fields import LEAVES, OPTIONAL_TABLES, TABLES, Contents, values_of
from mqtttui.config.profile_secrets import AUTHENTICATION_DATA, header_place
from mqtttui.config.profiles import MAX_NAME, Profile, Profiles, entry_name, load, read
from mqtttui.config.secrets import FromKeyring
from mqtttui.config.toml_lines import statements
from mqtttui.config.whole_file import write_whole
from mqtttui.text import shorten, visible

HEAD = """\
# Profiles of mqtttui: connections with a name. Edit this file as you like; the application keeps comments and order.
# default = "NAME" at the top fills the form at the start. ${VAR} and ${VAR:-default} are variables of the environment.
# Passwords do not belong in here: password = { keyring = true }, { ask = true }, { env = "NAME" }, { command = ["pass", "show", "x"] }
"""

_URL_KEYS = ("transport", "host", "port", "unix-path", "websocket.path", "websocket.query", "username", "password")
"""Keys that a URL may stand for."""

Change = Callable[[Profiles], str]
"""From what the file holds to its new text. Raises ConfigError."""


def change(path: Path, environ: Mapping[str, str], make: Change) -> Profiles:
    """Make a change and write the file; gives what it holds then. Raises ConfigError: then the file is as it was."""
    before = load(path, environ)
    _sound(before)
    text = make(before)
    if text == before.text:
        return before
    try:
        write_whole(Path(os.path.realpath(path)), text)
    except OSError as error:
        raise ConfigError(f"{visible(os.fsencode(path))} cannot be written", error.strerror or "") from None
    return load(path, environ)


def save(name: str, contents: Contents, more: Mapping[str, Any], environ: Mapping[str, str]) -> Change:
    """The profile `name` says what `contents` and `more` (group, label, guard) say; a new one comes last."""

    def make(before: Profiles) -> str:
        wanted = values_of(contents) | dict(more)
        known = before.profiles.get(name)
        if known is None:
            check_name(name, before)
            return _checked(before, _appended(before.text, name, _new_table(name, wanted)), name, wanted, environ)
        return _checked(before, _updated(before, known, wanted), name, _meta(known) | wanted, environ)

    return make


def duplicate(name: str, new: str, environ: Mapping[str, str]) -> Change:
    """A copy of a profile, as it is written; entries of the keyring are those of the original."""

    def make(before: Profiles) -> str:
        profile = before.find(name)
        check_name(new, before)
        table = tomllib.loads(before.text)["profiles"][name]
        text = _appended(before.text, new, _named_entries(table, name))
        return _checked(before, text, new, values_of(profile.contents) | _meta(profile), environ)

    return make


def rename(name: str, new: str, environ: Mapping[str, str]) -> Change:
    """Another name, also where `extends` and `default` name it; entries of the keyring stay what they are."""

    def make(before: Profiles) -> str:
        import tomlkit

        profile = before.find(name)
        check_name(new, before)
        document = tomlkit.parse(before.text)
        tables: Any = document["profiles"]
        for table in tables.values():
            if isinstance(table, MutableMapping) and table.get("extends") == name:
                table["extends"] = new
        if document.get("default") == name:
            document["default"] = new
        for key, value in _named_entries(tables[name], name).items():
            if value != tables[name][key]:
                tables[name][key] = _item(value)
        text = _renamed(tomlkit.dumps(document), name, new)
        return _checked(before, text, new, values_of(profile.contents) | _meta(profile), environ, gone=name)

    return make


def delete(name: str, environ: Mapping[str, str]) -> Change:
    """Without the profile. Raises ConfigError while another one extends it."""

    def make(before: Profiles) -> str:
        import tomlkit

        heirs = [each.name for each in before.profiles.values() if each.extends == name]
        if heirs:
            raise ConfigError(f"{visible(name)} is extended by {visible(heirs[0])}", hint="change or delete that one first")
        document = tomlkit.parse(before.text)
        del document["profiles"][name]
        if document.get("default") == name:
            del document["default"]
        return _checked(before, tomlkit.dumps(document), "", {}, environ, gone=name)

    return make


def set_default(name: str, environ: Mapping[str, str]) -> Change:
    """The profile that fills the form at the start; empty: none."""

    def make(before: Profiles) -> str:
        import tomlkit

        document = tomlkit.parse(before.text)
        if "default" in document and not name:
            del document["default"]
        elif "default" in document:
            document["default"] = name
        elif name:
            rows = before.text.split("\n")
            at = next((index for index, row in enumerate(rows) if not row.startswith("#")), len(rows))
            return _checked(before, "\n".join([*rows[:at], f"default = {tomlkit.string(name).as_string()}", *rows[at:]]), "", {}, environ)
        return _checked(before, tomlkit.dumps(document), "", {}, environ)

    return make


def check_name(name: str, before: Profiles) -> None:
    """Raises ConfigError for a name that a new profile cannot have."""
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable() or name != name.strip():
        raise ConfigError(f"the name of a profile has 1 to {MAX_NAME} characters")
    if name in before.profiles or name in before.broken:
        raise ConfigError(f"there is a profile '{visible(name)}' already", hint="choose another name")


def table_of(contents: Contents, more: Mapping[str, Any], name: str = "") -> dict[str, Any]:
    """What TOML holds of a profile that says all of this, without what is so by default."""
    return _new_table(name, values_of(contents) | dict(more))


def document_of(tables: Mapping[str, Mapping[str, Any]], head: str = "") -> str:
    """A whole file of such tables."""
    text = head
    for name, table in tables.items():
        text = _appended(text, name, table)
    return text


# ---------------------------------------------------------------- tables


def _new_table(name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, leaf in LEAVES.items():
        value = wanted.get(key, leaf.default)
        if value == leaf.default or (key == "port" and value == _usual_port(wanted)):
            continue
        _put(table, key, _written(name, key, value))
    return table


def _put(table: dict[str, Any], key: str, value: Any) -> None:
    above, _, last = key.rpartition(".")
    (table.setdefault(above, {}) if above else table)[last] = value


def _usual_port(wanted: Mapping[str, Any]) -> int:
    transport = wanted.get("transport", "tcp")
    return default_port(tls=transport in ("tls", "wss"), websocket=transport in ("ws", "wss"))


def _written(name: str, key: str, value: Any) -> Any:
    """What TOML holds of a value; entries of the keyring that are called after the profile need no name."""
    if value is None:
        return False
    if key == "websocket.headers":
        value = tuple((each, _plain_entry(name, header_place(each), given)) for each, given in value)
    elif key == "properties":
        value = tuple((each, _plain_entry(name, AUTHENTICATION_DATA, given)) for each, given in value)
    return LEAVES[key].write(_plain_entry(name, key, value))


def _plain_entry(name: str, place: str, value: Any) -> Any:
    return FromKeyring("") if value == FromKeyring(entry_name(name, place)) else value


def _named_entries(table: Mapping[str, Any], name: str, above: str = "") -> dict[str, Any]:
    """`table` with the entries of the keyring by name, so that they are found under another name of the profile too."""

    def named(place: str, value: Any) -> Any:
        if isinstance(value, Mapping) and value.get("keyring") is True:
            return {"keyring": entry_name(name, place)}
        return value

    out: dict[str, Any] = {}
    for key, value in table.items():
        if key in TABLES and isinstance(value, Mapping):
            out[key] = _named_entries(value, name, f"{key}.")
        elif above + key in ("websocket.headers", "properties") and isinstance(value, list):
            place = header_place if above else lambda _: AUTHENTICATION_DATA
            out[key] = [[each[0], *(named(place(str(each[0])), part) for part in each[1:])] for each in value]
        else:
            out[key] = named(above + key, value)
    return out


def _meta(profile: Profile) -> dict[str, Any]:
    return {key: profile.values.get(key, LEAVES[key].default) for key in ("group", "label", "guard")}


# ---------------------------------------------------------------- texts


def _appended(text: str, name: str, table: Mapping[str, Any]) -> str:
    """`text` with one more profile at its end."""
    import tomlkit

    whole = tomlkit.table()
    for key, value in table.items():
        if key in TABLES and isinstance(value, Mapping):
            below = tomlkit.table()
            for each, given in value.items():
                below[each] = _item(given)
            whole[key] = below
        else:
            whole[key] = _item(value)
    document = tomlkit.document()
    above = tomlkit.table(is_super_table=True)
    above[name] = whole
    document["profiles"] = above
    before = text or HEAD
    return f"{before.rstrip()}\n\n{tomlkit.dumps(document).strip()}\n"


def _updated(before: Profiles, known: Profile, wanted: Mapping[str, Any]) -> str:
    """The text of the file with the profile as it is wanted."""
    import tomlkit

    document = tomlkit.parse(before.text)
    table: Any = document["profiles"][known.name]
    now = {**known.values, "port": known.values.get("port") or _usual_port(wanted)}
    inherited = before.profiles[known.extends].values if known.extends else {}
    keys = [key for key, leaf in LEAVES.items() if key in wanted and wanted[key] != now.get(key, leaf.default)]
    if "websocket.query" in keys and "websocket.path" not in keys:
        keys.append("websocket.path")  # The query may stand in it.
    if "url" in table and any(key in _URL_KEYS for key in keys):
        del table["url"]
        keys += [key for key in _URL_KEYS if key not in keys and key in known.own and key in wanted]
    for key in keys:
        above, _, last = key.rpartition(".")
        value = wanted[key]
        if above in OPTIONAL_TABLES and wanted.get(f"{above}.{OPTIONAL_TABLES[above]}") is None:
            if inherited.get(f"{above}.{OPTIONAL_TABLES[above]}") is not None:
                table[above] = False
            elif above in table:
                del table[above]
            continue
        if above and not isinstance(table.get(above), Mapping):
            if above in table:
                del table[above]
            table[above] = tomlkit.table()
        place = table[above] if above else table
        if value == inherited.get(key, LEAVES[key].default) and (key != "port" or value == _usual_port(wanted)):
            if last in place:
                del place[last]
        else:
            place[last] = _item(_written(known.name, key, value))
    return tomlkit.dumps(document)


def _item(value: Any) -> Any:
    """What tomlkit writes: a list of lists or tables one item a line, tables within it on one line."""
    import tomlkit

    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        for key, given in value.items():
            inline[key] = _item(given)
        return inline
    if isinstance(value, list):
        array = tomlkit.array()
        for given in value:
            array.append(_item(given))
        return array.multiline(any(isinstance(given, list | Mapping) for given in value))
    return tomlkit.item(value)


def _renamed(text: str, name: str, new: str) -> str:
    """The text with another name wherever a key names the profile."""
    import tomlkit

    key = tomlkit.key(new).as_string()
    spans = []
    for each in statements(text):
        index = 1 - len(each.prefix)
        if 0 <= index < len(each.parts) and each.path[:2] == ("profiles", name):
            spans.append((each.parts[index].start, each.parts[index].end))
    for start, end in reversed(spans):
        text = text[:start] + key + text[end:]
    return text


# ---------------------------------------------------------------- checks


def _sound(before: Profiles) -> None:
    """Raises ConfigError while the file is no text, or no TOML: nothing can be changed in it then."""
    if before.problems and not before.text:
        raise ConfigError("the file cannot be read", before.said(before.problems[0]), "mend it first")
    try:
        tomllib.loads(before.text)
    except tomllib.TOMLDecodeError:
        raise ConfigError("the file has a mistake", before.said(before.problems[0]), "mend it first") from None


def _checked(before: Profiles, text: str, name: str, wanted: Mapping[str, Any], environ: Mapping[str, str], *, gone: str = "") -> str:
    """`text`, if it says what was meant, and of everything else what it said before. Raises ConfigError."""
    after = read(text, before.path, environ)
    same = all(
        replace(after.profiles[each], line=0, extends="") == replace(profile, line=0, extends="")
        for each, profile in before.profiles.items()
        if each not in (name, gone) and each in after.profiles and name not in before.ancestors(each)
    )
    lost = {each for each in before.profiles if each not in after.profiles} - {gone}
    profile = after.profiles.get(name)
    meant = not name or (profile is not None and _alike(values_of(profile.contents) | _meta(profile), wanted))
    if not same or lost or not meant or (gone and gone in after.profiles):
        raise ConfigError(f"the file cannot be changed for {shorten(visible(name or gone), 40)}", hint="change it in your editor (e)")
    return text


def _alike(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(found.get(key, LEAVES[key].default) == value for key, value in wanted.items())
