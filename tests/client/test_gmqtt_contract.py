"""The names of gmqtt 0.8 that client.link touches, and how gmqtt behaves behind them.

When an upgrade of gmqtt breaks one of these, read its changes and mend client.link; nothing else imports gmqtt.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import Any

import gmqtt
import pytest
from gmqtt.client import Client
from gmqtt.mqtt.connection import MQTTConnection
from gmqtt.mqtt.handler import MqttPackageHandler
from gmqtt.mqtt.package import Package
from gmqtt.mqtt.protocol import MQTTProtocol
from gmqtt.mqtt.utils import ConnectionState, IdGenerator
from gmqtt.storage import PersistentStorage
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.capture.log import Log
from mqtttui.capture.recorder import Recorder
from mqtttui.capture.records import Origin
from mqtttui.client.gmqtt_log import NOTEBOOK, quiet_gmqtt
from mqtttui.client.layer import Bytes, Receiver
from mqtttui.client.link import Link, Store
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.framing import FramingError
from mqtttui.protocol.packets import Ack, Connack, Packet, Publish, Suback, encode


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_version() -> None:
    assert gmqtt.__version__.startswith("0.8.")


def test_client() -> None:
    assert parameters(Client.__init__)[1] == "client_id"
    assert "persistent_storage" in parameters(Client.__init__)
    assert parameters(Client._create_connection) == ["self", "host", "port", "ssl", "clean_session", "keepalive"]
    assert parameters(Client.reconnect) == ["self", "delay"]
    assert inspect.iscoroutinefunction(Client.reconnect)
    assert parameters(Client._exit_reconnecting_state) == ["self"]
    source = inspect.getsource(Client._create_connection)
    for reset in ("_exit_reconnecting_state()", "clear_topics_aliases()", "_connack_received.clear()", "_connection_lost.clear()"):
        assert reset in source, "our _create_connection repeats the resets of gmqtt's"


async def test_attributes_of_a_client() -> None:
    store = PersistentStorage()
    client = Client("x", persistent_storage=store)
    assert client._persistent_storage is store
    assert isinstance(client._connection_state, ConnectionState)
    assert client._connection_state.protocol_version == 5
    assert isinstance(client._package_handler, MqttPackageHandler)
    assert isinstance(client._package_handler.id_generator, IdGenerator)
    assert isinstance(client._connack_received, asyncio.Event)
    assert isinstance(client._connection_lost, asyncio.Event)
    assert isinstance(client._logger, logging.Logger)
    assert client._connection is None


def test_connection() -> None:
    assert parameters(MQTTConnection.create_connection) == [
        "host", "port", "ssl", "clean_session", "keepalive", "connection_state", "package_handler", "loop", "logger",
    ]  # fmt: skip
    source = inspect.getsource(MQTTConnection.create_connection)
    assert "await loop.create_connection(protocol_factory, host, port, ssl=ssl)" in source
    assert source.count("loop.") == 1
    assert parameters(MQTTConnection.send_package) == ["self", "package"]
    assert parameters(MQTTConnection.put_package) == ["self", "pkg"]
    assert parameters(Package.__init__) == ["self", "cmd", "data"]
    assert parameters(MQTTProtocol.connection_lost) == ["self", "exc"]


def test_identifiers() -> None:
    generator = IdGenerator(max=65535)
    generator._used_ids.add(1)
    assert [generator.next_id(), generator.next_id()] == [2, 3]
    generator.free_id(2)
    assert generator._used_ids == {1, 3}
    full = IdGenerator(max=3)
    full.next_id()
    full.next_id()
    with pytest.raises(OverflowError):
        full.next_id()


def test_storage() -> None:
    store = PersistentStorage()
    assert store._messages == {}
    store.push_message(3, b"\x32")
    store.push_message(1, b"\x34")
    assert store.get_all() == [(3, b"\x32"), (1, b"\x34")]
    store.remove_message_by_mid(3)
    assert not store.is_empty
    store.clear()
    assert store.is_empty
    assert bool(store), "gmqtt writes `persistent_storage or PersistentStorage()`: an empty store must not be false"
    assert bool(Store(lambda ids: None))


def test_our_store_replays_with_dup_and_reports_what_is_lost() -> None:
    lost: list[tuple[int, ...]] = []
    store = Store(lost.append)
    store.push_message(7, b"\x33\x05\x00\x01a\x00\x07")  # type: ignore[no-untyped-call]
    store.push_message(8, b"\x62\x02\x00\x08")  # type: ignore[no-untyped-call]
    assert store.get_all() == [(7, b"\x3b\x05\x00\x01a\x00\x07"), (8, b"\x62\x02\x00\x08")]
    assert store.expects(7, PacketType.PUBACK)
    assert not store.expects(7, PacketType.PUBREC)
    assert store.expects(8, PacketType.PUBCOMP)
    assert not store.expects(9, PacketType.PUBACK)
    store.clear()
    store.clear()
    assert lost == [(7, 8)]


def test_the_log_goes_to_the_notebook_and_nowhere_else(capfd: pytest.CaptureFixture[str]) -> None:
    quiet_gmqtt()
    quiet_gmqtt()
    logger = logging.getLogger("gmqtt")
    assert logger.handlers.count(NOTEBOOK) == 1
    logging.getLogger("gmqtt.mqtt.handler").warning("something %s", "odd")
    logging.getLogger("gmqtt.mqtt.handler").debug("detail")
    assert NOTEBOOK.lines[-1] == "something odd"
    assert capfd.readouterr() == ("", "")


class Wire:
    """A Layer without a network: what was written, and a way to hand bytes in."""

    local = remote = "test:0"
    security = ""
    ready = True
    unsent = 0

    def __init__(self) -> None:
        self.written = bytearray()
        self.receiver: Receiver | None = None
        self.closed = ""

    def tcp_info(self) -> None: ...

    def arrived(self) -> int:
        return 0

    def attach(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def write(self, data: Bytes) -> None:
        self.written += data

    def take(self) -> bytes:
        taken, self.written = bytes(self.written), bytearray()
        return taken

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def close(self) -> None:
        self.closed = "close"

    def abort(self) -> None:
        self.closed = "abort"


class Ears:
    """LinkEvents that are noted."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.malformed: list[bytes] = []
        self.others: list[object] = []

    def packet_received(self, packet: Packet, mono: int) -> None:
        self.packets.append(packet)

    def malformed_received(self, kind: PacketType, raw: bytes) -> None:
        self.malformed.append(raw)

    def head_received(self, head: bytes) -> None:
        pass

    def framing_failed(self, error: FramingError) -> None:
        self.others.append(error)

    def eof_received(self) -> None:
        self.others.append("eof")

    def connection_lost(self, reason: Exception | None) -> None:
        self.others.append(reason)


