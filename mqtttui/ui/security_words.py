"""How a connection is made and secured, in words: its way, TLS, the certificates of the server, the headers of a WebSocket."""

from __future__ import annotations

import base64
import textwrap
from datetime import UTC, datetime, timedelta

from mqtttui.client.events import CertificateInfo, ConnectionState, TlsInfo
from mqtttui.config.options import ConnectOptions, TlsOptions
from mqtttui.text import shorten, visible
from mqtttui.ui.widgets.read_view import Line

_LABEL = 15
_SOON = timedelta(days=14)
"""A certificate that ends within this is worth a warning."""
_PATH = 80


def security_lines(state: ConnectionState, now: datetime) -> list[Line]:
    """Everything that is known of the current or latest attempt; `now` is aware of its zone."""
    options = state.options
    if options is None:
        return [[("There was no attempt to connect yet.", "dim")]]
    lines: list[Line] = [[(visible(options.url), "name")], *_way(options, state.address)]
    if options.unix_path:
        return [*lines, [("A Unix socket needs no TLS: what it carries stays on this machine.", "dim")]]
    if options.tls is None:
        lines += [[], [("No TLS: everything, the password too, can be read on the way.", "warning")]]
    else:
        lines += [[], *_tls(state, options.tls)]
        if state.tls_info is not None:
            lines += _chain(state.tls_info, now)
    if state.upgrade is not None:
        lines += [[], [("WebSocket, as it was asked for", "name")]]
        lines += [[("> ", "dim"), (line, "")] for line in state.upgrade.request]
        lines += [[("and answered", "name")]]
        lines += [[("< ", "dim"), (line, "")] for line in state.upgrade.response] or [[("no answer", "dim")]]
    return lines


def security_text(state: ConnectionState, now: datetime) -> str:
    """The same to be copied, with the certificates themselves at the end."""
    lines = ["".join(text for text, _ in line) for line in security_lines(state, now)]
    info = state.tls_info
    return "\n".join([*lines, *(["", *(pem(each) for each in info.certificates)] if info is not None else [])])


def pem(certificate: CertificateInfo) -> str:
    """The certificate as a file for `--cafile` has it."""
    body = textwrap.fill(base64.b64encode(certificate.der).decode(), 64)
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"


def tls_words(state: ConnectionState, now: datetime) -> tuple[str, bool]:
    """TLS in one line, and whether something in it is worth a warning."""
    info = state.tls_info
    if info is None:
        return state.tls, False
    parts = [f"{info.version} {info.cipher}".strip()]
    asked = state.options is not None and state.options.tls is not None and state.options.tls.alpn
    if asked:
        parts.append(f"ALPN {visible(info.alpn)}" if info.alpn else "no ALPN chosen")
    soon = False
    if info.certificates and info.certificates[0].not_after is not None:
        words, kind = _end(info.certificates[0].not_after, now)
        soon = bool(kind)
        parts.append(f"certificate {words}")
    return " · ".join(parts), soon


def certificate_words(certificate: CertificateInfo) -> str:
    """`CN=broker · for broker.lan, 192.0.2.7 · from CN=Lab CA · until 2026-12-31`."""
    if certificate.problem:
        return f"a certificate that cannot be read: {certificate.problem}"
    parts = [certificate.subject or "without a subject"]
    parts += [f"for {_listed(certificate.names, 4)}"] if certificate.names else []
    parts += ["signed by itself" if certificate.subject == certificate.issuer else f"from {certificate.issuer or 'nobody'}"]
    if certificate.not_before is not None and certificate.not_after is not None:
        parts.append(f"valid {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}")
    return " · ".join(parts)


def colons(fingerprint: str) -> str:
    """`AB:CD:…`, as other programs write it."""
    return ":".join(fingerprint.upper()[index : index + 2] for index in range(0, len(fingerprint), 2))


def _way(options: ConnectOptions, address: str) -> list[Line]:
    lines: list[Line] = []
    proxy = options.proxy
    if proxy is not None and not options.unix_path:
        login = f", as {visible(proxy.username)}" if proxy.username else ""
        names = "which looks the name up" if proxy.remote_names else "the name is looked up here"
        lines.append(_row("through", f"{visible(proxy.url)}{login}, {names}"))
    if options.bind and not options.unix_path:
        lines.append(_row("from", visible(options.bind)))
    if address and proxy is None and not options.unix_path:
        lines.append(_row("address", address))
    return lines


