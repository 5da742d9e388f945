"""Reason codes and return codes, with the findings on them (section 2.4)."""

from __future__ import annotations

from mqtttui.protocol import reason_codes
from mqtttui.protocol.dissectors.tree import Draft, Tree
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.enums import Version
from mqtttui.protocol.fact import Fact


def code(tree: Tree, fact: Fact, kind: P) -> tuple[int, Draft]:
    """One code byte of a packet of type `kind`, with its name, its hint and findings."""
    value, draft = tree.byte(fact)
    found = reason_codes.reason(value, kind, tree.version)
    draft.display = reason_codes.label(value, kind, tree.version)
    draft.explanation = found.hint
    _judge(tree, draft, value, kind, found)
    return value, draft


def _judge(tree: Tree, draft: Draft, value: int, kind: P, found: reason_codes.Reason) -> None:
    known = reason_codes.allowed(value, kind, tree.version, tree.direction)
    name = reason_codes.lower_name(found.name)
    if not known:
        _stranger(tree, draft, value, kind)
    match kind:
        case P.CONNACK:
            if value and (value >= 0x80 or tree.version is not Version.V5):
                tree.note("C26", draft, f"The server refused the connection: {name}. {found.hint}.")
        case P.PUBACK | P.PUBREC:
            if value >= 0x80:
                tree.note("E16", draft, f"The message was refused: {name}. {found.hint}.")
            elif value == 0x10:
                tree.note("E17", draft, "The message was taken, but nobody has subscribed to its topic.")
        case P.PUBREL | P.PUBCOMP:
            if value == 0x92:
                tree.note("E18", draft, "The sender knows nothing of this packet identifier: harmless after a lost session.")
        case P.DISCONNECT:
            if value >= 0x80:
                tree.note("G12", draft, f"The connection was ended: {name}. {found.hint}.")
            elif value == 0x04 and known:
                tree.note("G13", draft, "The client leaves and its will is published all the same.")
        case _:
            pass


def _stranger(tree: Tree, draft: Draft, value: int, kind: P) -> None:
    """Findings on a code that does not belong into this packet, or not to this sender."""
    known = any(found.code == value for found in reason_codes.codes(kind, tree.version))
    if known and tree.version is Version.V5:
        other = "the client" if tree.direction else "the server"
        text = f"Only {other} may send 0x{value:02x} in {kind.name}."
    else:
        text = f"0x{value:02x} is no code of {kind.name}."
    match kind:
        case P.CONNACK:
            tree.note("C25", draft, text)
        case P.SUBACK:
            tree.note("F12", draft, text)
        case _:
            pass
    if kind is not P.CONNACK:
        tree.note("E15", draft, text)
