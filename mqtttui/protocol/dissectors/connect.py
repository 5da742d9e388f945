"""CONNECT and CONNACK (sections 3.1 and 3.2)."""

from __future__ import annotations

from mqtttui.protocol import facts
from mqtttui.protocol.dissectors import reasons, show, strings
from mqtttui.protocol.dissectors.payload import check_text_payload
from mqtttui.protocol.dissectors.properties import properties
from mqtttui.protocol.dissectors.tree import Draft, Tree, decoded
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.fact import Fact
from mqtttui.protocol.properties import WILL

_NAMES = {Version.V31: b"MQIsdp", Version.V311: b"MQTT", Version.V5: b"MQTT"}
_LONG_KEEP_ALIVE = 300
"""Seconds; many routers forget a silent connection earlier."""

_USER, _PASSWORD, _WILL_RETAIN, _WILL_QOS, _WILL, _CLEAN, _RESERVED = 0x80, 0x40, 0x20, 0x18, 0x04, 0x02, 0x01

_Flags = dict[int, Draft]
"""Mask -> node of the flag."""


def connect(tree: Tree) -> None:
    """CONNECT; `tree.version` is already that of its level."""
    name, name_draft = strings.string(tree, facts.PROTOCOL_NAME_LENGTH, facts.PROTOCOL_NAME)
    level, level_draft = tree.byte(facts.LEVEL)
    _judge_level(tree, name, name_draft, level, level_draft)
    flags, drafts = _flags(tree)
    keep_alive, draft = tree.uint16(facts.KEEP_ALIVE)
    draft.display = "off (0)" if keep_alive == 0 else show.seconds(keep_alive)
    if keep_alive == 0:
        tree.note("C14", draft, "Keep Alive is off: a dead connection may stay unnoticed for hours.")
    elif keep_alive > _LONG_KEEP_ALIVE:
        text = f"Keep Alive of {show.seconds(keep_alive)} is long: many routers drop a connection that is silent for so long."
        tree.note("C14", draft, text)
    properties(tree, P.CONNECT)
    _payload(tree, flags, drafts)


def _judge_level(tree: Tree, name: bytes, name_draft: Draft, level: int, level_draft: Draft) -> None:
    known = Version.from_level(level)
    if known is None:
        tree.note("C04", level_draft, f"Protocol level {level} is unknown; the rest is read as MQTT {tree.version.label}.")
        wanted = name if name in _NAMES.values() else _NAMES[tree.version]
    else:
        wanted = _NAMES[known]
    if name != wanted:
        text = f"The protocol name is {name_draft.display or 'empty'}; for level {level} it must be {wanted.decode()}."
        tree.note("C03", name_draft, text)


def _flags(tree: Tree) -> tuple[int, _Flags]:
    flags, parent = tree.byte(facts.CONNECT_FLAGS)
    parent.display = f"0x{flags:02x}"
    clean = facts.CLEAN_START if tree.version is Version.V5 else facts.CLEAN_SESSION
    drafts = {
        _USER: tree.bits(parent, facts.USER_NAME_FLAG, flags, _USER, flag=True),
        _PASSWORD: tree.bits(parent, facts.PASSWORD_FLAG, flags, _PASSWORD, flag=True),
        _WILL_RETAIN: tree.bits(parent, facts.WILL_RETAIN, flags, _WILL_RETAIN, flag=True),
        _WILL_QOS: tree.bits(parent, facts.WILL_QOS, flags, _WILL_QOS),
        _WILL: tree.bits(parent, facts.WILL_FLAG, flags, _WILL, flag=True),
        _CLEAN: tree.bits(parent, clean, flags, _CLEAN, flag=True),
        _RESERVED: tree.bits(parent, facts.CONNECT_RESERVED, flags, _RESERVED, flag=True),
    }
    tree.guarded = bool(flags & _PASSWORD)
    qos = flags >> 3 & 3
    if flags & _RESERVED:
        tree.note("C05", drafts[_RESERVED], "The reserved bit of the Connect Flags is set: the server must close the connection.")
    if not flags & _WILL:
        if qos:
            tree.note("C06", drafts[_WILL_QOS], f"Will QoS is {qos} although there is no will.")
        if flags & _WILL_RETAIN:
            tree.note("C07", drafts[_WILL_RETAIN], "Will Retain is set although there is no will.")
    if qos == 3:
        tree.note("C08", drafts[_WILL_QOS], "Will QoS is 3; only 0, 1 and 2 exist.")
    if flags & _PASSWORD and not flags & _USER:
        text = (
            "A password without a user name is new in MQTT 5."
            if tree.version is Version.V5
            else "A password needs a user name in MQTT 3.1.1."
        )
        tree.note("C10", drafts[_PASSWORD], text)
    return flags, drafts


