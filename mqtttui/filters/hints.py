"""What to know about a filter that is right: traps, and where Wireshark gives another result (inspector.md 6.3 and 6.5)."""

from __future__ import annotations

from collections.abc import Iterator

from mqtttui.filters.ast import (
    Call,
    Compare,
    Exists,
    FieldRef,
    Function,
    Literal,
    Node,
    Not,
    Or,
    Quantifier,
    Relation,
    TopicMatch,
    field_of,
    operands,
    walk,
)
from mqtttui.filters.types import Type

TRAPS: tuple[tuple[str, str], ...] = (
    ("mqtt.retain", "A flag alone tests whether the packet has it, so every PUBLISH passes: write mqtt.retain == 1."),
    ('mqtt.topic != "x"', 'Packets without a topic are hidden too: !(mqtt.topic == "x") keeps them, and so does not in {"x"}.'),
    (
        "mqtt.topic",
        "It also holds the filters of SUBSCRIBE and UNSUBSCRIBE: add mqtt.msgtype == 3. The topic of an answer is mqtttui.topic.",
    ),
    ('matches "temp"', "matches ignores case; contains and == do not. (?-i) in front of the pattern switches that off."),
    (
        "mqtt.qos",
        "The QoS of PUBLISH. Of subscriptions: mqtt.sub.qos (3.x) and mqtt.subscription_options_qos (5).",
    ),
    ("mqtt.conack.val", "conack is CONNACK of 3.x and its flags, connack the reason code of MQTT 5: two spellings on purpose."),
    ("mqtt.puback.reason_code", "Short answers have no reason code: write not mqtt.puback.reason_code >= 128 for all that went well."),
    ("mqtt.msgid == 1", "Client and server count on their own: add mqtttui.dir or ip.src."),
    ("len(mqtt.topic)", "Lengths and parts count bytes: ü is two."),
    ('mqtt.msg == "21.5"', 'Bytes are compared, not numbers: use mqtttui.json["temp"] > 20 for JSON.'),
    ("mqtt.msg contains 20", "20 without quotes is one byte, not text."),
    (
        "mqtt.property_id",
        'It is not tied to its value: mqtttui.prop.receive_maximum == 10 is, and mqtttui.prop.user_property["key"] == "value".',
    ),
    ("ip.addr != 10.0.0.2", "It hides all packets of that host, whether sender or receiver."),
    ("ff", "Two letters without quotes may be the name of a protocol to Wireshark: write 0xff."),
    (
        'mqtt.topic == "a" and mqtt.qos == 1',
        "Here each packet is a row. In other captures a frame may hold several, and each of them may pass one of the tests.",
    ),
    ("a or b and c", "and binds tighter than or: this is a or (b and c)."),
    ("mqtt.topic contains", "A topic with a NUL byte is whole here; Wireshark cuts it there."),
)
"""What looks right and is not what one thinks: an example and a sentence, for the help."""


def hints(tree: Node, text: str) -> tuple[str, ...]:
    """On the filter `text`, one sentence each; each once, the traps first."""
    found = dict.fromkeys(_traps(tree))
    if "${" in text:
        found["Wireshark takes ${ for the name of a macro, even in quotes: there it must be $\\x7b."] = None
    for ref in operands(tree):
        if ref.spec.hint:
            found[ref.spec.hint] = None
    own = sorted({ref.spec.name for ref in operands(tree) if not ref.spec.portable})
    if any(isinstance(test, TopicMatch) for test in walk(tree)):
        own.append("topic(…)")
    if own:
        listed = f"{', '.join(own[:-1])} and {own[-1]}" if len(own) > 1 else own[0]
        found[f"Wireshark does not know {listed}."] = None
    return tuple(found)


def _traps(tree: Node) -> Iterator[str]:
    for test in walk(tree):
        match test:
            case Exists(FieldRef(spec)) if spec.type is Type.BOOL and spec.portable:
                yield f"{spec.name} alone tests whether the packet has it, not whether it is set: write {spec.name} == 1."
            case Compare(Call(Function.COUNT), _, Literal(0)):
                yield "count(…) never is 0: a field that does not occur has no count. Write not and the field."
            case Compare(left, Relation.NE, _, Quantifier.ALL) if field_of(left).spec.name in _SOMETIMES:
                yield f"Packets without {field_of(left).spec.name} are hidden too: write !(… == …) to keep them."
            case _:
                continue
    if _wants_type(tree):
        yield "mqtt.topic also holds the filters of SUBSCRIBE and UNSUBSCRIBE: add mqtt.msgtype == 3 for messages alone."


_SOMETIMES = frozenset({"mqtt.topic", "mqtt.msg", "mqtt.qos", "mqtt.msgid", "mqtt.clientid", "mqtt.username"})


def _wants_type(tree: Node) -> bool:
    """Whether topics alone are looked for, of whatever packets."""
    return {ref.spec.name for ref in operands(tree)} == {"mqtt.topic"} and not isinstance(tree, Or | Not | Exists)
