"""The draft of a connection: what stands in the Connection form, as typed, and the options that it makes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mqtttui import text
from mqtttui.config.options import ConnectOptions, ReconnectOptions, default_port
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.packets import Connect, TopicRequest, Will
from mqtttui.protocol.properties import WILL
from mqtttui.protocol.topics import check_topic
from mqtttui.ui.forms.properties import PropertiesDraft
from mqtttui.ui.forms.route import RouteDraft
from mqtttui.ui.forms.rows import (
    CLOSED,
    ON,
    OPEN,
    FormError,
    Kind,
    Row,
    as_number,
    parse_bytes,
    parse_number,
    parse_seconds,
    parse_text,
    toggle,
)
from mqtttui.ui.forms.tls import TlsDraft
from mqtttui.ui.forms.transport import UNIX, WEBSOCKET, TransportDraft

_VERSIONS = tuple(version.label for version in Version)
_QOS = ("0", "1", "2", "3")
_UNUSUAL_QOS = 3
_NUMBER_WIDTH = 10
_LONGEST_FILTER = 40


def generated_client_id() -> str:
    """A fresh id of 20 characters out of [0-9a-z-]: every broker must take it, also with 3.1 (at most 23)."""
    return f"mqtttui-{secrets.token_hex(6)}"


class ConnectDraft:
    """The form's values by row id, all as typed; `options()` makes ConnectOptions of them."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._open: set[str] = set()
        self.url = ""
        """What stands in the line for URLs and commands."""
        self.url_error = ""
        self.url_note = ""
        self._requests: Sequence[TopicRequest] = ()
        self._subscribe = True
        self._message = False
        self.profile = ""
        """The profile that filled the form, in words; empty: none."""
        self.awaited: Mapping[str, str] = {}
        """Place of a secret that is fetched for the connection -> where from."""
        self.notes: dict[str, str] = {}
        """Warnings of the dissector by row id."""
        self._transport = TransportDraft()
        self._route = RouteDraft()
        self._tls = TlsDraft()
        self.connect_properties = PropertiesDraft("properties", PacketType.CONNECT)
        self.will_properties = PropertiesDraft("will_properties", WILL)
        self.load(ConnectOptions())

    # ---------------------------------------------------------------- in and out

    def load(self, options: ConnectOptions) -> None:
        """Show these options; sections that say something open."""
        connect, will = options.connect, options.connect.will or Will("")
        secret = connect.password
        self._values = {
            "host": text.visible(options.host),
            "port": str(options.port),
            "version": connect.version.label,
            "client_id": text.visible(connect.client_id),
            "clean": toggle(connect.clean),
            "keep_alive": str(connect.keep_alive),
            "username": toggle(connect.username is not None),
            "username.value": text.visible(connect.username or ""),
            "password": toggle(secret is not None),
            "password.value": text.visible(secret or b""),
            "will": toggle(connect.will is not None),
            "will.topic": text.visible(will.topic),
            "will.payload": text.visible(will.payload),
            "will.qos": str(will.qos),
            "will.retain": toggle(will.retain),
            "dial_timeout": as_number(options.dial_timeout),
            "connack_timeout": as_number(options.connack_timeout),
            "reconnect": toggle(options.reconnect.enabled),
            "reconnect.first_delay": as_number(options.reconnect.first_delay),
            "reconnect.longest_delay": as_number(options.reconnect.longest_delay),
            "reconnect.resubscribe": toggle(options.reconnect.resubscribe),
            "protocol_name": "" if connect.protocol_name is None else text.visible(connect.protocol_name),
            "level": "" if connect.level is None else str(connect.level),
            "flags": "" if connect.flags is None else f"0x{connect.flags:02x}",
        }
        self._transport.load(options)
        self._route.load(options)
        self._tls.load(options.tls)
        self.connect_properties.load(connect.properties)
        self.will_properties.load(will.properties)
        self._open = set()
        if connect.will is not None:
            self._open.add("will")
        if connect.properties:
            self._open.add("properties")

    def expect(self, requests: Sequence[TopicRequest], *, message: bool = False) -> None:
        """Say what will be subscribed to once connected, and whether a message waits in the Publish pane."""
        self._requests, self._subscribe, self._message = tuple(requests), True, message

    def options(self) -> ConnectOptions:
        """What the form says. Raises FormError naming the row; what is merely unwise passes."""
        place = {"unix_path": self._transport.unix_path()} if self._transport.kind == UNIX else self._place()
        return ConnectOptions(
            **place,
            connect=self._connect(),
            dial_timeout=parse_seconds(self._values["dial_timeout"], "dial_timeout"),
            connack_timeout=parse_seconds(self._values["connack_timeout"], "connack_timeout"),
            reconnect=ReconnectOptions(
                self._is_on("reconnect"),
                parse_seconds(self._values["reconnect.first_delay"], "reconnect.first_delay"),
                parse_seconds(self._values["reconnect.longest_delay"], "reconnect.longest_delay"),
                self._is_on("reconnect.resubscribe"),
            ),
        )

    def change(self, row: str, value: str) -> None:
        """A row was typed, chosen, toggled or opened."""
        before = self._standard_port
        if row == "url":
            self.url, self.url_error, self.url_note = value, "", ""
        elif (owner := self._owner(row)) is not None:
            owner.change(row, value)
        elif row.startswith("section."):
            name = row.removeprefix("section.")
            (self._open.add if value == OPEN else self._open.discard)(name)
        elif self.connect_properties.owns(row):
            self.connect_properties.change(row, value)
        elif self.will_properties.owns(row):
            self.will_properties.change(row, value)
        elif row == "then":
            self._subscribe = value == ON
        else:
            if row.endswith(".flag"):
                row = row.removesuffix(".value.flag")
            elif row in ("username.value", "password.value") and value:
                self._values[row.removesuffix(".value")] = ON
            self._values[row] = value
        if row in ("tls", "transport") and self._values["port"] == before:
            self._values["port"] = self._standard_port  # It follows as long as nobody chose another one.

    def _owner(self, row: str) -> TransportDraft | RouteDraft | TlsDraft | None:
        """The part of the form that a row belongs to."""
        return next((part for part in (self._transport, self._route, self._tls) if part.owns(row)), None)

    def properties_of(self, row: str) -> PropertiesDraft | None:
        """The list of properties that a row belongs to."""
        return next((draft for draft in (self.connect_properties, self.will_properties) if draft.owns(row)), None)

    def open(self, row: str) -> None:
        """Open the section that hides a row."""
        if (owner := self._owner(row)) is not None:
            owner.open()
        section = self._section_of(row)
        if section:
            self._open.add(section)

    # ---------------------------------------------------------------- rows

    def rows(self) -> list[Row]:
        """Every row in the order of the CONNECT packet, more or less."""
        v5 = self._values["version"] == Version.V5.label
        rows = [
            Row("url", "URL or command", value=self.url, placeholder="paste mqtt://host or mosquitto_sub …", error=self.url_error,
                warning=self.url_note, passes="?:P", help="Enter fills the form, ctrl+s also connects"),
            *([Row("profile", self.profile, Kind.NOTE)] if self.profile else []),
            *self._then_rows(),
            self._transport.choice(),
            *([self._transport.unix_row()] if self._transport.kind == UNIX else self._place_rows()),
            Row("version", "MQTT version", Kind.CHOICE, self._values["version"], _VERSIONS),
            self._text("client_id", "Client id", placeholder="empty: the server chooses one",
                       help="The key of the session: the same id twice throws the older connection out. Ctrl+g puts in a new one"),
            Row("clean", "Clean start" if v5 else "Clean session", Kind.TOGGLE, self._values["clean"],
                summary="drop the old session" if v5 else "drop the old session, keep none"),
            self._text("keep_alive", "Keep alive", unit="s", help="0 to 65,535; the server gives up after 1.5 times this; 0: off"),
            self._credential("username", "User name", Kind.TEXT),
            self._credential("password", "Password", Kind.SECRET),
            *self._will_rows(v5),
        ]  # fmt: skip
        if v5:
            rows.append(self._section("properties", "Properties", self.connect_properties.summary))
            if "properties" in self._open:
                rows.extend(self.connect_properties.rows())
        rows.extend(self._time_rows())
        rows.extend(self._unusual_rows())
        return [self._checked(row) for row in rows]

    def _place_rows(self) -> list[Row]:
        usual = "80 without TLS, 443 with it" if self._transport.kind == WEBSOCKET else "1883 without TLS, 8883 with it"
        return [
            self._text("host", "Host", help="Name, IPv4 or IPv6 address of the broker"),
            self._text("port", "Port", help=f"{usual}, unless the broker says otherwise"),
            *self._transport.websocket_rows(),
            *self._tls.rows(),
            *self._route.rows(),
        ]

    def _then_rows(self) -> list[Row]:
        rows = []
        if self._requests:
            first = self._requests[0]
            more = f" and {len(self._requests) - 1:,} more" if len(self._requests) > 1 else ""
            shown = f"{text.shorten(text.visible(first.filter), _LONGEST_FILTER)} at QoS {first.qos}{more}"
            rows.append(Row("then", "Then subscribe", Kind.TOGGLE, toggle(self._subscribe), summary=shown))
        if self._message:
            rows.append(Row("then.publish", "Then publish: the message waits in its pane (3)", Kind.NOTE))
        return rows

    def _credential(self, name: str, label: str, kind: Kind) -> Row:
        on = self._is_on(name)
        help_ = "Space turns it on or off, typing turns it on" + (r"; a byte is \xNN" if kind is Kind.SECRET else "")
        placeholder = "sent, but empty" if on else self.awaited.get(name, "not in the packet")
        return Row(
            f"{name}.value", label, kind, self._values[f"{name}.value"], check=self._values[name], placeholder=placeholder, help=help_
        )

    def _will_rows(self, v5: bool) -> list[Row]:
        rows = [Row("will", "Will", Kind.TOGGLE, self._values["will"], summary="" if self._is_on("will") else "no last message")]
        if not self._is_on("will"):
            return rows
        rows += [
            self._text("will.topic", "Topic", indent=1, warning=self._topic_warning()),
            self._text("will.payload", "Payload", indent=1, placeholder="empty"),
            Row("will.qos", "QoS", Kind.CHOICE, self._values["will.qos"], self._qos_choices(), indent=1),
            Row("will.retain", "Retain", Kind.TOGGLE, self._values["will.retain"], indent=1, summary="the server stores it"),
        ]
        if v5:
            rows.append(self._section("will", "Properties", self.will_properties.summary, indent=1))
            if "will" in self._open:
                rows.extend(replace(row, indent=row.indent + 1) for row in self.will_properties.rows())
        return rows

    def _time_rows(self) -> list[Row]:
        on = self._is_on("reconnect")
        rows = [self._section("times", "Time-outs", f"{self._values['dial_timeout']} s, reconnect {self._values['reconnect']}")]
        if "times" in self._open:
            rows += [
                self._text(
                    "dial_timeout", "Reach the broker", indent=1, unit="s", help="Name lookup, TCP, proxy, TLS and WebSocket together"
                ),
                self._text("connack_timeout", "CONNACK", indent=1, unit="s"),
                Row("reconnect", "Reconnect", Kind.TOGGLE, self._values["reconnect"], indent=1, summary="by itself after a loss"),
            ]
            if on:
                rows += [
                    self._text("reconnect.first_delay", "First after", indent=2, unit="s", help="Doubles with each attempt"),
                    self._text("reconnect.longest_delay", "At most", indent=2, unit="s"),
                    Row("reconnect.resubscribe", "Subscribe again", Kind.TOGGLE, self._values["reconnect.resubscribe"], indent=2,
                        summary="when the server has no session"),
                ]  # fmt: skip
        return rows

    def _unusual_rows(self) -> list[Row]:
        given = [name for name in ("protocol_name", "level", "flags") if self._values[name]]
        summary = "as the standard says" if not given else "differs: " + ", ".join(name.replace("_", " ") for name in given)
        rows = [self._section("unusual", "Overrides", summary)]
        if "unusual" in self._open:
            rows += [
                self._text("protocol_name", "Protocol name", indent=1, placeholder="that of the version"),
                self._text("level", "Protocol level", indent=1, placeholder="that of the version", help="0 to 255; bridges use 0x84"),
                self._text("flags", "Connect Flags", indent=1, placeholder="as in the form", help="0x00 to 0xff; no field follows it"),
            ]  # fmt: skip
        return rows

    def _text(
        self, id: str, label: str, *, unit: str = "", placeholder: str = "", help: str = "", indent: int = 0, warning: str = ""
    ) -> Row:
        width = _NUMBER_WIDTH if unit or id == "port" else 0
        return Row(
            id, label, value=self._values[id], unit=unit, placeholder=placeholder, help=help, indent=indent, warning=warning, width=width
        )

    def _section(self, name: str, label: str, summary: str, indent: int = 0) -> Row:
        return Row(f"section.{name}", label, Kind.SECTION, OPEN if name in self._open else CLOSED, summary=summary, indent=indent)

    def _checked(self, row: Row) -> Row:
        """The row with its error, if the value cannot leave as it stands."""
        if not row.warning and row.id in self.notes:
            row = replace(row, warning=self.notes[row.id])
        if not row.editable or row.error or row.id == "url" or self.properties_of(row.id) is not None or self._owner(row.id):
            return row
        try:
            self._check(row.id)
        except FormError as problem:
            return replace(row, error=problem.text) if problem.field == row.id else row
        return row

    def _check(self, row: str) -> None:
        value = self._values[row]
        match row:
            case "host":
                if not value.strip():
                    raise FormError(row, "a host name or address")
            case "port":
                parse_number(value, row, 1, 65535)
            case "keep_alive":
                parse_number(value, row, 0, 65535)
            case "dial_timeout" | "connack_timeout" | "reconnect.first_delay" | "reconnect.longest_delay":
                parse_seconds(value, row)
            case "level" | "flags":
                if value:
                    parse_number(value, row, 0, 255)
            case _:
                parse_bytes(value, row)

    # ---------------------------------------------------------------- values

    def _connect(self) -> Connect:
        values = self._values
        version = Version.from_label(values["version"])
        v5 = version is Version.V5
        will = None
        if self._is_on("will"):
            will = Will(
                topic=self._short_text("will.topic"),
                payload=self._short_bytes("will.payload"),
                qos=int(values["will.qos"]),
                retain=self._is_on("will.retain"),
                properties=self.will_properties.properties() if v5 else (),
            )
        return Connect(
            client_id=self._short_text("client_id"),
            version=version,
            clean=self._is_on("clean"),
            keep_alive=parse_number(values["keep_alive"], "keep_alive", 0, 65535),
            username=self._short_text("username.value") if self._is_on("username") else None,
            password=self._short_bytes("password.value") if self._is_on("password") else None,
            will=will,
            properties=self.connect_properties.properties() if v5 else (),
            flags=parse_number(values["flags"], "flags", 0, 255) if values["flags"] else None,
            protocol_name=self._short_text("protocol_name") if values["protocol_name"] else None,
            level=parse_number(values["level"], "level", 0, 255) if values["level"] else None,
        )

    def _place(self) -> dict[str, Any]:
        host = parse_bytes(self._values["host"], "host").decode("utf-8", "surrogateescape").strip()
        if not host or any(char.isspace() or char == "\0" for char in host):
            raise FormError("host", "a host name or address" if not host else "a host name has no spaces")
        port = parse_number(self._values["port"], "port", 1, 65535)
        route = {"websocket": self._transport.websocket(), "proxy": self._route.proxy(), "bind": self._route.bind()}
        return {"host": host, "port": port, "tls": self._tls.options(), **route}

    def _short_bytes(self, row: str) -> bytes:
        raw = parse_bytes(self._values[row], row)
        if len(raw) > 0xFFFF:
            raise FormError(row, f"{len(raw):,} bytes; at most 65,535 fit")
        return raw

    def _short_text(self, row: str) -> str | bytes:
        self._short_bytes(row)
        return parse_text(self._values[row], row)

    def _is_on(self, row: str) -> bool:
        return self._values[row] == ON

    @property
    def _standard_port(self) -> str:
        return str(default_port(tls=self._tls.on, websocket=self._transport.kind == WEBSOCKET))

    def _topic_warning(self) -> str:
        try:
            raw = parse_bytes(self._values["will.topic"], "will.topic")
        except FormError:
            return ""
        return check_topic(raw, Version.from_label(self._values["version"])) or ""

    def _qos_choices(self) -> tuple[str, ...]:
        """3 is forbidden and only there when it was asked for (a pasted command, a resent packet)."""
        return _QOS if self._values["will.qos"] == str(_UNUSUAL_QOS) else _QOS[:_UNUSUAL_QOS]

    def _section_of(self, row: str) -> str:
        if self.connect_properties.owns(row):
            return "properties"
        if self.will_properties.owns(row):
            return "will"
        if row.startswith("reconnect") or row.endswith("_timeout"):
            return "times"
        return "unusual" if row in ("protocol_name", "level", "flags") else ""
