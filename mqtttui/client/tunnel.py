"""The step `proxy`: from a connection to the proxy to one that reaches the broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from mqtttui.client.layer import TcpLayer
from mqtttui.client.proxy import Conversation, ProxyError, Trouble, conversation
from mqtttui.client.steps import Steps
from mqtttui.config.options import ConnectOptions, ProxyOptions, place_text
from mqtttui.text import visible

# Replies of SOCKS5 after which another address of the broker may do: failure, unreachable, refused, TTL, kind of address.
_OTHER_ADDRESS = frozenset({1, 3, 4, 5, 6, 8})


async def tunnel(
    options: ConnectOptions,
    proxy: ProxyOptions,
    targets: Sequence[str],
    lower: TcpLayer,
    again: Callable[[], Awaitable[TcpLayer]],
    steps: Steps,
    deadline: float,
) -> TcpLayer:
    """Ask for the targets in turn, each on a connection of its own: the first on `lower`, the others on what `again` gives.

    Raises ProxyError or OSError, and what `again` does; nothing is open then.
    """
    steps.start("proxy")
    tried: list[str] = []
    talk: Conversation | None = None
    try:
        async with asyncio.timeout_at(deadline):
            for index, host in enumerate(targets):
                name = visible(place_text(host, options.port))
                steps.note("proxy", "; ".join([*tried, f"{name} by {visible(proxy.url)}"]))
                began = time.monotonic_ns()
                talk = conversation(proxy, host, options.port)
                try:
                    ended = await _Asking(lower, talk).run()
                except ProxyError as error:
                    if error.trouble is not Trouble.REPLY or error.code not in _OTHER_ADDRESS or index + 1 == len(targets):
                        raise
                    tried.append(f"{name} refused")
                    lower.abort()
                    lower = await again()
                    continue
                steps.done("proxy", ended=ended, tried=began)
                return lower
    except BaseException as error:
        lower.abort()
        if isinstance(error, TimeoutError) and talk is not None and talk.spoke:
            raise ProxyError(Trouble.WAITING) from error
        raise
    raise ProxyError(Trouble.TARGET, text="it has no address")


class _Asking:
    """A conversation with the proxy, as the Receiver of its connection."""

    def __init__(self, lower: TcpLayer, talk: Conversation) -> None:
        self._lower = lower
        self._talk = talk
        self._end: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(self) -> int:
        """Ask; gives the monotonic ns of the yes. What comes behind it waits in the layer for the next Receiver."""
        first = self._talk.start()
        self._lower.attach(self)
        self._lower.write(first)
        return await self._end

    def data_received(self, chunk: bytes) -> None:
        """Some of the proxy's answers."""
        if self._end.done():
            return
        try:
            answer = self._talk.feed(chunk)
        except ProxyError as error:
            self._end.set_exception(error)
            return
        if answer:
            self._lower.write(answer)
        if self._talk.done:
            self._lower.give_back(self._talk.rest)
            self._end.set_result(time.monotonic_ns())

    def eof_received(self) -> None:
        """The proxy says no more."""
        self.connection_lost(None)

    def writable(self) -> None:
        """Nothing waits for it."""

    def connection_lost(self, reason: Exception | None) -> None:
        """The proxy has ended the connection."""
        if not self._end.done():
            self._end.set_exception(reason or ProxyError(Trouble.LEFT if self._talk.spoke else Trouble.CLOSED))
