"""What is said to a proxy before the broker is reached: SOCKS5 (RFC 1928, RFC 1929) and CONNECT of HTTP (RFC 9110, section 9.3.6).

A conversation takes the bytes of the proxy and gives those to send, in any pieces. Once `done`, what is left in `rest` is
the broker's, and so is all that follows. It raises ProxyError when it cannot go on; no text in there has a login in it.
"""

from __future__ import annotations

import base64
import ipaddress
from enum import Enum
from typing import Protocol

import h11

from mqtttui.config.options import ProxyOptions, place_text
from mqtttui.text import shorten, visible

_VERSION, _LOGIN_VERSION = 5, 1
_CONNECT = 1
_NO_LOGIN, _LOGIN, _NONE_TAKEN = 0x00, 0x02, 0xFF
_IPV4, _NAME, _IPV6 = 1, 3, 4
_ADDRESS_SIZES = {_IPV4: 4, _IPV6: 16}
_LONGEST_NAME = 255
_HTTP = b"HTTP/"
_HEAD = 32
_LONGEST_ANSWER = 16_384
_TEXT = 120


class Trouble(Enum):
    """Why there is no way through."""

    OTHER = "the answer is none of such a proxy"
    LOGIN_WANTED = "the proxy wants a login"
    LOGIN_REFUSED = "the proxy refuses the login"
    LOGIN_KIND = "the proxy wants a login of another kind"
    REPLY = "SOCKS5 says no"
    STATUS = "HTTP says no"
    CLOSED = "the proxy closed the connection"
    LEFT = "the proxy took the request and closed the connection"
    WAITING = "the proxy took the request and says nothing"
    TARGET = "the broker's name cannot be sent"


class ProxyError(Exception):
    """There is no way through the proxy."""

    def __init__(self, trouble: Trouble, *, code: int = 0, text: str = "", head: bytes = b"") -> None:
        super().__init__(trouble.value)
        self.trouble = trouble
        self.code = code
        """The reply of SOCKS5, the status of HTTP."""
        self.text = text
        """Its own words; visible text."""
        self.head = head
        """How the answer begins, where it is of another kind."""


class Conversation(Protocol):
    """See the module."""

    done: bool
    rest: bytes
    spoke: bool
    """The proxy has answered as one of its kind does, and is asked for the broker now."""

    def start(self) -> bytes:
        """What to send first. Raises ProxyError for a target that cannot be named."""

    def feed(self, data: bytes) -> bytes:
        """What to send next, perhaps nothing. Raises ProxyError."""


def conversation(proxy: ProxyOptions, host: str, port: int) -> Conversation:
    """How `proxy` is asked for a connection to `host`."""
    return HttpConnect(proxy, host, port) if proxy.kind == "http" else Socks5(proxy, host, port)


class Socks5:
    """Greeting, login if one is given and wanted, request."""

    def __init__(self, proxy: ProxyOptions, host: str, port: int) -> None:
        self.done = self.spoke = False
        self.rest = b""
        self._proxy = proxy
        self._host, self._port = host, port
        self._request = b""
        self._read = self._greeting

    def start(self) -> bytes:
        """See Conversation."""
        self._request = bytes([_VERSION, _CONNECT, 0]) + _socks_address(self._host) + self._port.to_bytes(2, "big")
        methods = [_NO_LOGIN, _LOGIN] if self._proxy.username else [_NO_LOGIN]
        return bytes([_VERSION, len(methods), *methods])

    def feed(self, data: bytes) -> bytes:
        """See Conversation."""
        self.rest += data
        out = b""
        while not self.done and (answer := self._read()) is not None:
            out += answer
        return out

    def _greeting(self) -> bytes | None:
        self._expect(_VERSION)
        if len(self.rest) < 2:
            return None
        method = self._take(2)[1]
        if method == _NO_LOGIN:
            self._read, self.spoke = self._reply, True
            return self._request
        if method == _LOGIN and self._proxy.username:
            self._read = self._login
            user, password = (text.encode("utf-8", "surrogateescape") for text in (self._proxy.username, self._proxy.password))
            return bytes([_LOGIN_VERSION, len(user)]) + user + bytes([len(password)]) + password
        if method in (_LOGIN, _NONE_TAKEN) and not self._proxy.username:
            raise ProxyError(Trouble.LOGIN_WANTED)
        raise ProxyError(Trouble.LOGIN_KIND, text="" if method == _NONE_TAKEN else f"method {method}")

    def _login(self) -> bytes | None:
        if len(self.rest) < 2:
            return None
        if self._take(2)[1] != 0:
            raise ProxyError(Trouble.LOGIN_REFUSED)
        self._read, self.spoke = self._reply, True
        return self._request

    def _reply(self) -> bytes | None:
        self._expect(_VERSION)
        if len(self.rest) < 5:
            # Some proxies end a refusal behind its code.
            if len(self.rest) >= 2 and self.rest[1] != 0:
                raise ProxyError(Trouble.REPLY, code=self.rest[1])
            return None
        code, kind = self.rest[1], self.rest[3]
        if code != 0:
            raise ProxyError(Trouble.REPLY, code=code)
        size = 1 + self.rest[4] if kind == _NAME else _ADDRESS_SIZES.get(kind)
        if size is None:
            raise ProxyError(Trouble.OTHER, head=self.rest[:_HEAD])
        if len(self.rest) < 4 + size + 2:
            return None
        self._take(4 + size + 2)
        self.done = True
        return b""

    def _expect(self, version: int) -> None:
        if self.rest and self.rest[0] != version:
            raise ProxyError(Trouble.OTHER, head=self.rest[:_HEAD])

    def _take(self, size: int) -> bytes:
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken


