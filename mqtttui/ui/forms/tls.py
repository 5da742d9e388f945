"""TLS in the Connection form: on or off, files, versions, ALPN, the pinned certificate, the key log."""

from __future__ import annotations

from dataclasses import replace

from mqtttui import text
from mqtttui.config.errors import ConfigError
from mqtttui.config.options import TlsOptions
from mqtttui.config.tls import BROKEN, VERSIONS, check_versions, parse_alpn, parse_fingerprint
from mqtttui.ui.forms.rows import CLOSED, ON, OPEN, FormError, Kind, Row, parse_bytes, toggle
from mqtttui.ui.forms.transport import checked, made

_NEWEST = "newest"


class TlsDraft:
    """The rows `tls`, `section.tls`, `tls.…` and their values, as typed."""

    def __init__(self) -> None:
        self._open = False
        self._values: dict[str, str] = {}
        self.load(None)

    def load(self, options: TlsOptions | None) -> None:
        """Show these options; they are open if they say something."""
        tls = options or TlsOptions()
        self._values = {
            "tls": toggle(options is not None),
            "tls.ca_file": text.visible(tls.ca_file),
            "tls.certificate": text.visible(tls.certificate),
            "tls.key": text.visible(tls.key),
            "tls.key_passphrase": text.visible(tls.key_passphrase),
            "tls.server_name": text.visible(tls.server_name),
            "tls.minimum_version": tls.minimum_version,
            "tls.maximum_version": tls.maximum_version or _NEWEST,
            "tls.alpn": text.visible(", ".join(tls.alpn)),
            "tls.verify": toggle(tls.verify),
            "tls.fingerprint": text.visible(tls.fingerprint),
            "tls.key_log": text.visible(tls.key_log),
        }
        self._open = options not in (None, TlsOptions())

    @property
    def on(self) -> bool:
        """Whether TLS is chosen."""
        return self._values["tls"] == ON

    def owns(self, row: str) -> bool:
        """Whether the row is one of these."""
        return row == "section.tls" or row in self._values

    def change(self, row: str, value: str) -> None:
        """A row was typed, chosen, toggled or opened."""
        if row == "section.tls":
            self._open = value == OPEN
        else:
            self._values[row] = value

    def open(self) -> None:
        """Show all rows."""
        self._open = True

    # ---------------------------------------------------------------- rows

    def rows(self) -> list[Row]:
        """On or off, and the settings."""
        rows = [Row("tls", "TLS", Kind.TOGGLE, self._values["tls"], summary="" if self.on else "plain text, readable on the way")]
        if not self.on:
            return rows
        rows.append(Row("section.tls", "Settings", Kind.SECTION, OPEN if self._open else CLOSED, summary=self._summary(), indent=1))
        if self._open:
            rows += self._settings()
        warning = self._trust_warning()
        if warning or self._open:
            rows.append(
                Row("tls.verify", "Verify", Kind.TOGGLE, self._values["tls.verify"], indent=1, warning=warning, summary=self._trust())
            )
        if self._open:
            rows += self._pin_and_log()
        return rows

    def _settings(self) -> list[Row]:
        lowest, highest = self._values["tls.minimum_version"], self._values["tls.maximum_version"]
        highest_row = Row("tls.maximum_version", "At most TLS", Kind.CHOICE, highest, (*VERSIONS, _NEWEST), indent=1)
        return [
            self._text("tls.ca_file", "CA file", "the system's", "PEM file of the authorities to trust"),
            self._text("tls.certificate", "Certificate", "none", "PEM file of your own certificate"),
            self._text("tls.key", "Key", "in the certificate file", "PEM file of its key"),
            Row("tls.key_passphrase", "Key passphrase", Kind.SECRET, self._values["tls.key_passphrase"], placeholder="none", indent=1),
            self._text("tls.server_name", "Server name", "the host", "For SNI and the certificate"),
            Row("tls.minimum_version", "At least TLS", Kind.CHOICE, lowest, VERSIONS, indent=1,
                warning="1.0 and 1.1 are broken: for old brokers only" if lowest in BROKEN else ""),
            checked(highest_row, self._versions),
            checked(self._text("tls.alpn", "ALPN", "none offered", "Protocols, separated by commas; AWS on port 443 wants x-amzn-mqtt-ca"),
                    self._alpn),
        ]  # fmt: skip

    def _pin_and_log(self) -> list[Row]:
        help_ = "SHA-256 of the only certificate to accept; with Verify off it replaces the check"
        pin = self._text("tls.fingerprint", "Fingerprint", "any", help_)
        key_log = self._text("tls.key_log", "Key log", "off", "A file for Wireshark that lets whoever reads it decrypt this connection")
        warning = "whoever reads this file can decrypt the connection" if self._values["tls.key_log"] else ""
        return [checked(pin, self._fingerprint), replace(key_log, warning=warning)]

    def _text(self, id: str, label: str, placeholder: str, help: str) -> Row:
        return Row(id, label, value=self._values[id], placeholder=placeholder, help=help, indent=1)

    def _summary(self) -> str:
        highest = self._values["tls.maximum_version"]
        parts = [f"at least {self._values['tls.minimum_version']}"]
        parts += [f"at most {highest}"] if highest != _NEWEST else []
        parts += ["own CA"] if self._values["tls.ca_file"] else []
        parts += ["client certificate"] if self._values["tls.certificate"] else []
        parts += [f"ALPN {self._values['tls.alpn']}"] if self._values["tls.alpn"] else []
        parts += ["pinned"] if self._values["tls.fingerprint"] else []
        parts += ["keys logged"] if self._values["tls.key_log"] else []
        return ", ".join(parts)

    def _trust(self) -> str:
        """What decides whether the certificate is accepted."""
        pinned = bool(self._values["tls.fingerprint"])
        if self._values["tls.verify"] == ON:
            return "the certificate, and its fingerprint" if pinned else "check the certificate"
        return "the fingerprint alone is checked" if pinned else "check the certificate"

    def _trust_warning(self) -> str:
        unsafe = self._values["tls.verify"] != ON and not self._values["tls.fingerprint"]
        return "the certificate is not checked: anyone may answer" if unsafe else ""

    # ---------------------------------------------------------------- values

    def options(self) -> TlsOptions | None:
        """TLS, if it is chosen. Raises FormError."""
        if not self.on:
            return None
        lowest, highest = self._versions()
        return TlsOptions(
            ca_file=self._plain("tls.ca_file"),
            certificate=self._plain("tls.certificate"),
            key=self._plain("tls.key"),
            key_passphrase=self._plain("tls.key_passphrase"),
            server_name=self._plain("tls.server_name"),
            minimum_version=lowest,
            maximum_version=highest,
            alpn=self._alpn(),
            verify=self._values["tls.verify"] == ON,
            fingerprint=self._fingerprint(),
            key_log=self._plain("tls.key_log"),
        )

    def _plain(self, row: str) -> str:
        return parse_bytes(self._values[row], row).decode("utf-8", "surrogateescape")

    def _versions(self) -> tuple[str, str]:
        lowest, highest = self._values["tls.minimum_version"], self._values["tls.maximum_version"]
        highest = "" if highest == _NEWEST else highest
        try:
            check_versions(lowest, highest)
        except ConfigError as error:
            raise FormError("tls.maximum_version", error.title) from None
        return lowest, highest

    def _alpn(self) -> tuple[str, ...]:
        return made("tls.alpn", self._values["tls.alpn"], parse_alpn)

    def _fingerprint(self) -> str:
        return made("tls.fingerprint", self._values["tls.fingerprint"], parse_fingerprint)
