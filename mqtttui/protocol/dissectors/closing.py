"""PINGREQ, PINGRESP, DISCONNECT and AUTH (sections 3.12 to 3.15)."""

from __future__ import annotations

from mqtttui.protocol import facts
from mqtttui.protocol.dissectors import reasons
from mqtttui.protocol.dissectors.properties import properties
from mqtttui.protocol.dissectors.tree import Tree, Undecodable
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.enums import PropertyId, Version


def nothing(tree: Tree) -> None:
    """PINGREQ and PINGRESP have no body; neither has DISCONNECT before MQTT 5."""
    length = tree.roots[1]
    if tree.kind is not None and tree.declared > length.end:
        tree.note("A09", length, f"{tree.kind.name} has no body, so the remaining length must be 0.")


def disconnect(tree: Tree) -> None:
    """DISCONNECT; MQTT 5 may leave out the reason code and the properties."""
    if tree.version is not Version.V5:
        nothing(tree)
        return
    if tree.position < tree.declared:
        reasons.code(tree, facts.DISCONNECT_REASON, P.DISCONNECT)
        if tree.position < tree.declared:
            properties(tree, P.DISCONNECT)


def auth(tree: Tree) -> None:
    """AUTH, which exists in MQTT 5 only."""
    if tree.version is not Version.V5:
        tree.note("A02", tree.roots[0], f"Type 15 is reserved in MQTT {tree.version.label}: AUTH exists in MQTT 5 only.")
        raise Undecodable
    complete, method = True, False
    if tree.position < tree.declared:
        reasons.code(tree, facts.AUTH_REASON, P.AUTH)
        found = properties(tree, P.AUTH)
        complete, method = found.complete, PropertyId.AUTHENTICATION_METHOD in found.values
    if complete and not method:
        tree.note("H12", tree.roots[-1], "AUTH without an Authentication Method: the method must be named in every step.")


def reserved(tree: Tree) -> None:
    """Type 0."""
    tree.note("A01", tree.roots[0], "Packet type 0 is reserved: bytes were lost before this packet, or this is not MQTT.")
    raise Undecodable
