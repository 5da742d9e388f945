r"""The kinds of values in a profile: how each is read from TOML, and written so that it is read as the same again.

1. A text is TOML's string; bytes that are no text are `{ hex = "00ff" }`. What is bytes on the wire (a password, a payload) may be
   either: a string means its UTF-8.
2. `${VAR}` and `${VAR:-default}` are the environment's, `$$` is a `$`; any other `$` stands for itself (`$SYS/#`).
3. A secret is a string, or says where it comes from: `{ env = "X" }`, `{ command = ["pass", "show", "x"] }`, `{ keyring = true }`,
   `{ ask = true }`. `false` is none.
4. A property is a list, `["receive-maximum", 10]`, `["user-property", "name", "value"]`; an unknown one has its number and bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mqtttui.config.errors import ConfigError
from mqtttui.config.properties import BY_NAME, LARGEST
from mqtttui.config.secrets import Asked, FromCommand, FromEnvironment, FromKeyring, Source
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Text, TopicRequest
from mqtttui.protocol.properties import PROPERTIES, Kind
from mqtttui.text import shorten, visible

Secret = bytes | Source
Item = tuple[int, Any]
"""A property: its identifier and its value, which may be a Source."""

_VARIABLE = re.compile(r"\$\$|\$\{([^}]*)\}?")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_ESCAPED = re.compile(r"\$(?=[${])")
_WAYS = '{ env = "NAME" }, { command = ["pass", "show", "x"] }, { keyring = true } or { ask = true }'


class BadValue(Exception):
    """A value that cannot be used: where below its key, and why in visible text that carries no secret."""

    def __init__(self, words: str, *below: str | int) -> None:
        super().__init__(words)
        self.words = words
        self.below = below


@dataclass(frozen=True, slots=True)
class Leaf:
    """One key of a profile."""

    read: Callable[[Any], Any]
    """From what TOML holds, variables expanded. Raises BadValue."""
    write: Callable[[Any], Any]
    """For `read`, of anything but None; None is written as `false`."""
    default: Any = None


def expand(value: Any, environ: Mapping[str, str]) -> Any:
    """`value` with its variables replaced, in lists and tables too. Raises BadValue that names a variable which is not set."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _expanded(match, environ), value)
    if isinstance(value, list):
        return [expand(each, environ) for each in value]
    if isinstance(value, dict):
        return {key: each if key in ("env", "keyring") else expand(each, environ) for key, each in value.items()}
    return value


def escape(text: str) -> str:
    """`text` so that `expand` gives it back."""
    return _ESCAPED.sub("$$", text)


def _expanded(match: re.Match[str], environ: Mapping[str, str]) -> str:
    if match.group() == "$$":
        return "$"
    named = _NAME.fullmatch(match.group(1)) if match.group().endswith("}") else None
    if named is None:
        # Not its words: it may be a part of a password.
        raise BadValue("a ${ begins no variable here; write ${NAME}, or $$ for a $")
    name, default = named.groups()
    if environ.get(name) or (name in environ and default is None):
        return environ[name]
    if default is None:
        raise BadValue(f"${{{name}}} is not set in the environment; export {name}, or write ${{{name}:-something}}")
    return str(default)


# ---------------------------------------------------------------- simple kinds