class HttpConnect:
    """One CONNECT, with a login of the Basic kind if one is given."""

    def __init__(self, proxy: ProxyOptions, host: str, port: int) -> None:
        self.done = self.spoke = False
        self.rest = b""
        self._proxy = proxy
        self._host, self._port = host, port
        self._head = b""
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_ANSWER)

    def start(self) -> bytes:
        """See Conversation."""
        target = place_text(_ascii(self._host), self._port)
        headers = [("Host", target)]
        if self._proxy.username:
            login = f"{self._proxy.username}:{self._proxy.password}".encode("utf-8", "surrogateescape")
            headers.append(("Proxy-Authorization", f"Basic {base64.b64encode(login).decode()}"))
        try:
            request = self._http.send(h11.Request(method="CONNECT", target=target, headers=headers))
            return (request or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        except h11.LocalProtocolError as error:
            raise ProxyError(Trouble.TARGET, text=visible(str(error))) from error

    def feed(self, data: bytes) -> bytes:
        """See Conversation."""
        self._head = (self._head + data)[:_HEAD]
        if self._head[: len(_HTTP)] != _HTTP[: len(self._head)]:
            raise ProxyError(Trouble.OTHER, head=self._head)
        try:
            self._http.receive_data(data)
            event = self._http.next_event()
            while isinstance(event, h11.InformationalResponse):
                event = self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise ProxyError(Trouble.OTHER, head=self._head, text=shorten(visible(str(error)), _TEXT)) from error
        if isinstance(event, h11.Response):
            if not 200 <= event.status_code < 300:
                raise self._refusal(event)
            self.rest = bytes(self._http.trailing_data[0])
            self.done = True
        return b""

    def _refusal(self, answer: h11.Response) -> ProxyError:
        words = shorten(visible(answer.reason), _TEXT)
        fields = {name: visible(value) for name, value in answer.headers}
        if answer.status_code != 407:
            extra = fields.get(b"x-squid-error", "")
            return ProxyError(Trouble.STATUS, code=answer.status_code, text=shorten(f"{words} {extra}".strip(), _TEXT))
        kinds = [visible(value).split(" ")[0] for name, value in answer.headers if name == b"proxy-authenticate"]
        if kinds and "basic" not in [kind.lower() for kind in kinds]:
            return ProxyError(Trouble.LOGIN_KIND, code=407, text=shorten(", ".join(kinds), _TEXT))
        return ProxyError(Trouble.LOGIN_REFUSED if self._proxy.username else Trouble.LOGIN_WANTED, code=407, text=words)


def _socks_address(host: str) -> bytes:
    """Kind and address; a name as it is looked up, for the proxy to look it up."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        name = _ascii(host).encode("ascii")
        if not 0 < len(name) <= _LONGEST_NAME:
            raise ProxyError(Trouble.TARGET, text="it has more than 255 bytes" if name else "it is empty") from None
        return bytes([_NAME, len(name)]) + name
    return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed


def _ascii(host: str) -> str:
    """The name as the name service has it, an address without its zone."""
    if host.isascii():
        return host.partition("%")[0]
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ProxyError(Trouble.TARGET, text=visible(str(error))) from error
