"""Which client id is in force on a connection: that of its CONNECT, or the one that the server assigned."""

from __future__ import annotations

import re
from weakref import ReferenceType, ref

from mqtttui.capture.log import Log
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import Connack, Connect
from mqtttui.protocol.parse import parse

_LOGINS = re.compile(rb"[\x10-\x2f]")
_WHOLE_LOG = 1 << 62


class ClientIds:
    """Reads the CONNECTs and CONNACKs of a log as far as it is asked for; everything else is stepped over by its first byte."""

    def __init__(self) -> None:
        self._log: ReferenceType[Log] | None = None
        self._position = 0
        self._found: dict[int, bytes] = {}

    def of(self, log: Log, connection: int) -> bytes | None:
        """The client id of `connection`, None if its CONNECT was not recorded."""
        if self._log is None or self._log() is not log:
            self._log, self._position, self._found = ref(log), 0, {}
            for no in log.old_numbers():
                self._read(log, no)
        if self._position < log.last:
            self._advance(log)
        return self._found.get(connection)

    def _advance(self, log: Log) -> None:
        for segment, start, stop in log.spans(self._position, _WHOLE_LOG):
            for match in _LOGINS.finditer(segment.first_bytes[start:stop].tobytes()):
                self._read(log, segment.first + start + match.start())
        self._position = log.last

    def _read(self, log: Log, no: int) -> None:
        head = log.head(no)
        if head.first_byte >> 4 not in (PacketType.CONNECT, PacketType.CONNACK) or not head.length:
            return
        packet = log[no]
        match parse(packet.raw, packet.version):
            case Connect(client_id=name):
                self._found[head.connection] = _bytes(name)
            case Connack(properties=listed) if packet.version is Version.V5:
                for item in listed:
                    if item.id == PropertyId.ASSIGNED_CLIENT_IDENTIFIER and isinstance(item.value, str | bytes):
                        self._found[head.connection] = _bytes(item.value)
            case _:
                return


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
