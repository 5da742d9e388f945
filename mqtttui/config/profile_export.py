"""Profiles for others: without secrets, as TOML, and as a command of mosquitto's clients where those can do the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mqtttui.config.options import ConnectOptions
from mqtttui.config.profile_edit import document_of, table_of
from mqtttui.config.profile_fields import Contents
from mqtttui.config.profile_secrets import secrets_of
from mqtttui.config.profiles import Profile
from mqtttui.config.secrets import Asked, FromEnvironment, Source
from mqtttui.export.shell_words import shell_word
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Properties, Text
from mqtttui.protocol.properties import PROPERTIES

PASSWORD = "MQTT_PASSWORD"
_HEAD = "# Profiles of mqtttui, without secrets: where one belongs, it is asked for. Import them with P, ctrl+o.\n"
_VERSIONS = {Version.V31: "mqttv31", Version.V311: "mqttv311", Version.V5: "mqttv5"}


def stripped(contents: Contents) -> Contents:
    """The same without anything secret: variables of the environment stay, everything else is asked for.

    A command or an entry of the keyring is of no use to others, and may say something that it should not.
    """
    places = [*secrets_of(contents.options), *contents.pending]
    sources: dict[str, Source] = {}
    for place in places:
        known = contents.pending.get(place)
        sources[place] = known if isinstance(known, FromEnvironment) else Asked()
    return replace(contents, pending=sources)


def exported(profiles: Iterable[Profile]) -> str:
    """A file of these profiles; what each takes from another one stands in it."""
    tables = {
        each.name: table_of(stripped(each.contents), {"group": each.group, "label": each.label, "guard": each.guard}, each.name)
        for each in profiles
    }
    return document_of(tables, _HEAD)


class NoCommand(Exception):
    """Why mosquitto's clients cannot do the same; visible text."""


def mosquitto_command(contents: Contents) -> str:
    """`mosquitto_sub …`, or `mosquitto_pub …` for a profile with a message and no subscriptions. Raises NoCommand."""
    options, connect = contents.options, contents.options.connect
    publishing = contents.publish is not None and not contents.subscriptions
    words = ["mosquitto_pub" if publishing else "mosquitto_sub", *_place(options)]
    if any(value is not None for value in (connect.flags, connect.level, connect.protocol_name)):
        raise NoCommand("overrides of the CONNECT")
    words += ["-V", _VERSIONS[connect.version]] if connect.version is not Version.V311 else []
    words += ["-i", _word(connect.client_id)] if connect.client_id else []
    words += [] if connect.clean else ["-c"]
    words += ["-k", str(connect.keep_alive)] if connect.keep_alive != 60 else []
    if connect.username is not None:
        words += ["-u", _word(connect.username)]
    if connect.password or "password" in contents.pending:
        words += ["-P", f'"${PASSWORD}"']
    if connect.will is not None:
        will = connect.will
        words += ["--will-topic", _word(will.topic), "--will-qos", str(will.qos)]
        words += ["--will-payload", _word(will.payload)] if will.payload else []
        words += ["--will-retain"] if will.retain else []
        words += _properties("will", will.properties)
    words += _properties("connect", connect.properties)
    return " ".join([*words, *_message(contents, publishing)])


def _message(contents: Contents, publishing: bool) -> list[str]:
    if publishing and contents.publish is not None:
        packet = contents.publish
        words = ["-t", _word(packet.topic), "-q", str(packet.qos), *(["-r"] if packet.retain else [])]
        payload = ["-m", _word(packet.payload)] if packet.payload else ["-n"]
        return [*words, *_properties("publish", packet.properties), *payload]
    requests = contents.subscriptions
    if len({replace(request, filter="") for request in requests}) > 1:
        raise NoCommand("subscriptions with different options")
    words = [part for request in requests for part in ("-t", _word(request.filter))] or ["-t", "'#'"]
    if requests:
        first = requests[0]
        if first.no_local or first.reserved or first.qos > 2 or first.retain_handling not in (0, 2):
            raise NoCommand("options of a subscription")
        words += ["-q", str(first.qos)] if first.qos else []
        words += ["--retain-as-published"] if first.retain_as_published else []
        words += ["-R"] if first.retain_handling == 2 else []
    return [*words, *_properties("subscribe", contents.subscribe_properties), "-v"]


def _place(options: ConnectOptions) -> list[str]:
    if options.websocket is not None:
        raise NoCommand("WebSocket")
    if options.unix_path:
        return ["--unix", _word(options.unix_path)]
    words = ["-h", _word(options.host), "-p", str(options.port)]
    tls, proxy = options.tls, options.proxy
    if tls is not None:
        if tls.key_log or tls.fingerprint or tls.server_name or tls.maximum_version or len(tls.alpn) > 1:
            raise NoCommand("server name, fingerprint, key log, highest version or several ALPN names of TLS")
        words += ["--cafile", _word(tls.ca_file)] if tls.ca_file else ["--tls-use-os-certs"]
        words += ["--cert", _word(tls.certificate), "--key", _word(tls.key or tls.certificate)] if tls.certificate else []
        words += ["--tls-version", "tlsv1.3"] if tls.minimum_version == "1.3" else []
        words += ["--tls-alpn", _word(tls.alpn[0])] if tls.alpn else []
        words += [] if tls.verify else ["--insecure"]
    if proxy is not None:
        if proxy.kind != "socks5" or proxy.username:
            raise NoCommand("an HTTP proxy, or one with a login")
        words += ["--proxy", _word(f"socks5h://{proxy.host}:{proxy.port}")]
    if options.bind:
        words += ["-A", _word(options.bind)]
    return words


def _properties(packet: str, items: Properties) -> list[str]:
    words: list[str] = []
    for item in items:
        spec = PROPERTIES.get(item.id)
        if spec is None or item.id == PropertyId.AUTHENTICATION_DATA:
            raise NoCommand("authentication data, or a property that MQTT does not have")
        values = item.value if isinstance(item.value, tuple) else (item.value,)
        words += ["-D", packet, spec.name.lower().replace(" ", "-")]
        words += [str(value) if isinstance(value, int) else _word(value) for value in values]
    return words


def _word(text: Text) -> str:
    word = shell_word(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text)
    if word is None:
        raise NoCommand("a NUL in a value")
    return word
