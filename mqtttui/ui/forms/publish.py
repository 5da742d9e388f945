"""The draft of a PUBLISH: topic, flags, payload in one of its kinds, properties."""

from __future__ import annotations

import os
from dataclasses import replace

from mqtttui import text
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import EncodeError, Publish, encode, variable_byte_integer
from mqtttui.protocol.topics import check_topic
from mqtttui.ui.forms.payload import EDITABLE, KINDS, PayloadKind, fitting_kind, json_problem, to_bytes, to_text
from mqtttui.ui.forms.properties import PropertiesDraft
from mqtttui.ui.forms.rows import CLOSED, ON, OPEN, FormError, Kind, Row, parse_bytes, parse_text, toggle


class PublishDraft:
    """The form's values; row ids are `topic`, `qos`, `retain`, `dup`, `kind`, `file`, `properties.…`."""

    def __init__(self) -> None:
        self.version = Version.V311
        self.kind = PayloadKind.TEXT
        self.typed = ""
        """What stands in the payload editor."""
        self.held: bytes | None = None
        """A payload that the editor cannot hold; it is sent instead of what is typed."""
        self.properties = PropertiesDraft("properties", PacketType.PUBLISH)
        self._open = False
        self._values: dict[str, str] = {}
        self.load(Publish(""))

    def load(self, packet: Publish) -> None:
        """Show this packet (its identifier is chosen anew)."""
        self._values = {
            "topic": text.visible(packet.topic),
            "qos": str(packet.qos),
            "retain": toggle(packet.retain),
            "dup": toggle(packet.dup),
            "file": "",
        }
        self.properties.load(packet.properties)
        self._open = bool(packet.properties)
        self.set_payload(packet.payload)

    def set_payload(self, raw: bytes, kind: PayloadKind | None = None) -> None:
        """Show these bytes as payload; large ones are held."""
        self.kind = kind or fitting_kind(raw)
        self._show_bytes(raw)

    def change_kind(self, kind: PayloadKind) -> None:
        """Write the payload in another way; the bytes stay if there are any."""
        if kind is self.kind:
            return
        before, self.kind = self.kind, kind
        if PayloadKind.FILE in (before, kind):
            return
        try:
            raw = self.held if self.held is not None else to_bytes(before, self.typed)
        except FormError:
            return
        self._show_bytes(raw)

    def _show_bytes(self, raw: bytes) -> None:
        """Into the editor, or held where the editor could not give them back (too many, or not to be written as JSON)."""
        typed = to_text(self.kind, raw) if len(raw) <= EDITABLE else ""
        fits = len(raw) <= EDITABLE and (self.kind is PayloadKind.FILE or to_bytes(self.kind, typed) == raw)
        self.held, self.typed = (None, typed) if fits else (raw, "")

    def change(self, row: str, value: str) -> None:
        """A row was typed, chosen or toggled."""
        if row == "kind":
            self.change_kind(PayloadKind(value))
        elif row == "section.properties":
            self._open = value == OPEN
        elif self.properties.owns(row):
            self.properties.change(row, value)
        else:
            self._values[row] = value

    def open(self, row: str) -> None:
        """Show a row that its section hides."""
        self._open = self._open or self.properties.owns(row)

    @property
    def file(self) -> str:
        """The path of the file whose bytes are sent. Raises FormError."""
        path = parse_bytes(self._values["file"], "file").decode("utf-8", "surrogateescape")
        if not path:
            raise FormError("file", "the path of a file")
        if "\0" in path:
            raise FormError("file", "a path has no NUL")
        return os.path.expanduser(path)

    def payload(self) -> bytes:
        """The bytes of what is held or typed (not of a file). Raises FormError."""
        return self.held if self.held is not None else to_bytes(self.kind, self.typed)

    def json_problem(self) -> str | None:
        """Why a payload that claims to be JSON is none."""
        if self.kind is not PayloadKind.JSON or self.held is not None:
            return None
        return json_problem(self.typed) if self.typed.strip() else "an empty payload is not JSON"

    def packet(self, payload: bytes) -> Publish:
        """The packet with this payload. Raises FormError; what is merely forbidden passes."""
        raw = parse_bytes(self._values["topic"], "topic")
        if len(raw) > 0xFFFF:
            raise FormError("topic", f"{len(raw):,} bytes; at most 65,535 fit")
        if not raw and not self._has_alias:
            raise FormError("topic", "a topic, such as cmd/lamp")
        return Publish(
            topic=parse_text(self._values["topic"], "topic"),
            payload=payload,
            qos=int(self._values["qos"]),
            retain=self._values["retain"] == ON,
            dup=self._values["dup"] == ON,
            properties=self.properties.properties() if self.version is Version.V5 else (),
        )

    def rows(self) -> list[Row]:
        """Every row above the payload."""
        values = self._values
        error, warning = self._topic_problems()
        qos = ("0", "1", "2") + (("3",) if values["qos"] == "3" else ())
        dup = "QoS 0 must not have it" if values["dup"] == ON and values["qos"] == "0" else ""
        rows = [
            Row("topic", "Topic", value=values["topic"], placeholder="cmd/lamp", error=error, warning=warning),
            Row("qos", "QoS", Kind.CHOICE, values["qos"], qos, summary=_QOS_WORDS.get(values["qos"], "")),
            Row("retain", "Retain", Kind.TOGGLE, values["retain"], summary=self._retain_words()),
            Row("dup", "DUP", Kind.TOGGLE, values["dup"], summary="says: this was sent before", warning=dup),
        ]
        if self.version is Version.V5:
            state = OPEN if self._open else CLOSED
            rows.append(Row("section.properties", "Properties", Kind.SECTION, state, summary=self.properties.summary))
            if self._open:
                rows.extend(self.properties.rows())
        rows.append(Row("kind", "Payload", Kind.CHOICE, self.kind.value, KINDS))
        if self.kind is PayloadKind.FILE and self.held is None:
            rows.append(Row("file", "File", value=values["file"], placeholder="path", help="Read when it is sent"))
        return rows

    def _retain_words(self) -> str:
        if self._values["retain"] != ON:
            return "only to those who listen now"
        return "deletes the retained message" if self._is_empty else "the broker keeps it for later subscribers"

    @property
    def _is_empty(self) -> bool:
        return self.held is None and self.kind is not PayloadKind.FILE and not self.typed.strip()

    @property
    def _has_alias(self) -> bool:
        try:
            return self.version is Version.V5 and any(item.id == PropertyId.TOPIC_ALIAS for item in self.properties.properties())
        except FormError:
            return False

    def _topic_problems(self) -> tuple[str, str]:
        typed = self._values["topic"]
        if not typed:
            return "", ""
        try:
            raw = parse_bytes(typed, "topic")
        except FormError as problem:
            return problem.text, ""
        problem_ = check_topic(raw, self.version)
        if problem_ is None and raw.startswith(b"$"):
            return "", "topics with $ belong to the broker; most refuse or drop them"
        return "", problem_ or ""


_QOS_WORDS = {"0": "at most once", "1": "at least once", "2": "exactly once", "3": "forbidden"}


def packet_size(packet: Publish, version: Version, payload_size: int | None = None) -> int | None:
    """Bytes of the whole packet, without copying its payload; None if it cannot be encoded."""
    identifier = 1 if packet.qos else None
    size = len(packet.payload) if payload_size is None else payload_size
    try:
        head = encode(replace(packet, payload=b"", packet_id=identifier), version)
        rest = len(head) - 1 - len(variable_byte_integer(_remaining(head)))
        return 1 + len(variable_byte_integer(rest + size)) + rest + size
    except EncodeError:
        return None


def _remaining(head: bytes) -> int:
    value = shift = 0
    for byte in head[1:5]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return value
