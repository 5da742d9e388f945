"""A pasted command line, split into words as a POSIX shell would, with the place of each word."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mqtttui.config.errors import ConfigError
from mqtttui.text import visible

_OPERATOR = frozenset("|&;<>()")
_IN_DOUBLE = frozenset('$`"\\\n')
_VARIABLE = re.compile(r"\$(\{[^}]*\}|\([^)]*\)?|[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?!-])")
_TOPIC_ROOTS = frozenset({"$SYS", "$share", "$queue", "$CONTROL", "$dynsec", "$aws", "$MQTT"})
"""What looks like a variable, but is how topics begin; a person who did not quote it meant the topic."""
_ANSI_C = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([\s\S]))")
_ANSI_C_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Word:
    """One word, without its quotes."""

    text: str
    """Bytes that are no UTF-8 are surrogate escapes, as in `sys.argv`."""
    position: int
    """Index of its first character in the command line."""


def split(text: str) -> tuple[list[Word], str]:
    """The words of the first command in `text`, and what follows it (a pipe, a redirection, another command).

    Quotes, `$'…'`, backslashes and backslash-newline count as in a shell; `#` and wildcards stand for themselves, since a
    person who did not quote them meant the topic. Variables are not expanded: they raise ConfigError, except for the roots
    of topics (`$SYS`, `$share`). Raises ConfigError for a quote that is not closed.
    """
    words: list[Word] = []
    index = 0
    while index < len(text):
        char = text[index]
        if text.startswith(("\\\n", "\\\r\n"), index):
            index = text.index("\n", index) + 1
        elif char == "\n" and words:
            return words, text[index:].strip()
        elif char.isspace():
            index += 1
        elif char in _OPERATOR:
            return words, text[index:].strip()
        else:
            word, index = _word(text, index)
            words.append(word)
    return words, ""


def _word(text: str, start: int) -> tuple[Word, int]:
    out: list[str] = []
    index = start
    while index < len(text):
        char = text[index]
        if char.isspace() or char in _OPERATOR:
            break
        if char == "'":
            piece, index = _single(text, index)
        elif char == '"':
            piece, index = _double(text, index)
        elif text.startswith("$'", index):
            piece, index = _ansi_c(text, index)
        elif char in "$`":
            piece, index = _dollar(text, index)
        elif char == "\\":
            piece, index = _backslash(text, index)
        else:
            piece, index = char, index + 1
        out.append(piece)
    return Word("".join(out), start), index


def _backslash(text: str, index: int) -> tuple[str, int]:
    if text.startswith("\r\n", index + 1):
        return "", index + 3
    following = text[index + 1 : index + 2]
    return ("" if following == "\n" else following or "\\"), index + 2


def _single(text: str, index: int) -> tuple[str, int]:
    end = text.find("'", index + 1)
    if end < 0:
        raise _unclosed("'", index)
    return text[index + 1 : end], end + 1


def _double(text: str, start: int) -> tuple[str, int]:
    out: list[str] = []
    index = start + 1
    while index < len(text):
        char = text[index]
        if char == '"':
            return "".join(out), index + 1
        if char == "\\" and text[index + 1 : index + 2] in _IN_DOUBLE:
            piece, index = _backslash(text, index)
        elif char in "$`":
            piece, index = _dollar(text, index)
        else:
            piece, index = char, index + 1
        out.append(piece)
    raise _unclosed('"', start)


def _ansi_c(text: str, start: int) -> tuple[str, int]:
    index = start + 2
    while index < len(text) and text[index] != "'":
        index += 2 if text[index] == "\\" else 1
    if index >= len(text):
        raise _unclosed("$'", start)
    return _ANSI_C.sub(_ansi_c_escape, text[start + 2 : index]), index + 1


def _ansi_c_escape(match: re.Match[str]) -> str:
    hexadecimal, octal, short, long, letter = match.groups()
    if letter is not None:
        return _ANSI_C_LETTERS.get(letter, letter if letter in "\\'\"?" else f"\\{letter}")
    if short is not None or long is not None:
        number = int(short or long, 16)
        return chr(number) if number <= 0x10FFFF else "\ufffd"
    byte = int(hexadecimal, 16) if hexadecimal is not None else int(octal, 8) & 0xFF
    return bytes([byte]).decode("utf-8", "surrogateescape")


def _dollar(text: str, index: int) -> tuple[str, int]:
    match = _VARIABLE.match(text, index)
    if text[index] == "`" or (match and match.group() not in _TOPIC_ROOTS):
        shown = visible(match.group() if match else "`…`")
        raise ConfigError(
            f"{shown} is not expanded here", hint="write its value, or quote it with '…' if it stands for itself", position=index
        )
    return "$", index + 1


def _unclosed(quote: str, position: int) -> ConfigError:
    return ConfigError(f"the quote {quote} is not closed", hint="close it, or paste the whole command", position=position)
