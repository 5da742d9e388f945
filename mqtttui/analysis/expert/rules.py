"""All rules, in the order in which a connection's packets are shown to them."""

from __future__ import annotations

from mqtttui.analysis.expert.auth import Authentication
from mqtttui.analysis.expert.connecting import Connecting
from mqtttui.analysis.expert.deliveries import Deliveries
from mqtttui.analysis.expert.flows import Flows
from mqtttui.analysis.expert.liveness import Liveness
from mqtttui.analysis.expert.loopback import Loopback
from mqtttui.analysis.expert.overdue import Overdue
from mqtttui.analysis.expert.publishes import Publishes
from mqtttui.analysis.expert.rule import Rule
from mqtttui.analysis.expert.subscribing import Subscribing
from mqtttui.analysis.expert.topics import Topics
from mqtttui.analysis.expert.transport import Transport

RULES: tuple[type[Rule], ...] = (
    Transport,
    Connecting,
    Authentication,
    Liveness,
    Subscribing,
    Flows,
    Overdue,
    Publishes,
    Topics,
    Deliveries,
    Loopback,
)
