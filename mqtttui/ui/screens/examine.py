"""The session surgeon's form: whose session, and what to do with it, with the consequence under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from textual.widgets import Static

from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.enums import Version
from mqtttui.text import visible
from mqtttui.ui.content import join
from mqtttui.ui.forms.rows import FormError, Kind, Row, as_number, parse_number, parse_seconds, parse_text
from mqtttui.ui.forms.words import NEVER
from mqtttui.ui.screens.form_dialog import GO, FormDialog
from mqtttui.ui.session_words import DRAIN, END, PEEK, consequences

_MODES = {PEEK: "peek", DRAIN: "drain", END: "end it"}
_NEVER = "never"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the form says."""

    client_id: str | bytes
    mode: Literal["peek", "drain", "end"]
    receive_maximum: int
    expiry: int
    quiet: float


class ExaminePrompt(FormDialog[Wanted]):
    """Asks for a client id and a way to look into its session."""

    def __init__(self, options: ConnectOptions, before: Wanted | None) -> None:
        """`options`: where to, and with which login; `before`: what was asked for last."""
        version = {Version.V31: "3.1", Version.V311: "3.1.1", Version.V5: "5"}[options.connect.version]
        super().__init__(f"Session of a device, at {visible(options.url)} with MQTT {version}", "")
        self._v5 = options.connect.version is Version.V5
        self._client_id = visible(before.client_id) if before is not None else ""
        self._mode = before.mode if before is not None else PEEK
        self._window = f"{before.receive_maximum:,}" if before is not None else "65,535"
        self._expiry = _NEVER if before is None or before.expiry == NEVER else f"{before.expiry:,}"
        self._quiet = as_number(before.quiet) if before is not None else "2"

    def on_mount(self) -> None:
        super().on_mount()
        self.show()

    def rows(self) -> Sequence[Row]:
        modes = tuple(_MODES.values())
        rows = [
            Row("client_id", "Client id", value=self._client_id, placeholder="of the device, exactly"),
            Row("mode", "What to do", Kind.CHOICE, _MODES[self._mode], modes),
        ]
        if self._v5 and self._mode != END:
            rows.append(
                Row(
                    "expiry",
                    "Expiry",
                    value=self._expiry,
                    unit="s",
                    width=14,
                    help="Replaces the device's own: too short loses its queue",
                )
            )
        if self._v5:
            rows.append(Row("window", "Receive Max", value=self._window, width=14, help="So many unacknowledged messages show at most"))
        rows.append(Row("quiet", "Over after", value=self._quiet, unit="s without anything", width=14))
        return [*rows, Row(GO, "Look" if self._mode == PEEK else _MODES[self._mode].capitalize(), Kind.ACTION)]

    def change(self, row: str, value: str) -> None:
        match row:
            case "client_id":
                self._client_id = value
            case "mode":
                self._mode = next(mode for mode, words in _MODES.items() if words == value)
            case "expiry":
                self._expiry = value
            case "window":
                self._window = value
            case "quiet":
                self._quiet = value
            case _:
                pass

    def show(self) -> None:
        try:
            expiry: int | None = self._seconds()
        except FormError:
            expiry = None
        self._hint = "\n".join(f"· {line}" for line in consequences(self._mode, v5=self._v5, expiry=expiry))
        super().show()

    def _say(self, problem: FormError | None) -> None:
        if problem is not None:
            super()._say(problem)
            return
        kicks, rest = self._hint.partition("\n")[::2]
        self.query_one("#dialog-check", Static).update(join((kicks, "$state-warn"), "\n", (rest, "$dimmed")))

    def value(self) -> Wanted:
        client_id = parse_text(self._client_id, "client_id")
        if not client_id:
            raise FormError("client_id", "whose session? The client id as the device sends it")
        window = parse_number(self._window, "window", 1, 65_535) if self._v5 else 65_535
        expiry = self._seconds() if self._v5 else NEVER
        mode = cast(Literal["peek", "drain", "end"], self._mode)
        return Wanted(client_id, mode, window, expiry, parse_seconds(self._quiet, "quiet"))

    def _seconds(self) -> int:
        return NEVER if self._expiry.strip() == _NEVER else parse_number(self._expiry, "expiry", 1, NEVER)
