"""Display filters made up from what a log holds: every type, operator and function, values that occur and values that nearly do."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Collection
from datetime import UTC, datetime

from mqtttui.capture.log import Log
from mqtttui.filters.fields import FIELDS, FieldSpec
from mqtttui.filters.lexer import quote
from mqtttui.filters.row import Row
from mqtttui.filters.sources import source_of
from mqtttui.filters.types import Type, Value

RELATIONS = ("==", "!=", "===", "!==", ">", "<", ">=", "<=", "eq", "ne", "gt", "lt", "ge", "le", "any_eq", "all_ne", "any_ne", "all_eq")
ORDERS = ("==", "!=", ">", "<", ">=", "<=")


class Generator:
    """Filters over the fields `names` of `log`; the same seed gives the same filters."""

    def __init__(self, log: Log, names: Collection[str], seed: int) -> None:
        self.random = random.Random(seed)
        self.seen: dict[str, list[Value]] = {}
        rows = [Row(log, no) for no in log.numbers()]
        self.specs = [FIELDS[name] for name in sorted(names)]
        for spec in self.specs:
            source = source_of(spec)
            self.seen[spec.name] = sorted({value for row in rows for value in source(row)}, key=repr)
        # Fields that never occur show little; a few of them are enough.
        absent = [spec for spec in self.specs if not self.seen[spec.name]]
        present = [spec for spec in self.specs if self.seen[spec.name]]
        self.specs = present + absent[:3]
        self.order = 0

    def filter(self) -> str:
        """One filter; every field has its turn."""
        spec = self.specs[self.order % len(self.specs)]
        self.order += 1
        kind = self.random.randrange(10)
        test = self.test(spec)
        if kind < 4:
            return test
        if kind < 5:
            return f"{self.random.choice(('not ', '!', '! not '))}{'(' + test + ')' if self.random.random() < 0.6 else test}"
        others = [self.test(self.random.choice(self.specs)) for _ in range(self.random.randint(1, 3))]
        words = [self.random.choice((" and ", " or ", " && ", " || ")) for _ in others]
        parts = [test, *others]
        if self.random.random() < 0.4:
            at = self.random.randrange(len(parts))
            parts[at] = f"{self.random.choice(('', 'not ', '!'))}({parts[at]})"
        if len(parts) > 2 and self.random.random() < 0.5:
            return f"({parts[0]}{words[0]}{parts[1]}){words[1]}{parts[2]}"
        return parts[0] + "".join(word + part for word, part in zip(words, parts[1:], strict=True))

    def test(self, spec: FieldSpec) -> str:
        """One test of `spec`."""
        chosen = self.random.random()
        name = spec.name
        if chosen < 0.08 or spec.type is Type.NONE or spec.bare:
            return name
        if chosen < 0.13:
            return f"count({name}) {self.random.choice(ORDERS)} {self.random.randint(1, 3)}"
        if chosen < 0.2 and (other := self.partner(spec)):
            return f"{self.quantifier()}{name} {self.random.choice(ORDERS)} {other}"
        match spec.type:
            case Type.UINT:
                return self.number(spec)
            case Type.STRING | Type.BYTES | Type.PROTOCOL:
                return self.text(spec)
            case _:
                return self.plain(spec)

    def plain(self, spec: FieldSpec) -> str:
        """A comparison, or a set."""
        if self.random.random() < 0.25:
            items = [self.item(spec) for _ in range(self.random.randint(1, 3))]
            return f"{self.quantifier()}{spec.name} {self.random.choice(('in', 'in', 'not in'))} {{{', '.join(items)}}}"
        relation = self.random.choice(RELATIONS)
        return f"{self.quantifier() if relation in ORDERS else ''}{spec.name} {relation} {self.value(spec)}"

    def quantifier(self) -> str:
        return self.random.choice(("", "", "", "", "any ", "all "))

    def item(self, spec: FieldSpec) -> str:
        if self.random.random() < 0.3:
            return f"{self.value(spec)} .. {self.value(spec)}"
        return self.value(spec)

    def partner(self, spec: FieldSpec) -> str:
        """Another field of the same type."""
        same = [other.name for other in self.specs if other.type is spec.type and not other.bare and other.type is not Type.PROTOCOL]
        return self.random.choice(same) if same else ""

    # --- values

    def value(self, spec: FieldSpec) -> str:
        """A value that occurs, or nearly does."""
        seen = self.seen[spec.name]
        value = self.random.choice(seen) if seen else None
        match spec.type:
            case Type.UINT:
                number = (value if isinstance(value, int) else 1) + self.random.choice((0, 0, 0, 0, 1, -1))
                number = max(0, min(spec.maximum, number))
                text = spec.value_strings.get(number, "")
                if text and list(spec.value_strings.values()).count(text) == 1 and self.random.random() < 0.4:
                    return f'"{self.random.choice((text, text.upper()))}"'
                return self.random.choice((str(number), hex(number), f"0{number:o}" if number else "0", bin(number)))
            case Type.BOOL:
                return self.random.choice(("1", "0", "True", "False", "TRUE", "FALSE", '"Set"', '"not set"'))
            case Type.STRING:
                return quote(self.near(value if isinstance(value, bytes) else b"x"))
            case Type.BYTES | Type.PROTOCOL:
                return self.byte_text(self.near(value if isinstance(value, bytes) else b"x"))
            case Type.IPV4 | Type.IPV6:
                address = ipaddress.ip_address(value) if isinstance(value, int) else ipaddress.ip_address("10.1.2.3")
                return f"{address}{self.random.choice(('', '', '/8', '/31'))}"
            case Type.TIME:
                whole, rest = divmod(int(value or 0), 1_000_000_000)
                stamp = datetime.fromtimestamp(whole, UTC)
                return f'"{stamp:%Y-%m-%d %H:%M:%S}.{rest:09d} UTC"'
            case Type.DURATION:
                whole, rest = divmod(abs(int(value or 0)), 1_000_000_000)
                return f"{whole}.{rest:09d}"
            case _:
                raise AssertionError(spec)

    def near(self, value: bytes) -> bytes:
        chosen = self.random.random()
        if chosen < 0.7 or not value.isascii() or not value:
            return value
        if chosen < 0.8:
            return value[:-1]
        return value.upper() if chosen < 0.9 else value + b"z"

    def byte_text(self, value: bytes) -> str:
        value = value[:40]
        chosen = self.random.random()
        if chosen < 0.5 or not value:
            return quote(value)
        if len(value) == 1:
            return f"0x{value[0]:02x}"
        return value.hex(self.random.choice((":", "-", "."))) if len(value) > 4 or chosen < 0.8 else value.hex(":")

    # --- numbers, text

    def number(self, spec: FieldSpec) -> str:
        chosen = self.random.random()
        mask = self.random.choice((1, 2, 8, 0x0F, 0x80, 0xF0))
        if chosen < 0.12:
            return f"{spec.name} & {mask:#x}"
        if chosen < 0.22:
            sign, number = self.random.choice(("&", "bitwise_and")), self.random.choice((0, mask, 2))
            return f"{spec.name} {sign} {mask} {self.random.choice(ORDERS)} {number}"
        if chosen < 0.3:
            digit = self.random.choice("0123456789")
            return f'string({spec.name}) {self.random.choice(("contains", "matches", "=="))} "{digit}"'
        if chosen < 0.34:
            return f"{spec.name} {self.random.choice(ORDERS)} -{self.random.randint(1, 3)}"
        return self.plain(spec)

    def text(self, spec: FieldSpec) -> str:
        chosen = self.random.random()
        name = spec.name
        if chosen < 0.2:
            return f"{self.quantifier()}{name} contains {quote(self.piece(spec))}"
        if chosen < 0.4:
            return f"{self.quantifier()}{name} {self.random.choice(('matches', '~'))} {quote(self.pattern(spec))}"
        if chosen < 0.5:
            return f"{self.quantifier()}len({name}) {self.random.choice(ORDERS)} {self.random.randint(0, 20)}"
        if chosen < 0.65:
            return self.slice(spec)
        if chosen < 0.72 and spec.type is Type.STRING:
            function = self.random.choice(("lower", "upper"))
            piece = getattr(self.piece(spec), function)()
            return f"{function}({name}) {self.random.choice(('contains', '==', 'matches'))} {quote(_escaped(piece))}"
        return self.plain(spec)

    def piece(self, spec: FieldSpec) -> bytes:
        """A part of a value, at the borders of characters."""
        seen = [value for value in self.seen[spec.name] if isinstance(value, bytes) and value]
        value = self.random.choice(seen)[:60] if seen else b"x"
        try:
            text = value.decode()
        except UnicodeDecodeError:
            start = self.random.randrange(len(value))
            return value[start : start + self.random.randint(1, 4)]
        start = self.random.randrange(len(text))
        return text[start : start + self.random.randint(1, 6)].encode()

    def pattern(self, spec: FieldSpec) -> bytes:
        piece = _escaped(self.piece(spec))
        made = self.random.choice(
            (
                *(piece, b"^" + piece, piece + b"$", b"(?-i)" + piece, piece + b".", b"(?s)" + piece + b".+", b"(" + piece + b"|x)+"),
                *(rb"\d+", rb"\bone\b", rb"\W\w", rb"(.)\1", b"^.{3}$", b"^[^/]+/[^/]+$", b"[a-m]+/"),
                *(rb"[[:upper:]]", rb"(?-i)[[:upper:]]", rb"[[:^alpha:]]{2}", rb"\x{2f}\H", rb"(?i:A)(?-i:b)?", rb"\Qreal/\E"),
            )
        )
        return made.swapcase() if piece in made and made.isascii() and b"\\" not in made and b"(?" not in made else made

    def slice(self, spec: FieldSpec) -> str:
        seen = [value for value in self.seen[spec.name] if isinstance(value, bytes)]
        value = self.random.choice(seen) if seen else b"x"
        start = self.random.choice((0, 0, 1, 2, 5, -1, -2))
        count = self.random.randint(1, 3)
        base = start if start >= 0 else len(value) + start
        inner, wanted = self.random.choice(
            (
                (f"{start}:{count}", value[base : base + count] if base >= 0 else b""),
                (f"{start}", value[base : base + 1] if base >= 0 else b""),
                (f"{start}:", value[base:] if base >= 0 else b""),
                (f":{count}", value[:count]),
                (f"0-{count}", value[: count + 1]),
                (f"0,{count}", value[:1] + value[count : count + 1]),
            )
        )
        name = f"{spec.name}[{inner}]"
        chosen = self.random.random()
        if chosen < 0.15:
            return name
        if chosen < 0.3:
            return f"{name} contains {quote(wanted[:2] or b'a')}"
        return f"{name} {self.random.choice(ORDERS)} {self.byte_text(wanted)}"


def _escaped(value: bytes) -> bytes:
    return b"".join(b"\\" + bytes([byte]) if bytes([byte]) in b"\\^$.|?*+()[]{}" else bytes([byte]) for byte in value)
