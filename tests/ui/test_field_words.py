"""What a search in fields reads: the same with and without a memory of shapes, and quickly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mqtttui.capture.dissecting import dissect_packet
from mqtttui.capture.log import Log, Packet
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import Ack, Connect, Publish, encode
from mqtttui.ui import field_words
from mqtttui.ui.field_words import FieldWords
from tests.support import strategies
from tests.support.screen import Feed

_PLAIN = st.builds(
    Publish, st.sampled_from(["a", "a/b", "#"]), st.binary(max_size=5), st.integers(0, 2), st.booleans(), packet_id=st.integers(0, 3)
)
_ACKS = st.builds(Ack, st.sampled_from([PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBREL]), st.integers(0, 3))


def _encoded(version: Version) -> st.SearchStrategy[bytes]:
    plain = (_PLAIN | _ACKS).map(lambda packet: encode(packet, version))
    return plain | plain | strategies.packets(version).map(lambda packet: encode(packet, version)) | strategies.any_packet_bytes


@given(
    strategies.versions.flatmap(lambda version: st.tuples(st.just(version), st.lists(_encoded(version), min_size=1, max_size=30))),
    strategies.directions,
)
def test_the_memory_makes_no_difference(sent: tuple[Version, list[bytes]], direction: Direction) -> None:
    version, raws = sent
    words = FieldWords()
    for raw in raws:
        packet = Packet(1, raw, 0, 0, 0, direction, version)
        assert words.of(packet) == FieldWords().of(packet)
        assert words.of(packet) == "\n".join(field_words._lines(dissect_packet(packet)))


def test_a_shape_is_taken_apart_once() -> None:
    log = Log()
    feed = Feed(log, Version.V311)
    feed.receive(*(Publish("t/1", b"%04d" % number, 1, packet_id=number + 1) for number in range(500)))
    feed.send(*(Ack(PacketType.PUBACK, number + 1) for number in range(500)))
    feed.send(Connect("c", username="u", password=b"hunter2"))
    words = FieldWords()
    found = [no for no in log.numbers() if "0499" in words.of(log[no])]
    assert found == [500]
    assert len(words._known) == 2
    assert "hunter2" not in words.of(log[log.last])
