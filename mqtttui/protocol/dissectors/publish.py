"""PUBLISH and its acknowledgements (sections 3.3 to 3.7)."""

from __future__ import annotations

from mqtttui.protocol import facts
from mqtttui.protocol.dissectors import reasons, show, strings
from mqtttui.protocol.dissectors.payload import check_text_payload
from mqtttui.protocol.dissectors.properties import Found, properties
from mqtttui.protocol.dissectors.tree import Draft, Tree, decoded
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.enums import PropertyId as I


def publish_flags(tree: Tree, parent: Draft, byte: int) -> None:
    """DUP, QoS and RETAIN in the first byte."""
    dup = tree.bits(parent, facts.DUP, byte, 0x08, flag=True)
    qos = tree.bits(parent, facts.QOS, byte, 0x06)
    if tree.direction is Direction.C2S:
        fact = facts.RETAIN_UP
    else:
        fact = facts.RETAIN_DOWN_5 if tree.version is Version.V5 else facts.RETAIN_DOWN_3
    tree.bits(parent, fact, byte, 0x01, flag=True)
    if qos.value == 3:
        tree.note("D01", qos, "QoS is 3; only 0, 1 and 2 exist, and the receiver must close the connection.")
    if dup.value and qos.value == 0:
        tree.note("D02", dup, "DUP is set at QoS 0, where nothing is ever sent again.")


def publish(tree: Tree) -> None:
    """PUBLISH behind its fixed header."""
    flags = tree.raw[0]
    topic_length = _topic(tree)
    if flags & 0x06:
        packet_id, draft = tree.uint16(facts.PUBLISH_ID)
        if packet_id == 0:
            tree.note("D03", draft, "The packet identifier is 0; it counts from 1.")
    found = properties(tree, P.PUBLISH)
    if topic_length is not None:
        _alias(tree, topic_length, found)
    _payload(tree, flags, found)


def _topic(tree: Tree) -> Draft | None:
    """The topic; the node of its length if it is empty."""
    count, length = tree.counted(facts.TOPIC_LENGTH, facts.TOPIC.name)
    if not count:
        if tree.version is not Version.V5:
            strings.empty_topic(tree, length, facts.TOPIC.name)
        return length
    raw = tree.raw[tree.position : tree.position + count]
    draft = tree.leaf(facts.TOPIC, tree.position + count, decoded(raw), show.string(raw))
    strings.check_string(tree, draft, raw, topic=True)
    strings.check_no_wildcard(tree, "B06", draft, raw)
    if raw[:1] == b"$" and tree.direction is Direction.C2S:
        tree.note("B13", draft, "Topics that start with $ are the server's own: it may ignore or refuse this message.")
    return None


def _alias(tree: Tree, length: Draft, found: Found) -> None:
    """What an empty topic of MQTT 5 stands for."""
    if tree.version is not Version.V5:
        return
    alias = found.number(I.TOPIC_ALIAS)
    if alias is None:
        if found.complete:
            tree.note("B05", length, "The topic is empty, and there is no Topic Alias to stand for it.")
        return
    length.explanation = facts.NO_TOPIC_LENGTH.text
    if tree.resolved is not None:
        tree.generated(facts.RESOLVED_TOPIC, decoded(tree.resolved), show.string(tree.resolved))
    else:
        tree.generated(facts.UNKNOWN_TOPIC, "", f"unknown (alias {alias})")
        tree.generated(facts.UNKNOWN_ALIAS, None, f"alias {alias} was not set by a packet that is known")


def _payload(tree: Tree, flags: int, found: Found) -> None:
    start, end = tree.position, tree.end
    draft = tree.leaf(facts.PAYLOAD, end, tree.raw[start:end], show.payload(tree.raw, start, end))
    if end < tree.declared:
        tree.malformed = True
        draft.display = f"cut: {show.size(end - start)} of {show.size(tree.declared - start)}"
        return
    if flags & 0x01 and tree.direction is Direction.C2S:
        if start == end:
            tree.note("D16", draft, "RETAIN with an empty payload deletes the stored message of this topic.")
        if not flags & 0x06:
            tree.note("D17", draft, "The server may throw away a message stored at QoS 0 whenever it likes.")
    if found.number(I.PAYLOAD_FORMAT_INDICATOR) == 1:
        check_text_payload(tree, draft, "§3.3.2.3.2")


def acknowledgement(tree: Tree) -> None:
    """PUBACK, PUBREC, PUBREL and PUBCOMP; MQTT 5 may leave out the reason code and the properties."""
    kind = tree.kind
    assert kind is not None
    tree.uint16(facts.ACK_ID[kind])
    if tree.version is Version.V5 and tree.position < tree.declared:
        reasons.code(tree, facts.ACK_REASON[kind], kind)
        if tree.position < tree.declared:
            properties(tree, kind)
