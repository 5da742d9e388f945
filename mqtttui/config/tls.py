"""TLS as people name it: versions, protocols of ALPN, the fingerprint of a certificate."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mqtttui.config.errors import ConfigError
from mqtttui.config.options import TlsOptions
from mqtttui.config.urls import parse_host
from mqtttui.text import shorten, visible

TLS_ONLY = (
    "key",
    "key-passphrase-file",
    "server-name",
    "tls-version",
    "tls-max-version",
    "tls-alpn",
    "tls-fingerprint",
    "tls-keylog",
    "insecure",
)
"""Keys of the options that need TLS."""

VERSIONS = ("1.0", "1.1", "1.2", "1.3")
"""The versions that can be chosen, the oldest first."""

BROKEN = frozenset({"1.0", "1.1"})
"""Versions that are no longer safe (RFC 8996); some old devices and brokers have no other."""

_LONGEST_PROTOCOL = 255
_DIGITS = 64
_OPENSSL = re.compile(r"^\s*sha-?256(\s+fingerprint)?\s*[=:]\s*", re.IGNORECASE)


def parse_version(text: str) -> str:
    """One of VERSIONS, also as `tlsv1.2`. Raises ConfigError."""
    name = text.lower().removeprefix("tlsv").removeprefix("tls")
    name = "1.0" if name == "1" else name
    if name in VERSIONS:
        return name
    raise ConfigError(f"'{shorten(visible(text), 40)}' is no TLS version", hint="use tlsv1.2 or tlsv1.3 (or tlsv1.1, tlsv1)")


def check_versions(lowest: str, highest: str) -> None:
    """Raises ConfigError where no version lies between the two."""
    if highest and VERSIONS.index(highest) < VERSIONS.index(lowest):
        raise ConfigError(f"no version is at least TLS {lowest} and at most {highest}", hint="lower the one or raise the other")


def parse_alpn(text: str) -> tuple[str, ...]:
    """Protocols, separated by commas. Raises ConfigError."""
    names = tuple(name.strip() for name in text.split(",")) if text.strip() else ()
    for name in names:
        if not name or len(name) > _LONGEST_PROTOCOL or any(not "!" <= char <= "~" for char in name):
            shown = shorten(visible(name), 40)
            raise ConfigError(f"'{shown}' is no protocol for ALPN", hint="write names such as mqtt or x-amzn-mqtt-ca, separated by commas")
    return names


def parse_fingerprint(text: str) -> str:
    """The SHA-256 of a certificate in plain hexadecimal, from any of the ways that it is written. Raises ConfigError."""
    plain = re.sub(r"[\s:]", "", _OPENSSL.sub("", text)).lower()
    if not plain or (len(plain) == _DIGITS and all(char in "0123456789abcdef" for char in plain)):
        return plain
    hint = "write 64 hexadecimal digits; openssl x509 -noout -fingerprint -sha256 prints them"
    if len(plain) == 40:
        raise ConfigError("this is a fingerprint of another kind (SHA-1)", hint=hint)
    raise ConfigError("this is no SHA-256 fingerprint", hint=hint)


def parse_path(text: str) -> str:
    """The name of a file, `~` expanded. Raises ConfigError."""
    if not text:
        raise ConfigError("the file name is empty", hint="name a file")
    return os.path.expanduser(text)


@dataclass(slots=True)
class TlsDraft:
    """What options say about TLS."""

    on: bool | None = None
    """True or False once something says so."""
    options: TlsOptions = field(default_factory=TlsOptions)

    def take(self, key: str, value: str, read_secret: Callable[[str], bytes]) -> bool:
        """Take over an option; False if it is about something else. Raises ConfigError."""
        changes: dict[str, object] = {}
        match key:
            case "tls":
                self.on = True
            case "cafile":
                self.on, changes = True, {"ca_file": parse_path(value)}
            case "cert":
                self.on, changes = True, {"certificate": parse_path(value)}
            case "key":
                changes = {"key": parse_path(value)}
            case "key-passphrase-file":
                changes = {"key_passphrase": read_secret(value).decode("utf-8", "surrogateescape")}
            case "server-name":
                changes = {"server_name": parse_host(value)}
            case "tls-version":
                changes = {"minimum_version": parse_version(value)}
            case "tls-max-version":
                changes = {"maximum_version": parse_version(value)}
            case "tls-alpn":
                changes = {"alpn": parse_alpn(value)}
            case "tls-fingerprint":
                changes = {"fingerprint": parse_fingerprint(value)}
            case "tls-keylog":
                changes = {"key_log": parse_path(value)}
            case "insecure":
                changes = {"verify": False}
            case _:
                return False
        self.options = replace(self.options, **changes)  # type: ignore[arg-type]
        return True
