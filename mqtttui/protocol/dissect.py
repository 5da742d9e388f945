"""Bytes to a tree of fields: every field of every control packet, with explanations and findings.

`dissect` is total and bounded. Rules:
1. Any bytes give a tree and nothing raises. The leaves tile the packet; what cannot be read is one leaf "Undecoded".
2. Findings that one packet alone can give stand as notes on their fields (`checks`); what needs other packets is not
   looked at here.
3. CONNECT is read by its own level; a level that nobody knows, by the context's version.
4. Beyond 2,000 nodes the repeated items of a list are one node with `more`; `dissect_more` opens it in slices.
5. A payload is copied once, into the value of its field, and never decoded as a whole.
"""

from __future__ import annotations

from collections.abc import Callable

from mqtttui.protocol import facts
from mqtttui.protocol.dissectors import closing, connect, publish, show, subscribe
from mqtttui.protocol.dissectors.tree import MAX_NODES, Draft, Tree, Undecodable, Window, WindowRead
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.fields import Context, Dissection, Field
from mqtttui.protocol.peek import connect_version
from mqtttui.protocol.wire import VbiProblem, read_vbi

_BODIES: dict[PacketType, Callable[[Tree], None]] = {
    PacketType.RESERVED: closing.reserved,
    PacketType.CONNECT: connect.connect,
    PacketType.CONNACK: connect.connack,
    PacketType.PUBLISH: publish.publish,
    PacketType.PUBACK: publish.acknowledgement,
    PacketType.PUBREC: publish.acknowledgement,
    PacketType.PUBREL: publish.acknowledgement,
    PacketType.PUBCOMP: publish.acknowledgement,
    PacketType.SUBSCRIBE: subscribe.subscribe,
    PacketType.SUBACK: subscribe.suback,
    PacketType.UNSUBSCRIBE: subscribe.unsubscribe,
    PacketType.UNSUBACK: subscribe.unsuback,
    PacketType.PINGREQ: closing.nothing,
    PacketType.PINGRESP: closing.nothing,
    PacketType.DISCONNECT: closing.disconnect,
    PacketType.AUTH: closing.auth,
}

_FIXED_FLAGS = {PacketType.PUBREL: 2, PacketType.SUBSCRIBE: 2, PacketType.UNSUBSCRIBE: 2}
"""Flags of the types that have others than 0000 (5: table 2-2)."""

_CLIENT_ONLY = {PacketType.CONNECT, PacketType.SUBSCRIBE, PacketType.UNSUBSCRIBE, PacketType.PINGREQ}
_SERVER_ONLY = {PacketType.CONNACK, PacketType.SUBACK, PacketType.UNSUBACK, PacketType.PINGRESP}


def dissect(raw: bytes, context: Context, nodes: int = MAX_NODES) -> Dissection:
    """The tree of the control packet `raw`, which may be cut, overlong or no packet at all. Never raises.

    `nodes` is the number of fields from which on repeated items are one node "n more".

    The type is None if `raw` does not begin with a whole packet: empty, cut, or with a broken Remaining Length.
    """
    tree = _read(raw, context, None, nodes)
    fields = tree.finish()
    notes = tuple(note for root in fields for node in root.walk() for note in node.notes)
    return Dissection(raw, context, tree.kind if tree.framed else None, tree.version, fields, notes, tree.malformed)


def dissect_more(raw: bytes, context: Context, start: int, count: int = 500) -> tuple[Field, ...]:
    """Up to `count` items of the repeated field that starts at `start`, as `dissect` would show them without its limit.

    `start` is the start of a node with `more`. If items are left, the last field is again such a node. Gives fewer than
    `count` where they have more than 2,000 nodes, and nothing where no list is. What compares items (a property twice, a
    filter twice) compares within the slice.
    """
    window = Window(start, max(1, count), [])
    _read(raw, context, window)
    return tuple(draft.freeze() for draft in window.items)


def _read(raw: bytes, context: Context, window: Window | None, nodes: int = MAX_NODES) -> Tree:
    tree = Tree(raw, context.version, context.direction, context.resolved_topic, window, nodes)
    try:
        _header(tree)
        assert tree.kind is not None
        _BODIES[tree.kind](tree)
    except Undecodable as reason:
        tree.fail(reason, tree.end, tree.roots[-1 if len(tree.roots) < 2 else 1] if tree.roots else None, 0)
    except WindowRead:
        return tree
    _left_over(tree)
    return tree


