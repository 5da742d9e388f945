"""The secrets of a connection by place: which there are, and how one that was fetched gets in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mqtttui.config.options import ConnectOptions
from mqtttui.config.routes import check_login
from mqtttui.config.transports import is_secret_header, parse_header, parse_target
from mqtttui.protocol.enums import PropertyId
from mqtttui.protocol.packets import Properties, Property

PASSWORD, KEY_PASSPHRASE, PROXY_PASSWORD, QUERY = "password", "tls.key-passphrase", "proxy.password", "websocket.query"
AUTHENTICATION_DATA, HEADER = "authentication-data", "header:"
"""Places. That of a header is `header:authorization`."""


def secrets_of(options: ConnectOptions) -> dict[str, bytes]:
    """The secrets in `options` that are not empty, by place."""
    web, connect = options.websocket, options.connect
    found: dict[str, bytes] = {}
    if connect.password:
        found[PASSWORD] = connect.password
    for item in connect.properties:
        if item.id == PropertyId.AUTHENTICATION_DATA and item.value:
            found.setdefault(AUTHENTICATION_DATA, _raw(item.value))
    if options.tls is not None and options.tls.key_passphrase:
        found[KEY_PASSPHRASE] = _raw(options.tls.key_passphrase)
    if options.proxy is not None and options.proxy.password:
        found[PROXY_PASSWORD] = _raw(options.proxy.password)
    if web is not None:
        if query := web.path.partition("?")[2]:
            found[QUERY] = query.encode()
        found |= {header_place(name): _raw(given) for name, given in web.headers if given and is_secret_header(name)}
    return found


def with_secret(options: ConnectOptions, place: str, value: bytes) -> ConnectOptions:
    """`options` with a secret in its place, which is empty until then; no change if the options have no such place.

    Raises ConfigError, which does not repeat it, for what cannot stand there.
    """
    text = value.decode("utf-8", "surrogateescape")
    web, connect = options.websocket, options.connect
    match place:
        case "password":
            return replace(options, connect=replace(connect, password=value))
        case "authentication-data":
            return replace(options, connect=replace(connect, properties=_with_data(connect.properties, value)))
        case "tls.key-passphrase" if options.tls is not None:
            return replace(options, tls=replace(options.tls, key_passphrase=text))
        case "proxy.password" if options.proxy is not None:
            check_login(options.proxy.kind, options.proxy.username, text)
            return replace(options, proxy=replace(options.proxy, password=text))
        case "websocket.query" if web is not None:
            return replace(options, websocket=replace(web, path=parse_target(f"{web.path.partition('?')[0]}?{text}")))
        case _ if web is not None and place.startswith(HEADER):
            known = tuple(parse_header(f"{name}: {text}") if header_place(name) == place else (name, given) for name, given in web.headers)
            return replace(options, websocket=replace(web, headers=known))
    return options


def header_place(name: str) -> str:
    """The place of the secret in a header."""
    return HEADER + name.lower()


def place_words(place: str) -> str:
    """`password`, `header Authorization`: what a person calls it."""
    if place.startswith(HEADER):
        return f"header {place.removeprefix(HEADER)}"
    return {KEY_PASSPHRASE: "key passphrase", PROXY_PASSWORD: "proxy password", QUERY: "query of the WebSocket"}.get(
        place, place.replace("-", " ")
    )


def _with_data(items: Properties, value: bytes) -> Properties:
    out, done = [], False
    for item in items:
        mine = item.id == PropertyId.AUTHENTICATION_DATA and not done
        out.append(Property(item.id, value) if mine else item)
        done = done or mine
    return tuple(out)


def _raw(value: Any) -> bytes:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value if isinstance(value, bytes) else b""
