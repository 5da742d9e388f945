"""Every key of a profile, and what it is in ConnectOptions: one flat table of values by dotted key, `tls.ca-file`.

Profiles that extend each other, the file and the form all meet in this table. A key that is not in a table has its default.
Where a secret is not known yet, `options_of` leaves its place empty and names it in `pending`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mqtttui.config.errors import ConfigError
from mqtttui.config.guard import Guard
from mqtttui.config.options import ConnectOptions, ProxyOptions, ReconnectOptions, TlsOptions, WebSocketOptions, default_port
from mqtttui.config.profile_secrets import AUTHENTICATION_DATA, KEY_PASSPHRASE, PASSWORD, PROXY_PASSWORD, QUERY, header_place
from mqtttui.config.profile_values import (
    BadValue,
    Item,
    Leaf,
    checked,
    choice,
    escape,
    header_list,
    octets,
    optional,
    path,
    properties,
    seconds,
    secret,
    string,
    strings,
    subscriptions,
    switch,
    version,
    whole,
    wire_text,
    write_headers,
    write_octets,
    write_properties,
    write_secret,
    write_subscriptions,
    write_text,
)
from mqtttui.config.routes import check_login, parse_bind
from mqtttui.config.secrets import Source
from mqtttui.config.tls import VERSIONS, check_versions, parse_alpn, parse_fingerprint
from mqtttui.config.transports import parse_header, parse_protocols, parse_target, parse_unix_path
from mqtttui.config.urls import parse_host
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import Connect, Properties, Property, Publish, TopicRequest, Will
from mqtttui.protocol.properties import WILL

Values = Mapping[str, Any]
"""Values by dotted key."""

_O, _T, _W, _R, _P = ConnectOptions(), TlsOptions(), WebSocketOptions(), ReconnectOptions(), ProxyOptions()


def _text(default: str = "") -> Leaf:
    return Leaf(string, write_text, default)


def _bytes() -> Leaf:
    return Leaf(octets, write_octets, b"")


def _path() -> Leaf:
    return Leaf(path, write_text, "")


def _switch(default: bool) -> Leaf:
    return Leaf(switch, bool, default)


def _seconds(default: float) -> Leaf:
    return Leaf(seconds, lambda value: int(value) if value == int(value) else value, default)


def _number(high: int, default: int | None, low: int = 0) -> Leaf:
    return Leaf(whole(low, high) if default is not None else optional(whole(low, high)), int, default)


def _list(packet: int) -> Leaf:
    return Leaf(properties(packet), write_properties, ())


LEAVES: Mapping[str, Leaf] = {
    "group": _text(),
    "label": _text(),
    "guard": Leaf(lambda value: Guard(choice(*(guard.value for guard in Guard))(value)), lambda guard: guard.value, Guard.NONE),
    "transport": Leaf(choice("tcp", "tls", "ws", "wss", "unix"), str, _O.transport),
    "host": Leaf(checked(parse_host), write_text, _O.host),
    "port": Leaf(whole(1, 0xFFFF), int, None),
    "unix-path": Leaf(checked(parse_unix_path), write_text, ""),
    "bind": Leaf(checked(lambda text: parse_bind(text) if text else ""), write_text, ""),
    "version": Leaf(version, lambda value: value.label, Version.V311),
    "client-id": Leaf(wire_text, write_text, ""),
    "clean": _switch(True),
    "keep-alive": _number(0xFFFF, 60),
    "username": Leaf(optional(wire_text), write_text),
    "password": Leaf(optional(secret), write_secret),
    "dial-timeout": _seconds(_O.dial_timeout),
    "connack-timeout": _seconds(_O.connack_timeout),
    "protocol-name": Leaf(optional(wire_text), write_text),
    "level": _number(0xFF, None),
    "flags": _number(0xFF, None),
    "properties": _list(PacketType.CONNECT),
    "subscriptions": Leaf(subscriptions, write_subscriptions, ()),
    "subscribe-properties": _list(PacketType.SUBSCRIBE),
    "tls.ca-file": _path(),
    "tls.certificate": _path(),
    "tls.key": _path(),
    "tls.key-passphrase": Leaf(secret, write_secret, b""),
    "tls.server-name": _text(),
    "tls.minimum-version": Leaf(choice(*VERSIONS), str, _T.minimum_version),
    "tls.verify": _switch(_T.verify),
    "tls.maximum-version": Leaf(choice(*VERSIONS, ""), str, _T.maximum_version),
    "tls.alpn": Leaf(lambda value: checked(parse_alpn)(", ".join(strings(value))), lambda names: [escape(name) for name in names], ()),
    "tls.fingerprint": Leaf(checked(parse_fingerprint), write_text, ""),
    "tls.key-log": _path(),
    "websocket.path": Leaf(checked(parse_target), write_text, _W.path),
    "websocket.query": Leaf(secret, write_secret, b""),
    "websocket.protocol": Leaf(checked(parse_protocols), write_text, _W.protocol),
    "websocket.headers": Leaf(header_list(parse_header), write_headers, ()),
    "proxy.kind": Leaf(choice("http", "socks5"), str, _P.kind),
    "proxy.host": Leaf(checked(parse_host), write_text),
    "proxy.port": Leaf(whole(1, 0xFFFF), int, _P.port),
    "proxy.username": _text(),
    "proxy.password": Leaf(secret, write_secret, b""),
    "proxy.remote-names": _switch(_P.remote_names),
    "reconnect.enabled": _switch(_R.enabled),
    "reconnect.first-delay": _seconds(_R.first_delay),
    "reconnect.longest-delay": _seconds(_R.longest_delay),
    "reconnect.resubscribe": _switch(_R.resubscribe),
    "will.topic": Leaf(wire_text, write_text),
    "will.payload": _bytes(),
    "will.qos": _number(3, 0),
    "will.retain": _switch(False),
    "will.properties": _list(WILL),
    "publish.topic": Leaf(wire_text, write_text),
    "publish.payload": _bytes(),
    "publish.qos": _number(3, 0),
    "publish.retain": _switch(False),
    "publish.properties": _list(PacketType.PUBLISH),
}
"""In the order in which they are written. The default None of `port` is the transport's own."""

