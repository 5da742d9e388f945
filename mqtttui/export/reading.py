"""A dissection by filter name: what the one-line texts are made of. All texts given are visible text."""

from __future__ import annotations

from mqtttui.protocol.enums import PacketType, PropertyId
from mqtttui.protocol.fields import Dissection, Field
from mqtttui.protocol.reason_codes import label
from mqtttui.text import preview, visible

_PREVIEWED = 4_096
"""Bytes of a payload that are looked at."""
_MARKUP_STARTS = (b"{", b"[", b"<")


class Reading:
    """One walk over a dissection, then look-ups."""

    def __init__(self, dissection: Dissection) -> None:
        self.dissection = dissection
        self._fields: dict[str, list[Field]] = {}
        self._strings: dict[int, Field] = {}
        latest_id = 0
        for field in dissection.walk():
            if not field.filter:
                continue
            self._fields.setdefault(field.filter, []).append(field)
            if field.filter == "mqtt.property_id" and isinstance(field.value, int):
                latest_id = field.value
            elif field.filter == "mqtt.prop_string":
                self._strings.setdefault(latest_id, field)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def number(self, name: str) -> int | None:
        """The first value of a numeric or boolean field."""
        fields = self._fields.get(name)
        value = fields[0].value if fields else None
        return int(value) if isinstance(value, int) else None

    def numbers(self, name: str) -> list[int]:
        """All values of a numeric field, in packet order."""
        return [int(field.value) for field in self._fields.get(name, ()) if isinstance(field.value, int)]

    def texts(self, name: str) -> list[str]:
        """All texts of a string field, in packet order."""
        return [self._text(field) for field in self._fields.get(name, ())]

    def text(self, name: str) -> str | None:
        """The first text of a string field."""
        fields = self._fields.get(name)
        return self._text(fields[0]) if fields else None

    def property_text(self, identifier: PropertyId) -> str:
        """The text of a string property; empty without one."""
        field = self._strings.get(identifier)
        return self._text(field) if field else ""

    def raw(self, name: str) -> bytes | None:
        """The bytes of the first field of that name."""
        fields = self._fields.get(name)
        return self.dissection.raw[fields[0].start : fields[0].end] if fields else None

    def topic(self) -> str:
        """The Topic Name, resolved from its alias if need be; empty if there is none or it is not known."""
        return self.text("mqtt.topic") or ""

    def reason(self, kind: PacketType) -> int | None:
        """The first return or reason code of an answer; None if it is not on the wire."""
        for name in (f"mqtt.{kind.name.lower()}.reason_code", "mqtt.conack.val", "mqtt.suback.qos"):
            if (code := self.number(name)) is not None:
                return code
        return None

    def reasons(self, kind: PacketType) -> list[int]:
        """All return or reason codes of a SUBACK or UNSUBACK."""
        return self.numbers(f"mqtt.{kind.name.lower()}.reason_code") or self.numbers("mqtt.suback.qos")

    def label(self, code: int, kind: PacketType) -> str:
        """`0x87 not authorized`."""
        return label(code, kind, self.dissection.version)

    def _text(self, field: Field) -> str:
        if field.generated:
            return visible(self.dissection.context.resolved_topic or b"")
        return visible(self.dissection.raw[field.start : field.end])


def payload_preview(payload: bytes, cells: int) -> str:
    """A payload on one line of at most `cells` characters: its text if it is UTF-8, else its first bytes in hex.

    Line breaks and indentation of JSON and XML become single spaces; nothing else changes.
    """
    if not payload:
        return "(empty)"
    head = payload[:_PREVIEWED]
    if not is_text(head, whole=len(head) == len(payload)):
        return _hex_preview(payload, cells)
    if head.lstrip().startswith(_MARKUP_STARTS):
        squeezed = b" ".join(head.split())
        return preview(squeezed if len(head) == len(payload) else squeezed + b" " * cells * 4, cells).rstrip()
    return preview(payload, cells)


def is_text(head: bytes, *, whole: bool = True) -> bool:
    """Whether a payload is text: UTF-8 with hardly any control characters. If not `whole`, its end may cut a character."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if whole or error.start < len(head) - 3 or error.reason != "unexpected end of data":
            return False
        text = head[: error.start].decode("utf-8")
    odd = sum(1 for char in text if (char < " " and char not in "\t\r\n\x1b") or "\x7f" <= char <= "\x9f")
    return odd * 10 <= len(text)


def _hex_preview(payload: bytes, cells: int) -> str:
    fitting = max(1, (cells - 2) // 3)
    shown = payload[:fitting].hex(" ")
    return shown if len(payload) <= fitting else f"{shown} …"
