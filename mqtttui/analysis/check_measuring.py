"""From the recorded packets of a test run to its times and sizes.

Every probe carries its id: in MQTT 5 in a User Property, which a broker passes on unaltered [MQTT-3.3.2-17], and always as
its payload. Of several answers or copies the first counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from mqtttui.analysis.check_run import QOS
from mqtttui.protocol.enums import Direction, PacketType, PropertyId
from mqtttui.protocol.packets import (
    Ack,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Property,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
)

PROBE = "mqtttui-probe"


@dataclass(frozen=True, slots=True)
class Seen:
    """One packet of the run."""

    mono: int
    """Monotonic ns at the socket."""
    direction: Direction
    length: int
    packet: Packet


def probe(topic: bytes, name: str, qos: int, *, v5: bool) -> Publish:
    """The probe of a run called `name`."""
    text = f"{name}-{qos}"
    properties = (Property(PropertyId.USER_PROPERTY, (PROBE, text)),) if v5 else ()
    return Publish(topic, f"{PROBE}={text}".encode(), qos=qos, properties=properties)


def is_probe(packet: Publish, name: str, qos: int) -> bool:
    """Whether this is that probe, sent or received."""
    text = f"{name}-{qos}"
    return packet.payload == f"{PROBE}={text}".encode() or any(
        item.id == PropertyId.USER_PROPERTY and item.value == (PROBE, text) for item in packet.properties
    )


class Trace:
    """The packets of one run, in the order of the log, and what they say. Keeps the probes' packets and the first of a kind."""

    def __init__(self, name: str) -> None:
        """`name` is in the ids of the run's probes."""
        self._name = name
        self._first: dict[tuple[Direction, type[Packet]], Seen] = {}
        self._probes: dict[tuple[Direction, int], Seen] = {}
        self._answers: dict[PacketType, Seen] = {}
        """Of the flows of the probes: PUBACK of QoS 1, the others of QoS 2."""
        self._foreign: Seen | None = None
        """The first message that is no probe of this run: a retained one, or other traffic."""
        self._received = 0
        """Bytes of all messages."""

    def add(self, seen: Seen) -> None:
        """The next packet."""
        if self._answers_nothing(seen.packet):
            return
        self._first.setdefault((seen.direction, type(seen.packet)), seen)
        match seen.packet:
            case Publish() as packet:
                self._message(seen, packet)
            case Ack(type=kind, packet_id=mid) if seen.direction is (Direction.C2S if kind is PacketType.PUBREL else Direction.S2C):
                qos = 1 if kind is PacketType.PUBACK else 2
                probe = self.published(qos)
                if probe is not None and isinstance(probe.packet, Publish) and probe.packet.packet_id == mid:
                    self._answers.setdefault(kind, seen)
            case _:
                pass

    def _answers_nothing(self, packet: Packet) -> bool:
        """Whether this is a SUBACK or UNSUBACK with an identifier that the run has not used for it."""
        if not isinstance(packet, Suback | Unsuback):
            return False
        request = self.sent(Subscribe if isinstance(packet, Suback) else Unsubscribe)
        return request is None or not isinstance(request.packet, Subscribe | Unsubscribe) or request.packet.packet_id != packet.packet_id

    def _message(self, seen: Seen, packet: Publish) -> None:
        qos = next((qos for qos in QOS if is_probe(packet, self._name, qos)), None)
        if qos is not None:
            self._probes.setdefault((seen.direction, qos), seen)
        if seen.direction is Direction.S2C:
            self._received += seen.length
            if qos is None and self._foreign is None:
                self._foreign = seen

    def sent(self, kind: type[Packet]) -> Seen | None:
        """The first packet of a kind that left."""
        return self._first.get((Direction.C2S, kind))

    def received(self, kind: type[Packet]) -> Seen | None:
        """The first packet of a kind that came."""
        return self._first.get((Direction.S2C, kind))

    def published(self, qos: int) -> Seen | None:
        """The probe as it left."""
        return self._probes.get((Direction.C2S, qos))

    def came_back(self, qos: int) -> Seen | None:
        """The probe as it came."""
        return self._probes.get((Direction.S2C, qos))

    def answer(self, kind: PacketType) -> Seen | None:
        """PUBACK of the probe of QoS 1; PUBREC, PUBREL or PUBCOMP of that of QoS 2."""
        return self._answers.get(kind)

    def times(self, requested: int, queued: dict[int, int]) -> dict[str, int]:
        """Metric -> ns, of what can be measured. `requested`: when the run was asked for; `queued`: the probe of each QoS."""
        sent, received = self.sent, self.received
        pairs: dict[str, tuple[Seen | None, Seen | None]] = {
            "connack": (sent(Connect), received(Connack)),
            "subscribe": (sent(Subscribe), received(Suback)),
            "first-message": (sent(Subscribe), self._foreign),
            "publish-qos1": (self.published(1), self.answer(PacketType.PUBACK)),
            "publish-qos2": (self.published(2), self.answer(PacketType.PUBCOMP)),
            "publish-qos2-pubrec": (self.published(2), self.answer(PacketType.PUBREC)),
            "publish-qos2-pubcomp": (self.answer(PacketType.PUBREL), self.answer(PacketType.PUBCOMP)),
            **{f"latency-qos{qos}": (self.published(qos), self.came_back(qos)) for qos in QOS},
            "unsubscribe": (sent(Unsubscribe), received(Unsuback)),
            "ping": (sent(Pingreq), received(Pingresp)),
        }
        times = {key: end.mono - start.mono for key, (start, end) in pairs.items() if start is not None and end is not None}
        first = self.published(0)
        for key, moment, since in (
            ("connected", received(Connack), requested),
            ("total", sent(Disconnect), requested),
            ("publish-qos0", first, queued.get(0)),
        ):
            if moment is not None and since is not None:
                times[key] = moment.mono - since
        return times

    def sizes(self) -> dict[str, int]:
        """Size -> bytes, of what was sent and received."""
        sizes: dict[str, int] = {}
        for qos in QOS:
            if (seen := self.published(qos)) is not None:
                sizes[f"publish-size-qos{qos}"] = seen.length
                sizes["publish-payload"] = _payload(seen)
        if (message := self.received(Publish)) is not None:
            sizes["subscribe-size"] = message.length
            sizes["subscribe-payload"] = _payload(message)
            sizes["subscribe-total"] = self._received
        return sizes


def _payload(seen: Seen) -> int:
    return len(seen.packet.payload) if isinstance(seen.packet, Publish) else 0
