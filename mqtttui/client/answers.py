"""How the QoS 1 and 2 messages of the server are answered on one connection.

Rules:

1. Without an order gmqtt answers at once, as the standard wants it [MQTT-4.3.2-4].
2. An order is in force for so many acknowledgements, or until it is taken back: they are withheld, or carry a reason code.
3. What is withheld is known with its time, until it leaves after all or the connection ends. Then the server still has the
   message, and sends it again to whoever resumes the session [MQTT-4.4.0-1].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.packets import Ack, encode

ANSWERS = (PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBCOMP)
"""What answers PUBLISH of QoS 1, PUBLISH of QoS 2, and PUBREL."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to become of acknowledgements."""

    packets: frozenset[PacketType] = frozenset(ANSWERS)
    """Which of them are meant."""
    code: int | None = None
    """They leave with this reason code; None: they do not leave."""
    times: int = 0
    """After so many it is over; 0: never."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """An acknowledgement that the server waits for."""

    packet: PacketType
    identifier: int
    since: int
    """Monotonic ns at which the message (or PUBREL) came."""


class Answers:
    """What leaves for each message. The link asks `instead` before it lets gmqtt answer."""

    def __init__(self, version: Version, order: Order | None = None) -> None:
        self._version = version
        self._order = order
        self._left = order.times if order is not None else 0
        self._withheld: dict[tuple[int, bool], Withheld] = {}
        """By identifier, and whether it is a PUBCOMP."""
        self.changed: Callable[[Ack, bool], None] = lambda ack, left: None
        """Called with an acknowledgement that was meant by an order, and whether it leaves."""

    @property
    def order(self) -> Order | None:
        """What is in force."""
        return self._order

    @property
    def withheld(self) -> tuple[Withheld, ...]:
        """What the server waits for, in the order in which it came."""
        return tuple(self._withheld.values())

    def set(self, order: Order | None) -> None:
        """This instead of what was in force; None: everything is answered again. What is withheld stays so."""
        self._order = order
        self._left = order.times if order is not None else 0

    def take(self) -> bytes:
        """The acknowledgements that were withheld, to be sent now."""
        acks = [encode(Ack(each.packet, each.identifier), self._version) for each in self._withheld.values()]
        self._withheld.clear()
        return b"".join(acks)

    def instead(self, packet: PacketType, identifier: int, mono: int) -> bytes | None:
        """What leaves instead of the plain `packet` for `identifier`: may be nothing. None: no order means it."""
        key = (identifier, packet is PacketType.PUBCOMP)
        order = self._order
        if order is None or packet not in order.packets:
            self._withheld.pop(key, None)
            return None
        if self._left:
            self._left -= 1
            if not self._left:
                self._order = None
        if order.code is None:
            # The time counts from the first transmission: the server has waited since then.
            before = self._withheld.get(key)
            self._withheld[key] = before or Withheld(packet, identifier, mono)
            self.changed(Ack(packet, identifier), False)
            return b""
        ack = Ack(packet, identifier, order.code)
        self._withheld.pop(key, None)
        self.changed(ack, True)
        return encode(ack, self._version)
