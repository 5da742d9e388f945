"""SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK (sections 3.8 to 3.11)."""

from __future__ import annotations

from mqtttui.protocol import facts, topics
from mqtttui.protocol.dissectors import reasons, show, strings
from mqtttui.protocol.dissectors.properties import properties
from mqtttui.protocol.dissectors.tree import Draft, Tree
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.enums import Version
from mqtttui.protocol.fact import Fact
from mqtttui.protocol.facts import QOS_WORDS


def subscribe(tree: Tree) -> None:
    """SUBSCRIBE: filters with their options."""
    _packet_id(tree, facts.SUBSCRIBE_ID)
    properties(tree, P.SUBSCRIBE)
    if tree.position >= tree.declared:
        tree.note("F01", tree.roots[-1], "The SUBSCRIBE asks for nothing: it needs at least one filter.")
    seen: set[bytes] = set()

    def read() -> None:
        group = tree.group(facts.SUBSCRIPTION)
        raw, draft = strings.topic(tree, facts.SUBSCRIBE_FILTER_LENGTH, facts.SUBSCRIBE_FILTER)
        if raw:
            _judge_filter(tree, draft, raw, seen)
        qos = _options(tree, raw) if tree.version is Version.V5 else _requested_qos(tree)
        group.display = f"{show.string(raw) or 'empty filter'} at QoS {qos}"
        tree.close(group)

    tree.items(tree.end, read, lambda position, end: _behind(tree.raw, position, end, 1))


def unsubscribe(tree: Tree) -> None:
    """UNSUBSCRIBE: filters alone."""
    _packet_id(tree, facts.UNSUBSCRIBE_ID)
    properties(tree, P.UNSUBSCRIBE)
    if tree.position >= tree.declared:
        tree.note("F02", tree.roots[-1], "The UNSUBSCRIBE takes nothing back: it needs at least one filter.")

    def read() -> None:
        group = tree.group(facts.UNSUBSCRIPTION)
        raw, draft = strings.topic(tree, facts.UNSUBSCRIBE_FILTER_LENGTH, facts.UNSUBSCRIBE_FILTER)
        if raw:
            strings.check_filter(tree, draft, raw)
        group.display = show.string(raw) or "empty filter"
        tree.close(group)

    tree.items(tree.end, read, lambda position, end: _behind(tree.raw, position, end, 0))


def suback(tree: Tree) -> None:
    """SUBACK: one code a filter."""
    tree.uint16(facts.SUBACK_ID)
    properties(tree, P.SUBACK)
    _codes(tree, facts.SUBACK_REASON if tree.version is Version.V5 else facts.SUBACK_RETURN_CODE, P.SUBACK)


def unsuback(tree: Tree) -> None:
    """UNSUBACK: one code a filter in MQTT 5, nothing before."""
    tree.uint16(facts.UNSUBACK_ID)
    properties(tree, P.UNSUBACK)
    if tree.version is Version.V5:
        _codes(tree, facts.UNSUBACK_REASON, P.UNSUBACK)


def _packet_id(tree: Tree, fact: Fact) -> None:
    packet_id, draft = tree.uint16(fact)
    if packet_id == 0:
        tree.note("F07", draft, "The packet identifier is 0; it counts from 1.")


def _codes(tree: Tree, fact: Fact, kind: P) -> None:
    def read() -> None:
        reasons.code(tree, fact, kind)

    tree.items(tree.end, read, lambda position, end: position + 1)


def _behind(raw: bytes, position: int, end: int, options: int) -> int | None:
    """The offset behind a filter with `options` bytes of options, or None if it does not fit."""
    after = position + 2 + int.from_bytes(raw[position : position + 2], "big") + options
    return after if after <= end else None


def _judge_filter(tree: Tree, draft: Draft, raw: bytes, seen: set[bytes]) -> None:
    strings.check_filter(tree, draft, raw)
    if tree.version is Version.V5 and topics.is_shared(raw):
        draft.explanation, draft.section = facts.SHARED_FILTER.text, facts.SHARED_FILTER.section5
    if raw in seen:
        tree.note("F24", draft, "This filter stands here twice; the last one counts.")
    seen.add(raw)


def _requested_qos(tree: Tree) -> int:
    value, draft = tree.byte(facts.REQUESTED_QOS)
    if value > 2:
        draft.display = f"illegal (0x{value:02x})"
        text = (
            "Requested QoS is 3; only 0, 1 and 2 exist."
            if value == 3
            else f"Bits 7-2 of the requested QoS must be 0, but the byte is 0x{value:02x}."
        )
        tree.note("F03", draft, text)
    return value & 3


def _options(tree: Tree, raw: bytes) -> int:
    value, parent = tree.byte(facts.SUBSCRIPTION_OPTIONS)
    reserved = tree.bits(parent, facts.OPTION_RESERVED, value, 0xC0)
    handling = tree.bits(parent, facts.RETAIN_HANDLING, value, 0x30)
    tree.bits(parent, facts.RETAIN_AS_PUBLISHED, value, 0x08, flag=True)
    no_local = tree.bits(parent, facts.NO_LOCAL, value, 0x04, flag=True)
    qos = tree.bits(parent, facts.MAXIMUM_QOS, value, 0x03)
    parent.display = (
        f"0x{value:02x}: QoS {QOS_WORDS[value & 3]}{', no local' if value & 4 else ''}{', retain as published' if value & 8 else ''}"
    )
    if reserved.value:
        tree.note("F04", reserved, f"Bits 7-6 of the subscription options must be 0, but the byte is 0x{value:02x}.")
    if handling.value == 3:
        tree.note("F05", handling, "Retain Handling is 3; only 0, 1 and 2 exist.")
    if qos.value == 3:
        tree.note("F05", qos, "Maximum QoS is 3; only 0, 1 and 2 exist.")
    if no_local.value and topics.is_shared(raw):
        tree.note("F06", no_local, "No Local is not allowed on a shared subscription.")
    return value & 3
