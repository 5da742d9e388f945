"""Values in a filter's text, read as the type that they are compared with."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timezone

from mqtttui.filters.ast import Literal
from mqtttui.filters.lexer import Kind, Token, quote
from mqtttui.filters.types import Constant, Network, Type


class LiteralError(ValueError):
    """A value that cannot be compared with a field of that type."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


INTEGER = re.compile(r"([+-]?)(0[xX][0-9A-Fa-f]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?\Z")
_SECONDS = re.compile(r"(-?)([0-9]+)(?:\.([0-9]{1,9})[0-9]*)?s?\Z")
_HEX_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(?:(?:[0-9A-Fa-f]{2})*|([:.-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2})*)\Z")
_ONE_BYTE = re.compile(r"0[xX][0-9A-Fa-f]{1,2}\Z")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_.-]+\Z")
_PROTOCOLS_IN_HEX = frozenset({"dc", "fc", "ff", "e100", "e164", "e212", "fc00", "fefd"})
"""Bytes that Wireshark takes for the names of protocols."""
_TRUE, _FALSE = frozenset({"True", "TRUE"}), frozenset({"False", "FALSE"})

_ISO_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ]+(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?\s*(UTC|Z|[+-]\d\d:?\d\d)?\Z", re.ASCII
)
_LONG_TIME = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}), *(\d{4}) +(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?\s*(UTC)?\Z", re.ASCII)
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_TIME_REMEDY = 'Write "2024-05-31 18:30:00.5" for local time, with Z at the end for UTC.'
_BILLION = 1_000_000_000


def integer(word: str) -> int | None:
    """The number that `word` is: decimal, 0x…, 0b…, octal with a leading 0; None if it is none."""
    match = INTEGER.match(word)
    if match is None:
        return None
    digits = match[2].lower()
    base = 16 if digits.startswith("0x") else 2 if digits.startswith("0b") else 8 if digits.startswith("0") else 10
    # A number of thousands of digits is refused by int() itself.
    number = int(digits.removeprefix("0x").removeprefix("0b"), base) if len(digits) < 100 else 10**100
    return -number if match[1] == "-" else number


def read(token: Token, kind: Type, name: str, maximum: int, strings: Mapping[int, str]) -> Literal:
    """The value of `token` for field `name`, whose numbers go up to `maximum`. Raises LiteralError."""
    return _READERS[kind](token, name, maximum, strings)


def literal(value: Constant, kind: Type, text: str = "") -> Literal:
    """`value` with its canonical text."""
    return Literal(value, kind, text or _written(value, kind))


def _written(value: Constant, kind: Type) -> str:
    if isinstance(value, bytes):
        if kind is Type.STRING or not value:
            return quote(value)
        return f"0x{value[0]:02x}" if len(value) == 1 else value.hex(":")
    if isinstance(value, Network):
        bits = 32 if kind is Type.IPV4 else 128
        address = ipaddress.IPv4Address(value.address) if kind is Type.IPV4 else ipaddress.IPv6Address(value.address)
        prefix = value.mask.bit_count()
        return str(address) if prefix == bits else f"{address}/{prefix}"
    if kind is Type.TIME and isinstance(value, int):
        whole, rest = divmod(value, _BILLION)
        stamp = datetime.fromtimestamp(whole, UTC)
        return f'"{stamp.year:04d}-{stamp:%m-%d %H:%M:%S}.{rest:09d} UTC"'
    if kind is Type.DURATION and isinstance(value, int):
        whole, rest = divmod(abs(value), _BILLION)
        return f"{'-' if value < 0 else ''}{whole}" + (f".{rest:09d}" if rest else "")
    if kind is Type.JSON:
        return "null" if value is None else quote(value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else str(value)
    return str(value)


def _uint(token: Token, name: str, maximum: int, strings: Mapping[int, str]) -> Literal:
    if token.kind is Kind.TEXT:
        wanted = token.value.decode("utf-8", "replace").lower()
        found = next((number for number, text in strings.items() if text.lower() == wanted), None)
        if found is None:
            raise LiteralError(f"{token.text} is none of the values of {name}.", _offered(strings))
        return literal(found, Type.UINT)
    number = token.value[0] if token.kind is Kind.CHARACTER else integer(token.text)
    if number is None:
        raise LiteralError(f"{token.text} is no number.", _offered(strings))
    if number > maximum:
        raise LiteralError(f"{token.text} is too large for {name}.", f"At most {maximum} is possible.")
    return literal(number, Type.UINT) if number >= 0 else literal(None, Type.UINT, str(number))


def _offered(strings: Mapping[int, str]) -> str:
    if not strings:
        return "Write a number, such as 1 or 0x01."
    number, text = max(strings.items(), key=lambda item: item[0] == 1)
    return f'Write a number, or its text in quotes: {number} is "{text}".'


def _float(token: Token, name: str, maximum: int, strings: Mapping[int, str]) -> Literal:
    if token.kind is not Kind.WORD or not _DECIMAL.match(token.text) or len(token.text) > 30:
        raise LiteralError(f"{token.text} is no number.", "Write a number, such as 12 or 0.5.")
    return Literal(float(token.text), Type.FLOAT, token.text)


def _bool(token: Token, name: str, maximum: int, strings: Mapping[int, str]) -> Literal:
    if token.kind is Kind.TEXT:
        wanted = token.value.decode("utf-8", "replace").lower()
        found = next((number for number, text in strings.items() if text.lower() == wanted), None)
        if found is None:
            raise LiteralError(f"{token.text} is none of the values of {name}.", 'Write True or False, 1 or 0, "Set" or "Not set".')
        return literal(bool(found), Type.BOOL)
    if token.kind is Kind.CHARACTER:
        return literal(bool(token.value[0]), Type.BOOL)
    if token.text in _TRUE or token.text in _FALSE:
        return literal(token.text in _TRUE, Type.BOOL)
    number = integer(token.text)
    if number is None or number < 0:
        if token.text.lower() in ("true", "false"):
            raise LiteralError(f"{token.text} is written with a capital letter.", f"Use {token.text.capitalize()}, or 1 or 0.")
        raise LiteralError(f"{token.text} is no value of a flag.", "Write True or False, 1 or 0.")
    return literal(bool(number), Type.BOOL)


def _string(token: Token, name: str, maximum: int, strings: Mapping[int, str]) -> Literal:
    if token.kind is Kind.WORD and not _PLAIN_WORD.match(token.text):
        raise LiteralError(f"{token.text} is not in quotes.", f'Quote the text: "{token.text}".')
    value = token.text.encode() if token.kind is Kind.WORD else token.value
    return literal(value, Type.STRING)


def _bytes(token: Token, name: str, maximum: int, strings: Mapping[int, str]) -> Literal:
    if token.kind is not Kind.WORD:
        return Literal(token.value, Type.BYTES, quote(token.value))
    word = token.text
    if _ONE_BYTE.match(word):
        return literal(bytes([int(word, 16)]), Type.BYTES)
    if word.lower() in _PROTOCOLS_IN_HEX:
        other = f"0x{word}" if len(word) == 2 else f"{word[:2]}:{word[2:]}"
        raise LiteralError(f"Wireshark takes {word} for the name of a protocol.", f"Write {other}.")
    if not _HEX_PAIRS.match(word):
        raise LiteralError(f"{word} is no row of bytes.", f'Quote text: "{word}"; write bytes as 7b:22.')
    return literal(bytes.fromhex(re.sub(r"[:.-]", "", word)), Type.BYTES)


def _ip(token: Token, name: str, maximum: int, strings: Mapping[int, str], *, bits: int = 32) -> Literal:
    kind, example = (Type.IPV4, "10.0.0.2 or 10.0.0.0/24") if bits == 32 else (Type.IPV6, "::1 or fe80::/64")
    if token.kind is not Kind.WORD:
        raise LiteralError(f"{token.text} is in quotes.", f"Write an address without them: {example}.")
    text, slash, length = token.text.partition("/")
    try:
        address = int(
            ipaddress.IPv4Address(text) if bits == 32 else ipaddress.IPv6Address(text.partition("%")[0] if "%" not in text else text)
        )
    except ValueError:
        raise LiteralError(
            f"{token.text} is no IPv{4 if bits == 32 else 6} address.", f"Write {example}; names are not looked up."
        ) from None
    prefix = int(length) if length.isascii() and length.isdecimal() and len(length) < 4 else bits
    if slash and (prefix > bits or not (length.isascii() and length.isdecimal())):
        raise LiteralError(f"/{length} is no size of a network.", f"It is a number up to {bits}.")
    return literal(Network(address, (1 << bits) - (1 << bits - prefix)), kind)


def _ip6(token: Token, name: str, maximum: int, strings: Mapping[int, str]) -> Literal:
    if "%" in token.text:
        raise LiteralError(f"{token.text} names an interface.", "Leave out what follows %.")
    return _ip(token, name, maximum, strings, bits=128)


def _time(token: Token, name: str, maximum: int, strings: Mapping[int, str]) -> Literal:
    text = token.text if token.kind is Kind.WORD else token.value.decode("utf-8", "replace")
    if match := _ISO_TIME.match(text.strip()):
        year, month, day, hour, minute, second, fraction, zone = match.groups()
    elif match := _LONG_TIME.match(text.strip()):
        name_of_month, day, year, hour, minute, second, fraction, zone = match.groups()
        month = str(_MONTHS.get(name_of_month, 0))
    else:
        raise LiteralError(f"{token.text} is no point in time.", _TIME_REMEDY)
    try:
        stamp = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=_zone(zone))
        seconds = int(stamp.timestamp())
    except (ValueError, OverflowError, OSError):
        raise LiteralError(f"{token.text} is no point in time.", _TIME_REMEDY) from None
    return literal(seconds * _BILLION + int((fraction or "0").ljust(9, "0")), Type.TIME)


def _zone(text: str | None) -> timezone | None:
    """None is the local one."""
    if text is None:
        return None
    if text in ("UTC", "Z"):
        return UTC
    offset = datetime.strptime(text.replace(":", ""), "%z").utcoffset()
    return UTC if offset is None else timezone(offset)


def _duration(token: Token, name: str, maximum: int, strings: Mapping[int, str]) -> Literal:
    match = _SECONDS.match(token.text) if token.kind is Kind.WORD and len(token.text) < 40 else None
    if match is None:
        raise LiteralError(f"{token.text} is no number of seconds.", "Write 2 or 0.25, without a unit.")
    number = int(match[2]) * _BILLION + int((match[3] or "0").ljust(9, "0"))
    return literal(-number if match[1] else number, Type.DURATION)


def _json(token: Token, name: str, maximum: int, strings: Mapping[int, str]) -> Literal:
    if token.kind is not Kind.WORD:
        return literal(token.value.decode("utf-8", "replace"), Type.JSON)
    word = token.text
    if word in _TRUE or word in _FALSE or word in ("true", "false"):
        return literal(word.lower() == "true", Type.JSON)
    if word == "null":
        return literal(None, Type.JSON)
    if not _DECIMAL.match(word) or len(word) > 30:
        raise LiteralError(f"{word} is no JSON value.", f'Quote text: "{word}".')
    return Literal(float(word) if "." in word else int(word), Type.JSON, word)


def _none(token: Token, name: str, maximum: int, strings: Mapping[int, str]) -> Literal:
    raise LiteralError(f"{name} has no value to compare with.", f"Write {name} alone: it tests whether it is there.")


_READERS: dict[Type, Callable[[Token, str, int, Mapping[int, str]], Literal]] = {
    Type.UINT: _uint,
    Type.FLOAT: _float,
    Type.BOOL: _bool,
    Type.STRING: _string,
    Type.BYTES: _bytes,
    Type.PROTOCOL: _bytes,
    Type.IPV4: _ip,
    Type.IPV6: _ip6,
    Type.TIME: _time,
    Type.DURATION: _duration,
    Type.NONE: _none,
    Type.JSON: _json,
}
