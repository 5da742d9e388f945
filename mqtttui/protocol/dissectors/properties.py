"""The property list of MQTT 5 (section 2.2.2) and the findings on single properties."""

from __future__ import annotations

from dataclasses import dataclass, field

from mqtttui import text
from mqtttui.protocol import facts
from mqtttui.protocol.dissectors import property_facts, show, strings
from mqtttui.protocol.dissectors.tree import Draft, Tree, Undecodable, decoded
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.enums import PropertyId as I
from mqtttui.protocol.fact import Fact
from mqtttui.protocol.fields import Value
from mqtttui.protocol.properties import PROPERTIES, Kind, PropertySpec
from mqtttui.protocol.wire import read_vbi

_SAID_CELLS = 100


@dataclass(slots=True)
class Found:
    """What a property list held."""

    values: dict[int, tuple[Value, Draft]] = field(default_factory=dict)
    """Identifier -> value and node of its first occurrence."""
    complete: bool = True
    """False if the list was not read to its end, so that absence proves nothing."""

    def number(self, key: int) -> int | None:
        """The value of a numeric property, or None."""
        value = self.values[key][0] if key in self.values else None
        return value if isinstance(value, int) else None


def properties(tree: Tree, place: int, fact: Fact = facts.PROPERTIES) -> Found:
    """The list at the present position; empty in 3.x. `place` is the packet type, or WILL."""
    found = Found()
    if tree.version is not Version.V5:
        return found
    if tree.position >= tree.declared:
        raise Undecodable("H16", f"The length of the {fact.name.lower()} is missing; without properties it must be there as 0.")
    group = tree.group(fact, section=property_facts.list_section(place))
    length, draft = tree.vbi(facts.PROPERTY_LENGTH)
    end = tree.position + length
    left = show.size(tree.declared - tree.position)
    if end > tree.declared:
        tree.note("A07", draft, f"{fact.name}: {show.size(length)} announced, {left} left in the packet.")
        tree.note("H06", draft, f"The property length is {length:,}, but only {left} follow.")
    reader = _List(tree, place, end, found)
    stop = min(end, tree.end)
    depth, guarded = len(tree.open), tree.guarded
    try:
        tree.items(stop, reader.read, lambda position, limit: skip_property(tree.raw, position, limit))
    except Undecodable as reason:
        found.complete = False
        tree.fail(reason, stop, draft, depth)
        tree.guarded = guarded
    found.complete = found.complete and end <= tree.end and not group.children[-1].more
    tree.close(group)
    group.display = _count(group)
    if end > tree.end:
        raise Undecodable
    if found.complete:
        reader.judge_list()
    return found


def skip_property(raw: bytes, position: int, end: int) -> int | None:
    """The offset behind the property at `position`, or None if it cannot be told."""
    key = read_vbi(raw, position, end)
    spec = PROPERTIES.get(key.value) if key.problem is None else None
    if spec is None:
        return None
    after = key.end
    match spec.kind:
        case Kind.BYTE:
            after += 1
        case Kind.UINT16:
            after += 2
        case Kind.UINT32:
            after += 4
        case Kind.VARIABLE:
            number = read_vbi(raw, after, end)
            after = number.end if number.problem is None else end + 1
        case Kind.STRING | Kind.BINARY:
            after = _behind_string(raw, after)
        case Kind.PAIR:
            after = _behind_string(raw, _behind_string(raw, after))
    return after if after <= end else None


def _behind_string(raw: bytes, position: int) -> int:
    return position + 2 + int.from_bytes(raw[position : position + 2], "big")


def _count(group: Draft) -> str:
    items = group.children[1:]
    count = sum(item.more or 1 for item in items if item.more or item.children)
    return show.quantity(count, "property", "properties") if items else "none"


