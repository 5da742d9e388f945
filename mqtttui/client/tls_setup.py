"""The settings of a TLS connection from TlsOptions; whatever cannot be used is found here, before anything is dialed."""

from __future__ import annotations

import os
import ssl
import stat
import warnings
from datetime import UTC, datetime

from mqtttui.client import certificates
from mqtttui.config.options import TlsOptions
from mqtttui.config.tls import BROKEN

_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


_LARGEST_FILE = 1_048_576


class TlsSetupError(Exception):
    """A file or setting of TlsOptions that cannot be used: `what` it is, `path` where it is from, `cause`."""

    def __init__(self, what: str, path: str, cause: Exception | None = None) -> None:
        super().__init__(f"{what}: {path}")
        self.what = what
        """`CA file`, `client certificate`, `key`, `key passphrase`, `certificate and key`, `TLS version`, `key log file` …"""
        self.path = path
        self.cause = cause


def make_context(options: TlsOptions) -> ssl.SSLContext:
    """The settings of a TLS connection. Reads the files that `options` names. Raises TlsSetupError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _set_versions(context, options)
    if options.alpn:
        context.set_alpn_protocols(list(options.alpn))
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.ca_file:
        try:
            context.load_verify_locations(cafile=options.ca_file)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise TlsSetupError("CA file", options.ca_file, error) from error
    elif options.verify:
        context.load_default_certs()
    if options.certificate:
        _load_certificate(context, options)
    elif options.key:
        raise TlsSetupError("client certificate", options.key)
    if options.key_log:
        _log_keys(context, options.key_log)
    return context


def _set_versions(context: ssl.SSLContext, options: TlsOptions) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # The old versions are asked for.
        context.minimum_version = _version(options.minimum_version)
        if options.maximum_version:
            context.maximum_version = _version(options.maximum_version)
    if options.minimum_version in BROKEN:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL 3 has the signatures of these versions off otherwise.


def _version(name: str) -> ssl.TLSVersion:
    version = _VERSIONS.get(name)
    if version is None:
        raise TlsSetupError("TLS version", name)
    return version


def _log_keys(context: ssl.SSLContext, path: str) -> None:
    """Have OpenSSL append the secrets to `path`: a plain file that nobody else may read, made if it is missing."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o600)
        try:
            found = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise TlsSetupError("key log, which is no plain file", path)
        if found.st_mode & 0o077:
            raise TlsSetupError("key log file that others may read", path)
        context.keylog_filename = path
    except (OSError, ValueError) as error:
        raise TlsSetupError("key log file", path, error) from error


def _load_certificate(context: ssl.SSLContext, options: TlsOptions) -> None:
    for what, path in (("client certificate", options.certificate), ("key", options.key)):
        if path:
            try:
                with open(path, "rb"):
                    pass
            except (OSError, ValueError) as error:
                raise TlsSetupError(what, path, error) from error
    asked = False

    def passphrase() -> str:
        # Always given as a function: without one, OpenSSL asks on the terminal, in the middle of the screen.
        nonlocal asked
        asked = True
        return options.key_passphrase

    try:
        context.load_cert_chain(options.certificate, options.key or None, passphrase)
    except (OSError, ssl.SSLError, ValueError) as error:
        path = options.key or options.certificate
        if asked:
            raise TlsSetupError("key passphrase" if options.key_passphrase else "key without its passphrase", path, error) from error
        mismatch = isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH"
        raise TlsSetupError("certificate and key" if mismatch else "client certificate or key", path, error) from error
    _check_dates(options.certificate)


def _check_dates(path: str) -> None:
    """Servers do not take a certificate before or after its time."""
    with open(path, "rb") as file:
        own = certificates.read_first(file.read(_LARGEST_FILE))
    if own is None or own.not_before is None or own.not_after is None:
        return
    now = datetime.now(UTC)
    if now > own.not_after:
        raise TlsSetupError("expired client certificate", path, ValueError(f"valid until {own.not_after:%Y-%m-%d %H:%M} UTC"))
    if now < own.not_before:
        raise TlsSetupError("client certificate before its time", path, ValueError(f"valid from {own.not_before:%Y-%m-%d %H:%M} UTC"))
