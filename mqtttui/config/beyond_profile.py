"""Options of the command line on top of a profile: what they say counts, everything else is as the profile has it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from mqtttui.config.draft import Draft, Parsed
from mqtttui.config.options import TlsOptions, WebSocketOptions
from mqtttui.config.profile_fields import Contents
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connect, Text

_WILL = frozenset({"will-topic", "will-payload", "will-qos", "will-retain"})
_EXPIRY = frozenset({"session-expiry", "disable-clean-session"})
_ID = frozenset({"id", "id-prefix"})
_MESSAGE = frozenset({"message", "file", "null-message"})
_PLACES = frozenset({"host", "url", "unix"})


def draft_of(contents: Contents, keys: Collection[str], version: Version | None) -> Draft:
    """A draft that begins with the profile. `keys` are those of the options that follow, `version` what they say of it."""
    options, connect = contents.options, contents.options.connect
    draft = Draft(version=version or connect.version, host=options.host, port=options.port, reconnect=options.reconnect)
    draft.tls.on, draft.tls.options = options.tls is not None, options.tls or TlsOptions()
    web = options.websocket
    draft.transport.websocket, draft.transport.options = web is not None, web or WebSocketOptions()
    draft.transport.headers = list(web.headers) if web is not None else []
    draft.transport.unix_path = options.unix_path if not _PLACES & set(keys) else ""
    if "unix" in keys:
        draft.tls.on, draft.transport.websocket = False, None
    draft.route.proxy, draft.route.bind = options.proxy, options.bind
    draft.client_id = _str(connect.client_id)
    draft.username, draft.password = connect.username, connect.password
    draft.keep_alive, draft.clean = connect.keep_alive, connect.clean
    if (will := connect.will) is not None and (_WILL & set(keys) or "property" in keys):
        draft.will_topic, draft.will_payload, draft.will_qos, draft.will_retain = _str(will.topic), will.payload, will.qos, will.retain
    if draft.version is Version.V5:
        dropped = PropertyId.SESSION_EXPIRY_INTERVAL if "session-expiry" in keys else None
        kept = [item for item in connect.properties if item.id != dropped]
        draft.properties = {"connect": kept} if kept else {}
        if draft.will_topic is not None and will is not None and will.properties:
            draft.properties["will"] = list(will.properties)
    return draft


def beyond(contents: Contents, draft: Draft, keys: Collection[str]) -> Parsed:
    """What the draft says where an option was given, and the profile everywhere else. Raises ConfigError."""
    given, before = set(keys), contents.options.connect
    had_topics = bool(draft.topics)
    own = list(draft.properties.get("connect", ()))
    parsed = draft.result()
    made = parsed.options.connect
    connect = Connect(
        client_id=made.client_id if _ID & given else before.client_id,
        version=made.version,
        clean=made.clean,
        keep_alive=made.keep_alive,
        username=made.username,
        password=made.password,
        will=made.will if _WILL & given or "property" in given else before.will,
        properties=made.properties if _EXPIRY & given else tuple(own) if made.version is Version.V5 else (),
        flags=before.flags,
        protocol_name=before.protocol_name,
        level=before.level,
    )
    options = replace(
        parsed.options, connect=connect, dial_timeout=contents.options.dial_timeout, connack_timeout=contents.options.connack_timeout
    )
    if connect.will is not None and made.version is not Version.V5:
        options = replace(options, connect=replace(connect, will=replace(connect.will, properties=())))
    topics = had_topics or bool(_MESSAGE & given)
    return Parsed(
        options,
        parsed.subscriptions if topics else contents.subscriptions,
        parsed.publish if topics else contents.publish,
        parsed.ignored,
        parsed.subscribe_properties if topics else contents.subscribe_properties,
    )


def _str(text: Text) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "surrogateescape")
