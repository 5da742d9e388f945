"""The form for acknowledgements with a chosen reason code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.reason_codes import codes, label
from mqtttui.ui.forms.rows import FormError, Kind, Row, parse_number
from mqtttui.ui.screens.form_dialog import GO, FormDialog

_KINDS = {
    "PUBACK and PUBREC": frozenset((PacketType.PUBACK, PacketType.PUBREC)),
    "PUBACK": frozenset((PacketType.PUBACK,)),
    "PUBREC": frozenset((PacketType.PUBREC,)),
    "PUBCOMP": frozenset((PacketType.PUBCOMP,)),
}
_OTHER = "another code"


@dataclass(frozen=True, slots=True)
class CodeOrder:
    """What the form says."""

    packets: frozenset[PacketType]
    code: int
    times: int


class AnswerWith(FormDialog[CodeOrder]):
    """Asks which acknowledgements are to carry which code."""

    def __init__(self) -> None:
        super().__init__(
            "Answer messages with a reason code",
            "The broker must not send a message again that is answered with 0x80 or above: it is lost for this session. "
            "A 0x92 in PUBCOMP says that the message is not known.",
        )
        self._kind = next(iter(_KINDS))
        self._code = self._labels()[0]
        self._times = "1"
        self._other = "0x80"

    def rows(self) -> Sequence[Row]:
        rows = [
            Row(
                "times", "How many", value=self._times, width=10, placeholder="all", help="The next so many; empty: all, until it is ended"
            ),
            Row("kind", "Packets", Kind.CHOICE, self._kind, tuple(_KINDS)),
            Row("code", "Reason code", Kind.CHOICE, self._code, (*self._labels(), _OTHER)),
        ]
        if self._code == _OTHER:
            rows.append(Row("other", "Code", value=self._other, width=10, help="0 to 255, also 0x83"))
        return [*rows, Row(GO, "Answer so", Kind.ACTION)]

    def change(self, row: str, value: str) -> None:
        if row == "times":
            self._times = value
        elif row == "kind":
            self._kind = value
            if self._code != _OTHER and self._code not in self._labels():
                self._code = self._labels()[0]
        elif row == "code":
            self._code = value
        elif row == "other":
            self._other = value

    def value(self) -> CodeOrder:
        times = parse_number(self._times, "times", 1, 65_535) if self._times.strip() else 0
        if self._code == _OTHER:
            return CodeOrder(_KINDS[self._kind], parse_number(self._other, "other", 0, 255), times)
        packet = min(_KINDS[self._kind])
        found = next((row.code for row in codes(packet, Version.V5) if label(row.code, packet, Version.V5) == self._code), None)
        if found is None:
            raise FormError("code", "choose a code")
        return CodeOrder(_KINDS[self._kind], found, times)

    def _labels(self) -> tuple[str, ...]:
        """Failures of the standard for this acknowledgement."""
        packet = min(_KINDS[self._kind])
        return tuple(label(row.code, packet, Version.V5) for row in codes(packet, Version.V5) if row.failure)