def _left_over(tree: Tree) -> None:
    """What stands behind the last field, and behind the packet."""
    draft = tree.undecoded(tree.end) if tree.position < tree.end else None
    if draft is not None and tree.kind is not None:
        rest = show.quantity(draft.end - draft.start, "byte is", "bytes are")
        tree.note("A08", draft, f"{rest} left over behind the last field of this {tree.kind.name}.")
    tree.end = len(tree.raw)
    draft = tree.undecoded(tree.end) if tree.position < tree.end else None
    if draft is not None:
        draft.name = f"{show.size(draft.end - draft.start).capitalize()} behind the packet"
        tree.note("A08", draft, f"{show.quantity(draft.end - draft.start, 'byte follows', 'bytes follow')} behind the end of the packet.")


def _header(tree: Tree) -> None:
    """Fixed header; afterwards `tree` ends where the packet does, and has the version to read it by."""
    raw = tree.raw
    if not raw:
        raise Undecodable
    kind = PacketType(raw[0] >> 4)
    tree.kind = kind
    number = read_vbi(raw, 1, len(raw))
    packet_end = number.end + number.value
    if kind is PacketType.CONNECT and number.problem is None:
        tree.version = connect_version(raw, 0, min(packet_end, len(raw))) or tree.version
    _first_byte(tree, kind, raw[0])
    if number.problem is VbiProblem.INCOMPLETE:
        raise Undecodable("A11", "The bytes end inside the remaining length.")
    _, length = tree.vbi(facts.REMAINING_LENGTH)
    tree.declared = packet_end
    tree.end = min(packet_end, len(raw))
    tree.framed = packet_end <= len(raw)
    if not tree.framed:
        tree.malformed = True
        tree.note("A11", length, f"The packet has {show.size(packet_end)}, but only {len(raw):,} of them are here.")


def _first_byte(tree: Tree, kind: PacketType, byte: int) -> None:
    _, parent = tree.byte(facts.HEADER, f"0x{byte:02x}")
    type_draft = tree.bits(parent, facts.PACKET_TYPE, byte, 0xF0)
    sender = _wrong_sender(kind, tree.version, tree.direction)
    if sender:
        tree.note("A10", type_draft, f"{kind.name} comes from {sender} only, never from the other side.")
    flags = byte & 0x0F
    wanted = _FIXED_FLAGS.get(kind, 0)
    if kind is PacketType.PUBLISH:
        publish.publish_flags(tree, parent, byte)
    elif wanted and tree.version is Version.V31:
        _flags_31(tree, parent, byte)
    else:
        draft = tree.bits(parent, facts.FIXED_FLAGS, byte, 0x0F)
        draft.display = f"{flags:04b}"
        if flags != wanted and kind is not PacketType.RESERVED:
            tree.note("A03", draft, f"The flags are {flags:04b}; {kind.name} must have {wanted:04b}.")


def _flags_31(tree: Tree, parent: Draft, byte: int) -> None:
    """PUBREL, SUBSCRIBE and UNSUBSCRIBE of MQTT 3.1 have flags like PUBLISH."""
    tree.bits(parent, facts.DUP_31, byte, 0x08, flag=True)
    qos = tree.bits(parent, facts.QOS_31, byte, 0x06)
    reserved = tree.bits(parent, facts.RETAIN_31, byte, 0x01)
    if qos.value != 1:
        tree.note("A04", qos, f"QoS is {byte >> 1 & 3}; in MQTT 3.1 this packet has QoS 1.")
    if reserved.value:
        tree.note("A04", reserved, "The bit of RETAIN has no meaning here and should be 0.")


def _wrong_sender(kind: PacketType, version: Version, direction: Direction) -> str:
    """The side that alone may send `kind`, if it is not the one that did."""
    if direction is Direction.S2C:
        client_only = kind in _CLIENT_ONLY or (kind is PacketType.DISCONNECT and version is not Version.V5)
        return "the client" if client_only else ""
    return "the server" if kind in _SERVER_ONLY else ""