async def opened(version: Version, store: Store | None = None) -> tuple[Link, Wire, Ears]:
    log = Log()
    number = log.open_connection(peer="p", origin=Origin.OWN, mono=0, wall=0, version=version)
    ears, wire = Ears(), Wire()
    link = Link(version, store or Store(lambda ids: None), ears)
    await link.open(wire, Recorder(log, number))
    return link, wire, ears


def arrive(wire: Wire, *packets: Packet | bytes, version: Version) -> None:
    assert wire.receiver is not None
    for packet in packets:
        wire.receiver.data_received(packet if isinstance(packet, bytes) else encode(packet, version))


@pytest.mark.parametrize("version", list(Version))
async def test_gmqtt_sends_nothing_but_answers(version: Version) -> None:
    link, wire, ears = await opened(version)
    assert wire.take() == b""
    arrive(wire, Connack(), version=version)
    await asyncio.sleep(0)
    assert wire.take() == b""
    tail = b"\x00\x00" if version is Version.V5 else b""
    size = bytes([2 + len(tail)])
    arrive(wire, Publish("a", b"x", 1, packet_id=0x1234), version=version)
    assert wire.take() == b"\x40" + size + b"\x12\x34" + tail
    arrive(wire, Publish("a", b"x", 2, packet_id=0x1235), version=version)
    assert wire.take() == b"\x50" + size + b"\x12\x35" + tail
    arrive(wire, Ack(PacketType.PUBREL, 0x1235), version=version)
    assert wire.take() == b"\x70" + size + b"\x12\x35" + tail
    arrive(wire, b"\xd0\x00", Publish("a", b"x"), b"\xe0\x00", Suback(1, (0,)), version=version)
    assert wire.take() == b""
    link.finish("test")
    await asyncio.sleep(0)
    assert [type(packet) for packet in ears.packets].count(Connack) == 1


