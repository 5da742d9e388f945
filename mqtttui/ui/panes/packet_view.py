"""What the person can want of a packet in the inspector, as messages. They are heard as those of the inspector."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from mqtttui.protocol.fields import Dissection, Field
from mqtttui.ui.panes.view import View


class PacketView(View):
    """A view of packets that can be acted on."""

    @dataclass
    class CopyWanted(Message, namespace="inspector"):
        """The person wants to copy something of a packet, or its selected field, or to print it on the `plain` terminal."""

        number: int
        dissection: Dissection
        field: Field | None
        plain: bool = False

    @dataclass
    class LinkWanted(Message, namespace="inspector"):
        """To the answer (`forward`) or the request of a packet."""

        number: int
        forward: bool

    @dataclass
    class ValueWanted(Message, namespace="inspector"):
        """The person wants a filter made of a packet's field, or of its topic (no field); `how` as in `FilterWanted`."""

        number: int
        field: Field | None
        how: str

    @dataclass
    class EditWanted(Message, namespace="inspector"):
        """The person wants to edit a packet, or a new one (None), and send it."""

        number: int | None

    @dataclass
    class FlowWanted(Message, namespace="inspector"):
        """The person wants to take a step of a packet's QoS flow."""

        number: int | None

    @dataclass
    class MarkWanted(Message, namespace="inspector"):
        """The person wants a packet marked, or its mark taken away."""

        number: int

    @dataclass
    class CommentWanted(Message, namespace="inspector"):
        """The person wants to write a comment on a packet."""

        number: int

    @dataclass
    class FollowWanted(Message, namespace="inspector"):
        """The person wants only what belongs together with a packet; `ask`: what of it."""

        number: int
        ask: bool

    @dataclass
    class ColumnsWanted(Message, namespace="inspector"):
        """The person wants to choose columns, or a field as one."""

        field: Field | None

    @dataclass
    class PacketOpened(Message, namespace="inspector"):
        """The person looked inside a packet."""
