"""A packet as a JSON object: what `decode --format json` prints, one a line.

`fields` maps Wireshark's name of each field to the list of its values in packet order: numbers, true or false, strings
(bytes that are not UTF-8 as `\\xNN`, other backslashes as they are), bytes as lower-case hex. Fields that carry no value
of their own (`mqtt.properties`, `mqtt.will_properties`, `mqtt.illegal_topic_length`, `mqtt.unknown_topic_alias`) are null, once
for each time that they occur.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from mqtttui.export.info import info
from mqtttui.protocol.fields import Dissection, Field, Note, Value


def packet_object(
    dissection: Dissection,
    *,
    number: int,
    connection: int,
    time: str | None = None,
    source: str | None = None,
    destination: str | None = None,
    tree: bool = False,
) -> dict[str, Any]:
    """The object of one packet; `time`, `source` and `destination` are None without a capture. `tree` adds the nested fields."""
    shown: dict[str, Any] = {
        "number": number,
        "time": time,
        "source": source,
        "destination": destination,
        "connection": connection,
        "direction": dissection.context.direction.label,
        "type": dissection.type.name if dissection.type is not None else None,
        "version": dissection.version.label,
        "length": len(dissection.raw),
        "info": info(dissection),
        "raw": dissection.raw.hex(),
        "fields": fields_object(dissection.walk()),
        "notes": [note_object(note) for note in dissection.notes],
    }
    if tree:
        shown["tree"] = [field_object(field) for field in dissection.fields]
    return shown


def line(shown: dict[str, Any]) -> str:
    """`shown` on one line of plain ASCII."""
    return json.dumps(shown, ensure_ascii=True, separators=(",", ":"))


def fields_object(fields: Iterable[Field]) -> dict[str, list[Any]]:
    """Wireshark's name -> the values, in packet order; fields without such a name are left out."""
    shown: dict[str, list[Any]] = {}
    for field in fields:
        if field.filter:
            shown.setdefault(field.filter, []).append(_value(field.value))
    return shown


def note_object(note: Note) -> dict[str, Any]:
    """A finding; `span` is its half-open byte range in the packet."""
    return {
        "id": note.id,
        "severity": note.severity.label,
        "statement": note.statement,
        "text": note.text,
        "span": [note.start, note.end],
    }


def field_object(field: Field) -> dict[str, Any]:
    """A field with everything below it."""
    shown: dict[str, Any] = {
        "name": field.name,
        "filter": field.filter or None,
        "span": [field.start, field.end],
        "value": _value(field.value),
        "display": field.display,
        "explanation": field.explanation,
        "section": field.section,
    }
    if field.mask:
        shown["mask"] = field.mask
        shown["bits"] = field.bits
    if field.secret:
        shown["secret"] = True
    if field.generated:
        shown["generated"] = True
    if field.notes:
        shown["notes"] = [note_object(note) for note in field.notes]
    if field.children:
        shown["children"] = [field_object(child) for child in field.children]
    return shown


def _value(value: Value) -> int | str | bool | None:
    return value.hex() if isinstance(value, bytes) else value