class _List:
    """One property list being read; `end` is where its length says that it ends."""

    def __init__(self, tree: Tree, place: int, end: int, found: Found) -> None:
        self.tree = tree
        self.place = place
        self.end = end
        self.found = found

    def read(self) -> None:
        """One property, which must end within the list."""
        tree = self.tree
        outer = tree.end, tree.declared, tree.scope
        tree.end, tree.declared, tree.scope = min(tree.end, self.end), self.end, "property list"
        try:
            self._property()
        finally:
            tree.end, tree.declared, tree.scope = outer

    def judge_list(self) -> None:
        """Findings on the whole list."""
        data = self.found.values.get(I.AUTHENTICATION_DATA)
        if data is not None and I.AUTHENTICATION_METHOD not in self.found.values:
            section = property_facts.property_section(self.place, I.AUTHENTICATION_DATA)
            self.tree.note("H07", data[1], "Authentication Data without an Authentication Method.", statement=f"§{section}")

    def _property(self) -> None:
        tree = self.tree
        group = tree.group(facts.PROPERTY)
        key, draft = tree.vbi(facts.PROPERTY_ID)
        spec = PROPERTIES.get(key)
        if spec is None:
            self._unknown(group, key, draft)
            return
        fact = property_facts.property_fact(self.place, key)
        group.name, group.explanation, group.section = spec.name, fact.text, fact.section5
        draft.display = f"{spec.name} (0x{key:02x})"
        guarded = tree.guarded
        tree.guarded = guarded or fact.secret
        value, leaf = self._value(spec, fact)
        tree.guarded = guarded
        if spec.kind is Kind.BYTE:
            group.explanation = leaf.explanation
        if spec.kind is not Kind.PAIR:
            group.display = show.size(leaf.end - leaf.start) if fact.secret else leaf.display
        tree.close(group)
        self._judge(spec, value, draft, leaf)
        self.found.values.setdefault(key, (value, leaf))

    def _unknown(self, group: Draft, key: int, draft: Draft) -> None:
        group.name, group.display = "Unknown Property", f"0x{key:02x}"
        draft.display = f"unknown (0x{key:02x})"
        self.tree.note("H01", draft, f"MQTT 5 has no property 0x{key:02x}, so the rest of the list cannot be read.")
        self.tree.undecoded(self.tree.end, facts.UNKNOWN_PROPERTY)
        self.found.complete = False
        self.tree.close(group)

    def _value(self, spec: PropertySpec, fact: Fact) -> tuple[Value, Draft]:
        tree = self.tree
        match spec.kind:
            case Kind.BYTE:
                return tree.byte(fact)
            case Kind.UINT16:
                return self._integer(spec, *tree.uint16(fact))
            case Kind.UINT32:
                return self._integer(spec, *tree.uint32(fact))
            case Kind.VARIABLE:
                return tree.vbi(fact)
            case Kind.STRING if spec.id == I.CONTENT_TYPE:
                return self._content_type(fact)
            case Kind.STRING:
                return strings.string(tree, facts.STRING_LENGTH, fact, topic=spec.id == I.RESPONSE_TOPIC)
            case Kind.BINARY:
                raw, leaf = strings.binary(tree, facts.STRING_LENGTH, fact)
                leaf.value = decoded(raw)
                leaf.display = show.hexadecimal(raw) or "empty"
                return raw, leaf
            case Kind.PAIR:
                return self._pair()

    @staticmethod
    def _integer(spec: PropertySpec, number: int, leaf: Draft) -> tuple[Value, Draft]:
        """Seconds are shown with larger units."""
        if spec.id in property_facts.SECONDS:
            never = spec.id == I.SESSION_EXPIRY_INTERVAL and number == property_facts.NEVER
            leaf.display = f"never ({number:,})" if never else show.seconds(number)
        return number, leaf

    def _content_type(self, fact: Fact) -> tuple[Value, Draft]:
        """One node with its length, as Wireshark has it."""
        tree = self.tree
        tree.need(2, fact.name)
        start = tree.position + 2
        count = int.from_bytes(tree.raw[tree.position : start], "big")
        tree.need(2 + count, fact.name)
        raw = tree.raw[start : start + count]
        leaf = tree.leaf(fact, start + count, decoded(raw), show.string(raw))
        strings.check_string(tree, leaf, raw)
        return raw, leaf

    def _pair(self) -> tuple[Value, Draft]:
        tree = self.tree
        _, leaf = strings.string(tree, facts.KEY_LENGTH, facts.KEY, pair=True)
        _, other = strings.string(tree, facts.VALUE_LENGTH, facts.VALUE, pair=True)
        tree.open[-1].display = f"{leaf.display} = {other.display}"
        return None, leaf

    def _judge(self, spec: PropertySpec, value: Value, draft: Draft, leaf: Draft) -> None:
        """Findings on one property: those on its presence go to its identifier, those on its value to the value."""
        tree, place, key = self.tree, self.place, spec.id
        if place not in spec.packets:
            tree.note("H02", draft, f"{spec.name} must not stand in {property_facts.PLACES[place]}.")
        elif key == I.SERVER_REFERENCE and place == P.DISCONNECT and tree.direction is Direction.C2S:
            tree.note("H02", draft, "Server Reference: only the server sends it in DISCONNECT.")
        elif key == I.SESSION_EXPIRY_INTERVAL and place == P.DISCONNECT and tree.direction is Direction.S2C:
            tree.note("G10", draft, "Session Expiry Interval: the server must not send it in DISCONNECT.")
        elif key == I.SUBSCRIPTION_IDENTIFIER and place == P.PUBLISH and tree.direction is Direction.C2S:
            tree.note("D23", draft, "Subscription Identifier: only the server puts it into PUBLISH.")
        statement = f"§{property_facts.property_section(place, key)}"
        repeatable = spec.repeat and not (key == I.SUBSCRIPTION_IDENTIFIER and place == P.SUBSCRIBE)
        if key in self.found.values and not repeatable:
            tree.note("H03", draft, f"{spec.name} stands here a second time; only one is allowed.", statement=statement)
        if isinstance(value, int):
            self._judge_number(key, value, leaf, statement)
        elif isinstance(value, bytes):
            self._judge_string(key, value, leaf)

    def _judge_number(self, key: int, value: int, leaf: Draft, statement: str) -> None:
        tree = self.tree
        if key in property_facts.BOOLEANS and value > 1:
            tree.note("H04", leaf, f"{leaf.name} is {value}; only 0 and 1 are allowed.", statement=statement)
        elif key in property_facts.NO_ZERO and value == 0:
            tree.note("H05", leaf, f"{leaf.name} is 0, which is not allowed.", statement=statement)
        elif key == I.SUBSCRIPTION_IDENTIFIER and value == 0:
            tree.note("F08", leaf, "Subscription Identifier is 0; it counts from 1.")
        elif key == I.TOPIC_ALIAS and value == 0:
            tree.note("D19", leaf, "Topic Alias is 0; aliases count from 1.")
        elif property_facts.DEFAULTS.get((self.place, key)) == value:
            tree.note("H09", leaf, f"{leaf.name} is {value:,}, which its absence means as well.")

    def _judge_string(self, key: int, value: bytes, leaf: Draft) -> None:
        if key == I.RESPONSE_TOPIC:
            strings.check_no_wildcard(self.tree, "B08", leaf, value)
            if not value:
                self.tree.note("B05", leaf, "Response Topic is empty; it must have at least one character.")
        elif key == I.REASON_STRING and value:
            self.tree.note("H10", leaf, f"The sender says: {text.preview(value, _SAID_CELLS)}")
