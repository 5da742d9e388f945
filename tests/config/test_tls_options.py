"""TLS as people write it: versions, ALPN, fingerprints, the key log."""

from __future__ import annotations

import pytest

from mqtttui.cli.start import settings_from
from mqtttui.config.errors import ConfigError
from mqtttui.config.mosquitto import parse_command
from mqtttui.config.options import TlsOptions
from mqtttui.config.tls import parse_alpn, parse_fingerprint

PLAIN = "0123456789abcdef" * 4
COLONS = ":".join(PLAIN.upper()[index : index + 2] for index in range(0, 64, 2))


@pytest.mark.parametrize("text", [PLAIN, COLONS, f"SHA256 Fingerprint={COLONS}\n", f"sha256:{PLAIN}", f"SHA-256: {COLONS}", f" {PLAIN} "])
def test_fingerprints(text: str) -> None:
    assert parse_fingerprint(text) == PLAIN


@pytest.mark.parametrize(
    ("text", "said"), [("ab" * 20, "SHA-1"), ("x" * 64, "64 hexadecimal"), (PLAIN[:-1], "openssl"), (PLAIN + "00", "64")]
)
def test_what_is_no_fingerprint(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_fingerprint(text)


def test_alpn() -> None:
    assert parse_alpn("mqtt, x-amzn-mqtt-ca") == ("mqtt", "x-amzn-mqtt-ca")
    assert parse_alpn(" ") == ()
    for wrong in ("a,,b", "a b", "é", "x" * 256):
        with pytest.raises(ConfigError):
            parse_alpn(wrong)


def test_the_command_line() -> None:
    words = ["mqtts://h", "--tls-max-version", "tlsv1.2", "--tls-alpn", "mqtt", "--tls-fingerprint", COLONS, "--tls-keylog", "/k"]
    found = settings_from(words, {})[0].options
    assert found is not None
    assert found.tls == TlsOptions(maximum_version="1.2", alpn=("mqtt",), fingerprint=PLAIN, key_log="/k")
    with pytest.raises(ConfigError, match=r"at least TLS 1.3 and at most 1.2"):
        settings_from([*words, "--tls-version", "tlsv1.3"], {})
    with pytest.raises(ConfigError, match="no effect: --tls-alpn"):
        settings_from(["mqtt://h", "--tls-alpn", "mqtt"], {})


def test_keys_are_logged_only_where_asked_for_by_our_own_name() -> None:
    found = settings_from(["mqtts://h"], {"SSLKEYLOGFILE": "/k"})[0].options
    assert found is not None
    assert found.tls == TlsOptions()
    found = settings_from(["mqtts://h"], {"MQTTTUI_TLS_KEYLOG": "/k"})[0].options
    assert found is not None
    assert found.tls == TlsOptions(key_log="/k")


def test_pasted_commands() -> None:
    parsed = parse_command("mosquitto_sub -h h -t a --tls-use-os-certs --tls-alpn mqtt --tls-keylog /k")
    assert parsed.options.tls == TlsOptions(alpn=("mqtt",), key_log="/k")
    assert parsed.ignored == ()
