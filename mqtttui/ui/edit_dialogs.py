"""Packets made by hand, from the main screen: which one is edited, and the steps of an open QoS flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

from textual.content import Content

from mqtttui.analysis.pairs import Pairs
from mqtttui.capture.log import Evicted, Log
from mqtttui.capture.records import Origin, Packet
from mqtttui.client.commands import Command, FlowStep
from mqtttui.client.events import ConnectionState, Phase, RawSent
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import Ack, Connect, Publish
from mqtttui.protocol.parse import parse
from mqtttui.ui.editing_words import LATEST, new_choices, packet_title
from mqtttui.ui.forms.packet import PacketDraft
from mqtttui.ui.forms.packet_new import new_packet
from mqtttui.ui.forms.rows import FormError
from mqtttui.ui.row_text import Describe
from mqtttui.ui.screens.edit_packet import EditPacket
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.screens.menu import Choice, Menu

Step = Literal["dup", "pubrel", "pubcomp", "forget"]


class EditDialogs:
    """Opens the editor over the main screen, and keeps what was edited last."""

    def __init__(self, log: Log, pairs: Pairs, describe: Describe, main: MainScreen, send: Callable[[Command], None]) -> None:
        self._log = log
        self._pairs = pairs
        self._describe = describe
        self._main = main
        self._send = send
        self._screen: EditPacket | None = None
        self._latest: tuple[PacketDraft, str] | None = None

    @property
    def open(self) -> EditPacket | None:
        """The editor, while it is on the screen."""
        return self._screen

    def edit(self, number: int | None, state: ConnectionState) -> None:
        """Edit packet `number`; without one, ask for a type to begin with."""
        if number is None:
            self.new(state)
            return
        try:
            packet, dissection = self._log[number], self._log.dissect(number)
        except Evicted:
            self._main.say(f"packet {number:,} was evicted")
            return
        draft = PacketDraft(packet.raw, packet.version, packet.resolved_topic)
        self._show(draft, packet_title(number, packet.direction, dissection.type), state)

    def new(self, state: ConnectionState) -> None:
        """Ask for a type, and edit a packet of it."""
        connect = self._connect(state)
        version = connect.version if connect is not None else Version.V311

        def run(choice: str | None) -> None:
            if choice == LATEST and self._latest is not None:
                self._show(*self._latest, state)
            elif choice is not None:
                kind = PacketType[choice]
                used = Version.V5 if kind is PacketType.AUTH else version
                self._show(PacketDraft(new_packet(kind, version, connect), used), f"New {choice}", state)

        latest = self._latest[0] if self._latest is not None else None
        self._main.app.push_screen(Menu(Content("New packet"), new_choices(latest)), run)

    def _connect(self, state: ConnectionState) -> Connect | None:
        """The CONNECT in use, or that of the Connection form; None while the form has a mistake."""
        if state.phase is Phase.CONNECTED and state.options is not None:
            return state.options.connect
        try:
            return self._main.connection.options().connect
        except FormError:
            return None

    def _show(self, draft: PacketDraft, title: str, state: ConnectionState) -> None:
        self._latest = (draft, title)
        self._screen = EditPacket(
            state.peer, draft, title, self._log, self._describe, state, self._main.connection.options, self._main.connection.peer_name
        )

        def run(number: int | None) -> None:
            self._screen = None
            if number is not None:
                self._main.go_to(number)

        self._main.app.push_screen(self._screen, run)

    # What the app tells

    def show_state(self, state: ConnectionState) -> None:
        """The state of a peer."""
        if self._screen is not None and self._screen.peer == state.peer:
            self._screen.show_state(state)

    def raw_sent(self, event: RawSent) -> None:
        """Bytes made by hand went one step further."""
        if self._screen is not None and self._screen.peer == event.peer:
            self._screen.raw_sent(event)

    def rejected(self, peer: str, words: str) -> bool:
        """A command of the peer was rejected while it edits; False if it does not."""
        if self._screen is None or self._screen.peer != peer:
            return False
        self._screen.reject(words)
        return True

    # Flows

    def flow(self, number: int | None) -> None:
        """The steps that can be taken by hand in the QoS flow of a packet."""
        packet = None
        if number is not None and number in self._log:
            packet = self._log[number]
        found = _flow_of(packet) if packet is not None else None
        if packet is None or found is None or number is None:
            self._main.say("this packet belongs to no QoS 1 or 2 flow")
            return
        identifier, own, qos = found
        connection = self._log.connection(packet.connection)
        if connection.origin is not Origin.OWN:
            self._main.say("this packet is not of a connection of ours")
            return
        last = self._last_of(number)
        if PacketType(self._log.head(last).first_byte >> 4) in (PacketType.PUBACK, PacketType.PUBCOMP):
            self._main.say(f"the flow of #{identifier} is complete: packet {last:,} ended it")
            return

        def run(step: str | None) -> None:
            if step is not None:
                self._send(FlowStep(connection.peer, identifier, cast(Step, step)))

        self._main.app.push_screen(Menu(Content(f"Open flow of #{identifier}"), _choices(own, qos)), run)

    def _last_of(self, number: int) -> int:
        """The latest packet of the flow that is known."""
        for _ in range(4):
            following = self._pairs.answer_of(number)
            if following is None or following not in self._log:
                break
            number = following
        return number


def _flow_of(packet: Packet) -> tuple[int, bool, int] | None:
    """Identifier, whether the message is our own, and its QoS, as far as the packet tells."""
    out = packet.direction is Direction.C2S
    match parse(packet.raw, packet.version, packet.direction):
        case Publish(qos=1 | 2, packet_id=int(identifier)) as publish:
            return identifier, out, publish.qos
        case Ack(type=PacketType.PUBREL) as ack:
            return ack.packet_id, out, 2
        case Ack(type=PacketType.PUBACK) as ack:
            return ack.packet_id, not out, 1
        case Ack() as ack:
            return ack.packet_id, not out, 2
        case _:
            return None


def _choices(own: bool, qos: int) -> list[Choice]:
    forget = Choice("f", "forget it", "forget", "nothing more is sent for it")
    again = Choice("d", "resend with DUP", "dup", "the same PUBLISH again, now")
    if not own:
        return [Choice("c", "PUBCOMP now", "pubcomp", "without waiting for PUBREL, which gets another one")]
    if qos == 1:
        return [again, forget]
    return [again, Choice("r", "PUBREL now", "pubrel", "before PUBREC, or once more after it"), forget]