@pytest.mark.parametrize("version", list(Version))
async def test_an_own_qos_2_flow_and_its_identifier(version: Version) -> None:
    store = Store(lambda ids: None)
    link, wire, _ = await opened(version, store)
    arrive(wire, Connack(), version=version)
    mid = link.next_id()
    raw = encode(Publish("a", b"x", 2, packet_id=mid), version)
    link.send_publish(raw, mid)
    assert wire.take() == raw
    assert store.count == 1
    arrive(wire, Ack(PacketType.PUBREC, mid), version=version)
    assert wire.take()[:1] == b"\x62"
    assert link.next_id() != mid
    arrive(wire, Ack(PacketType.PUBCOMP, mid), version=version)
    assert store.count == 0
    assert mid not in link._package_handler.id_generator._used_ids
    link.finish("test")


@pytest.mark.parametrize("present", [False, True])
async def test_replay_only_with_the_session_and_in_the_next_round(present: bool) -> None:
    lost: list[tuple[int, ...]] = []
    store = Store(lost.append)
    store.push_message(5, encode(Publish("a", b"x", 1, packet_id=5), Version.V311))  # type: ignore[no-untyped-call]
    link, wire, _ = await opened(Version.V311, store)
    assert 5 in link._package_handler.id_generator._used_ids
    order: list[str] = []
    arrive(wire, Connack(session_present=present), version=Version.V311)
    asyncio.get_running_loop().call_soon(lambda: order.append("replayed" if wire.written else "nothing"))
    await asyncio.sleep(0)
    assert order == ["replayed" if present else "nothing"], "what we send by call_soon must come after the replay"
    assert wire.take() == (encode(Publish("a", b"x", 1, dup=True, packet_id=5), Version.V311) if present else b"")
    assert lost == ([] if present else [(5,)])
    link.finish("test")


async def test_no_reconnect_and_no_ping_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    link, wire, _ = await opened(Version.V311)
    assert link._connection._keepalive == 0
    arrive(wire, Connack(), version=Version.V311)
    link.finish("test")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert wire.take() == b""
    own = asyncio.current_task()
    await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() if task is not own] == []


async def test_gmqtt_never_sees_hostile_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, bytes]] = []
    handle = MqttPackageHandler._handle_packet

    def spy(self: MqttPackageHandler, cmd: int, packet: bytes) -> None:
        seen.append((cmd, packet))
        handle(self, cmd, packet)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(MqttPackageHandler, "_handle_packet", spy)
    NOTEBOOK.lines.clear()
    link, wire, ears = await opened(Version.V5)
    arrive(wire, Connack(), version=Version.V5)
    hostile = [
        bytes([first]) + bytes([len(body)]) + body
        for first in range(0x20, 0x100)
        for body in (b"", b"\x00", b"\xff\xff", b"\x00\x00\x00", b"\x00\x01a\x00\x00\x00", b"\x00\x01\x7f\xff\xff\xff")
    ]
    arrive(wire, *hostile, version=Version.V5)
    assert not any(link_is_bad(cmd, packet) for cmd, packet in seen)
    assert list(NOTEBOOK.lines) == []
    assert ears.others == []
    link.finish("test")


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=12),
            st.builds(lambda first, body: bytes([first, len(body)]) + body, st.integers(0x20, 0xFF), st.binary(max_size=20)),
        ),
        max_size=12,
    ),
    st.sampled_from(list(Version)),
)
def test_any_bytes_in_any_chunking_never_raise(chunks: list[bytes], version: Version) -> None:
    async def play() -> None:
        link, wire, ears = await opened(version)
        arrive(wire, Connack(), version=version)
        for chunk in chunks:
            if chunk:
                arrive(wire, chunk, version=version)
        assert len(ears.others) <= 1
        link.finish("test")

    NOTEBOOK.lines.clear()
    asyncio.run(play())
    assert list(NOTEBOOK.lines) == []


def link_is_bad(cmd: int, packet: bytes) -> bool:
    """Whether something other than our minimal packets reached gmqtt."""
    match cmd >> 4:
        case PacketType.CONNACK:
            return packet != b"\x00\x00"
        case PacketType.PUBLISH:
            return not (packet.startswith(b"\x00\x01t") and len(packet) == 6 and packet.endswith(b"\x00"))
        case PacketType.PUBREL:
            return len(packet) != 2
        case _:
            return True
