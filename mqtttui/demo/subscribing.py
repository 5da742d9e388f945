"""SUBSCRIBE and UNSUBSCRIBE (MQTT 5, sections 3.8 to 3.11). Both raise Violation for what may not be."""

from __future__ import annotations

from mqtttui.demo import refusals
from mqtttui.demo.codes import Code
from mqtttui.demo.core import Core
from mqtttui.demo.messages import number, raw
from mqtttui.demo.outbox import Outbox
from mqtttui.demo.session import Session
from mqtttui.demo.subscriptions import Subscription
from mqtttui.demo.violations import Violation, check_properties, check_subscribe
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import Suback, Subscribe, TopicRequest, Unsuback, Unsubscribe
from mqtttui.protocol.topics import check_filter


def subscribe(packet: Subscribe, session: Session, core: Core, outbox: Outbox) -> None:
    """Grants what may be granted, answers, and sends what is retained."""
    check_subscribe(packet)
    identifier = number(packet.properties, PropertyId.SUBSCRIPTION_IDENTIFIER)
    codes: list[int] = []
    retained: list[tuple[Subscription, bool, int]] = []
    for request in packet.requests:
        code = _refused_filter(request, outbox.version)
        codes.append(request.qos if code is None else code)
        if code is None:
            subscription = Subscription(raw(request.filter), request.qos, request.no_local, request.retain_as_published, identifier)
            new = core.subscriptions.add(session, subscription)
            retained.append((subscription, new, request.retain_handling))
    outbox.send(Suback(packet.packet_id, tuple(codes)))
    for subscription, new, retain_handling in retained:
        core.send_retained(session, subscription, new=new, retain_handling=retain_handling)


def unsubscribe(packet: Unsubscribe, session: Session, core: Core, outbox: Outbox) -> None:
    """Takes subscriptions away, and answers."""
    if not packet.packet_id:
        raise Violation(Code.PROTOCOL_ERROR, "the packet identifier is 0")
    if not packet.filters:
        raise Violation(Code.PROTOCOL_ERROR, "UNSUBSCRIBE without a filter")  # [MQTT-3.10.3-2]
    check_properties(packet.properties, PacketType.UNSUBSCRIBE)
    existed = [core.subscriptions.remove(session, raw(filter)) for filter in packet.filters]
    codes = tuple(0 if known else Code.NO_SUBSCRIPTION_EXISTED for known in existed)
    outbox.send(Unsuback(packet.packet_id, codes if outbox.version is Version.V5 else ()))


def _refused_filter(request: TopicRequest, version: Version) -> int | None:
    """The code in SUBACK of a filter that is not granted; None if it is."""
    filter = raw(request.filter)
    invalid = check_filter(filter, Version.V5) is not None
    refusal = refusals.of_filter(filter)
    if not invalid and refusal is None:
        return None
    if version is Version.V5:
        return Code.FILTER_INVALID if invalid else Code.NOT_AUTHORIZED
    if version is Version.V31:
        raise Violation(Code.FILTER_INVALID, "MQTT 3.1 has no way to refuse a filter")
    return Code.FAILURE
