"""PCRE2 patterns rewritten for `regex`, construct by construct.

Rules:
1. What both read alike is kept, what they read differently is rewritten or refused with its place; nothing passes unread.
2. A pattern that stands for too much once its repeats are written out is refused: `regex` would take the memory.
"""

from __future__ import annotations

import string

import regex

MAX_GROUPS = 50
"""Groups inside groups."""
MAX_SIZE = 5_000
"""How many signs a pattern may stand for once its repeats are written out: `regex` takes memory for each."""


class PatternError(ValueError):
    """A pattern that is none; `start` and `end` are byte offsets in it."""

    def __init__(self, start: int, end: int, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.start = start
        self.end = end
        self.problem = problem
        self.remedy = remedy


def translate(source: bytes) -> bytes:
    """The pattern `source` as `regex` reads it. Raises PatternError."""
    return _Translator(source).translate()


_HEX = frozenset(string.hexdigits.encode())
_OCTAL = frozenset(b"01234567")
_WORDLIKE = frozenset((string.ascii_letters + string.digits + "_").encode())

_SAME = frozenset(b"dDwWsSbBA")
"""Escapes that mean the same in both."""
_PLACES = frozenset(b"AbBzZ")
"""Escapes that stand for a place, which cannot be repeated."""
_REPEAT = regex.compile(rb"\{(\d+)(?:,(\d*))?\}")
_CLASS_SAME = frozenset(b"dDwWsS")
_CONTROLS = {ord("a"): 7, ord("e"): 27, ord("f"): 12, ord("n"): 10, ord("r"): 13, ord("t"): 9}
_REWRITTEN = {
    ord("h"): rb"[\t \xa0]",
    ord("H"): rb"[^\t \xa0]",
    ord("v"): rb"[\n\x0b\x0c\r\x85]",
    ord("V"): rb"[^\n\x0b\x0c\r\x85]",
    ord("N"): rb"[^\n]",
    ord("R"): rb"(?>\r\n|[\n\x0b\x0c\r\x85])",
    ord("z"): rb"\Z",
    ord("Z"): rb"(?=\n?\Z)",
}
_CLASS_REWRITTEN = {ord("h"): rb"\t \xa0", ord("v"): rb"\n\x0b\x0c\r\x85"}
_POSIX = {
    b"alpha": rb"a-zA-Z",
    b"digit": rb"0-9",
    b"alnum": rb"a-zA-Z0-9",
    b"upper": rb"A-Z",
    b"lower": rb"a-z",
    b"space": rb"\t-\r ",
    b"blank": rb"\t ",
    b"punct": rb"!-/:-@\[-`{-~",
    b"print": rb" -~",
    b"graph": rb"!-~",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"xdigit": rb"0-9a-fA-F",
    b"word": rb"a-zA-Z0-9_",
    b"ascii": rb"\x00-\x7f",
}
_REFUSED = {
    ord("p"): ("Unicode classes work on characters, and patterns on bytes.", "Write [A-Z] or [[:alpha:]]."),
    ord("P"): ("Unicode classes work on characters, and patterns on bytes.", "Write [^A-Z]."),
    ord("X"): ("\\X works on characters, and patterns on bytes.", "Write . for one byte."),
    ord("C"): ("\\C is not offered.", "Write (?s:.) for one byte."),
    ord("K"): ("\\K is not offered.", "It changes nothing in a filter: leave it out."),
    ord("G"): ("\\G is not offered.", "Write ^ for the beginning."),
    ord("g"): ("\\g is not offered.", "Write \\1 for what group 1 found."),
    ord("k"): ("\\k is not offered.", "Write (?P=name) for what a named group found."),
}
_LOOKS = (b"(?:", b"(?=", b"(?!", b"(?>", b"(?|", b"(?<=", b"(?<!")


class _Translator:
    """A position in a pattern, and what became of it so far."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.at = 0
        self.out = bytearray()
        self.groups: list[int] = []
        """Offsets of the open groups."""
        self.sizes = [0]
        """What each open group amounts to with its repeats written out; the whole pattern first."""
        self.atom = 0
        """The same of the latest piece, to which a repeat would apply; 0 if there is none."""
        self.repeated = False
        """The latest piece has its repeat."""
        self.names: set[bytes] = set()

    def translate(self) -> bytes:
        while self.at < len(self.source):
            self.one()
        if self.groups:
            raise PatternError(
                self.groups[-1], self.groups[-1] + 1, "This ( is never closed.", "Add a ), or write \\( for the sign itself."
            )
        return bytes(self.out)

    def one(self) -> None:
        byte = self.source[self.at]
        match chr(byte):
            case "\\":
                self.escape()
            case "[":
                self.char_class()
            case "(":
                self.group()
            case ")":
                if not self.groups:
                    raise PatternError(self.at, self.at + 1, "No ( belongs to this ).", "Write \\) for the sign itself.")
                self.groups.pop()
                self.piece(max(1, self.sizes.pop()))
                self.keep(1)
            case "{" if found := _REPEAT.match(self.source, pos=self.at):
                self.repeat(found[0], found[1], found[2])
            case "*" | "+" | "?":
                self.repeat(self.source[self.at : self.at + 1])
            case "^" | "$" | "|":
                self.piece(0)
                self.keep(1)
            case ".":
                self.piece(1)
                self.keep(1)
            case _:
                self.literal(byte)
                self.at += 1

    # --- pieces

    def keep(self, count: int) -> None:
        self.out += self.source[self.at : self.at + count]
        self.at += count

    def piece(self, size: int) -> None:
        """A new piece begins; size 0: one that cannot be repeated."""
        self.atom = size
        self.repeated = False
        self.sizes[-1] += size

    def literal(self, byte: int) -> None:
        self.piece(1)
        self.out += bytes([byte]) if byte in _WORDLIKE else b"\\x%02x" % byte

    def group(self) -> None:
        start = self.at
        if len(self.groups) >= MAX_GROUPS:
            raise PatternError(start, start + 1, f"More than {MAX_GROUPS} groups stand inside each other.", "Take some away.")
        rest = self.source[start : start + 80]
        if rest.startswith(b"(*"):
            raise PatternError(start, start + 2, "Verbs such as (*…) are not offered.", "Write \\(\\* for the signs themselves.")
        if rest.startswith(b"(?#"):
            end = self.source.find(b")", start)
            if end < 0:
                raise PatternError(start, len(self.source), "The comment is never closed.", "Add a ).")
            self.at = end + 1
            return
        if not rest.startswith(b"(?"):
            self.open(start)
            self.keep(1)
        elif look := next((look for look in _LOOKS if rest.startswith(look)), None):
            self.open(start)
            self.keep(len(look))
        elif named := regex.match(rb"\(\?(?:P?<([A-Za-z_]\w{0,30})>|'([A-Za-z_]\w{0,30})')", rest):
            self.open(start)
            name = named[1] or named[2]
            if name in self.names:
                raise PatternError(start, start + named.end(), "Two groups have this name.", "Give one of them another name.")
            self.names.add(name)
            self.out += b"(?P<" + name + b">"
            self.at += named.end()
        elif back := regex.match(rb"\(\?P=[A-Za-z_]\w{0,30}\)", rest):
            self.piece(1)
            self.keep(back.end())
        elif flags := regex.match(rb"\(\?([imsxnJU^-]*)([:)])", rest):
            self.flags(start, flags[1], flags[2])
        else:
            remedy = "Recursion and conditions do not exist here."
            raise PatternError(start, min(start + 3, len(self.source)), "This kind of group is not offered.", remedy)

    def open(self, start: int) -> None:
        self.piece(0)
        self.groups.append(start)
        self.sizes.append(0)

    def flags(self, start: int, flags: bytes, end: bytes) -> None:
        for index, flag in enumerate(flags):
            if flag not in b"ims-":
                at = start + 2 + index
                raise PatternError(at, at + 1, f"The option {chr(flag)} is not offered.", "There are i, m and s, and - to switch one off.")
        _, dash, off = flags.partition(b"-")
        if b"-" in off or (dash and not off):
            raise PatternError(start, start + len(flags) + 3, "These options cannot be read.", "Write (?i) or (?-i).")
        if end == b":":
            self.open(start)
        else:
            self.piece(0)
        self.keep(3 + len(flags))
        if not flags and end == b")":
            del self.out[-3:]

    def repeat(self, sign: bytes, least: bytes = b"", most: bytes | None = None) -> None:
        """`*`, `+`, `?`, `{2}`, `{2,}`, `{2,5}`; behind another repeat `?` for as few as possible, `+` without going back."""
        end = self.at + len(sign)
        if self.repeated and sign in (b"?", b"+"):
            self.piece(0)
            self.keep(1)
            return
        if self.repeated or not self.atom:
            raise PatternError(self.at, end, f"{sign.decode()} repeats nothing.", f"Write \\{sign[:1].decode()} for the sign itself.")
        low = int(least[:9] or b"1")
        high = int(most[:9]) if most else low
        if most and high < low:
            raise PatternError(self.at, end, "The numbers are the wrong way round.", f"Write {{{high},{low}}}.")
        self.sizes[-1] += self.atom * (max(1, high) - 1)
        self.repeated = True
        if max(self.sizes) > MAX_SIZE:
            raise PatternError(self.at, end, "With this repeat the pattern is too large.", "Write + or * for any number of times.")
        self.keep(len(sign))

    def escape(self) -> None:
        """A backslash and what follows, outside a class."""
        start = self.at
        if start + 1 >= len(self.source):
            raise PatternError(start, start + 1, "The pattern ends with a backslash.", "Write \\\\ for the sign itself.")
        byte = self.source[start + 1]
        if byte in _SAME:
            self.piece(0 if byte in _PLACES else 1)
            self.keep(2)
        elif byte == ord("N") and self.source[start + 2 : start + 3] == b"{" and not _REPEAT.match(self.source, pos=start + 2):
            raise PatternError(start, start + 2, "Characters have no names here.", "Write \\x and two digits.")
        elif byte in _REWRITTEN:
            self.piece(0 if byte in _PLACES else 1)
            self.out += _REWRITTEN[byte]
            self.at += 2
        elif byte == ord("Q"):
            end = self.source.find(rb"\E", start)
            for quoted in self.source[start + 2 : end if end >= 0 else None]:
                self.literal(quoted)
            self.at = end + 2 if end >= 0 else len(self.source)
        elif byte == ord("E"):
            self.at += 2
        elif regex.match(rb"\\[0-3][0-7]{2}", self.source, pos=start):
            self.literal(self.coded())
        elif byte in b"123456789":
            if self.source[start + 2 : start + 3].isdigit():
                raise PatternError(start, start + 3, "Only groups 1 to 9 can be named by number.", "Write (?P=name), or \\x for a byte.")
            self.piece(1)
            self.keep(2)
        else:
            self.literal(self.coded())

    def coded(self) -> int:
        """The byte that the escape at the present position stands for."""
        start = self.at
        byte = self.source[start + 1]
        self.at += 2
        if byte in _CONTROLS:
            return _CONTROLS[byte]
        if byte in _REFUSED:
            raise PatternError(start, start + 2, *_REFUSED[byte])
        if byte == ord("x"):
            return self.number(start, 16, _HEX, 2)
        if byte == ord("o"):
            if self.source[self.at : self.at + 1] != b"{":
                raise PatternError(start, start + 2, "Braces must follow \\o.", "Write \\o{101}, or \\x41.")
            return self.number(start, 8, _OCTAL, 0)
        if byte in _OCTAL:
            self.at -= 1
            return self.number(start, 8, _OCTAL, 3)
        if byte == ord("c"):
            code = self.source[self.at : self.at + 1]
            if not code or not 32 <= code[0] < 127:
                raise PatternError(start, start + 2, "A letter must follow \\c.", "Write \\cA, or \\x01.")
            self.at += 1
            return code.upper()[0] ^ 64
        if byte in _WORDLIKE and byte != ord("_"):
            shown = chr(byte)
            raise PatternError(start, start + 2, f"\\{shown} means nothing here.", f"Write {shown} for the letter itself.")
        return byte

    def number(self, start: int, base: int, digits: frozenset[int], most: int) -> int:
        """The number behind `\\x`, `\\o` or a backslash: in braces, or of at most `most` digits."""
        braces = base != 8 or most == 0
        if braces and self.source[self.at : self.at + 1] == b"{":
            end = self.source.find(b"}", self.at)
            inner = self.source[self.at + 1 : end] if end >= 0 else b""
            self.at = end + 1
        else:
            end = self.at
            while end < len(self.source) and end - self.at < most and self.source[end] in digits:
                end += 1
            inner = self.source[self.at : end] or b"0"
            self.at = end
        if not inner or len(inner) > 8 or any(digit not in digits for digit in inner) or int(inner, base) > 0xFF:
            end = max(self.at, start + 2)
            raise PatternError(
                start, end, "This is no byte.", "Write \\x41. Characters beyond ASCII are two bytes or more: write them as they are."
            )
        return int(inner, base)

    # --- classes

    def char_class(self) -> None:
        """`[…]`: every member is written anew, so that nothing in it has a second meaning."""
        start = self.at
        source = self.source
        self.piece(1)
        self.at += 1
        members = bytearray()
        negated = source[self.at : self.at + 1] == b"^"
        if negated:
            self.at += 1
        first, last = True, -1
        """`last`: the byte that a range could begin with; -1 for none."""
        while True:
            if self.at >= len(source):
                raise PatternError(start, len(source), "This [ is never closed.", "Add a ], or write \\[ for the sign itself.")
            if source[self.at] == ord("]") and not first:
                self.at += 1
                break
            first = False
            if last >= 0 and source[self.at] == ord("-") and source[self.at + 1 : self.at + 2] not in (b"]", b""):
                self.at += 1
                end = self.member(members)
                if end is None or end < last:
                    raise PatternError(start, self.at, "A range in [ ] has no such end.", "Write the smaller one first: [a-z].")
                members += b"-\\x%02x" % end
                last = -1
                continue
            found = self.member(members)
            last = -1 if found is None else found
            if found is not None:
                members += b"\\x%02x" % found
        self.out += (b"[^" if negated else b"[") + bytes(members) + b"]"

    def member(self, members: bytearray) -> int | None:
        """The next member: a byte, or None for one that was added to `members` as a whole."""
        source, at = self.source, self.at
        byte = source[at]
        if byte == ord("["):
            if posix := regex.match(rb"\[:(\^?)([A-Za-z]+):\]", source, pos=at):
                self.posix(members, posix[1], posix[2], posix.end())
                return None
            if source[at + 1 : at + 2] in (b".", b"="):
                raise PatternError(at, at + 2, "Collating elements are not offered.", "Write \\[ for the sign itself.")
        if byte != ord("\\"):
            self.at += 1
            return byte
        if at + 1 >= len(source):
            raise PatternError(at, at + 1, "The pattern ends with a backslash.", "Write \\\\ for the sign itself.")
        code = source[at + 1]
        if code in _CLASS_SAME or code in _CLASS_REWRITTEN:
            members += _CLASS_REWRITTEN.get(code, source[at : at + 2])
            self.at += 2
            return None
        if code == ord("b"):
            self.at += 2
            return 8
        if code in b"89QERNBAZzHV":
            raise PatternError(at, at + 2, f"\\{chr(code)} cannot stand in [ ].", "Write the signs themselves.")
        return self.coded() if code not in _OCTAL else self.octal()

    def octal(self) -> int:
        start = self.at
        self.at += 1
        return self.number(start, 8, _OCTAL, 3)

    def posix(self, members: bytearray, negated: bytes, name: bytes, end: int) -> None:
        listed = _POSIX.get(name)
        if listed is None:
            shown = name.decode()
            raise PatternError(
                self.at, end, f"There is no class [:{shown}:].", "There are alpha, digit, alnum, upper, lower, space, punct and more."
            )
        members += b"[^" + listed + b"]" if negated else listed
        self.at = end
