"""Filter text to tokens. Names and bare values are both words; only the checker knows which is which.

Raises FilterError for what no filter can contain: open quotes, unknown escapes, a single `=`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from mqtttui.filters.errors import FilterError

MAX_TEXT = 20_000
"""Characters of a filter."""


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    KEYWORD = "keyword"
    TEXT = "text in double quotes"
    CHARACTER = "one byte in single quotes"
    SYMBOL = "operator or bracket"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `start` and `end` are character offsets."""

    kind: Kind
    text: str
    """As written; of a keyword or symbol its canonical form."""
    start: int
    end: int
    value: bytes = b""
    """Of quoted text: the bytes that it stands for."""
    raw: bool = False
    """Of text: r"…", in which backslashes stand for themselves."""


ALIASES = {
    "eq": "==",
    "any_eq": "==",
    "ne": "!=",
    "all_ne": "!=",
    "all_eq": "===",
    "any_ne": "!==",
    "~=": "!==",
    "gt": ">",
    "lt": "<",
    "ge": ">=",
    "le": "<=",
    "&&": "and",
    "||": "or",
    "!": "not",
    "~": "matches",
    "bitwise_and": "&",
}
"""Other spellings of operators."""

KEYWORDS = frozenset({"and", "or", "not", "contains", "matches", "in", "any", "all"}) | {name for name in ALIASES if name.isidentifier()}
"""Words that are no names."""

_SYMBOLS = ("===", "!==", "==", "!=", ">=", "<=", "~=", "&&", "||", "..", ">", "<", "~", "&", "!", "(", ")", "[", "]", "{", "}", ",")
_SYMBOL = re.compile("|".join(map(re.escape, _SYMBOLS)))
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_WORD = re.compile(r"(?:[^\s\"'()\[\]{}!=<>&|~,.]|\.(?!\.))+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SINGLE = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{1,3})|([abfnrtv'\"\\]))|\\", re.DOTALL)
_UNIVERSAL = frozenset(b"$@`")
"""Characters below U+00A0 that \\u may stand for, as in C."""
_TYPOGRAPHIC = frozenset("“”„‟‘’‚«»")
_LETTERS = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "'": 39, '"': 34, "\\": 92}


def tokens(text: str) -> list[Token]:
    """The tokens of `text`, the last one of kind END. Raises FilterError."""
    if len(text) > MAX_TEXT:
        raise FilterError(text, MAX_TEXT, len(text), f"The filter has {len(text):,} characters.", f"At most {MAX_TEXT:,} are read.")
    found: list[Token] = []
    at = 0
    while at < len(text):
        if space := _SPACE.match(text, at):
            at = space.end()
            continue
        token = _token(text, at)
        found.append(token)
        at = token.end
    found.append(Token(Kind.END, "", len(text), len(text)))
    return found


def _token(text: str, at: int) -> Token:
    char = text[at]
    if char == '"':
        return _quoted(text, at, at, raw=False)
    if char in "rR" and text.startswith('"', at + 1):
        return _quoted(text, at, at + 1, raw=True)
    if char == "'":
        return _character(text, at)
    if symbol := _SYMBOL.match(text, at):
        found = symbol.group()
        name = ALIASES.get(found, found)
        return Token(Kind.KEYWORD if name in KEYWORDS else Kind.SYMBOL, name, at, symbol.end())
    if char in _TYPOGRAPHIC:
        raise FilterError(text, at, at + 1, "This is a typographic quote.", 'Use the straight one: ".')
    if word := _WORD.match(text, at):
        found = word.group()
        if found not in KEYWORDS:
            return Token(Kind.WORD, found, at, word.end())
        name = ALIASES.get(found, found)
        return Token(Kind.KEYWORD if name in KEYWORDS else Kind.SYMBOL, name, at, word.end())
    if char == "=":
        raise FilterError(text, at, at + 1, "A single = compares nothing.", "Use ==.")
    if char == "|":
        raise FilterError(text, at, at + 1, "A single | is no operator.", "Use ||, or the word or.")
    raise FilterError(text, at, at + 1, "This character cannot stand here.", "Put text in double quotes.")


def _quoted(text: str, start: int, quote: int, *, raw: bool) -> Token:
    match = _QUOTED.match(text, quote)
    if match is None:
        raise FilterError(text, start, len(text), "The text has no end.", 'Close it with ".')
    inner = match.group(1)
    value = inner.encode("utf-8", "surrogatepass") if raw else unescape(text, inner, quote + 1)
    return Token(Kind.TEXT, text[start : match.end()], start, match.end(), value, raw)


def _character(text: str, at: int) -> Token:
    match = _SINGLE.match(text, at)
    if match is None:
        raise FilterError(text, at, len(text), "The single quote has no end.", "Put text in double quotes.")
    value = unescape(text, match.group(1), at + 1)
    if len(value) != 1:
        raise FilterError(text, at, match.end(), "Single quotes hold exactly one byte.", "Put text in double quotes.")
    return Token(Kind.CHARACTER, match.group(), at, match.end(), value)


def unescape(text: str, inner: str, offset: int) -> bytes:
    """The bytes that `inner`, which stands at `offset` of the filter `text`, means. Raises FilterError."""
    if "\\" not in inner:
        return inner.encode("utf-8", "surrogatepass")
    out = bytearray()
    last = 0
    for match in _ESCAPE.finditer(inner):
        out += inner[last : match.start()].encode("utf-8", "surrogatepass")
        last = match.end()
        byte, short, long, octal, letter = match.groups()
        number = int(byte or short or long or "0", 16) if octal is None else int(octal, 8)
        place = offset + match.start(), offset + max(match.end(), match.start() + 2)
        if letter is not None:
            out.append(_LETTERS[letter])
        elif short is not None or long is not None:
            if number > 0x10FFFF or 0xD800 <= number < 0xE000 or (number < 0xA0 and number not in _UNIVERSAL):
                raise FilterError(text, *place, "This character cannot be written so.", "Use \\x and two digits for each byte.")
            out += chr(number).encode()
        elif byte is None and octal is None:
            after = inner[match.end() : match.end() + 1]
            raise FilterError(text, *place, f"\\{after} is no escape.", f'Write \\\\{after}, or put an r in front: r"…".')
        elif number > 0xFF:
            raise FilterError(text, *place, "A byte is at most \\377.", "Use \\x or \\u.")
        else:
            out.append(number)
    out += inner[last:].encode("utf-8", "surrogatepass")
    return bytes(out)


def quote(value: bytes) -> str:
    """`value` as text in double quotes that `tokens` reads back. Wireshark takes `${` for a macro, so it is not written."""
    out = []
    for char in value.decode("utf-8", "surrogateescape"):
        if char in '"\\':
            out.append("\\" + char)
        elif "\udc80" <= char <= "\udcff":
            out.append(f"\\x{ord(char) - 0xDC00:02x}")
        elif not char.isprintable():
            out.extend(f"\\x{byte:02x}" for byte in char.encode())
        else:
            out.append(char)
    return '"' + "".join(out).replace("${", r"$\x7b") + '"'