def string(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise BadValue(f"{_what(value)} is no text; write it in quotes")
    return value


def switch(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise BadValue(f"{_what(value)} is neither true nor false")
    return value


def whole(low: int, high: int) -> Callable[[Any], int]:
    """A whole number, also as a text (of a variable)."""

    def read(value: Any) -> int:
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 12:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise BadValue(f"{_what(value)} is no number from {low} to {high}")
        return value

    return read


def seconds(value: Any) -> float:
    """More than 0 seconds."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 1e9:
        raise BadValue(f"{_what(value)} is no number of seconds above 0")
    return float(value)


def choice(*known: str) -> Callable[[Any], str]:
    """One of some words."""

    def read(value: Any) -> str:
        if value not in known:
            raise BadValue(f"{_what(value)} is none of {', '.join(known)}")
        return str(value)

    return read


def version(value: Any) -> Version:
    """`5`, `3.1.1`, `3.1`, also as mosquitto writes them."""
    try:
        return Version.from_label(str(value) if isinstance(value, int | float) and not isinstance(value, bool) else string(value))
    except ValueError:
        raise BadValue(f"{_what(value)} is no MQTT version; write 3.1, 3.1.1 or 5") from None


def octets(value: Any) -> bytes:
    """Bytes, from a text or from hex."""
    if isinstance(value, dict):
        return _hex(value)
    return string(value).encode("utf-8")


def wire_text(value: Any) -> Text:
    """A string for the wire; bytes where it is written in hex."""
    return _hex(value) if isinstance(value, dict) else string(value)


def path(value: Any) -> str:
    """The name of a file, `~` expanded."""
    if isinstance(value, dict):
        return _hex(value).decode("utf-8", "surrogateescape")
    return os.path.expanduser(string(value))


def checked(parse: Callable[[str], Any]) -> Callable[[Any], Any]:
    """A text that `parse` takes; it raises ConfigError."""

    def read(value: Any) -> Any:
        try:
            return parse(string(value))
        except ConfigError as error:
            raise BadValue(f"{error.title}; {error.hint}" if error.hint else error.title) from None

    return read


def optional(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`false` is none."""
    return lambda value: None if value is False else read(value)


def write_text(value: Text) -> Any:
    """For `string`, `wire_text` and `path`."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return {"hex": value.encode("utf-8", "surrogateescape").hex()}
    return escape(value)


def write_octets(value: bytes) -> Any:
    """For `octets`: a text where it is one."""
    try:
        return escape(value.decode("utf-8"))
    except UnicodeDecodeError:
        return {"hex": value.hex()}


def _hex(value: Mapping[str, Any]) -> bytes:
    digits = value.get("hex")
    if set(value) != {"hex"} or not isinstance(digits, str):
        raise BadValue('write a text, or bytes as { hex = "00ff" }')
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise BadValue("the hex digits are not complete") from None


def _what(value: Any) -> str:
    return f"'{shorten(visible(str(value)), 40)}'" if isinstance(value, str | int | float) else f"a {_KINDS.get(type(value), 'value')}"


_KINDS: Mapping[type, str] = {list: "list", dict: "table"}


# ---------------------------------------------------------------- secrets


def secret(value: Any) -> Secret:
    """Bytes, or where they come from. No message repeats what was written."""
    if isinstance(value, str):
        return value.encode("utf-8")
    if not isinstance(value, dict) or len(value) != 1:
        raise BadValue(f"a secret is a text, or {_WAYS}")
    ((way, given),) = value.items()
    match way, given:
        case "hex", _:
            return _hex(value)
        case "env", str() if given:
            return FromEnvironment(given)
        case "command", [_, *_] if all(isinstance(word, str) for word in given):
            return FromCommand(tuple(given))
        case "command", _:
            raise BadValue('write the words of the command in a list: ["pass", "show", "x"]')
        case "keyring", True:
            return FromKeyring("")
        case "keyring", str() if given:
            return FromKeyring(given)
        case "ask", True:
            return Asked()
        case _:
            raise BadValue(f"a secret is a text, or {_WAYS}")


def write_secret(value: Secret) -> Any:
    """For `secret`."""
    match value:
        case bytes():
            return write_octets(value)
        case FromEnvironment(name=name):
            return {"env": name}
        case FromCommand(words=words):
            return {"command": [escape(word) for word in words]}
        case FromKeyring(entry=entry):
            return {"keyring": entry or True}
        case Asked():
            return {"ask": True}


# ---------------------------------------------------------------- properties, headers, subscriptions


def properties(packet: int) -> Callable[[Any], tuple[Item, ...]]:
    """Properties of a packet; one in the wrong packet may be asked for, a wrong name may not."""

    def read(value: Any) -> tuple[Item, ...]:
        if not isinstance(value, list):
            raise BadValue('properties are a list: [["receive-maximum", 10], ["user-property", "name", "value"]]')
        return tuple(_at(index, _property, each, packet) for index, each in enumerate(value))

    return read


def write_properties(items: Sequence[Item]) -> list[Any]:
    """For `properties`."""
    return [_write_property(*item) for item in items]


def _property(value: Any, packet: int) -> Item:
    if not isinstance(value, list) or len(value) < 2:
        raise BadValue('a property is a list: ["receive-maximum", 10]')
    name, *values = value
    if isinstance(name, int) and not isinstance(name, bool) and 0 <= name <= 0x0FFF_FFFF and name not in PROPERTIES:
        return name, _one(values, octets, f"0x{name:02x}")
    spec = BY_NAME.get(name) if isinstance(name, str) else PROPERTIES.get(name)
    if spec is None:
        known = [key for key, each in BY_NAME.items() if packet in each.packets]
        raise BadValue(f"{_what(name)} is no property{nearest(str(name), known)}")
    if spec.kind is Kind.PAIR:
        if len(values) != 2:
            raise BadValue(f"{name} takes a name and a value")
        return spec.id, (wire_text(values[0]), wire_text(values[1]))
    if spec.id == PropertyId.AUTHENTICATION_DATA:
        return spec.id, _one(values, secret, str(name))
    if spec.kind is Kind.BINARY:
        return spec.id, _one(values, octets, str(name))
    return spec.id, _one(values, wire_text if spec.kind is Kind.STRING else whole(0, LARGEST[spec.kind]), str(name))


def _one(values: Sequence[Any], read: Callable[[Any], Any], name: str) -> Any:
    if len(values) != 1:
        raise BadValue(f"{name} takes one value")
    return read(values[0])


def _write_property(identifier: int, value: Any) -> list[Any]:
    spec = PROPERTIES.get(identifier)
    name = spec.name.lower().replace(" ", "-") if spec is not None else identifier
    if isinstance(value, tuple):
        return [name, write_text(value[0]), write_text(value[1])]
    if isinstance(value, int):
        return [name, value]
    if spec is None or spec.kind is Kind.BINARY:
        return [name, write_secret(value if not isinstance(value, str) else value.encode("utf-8", "surrogateescape"))]
    return [name, write_text(value)]


def header_list(parse: Callable[[str], tuple[str, str]]) -> Callable[[Any], tuple[tuple[str, Any], ...]]:
    """Headers of the upgrade, each `["Name", "value"]`; `parse` reads `Name: value`."""

    def one(value: Any) -> tuple[str, Any]:
        if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
            raise BadValue('a header is a list: ["Name", "value"]')
        name, given = value
        if isinstance(given, dict):
            return str(checked(parse)(f"{name}:")[0]), secret(given)
        found = checked(parse)(f"{name}: {string(given)}")
        return str(found[0]), str(found[1])

    def read(value: Any) -> tuple[tuple[str, Any], ...]:
        if not isinstance(value, list):
            raise BadValue('headers are a list: [["Name", "value"]]')
        return tuple(_at(index, one, each) for index, each in enumerate(value))

    return read


def write_headers(value: Sequence[tuple[str, Any]]) -> list[Any]:
    """For `header_list`."""
    return [[escape(name), escape(given) if isinstance(given, str) else write_secret(given)] for name, given in value]


_REQUEST: Mapping[str, Leaf] = {
    "filter": Leaf(wire_text, write_text),
    "qos": Leaf(whole(0, 3), int, 0),
    "no-local": Leaf(switch, bool, False),
    "retain-as-published": Leaf(switch, bool, False),
    "retain-handling": Leaf(whole(0, 3), int, 0),
    "reserved": Leaf(whole(0, 3), int, 0),
}


def subscriptions(value: Any) -> tuple[TopicRequest, ...]:
    """Filters with their options; a text alone is a filter at QoS 0."""
    if not isinstance(value, list):
        raise BadValue('subscriptions are a list: [{ filter = "sensors/#", qos = 1 }]')
    return tuple(_at(index, _request, each) for index, each in enumerate(value))


def _request(value: Any) -> TopicRequest:
    table = {"filter": value} if isinstance(value, str) else value
    for key in table if isinstance(table, dict) else ():
        if key not in _REQUEST:
            raise BadValue(f"'{visible(key)}' is no key of a subscription{nearest(key, _REQUEST)}", key)
    if not isinstance(table, dict) or "filter" not in table:
        raise BadValue('a subscription needs its filter: { filter = "sensors/#", qos = 1 }')
    found = {key.replace("-", "_"): _at(key, _REQUEST[key].read, given) for key, given in table.items()}
    return TopicRequest(**found)


def write_subscriptions(requests: Sequence[TopicRequest]) -> list[Any]:
    """For `subscriptions`."""
    out = []
    for request in requests:
        given = {key: getattr(request, key.replace("-", "_")) for key in _REQUEST}
        out.append({key: _REQUEST[key].write(value) for key, value in given.items() if value != _REQUEST[key].default})
    return out


def strings(value: Any) -> tuple[str, ...]:
    """Some texts."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadValue('write a list of texts: ["mqtt"]')
    return tuple(value)


def _at(place: str | int, read: Callable[..., Any], value: Any, *more: Any) -> Any:
    try:
        return read(value, *more)
    except BadValue as error:
        raise BadValue(error.words, place, *error.below) from None


def nearest(word: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """`; did you mean host?`, or nothing."""
    import difflib

    near = difflib.get_close_matches(word.replace("_", "-").lower(), list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