def _payload(tree: Tree, flags: int, drafts: _Flags) -> None:
    client_id, draft = strings.string(tree, facts.CLIENT_ID_LENGTH, facts.CLIENT_ID)
    if not client_id:
        draft.display, draft.explanation = "empty", facts.EMPTY_CLIENT_ID.text
        if not flags & _CLEAN:
            tree.note("C12", draft, "An empty client id needs Clean Session 1: the server cannot know whose session to continue.")
    if flags & _WILL:
        _announced(tree, "C09", drafts[_WILL], "Will Flag is set, but the packet ends before the will.")
        _will(tree, drafts)
    if flags & _USER:
        _announced(tree, "C11", drafts[_USER], "User Name Flag is set, but the packet ends before the user name.")
        strings.string(tree, facts.USER_NAME_LENGTH, facts.USER_NAME)
    if flags & _PASSWORD:
        _announced(tree, "C11", drafts[_PASSWORD], "Password Flag is set, but the packet ends before the password.")
        _password(tree)
        tree.guarded = False
    _judge_rest(tree, flags, drafts)


def _announced(tree: Tree, check: str, flag: Draft, text: str) -> None:
    """Note `check` on `flag` if nothing is left for what it announces."""
    if tree.position >= tree.declared:
        tree.note(check, flag, text)


def _will(tree: Tree, drafts: _Flags) -> None:
    found = properties(tree, WILL, facts.WILL_PROPERTIES)
    topic, draft = strings.topic(tree, facts.WILL_TOPIC_LENGTH, facts.WILL_TOPIC)
    strings.check_no_wildcard(tree, "B07", draft, topic)
    _announced(tree, "C09", drafts[_WILL], "Will Flag is set, but the packet ends before the will's payload.")
    _, payload = strings.binary(tree, facts.WILL_PAYLOAD_LENGTH, facts.WILL_PAYLOAD)
    if found.number(PropertyId.PAYLOAD_FORMAT_INDICATOR) == 1:
        check_text_payload(tree, payload, "§3.1.3.2.3")


def _password(tree: Tree) -> None:
    """Binary data; a string in MQTT 3.1. Wireshark has it as a string, so filters do."""
    if tree.version is Version.V31:
        strings.string(tree, facts.PASSWORD_LENGTH, facts.PASSWORD)
        return
    raw, draft = strings.binary(tree, facts.PASSWORD_LENGTH, facts.PASSWORD)
    draft.value, draft.display = decoded(raw), show.string(raw)


def _judge_rest(tree: Tree, flags: int, drafts: _Flags) -> None:
    """Say which flag seems to be missing if whole fields follow the last one that the flags announce."""
    count = _strings_in(tree.raw, tree.position, tree.end)
    if not count or tree.end < tree.declared:
        return
    rest = show.quantity(count, "more field follows", "more fields follow")
    if count >= 2 and not flags & _WILL:
        tree.note("C09", drafts[_WILL], f"Will Flag is not set, but {rest}, which may be a will.")
    if count <= 2 and flags & (_USER | _PASSWORD) != _USER | _PASSWORD:
        mask = _PASSWORD if flags & _USER else _USER
        tree.note("C11", drafts[mask], f"{drafts[mask].name} is not set, but {rest}, which may be credentials.")


def _strings_in(raw: bytes, position: int, end: int) -> int:
    """How many length-prefixed fields fill `raw[position:end]` exactly, up to four; 0 if they do not."""
    count = 0
    while position < end and count < 4:
        position += 2 + int.from_bytes(raw[position : position + 2], "big")
        count += 1
    return count if position == end else 0


def connack(tree: Tree) -> None:
    """CONNACK; the first byte has no meaning in MQTT 3.1."""
    present = None
    if tree.version is Version.V31:
        value, draft = tree.byte(facts.ACKNOWLEDGE_RESERVED_31)
        draft.value, draft.display = bool(value), f"0x{value:02x}"
    else:
        flags, parent = tree.byte(facts.ACKNOWLEDGE_FLAGS)
        parent.display = f"0x{flags:02x}"
        reserved = tree.bits(parent, facts.ACKNOWLEDGE_RESERVED, flags, 0xFE, flag=True)
        if flags > 1:
            tree.note("C20", reserved, f"Bits 7-1 of the acknowledge flags must be 0, but the byte is 0x{flags:02x}.")
        present = tree.bits(parent, facts.SESSION_PRESENT, flags, 0x01, flag=True)
    fact: Fact = facts.CONNACK_REASON if tree.version is Version.V5 else facts.CONNACK_RETURN_CODE
    code, _ = reasons.code(tree, fact, P.CONNACK)
    if present is not None and present.value and code:
        tree.note("C24", present, "Session Present is set although the connection is refused.")
    properties(tree, P.CONNACK)