def _tls(state: ConnectionState, tls: TlsOptions) -> list[Line]:
    info = state.tls_info
    lines: list[Line] = [[("TLS", "name")]]
    if info is None:
        return [*lines, [("nothing came of the server's part of the handshake", "dim")]]
    failure = state.failure
    why = f": {failure.title}" if failure is not None and failure.step == "tls" else ""
    lines.append(_row("handshake", "worked") if info.complete else _row("handshake", f"failed{why}", "error"))
    lines += [_row("version", info.version, "warning" if info.version in ("TLSv1", "TLSv1.1") else "")] if info.version else []
    lines += [_row("cipher", info.cipher)] if info.cipher else []
    lines.append(_alpn(info, tls))
    lines.append(_row("server name", info.server_name))
    lines.append(_trust(info, tls))
    if tls.fingerprint:
        lines += _fingerprint("pinned", tls.fingerprint)
    lines.append(_own(info, tls))
    if tls.key_log:
        lines.append(_row("keys", f"written to {shorten(visible(tls.key_log), _PATH)}", "warning"))
    return lines


def _alpn(info: TlsInfo, tls: TlsOptions) -> Line:
    offered = ", ".join(visible(name) for name in tls.alpn)
    if not offered:
        return _row("ALPN", "none offered")
    if info.alpn:
        return _row("ALPN", f"{visible(info.alpn)} chosen, of {offered}")
    words = f"none chosen; offered: {offered}" + ("; a server may close because of that later" if info.complete else "")
    return _row("ALPN", words, "warning")


def _trust(info: TlsInfo, tls: TlsOptions) -> Line:
    authorities = f"the authorities of {shorten(visible(tls.ca_file), _PATH)}" if tls.ca_file else "the authorities that this system trusts"
    if tls.verify:
        return _row("checked", f"against {authorities} and the server name{', and the pinned certificate' if tls.fingerprint else ''}")
    if tls.fingerprint:
        return _row("checked", "against the pinned certificate alone")
    return _row("checked", "no: anyone may have answered", "warning")


def _own(info: TlsInfo, tls: TlsOptions) -> Line:
    own = f"{shorten(visible(tls.certificate), _PATH)} is set" if tls.certificate else "none is set"
    if info.certificate_wanted:
        return _row("own certificate", f"asked for by the server; {own}", "" if tls.certificate else "warning")
    return _row("own certificate", f"not asked for; {own}" if tls.certificate else "not asked for")


def _chain(info: TlsInfo, now: datetime) -> list[Line]:
    lines: list[Line] = []
    count = len(info.certificates)
    for number, certificate in enumerate(info.certificates, 1):
        whose = "of the server" if number == 1 else "sent with it"
        lines += [[], [(f"Certificate {number} of {count}, {whose}" if count > 1 else "Certificate of the server", "name")]]
        lines += _certificate(certificate, now)
    return lines


def _certificate(certificate: CertificateInfo, now: datetime) -> list[Line]:
    lines: list[Line] = []
    if certificate.problem:
        lines.append(_row("unreadable", certificate.problem, "error"))
    else:
        lines.append(_row("subject", certificate.subject or "empty"))
        own = certificate.subject == certificate.issuer
        lines.append(_row("issuer", f"{certificate.issuer or 'empty'}{' (signed by itself)' if own else ''}"))
        if certificate.names or not certificate.authority:
            lines.append(_row("names", ", ".join(certificate.names) or "none"))
        lines += _validity(certificate, now)
    lines += _fingerprint("SHA-256", certificate.fingerprint)
    if not certificate.problem:
        lines.append(_row("serial", certificate.serial))
        lines.append(_row("key", f"{certificate.key}, signed with {certificate.signature}"))
        lines.append(_row("use", "may sign others" if certificate.authority else "a server's or a client's"))
    return lines


def _validity(certificate: CertificateInfo, now: datetime) -> list[Line]:
    lines: list[Line] = []
    if certificate.not_before is not None:
        future = certificate.not_before > now
        lines.append(_row("valid from", _moment(certificate.not_before) + (", not yet" if future else ""), "error" if future else ""))
    if certificate.not_after is not None:
        words, kind = _end(certificate.not_after, now)
        lines.append(_row("valid until", f"{_moment(certificate.not_after)}, {words}", kind))
    return lines


def _end(end: datetime, now: datetime) -> tuple[str, str]:
    """`ends in 20 days`, and how that looks."""
    left = end - now
    days = abs(left).days
    count = f"{days:,} day{'' if days == 1 else 's'}" if days else "less than a day"
    if left < timedelta():
        return f"expired {count} ago", "error"
    return f"ends in {count}", "warning" if left < _SOON else ""


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _fingerprint(label: str, fingerprint: str) -> list[Line]:
    """In two rows, so that it fits everywhere."""
    half = len(fingerprint) // 2
    return [_row(label, colons(fingerprint[:half])), _row("", colons(fingerprint[half:]))]


def _row(label: str, words: str, kind: str = "") -> Line:
    return [(f"{label:<{_LABEL}} ", "dim"), (words, kind)]


def _listed(names: tuple[str, ...], most: int) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
