"""What a start of the application was asked to do: one frozen value, made by the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mqtttui.analysis.expert.timeouts import Timeouts
    from mqtttui.config.opening import OpenOptions
    from mqtttui.config.options import ConnectOptions
    from mqtttui.config.profiles import Profile
    from mqtttui.config.recording import RecordOptions
    from mqtttui.protocol.packets import Properties, Publish, TopicRequest


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the screen is started with."""

    options: ConnectOptions | None = None
    """What fills the Connection pane; None: nothing was given."""
    profile: Profile | None = None
    """The profile that `options` come of."""
    connect_now: bool = False
    """Connect at once with `options`."""
    subscriptions: tuple[TopicRequest, ...] = ()
    """Sent in one SUBSCRIBE after CONNACK; empty: subscribe to nothing."""
    subscribe_properties: Properties = ()
    """Properties of that SUBSCRIBE."""
    publish: Publish | None = None
    """What fills the Publish pane; it is not sent unasked."""
    demo: bool = False
    """Start the embedded broker and its devices, connect, and subscribe."""
    ascii: bool = False
    """Draw with ASCII signs only."""
    mouse: bool = True
    """False leaves the mouse to the terminal, so that its own selection works."""
    display_filter: str = ""
    """A strict display filter that is in force from the start; empty: everything is shown."""
    theme: str = ""
    """Name of a theme; empty: the default."""
    capture: OpenOptions | None = None
    """A capture to open instead of a connection."""
    record: RecordOptions | None = None
    """Record all packets to a file from the start."""
    timeouts: Timeouts | None = None
    """How long things may take before a check says so; None: the defaults."""
