"""How mosquitto's clients are told to reach the same broker in the same way, as far as they can."""

from __future__ import annotations

from urllib.parse import quote_from_bytes

from mqtttui.config.options import ConnectOptions, ProxyOptions, TlsOptions, place_text
from mqtttui.config.routes import bind_address
from mqtttui.export.commands import PROXY_PASSWORD


def mosquitto_way(options: ConnectOptions) -> tuple[tuple[str, ...], str]:
    """Words of a command, one for each; or none, and why there are none. The password for the proxy is a variable.

    What they have no option for and need not have (pinned certificate, highest version, own port) stays out.
    """
    if options.unix_path:
        return ("--unix", options.unix_path), ""
    if options.websocket is not None:
        return (), "mosquitto's clients speak no WebSocket"
    words = ["-h", options.host, "-p", str(options.port)]
    if options.bind:
        words += ["-A", bind_address(options.bind)[0]]
    problem = ""
    if options.tls is not None:
        more, problem = _tls(options.tls)
        words += more
    if options.proxy is not None:
        if options.proxy.kind != "socks5":
            problem = problem or "mosquitto's clients take no HTTP proxy"
        words += ["--proxy", _proxy(options.proxy)]
    return ((), problem) if problem else (tuple(words), "")


def _tls(tls: TlsOptions) -> tuple[list[str], str]:
    if not tls.verify:
        return [], "mosquitto's clients always check who signed the certificate"
    if tls.server_name:
        return [], "mosquitto's clients ask for the host's own name only"
    if len(tls.alpn) > 1:
        return [], "mosquitto's clients offer one protocol by ALPN"
    words = ["--cafile", tls.ca_file] if tls.ca_file else ["--tls-use-os-certs"]
    words += ["--cert", tls.certificate, "--key", tls.key or tls.certificate] if tls.certificate else []
    words += ["--tls-version", f"tlsv{tls.minimum_version}"] if tls.minimum_version != "1.2" else []
    words += ["--tls-alpn", tls.alpn[0]] if tls.alpn else []
    return words, ""


def _proxy(proxy: ProxyOptions) -> str:
    login = ""
    if proxy.username:
        password = f":{PROXY_PASSWORD}" if proxy.password else ""
        login = f"{quote_from_bytes(proxy.username.encode('utf-8', 'surrogateescape'), safe='')}{password}@"
    return f"socks5h://{login}{place_text(proxy.host, proxy.port)}"