OPTIONAL_TABLES: Mapping[str, str] = {"proxy": "host", "will": "topic", "publish": "topic"}
"""Tables that may be `false`, and the key without which they are not there."""

TABLES = frozenset(key.partition(".")[0] for key in LEAVES if "." in key)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a profile says of a connection."""

    options: ConnectOptions
    subscriptions: tuple[TopicRequest, ...] = ()
    subscribe_properties: Properties = ()
    publish: Publish | None = None
    pending: Mapping[str, Source] = field(default_factory=dict)
    """Where the secrets come from that are not written down, by place; there the options are empty."""


def contents_of(values: Values) -> Contents:
    """The connection that the table describes. Raises BadValue, with the key first in `below`."""
    found = {key: values.get(key, leaf.default) for key, leaf in LEAVES.items()}
    for table, key in OPTIONAL_TABLES.items():
        if found[f"{table}.{key}"] is None and any(each.startswith(f"{table}.") and each in values for each in LEAVES):
            given = next(each for each in LEAVES if each.startswith(f"{table}.") and each in values)
            if values[given] is not None:
                raise BadValue(f"{table} has no {key}; add it, or write {table} = false", table)
    pending: dict[str, Source] = {}
    transport = found["transport"]
    if transport == "unix" and not found["unix-path"]:
        raise BadValue('a Unix socket needs its path: unix-path = "/run/mosquitto.sock"', "transport")
    tls = _tls(found, pending) if transport in ("tls", "wss") else None
    web = _websocket(found, pending) if transport in ("ws", "wss") else None
    port = found["port"] or default_port(tls=tls is not None, websocket=web is not None)
    options = ConnectOptions(
        host=_O.host if transport == "unix" else found["host"],
        port=_O.port if transport == "unix" else port,
        tls=tls,
        connect=_connect(found, pending),
        dial_timeout=found["dial-timeout"],
        connack_timeout=found["connack-timeout"],
        reconnect=ReconnectOptions(
            found["reconnect.enabled"], found["reconnect.first-delay"], found["reconnect.longest-delay"], found["reconnect.resubscribe"]
        ),
        websocket=web,
        unix_path=found["unix-path"] if transport == "unix" else "",
        proxy=_proxy(found, pending),
        bind=found["bind"],
    )
    publish = None
    if found["publish.topic"] is not None:
        items = _properties(found["publish.properties"])
        publish = Publish(found["publish.topic"], found["publish.payload"], found["publish.qos"], found["publish.retain"], properties=items)
    return Contents(options, found["subscriptions"], _properties(found["subscribe-properties"]), publish, pending)


def values_of(contents: Contents) -> dict[str, Any]:
    """The table of a connection, without what its transport does not use.

    What `pending` names is given as that, whatever the options hold in its place.
    """
    options, connect, pending = contents.options, contents.options.connect, contents.pending
    values: dict[str, Any] = {
        "transport": options.transport,
        "bind": options.bind,
        "version": connect.version,
        "client-id": connect.client_id,
        "clean": connect.clean,
        "keep-alive": connect.keep_alive,
        "username": connect.username,
        "password": pending.get(PASSWORD, connect.password),
        "dial-timeout": options.dial_timeout,
        "connack-timeout": options.connack_timeout,
        "protocol-name": connect.protocol_name,
        "level": connect.level,
        "flags": connect.flags,
        "properties": _items(connect.properties, pending),
        "subscriptions": contents.subscriptions,
        "subscribe-properties": _items(contents.subscribe_properties, {}),
        "reconnect.enabled": options.reconnect.enabled,
        "reconnect.first-delay": options.reconnect.first_delay,
        "reconnect.longest-delay": options.reconnect.longest_delay,
        "reconnect.resubscribe": options.reconnect.resubscribe,
    }
    if options.unix_path:
        values["unix-path"] = options.unix_path
    else:
        values |= {"host": options.host, "port": options.port}
    if options.tls is not None:
        values |= _tls_values(options.tls, pending)
    if options.websocket is not None:
        values |= _websocket_values(options.websocket, pending)
    proxy = options.proxy
    values["proxy.host"] = proxy.host if proxy is not None else None
    if proxy is not None:
        values |= {"proxy.kind": proxy.kind, "proxy.port": proxy.port, "proxy.username": proxy.username}
        values["proxy.password"] = pending.get(PROXY_PASSWORD, _raw(proxy.password))
        values["proxy.remote-names"] = proxy.remote_names
    for table, message in (("will", connect.will), ("publish", contents.publish)):
        values[f"{table}.topic"] = message.topic if message is not None else None
        if message is not None:
            values |= {f"{table}.payload": message.payload, f"{table}.qos": message.qos, f"{table}.retain": message.retain}
            values[f"{table}.properties"] = _items(message.properties, {})
    return values


def _tls_values(tls: TlsOptions, pending: Mapping[str, Source]) -> dict[str, Any]:
    return {
        "tls.ca-file": tls.ca_file,
        "tls.certificate": tls.certificate,
        "tls.key": tls.key,
        "tls.key-passphrase": pending.get(KEY_PASSPHRASE, _raw(tls.key_passphrase)),
        "tls.server-name": tls.server_name,
        "tls.minimum-version": tls.minimum_version,
        "tls.verify": tls.verify,
        "tls.maximum-version": tls.maximum_version,
        "tls.alpn": tls.alpn,
        "tls.fingerprint": tls.fingerprint,
        "tls.key-log": tls.key_log,
    }


def _websocket_values(web: WebSocketOptions, pending: Mapping[str, Source]) -> dict[str, Any]:
    way, query = split_query(web.path)
    return {
        "websocket.path": way,
        "websocket.query": pending.get(QUERY, query),
        "websocket.protocol": web.protocol,
        "websocket.headers": tuple((name, pending.get(header_place(name), given)) for name, given in web.headers),
    }


def split_query(target: str) -> tuple[str, bytes]:
    """The path of a WebSocket, and its query, which may be secret."""
    way, _, query = target.partition("?")
    return (way, query.encode()) if query else (target, b"")


def _proxy(found: Values, pending: dict[str, Source]) -> ProxyOptions | None:
    if found["proxy.host"] is None:
        return None
    kind, user = found["proxy.kind"], found["proxy.username"]
    password = _known(found["proxy.password"], PROXY_PASSWORD, pending).decode("utf-8", "surrogateescape")
    try:
        check_login(kind, user, password)
    except ConfigError as error:
        raise BadValue(str(error), "proxy", "username") from None
    return ProxyOptions(kind, found["proxy.host"], found["proxy.port"], user, password, found["proxy.remote-names"])


def _tls(found: Values, pending: dict[str, Source]) -> TlsOptions:
    try:
        check_versions(found["tls.minimum-version"], found["tls.maximum-version"])
    except ConfigError as error:
        raise BadValue(str(error), "tls", "maximum-version") from None
    return TlsOptions(
        ca_file=found["tls.ca-file"],
        certificate=found["tls.certificate"],
        key=found["tls.key"],
        key_passphrase=_known(found["tls.key-passphrase"], KEY_PASSPHRASE, pending).decode("utf-8", "surrogateescape"),
        server_name=found["tls.server-name"],
        minimum_version=found["tls.minimum-version"],
        verify=found["tls.verify"],
        maximum_version=found["tls.maximum-version"],
        alpn=found["tls.alpn"],
        fingerprint=found["tls.fingerprint"],
        key_log=found["tls.key-log"],
    )


def _websocket(found: Values, pending: dict[str, Source]) -> WebSocketOptions:
    query = _known(found["websocket.query"], QUERY, pending).decode("utf-8", "surrogateescape")
    given = tuple((name, value if isinstance(value, str) else _header(name, value, pending)) for name, value in found["websocket.headers"])
    way = found["websocket.path"]
    if query:
        try:
            way = parse_target(f"{way}?{query}")
        except ConfigError:
            raise BadValue("this is no query of a URL", "websocket", "query") from None
    return WebSocketOptions(way, found["websocket.protocol"], given)


def _header(name: str, value: Any, pending: dict[str, Source]) -> str:
    return _known(value, header_place(name), pending).decode("latin-1")


def _connect(found: Values, pending: dict[str, Source]) -> Connect:
    will = None
    if found["will.topic"] is not None:
        items = _properties(found["will.properties"])
        will = Will(found["will.topic"], found["will.payload"], found["will.qos"], found["will.retain"], items)
    password = found["password"]
    return Connect(
        client_id=found["client-id"],
        version=found["version"],
        clean=found["clean"],
        keep_alive=found["keep-alive"],
        username=found["username"],
        password=password if password is None or isinstance(password, bytes) else _known(password, PASSWORD, pending) or None,
        will=will,
        properties=tuple(
            Property(identifier, _known(value, AUTHENTICATION_DATA, pending) if _is_source(value) else value)
            for identifier, value in found["properties"]
        ),
        flags=found["flags"],
        protocol_name=found["protocol-name"],
        level=found["level"],
    )


def _known(value: Any, place: str, pending: dict[str, Source]) -> bytes:
    """The secret; empty while it is not known."""
    if isinstance(value, bytes):
        return value
    pending[place] = value
    return b""


def _is_source(value: Any) -> bool:
    return isinstance(value, Source)


def _properties(items: Sequence[Item]) -> Properties:
    return tuple(Property(identifier, b"" if _is_source(value) else value) for identifier, value in items)


def _items(found: Properties, pending: Mapping[str, Source]) -> tuple[Item, ...]:
    source = pending.get(AUTHENTICATION_DATA)
    out: list[Item] = []
    for item in found:
        if item.id == PropertyId.AUTHENTICATION_DATA and source is not None:
            out.append((item.id, source))
            source = None
        else:
            out.append((item.id, item.value))
    return tuple(out)


def _raw(value: Any) -> bytes:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value if isinstance(value, bytes) else b""
