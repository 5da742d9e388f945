"""One filter governs packets, operations and findings."""

from __future__ import annotations

from mqtttui.protocol.enums import PacketType
from mqtttui.protocol.packets import Ack, Publish
from mqtttui.ui.panes.findings import GroupList
from mqtttui.ui.panes.operations import OperationList
from tests.support.screen import Feed, Running, inspecting
from tests.ui.test_mosquitto_journeys import paste


def traffic(feed: Feed) -> None:
    """Lamps: three messages QoS 1, two of them broken. Doors: one message QoS 1, one broken one, and one with another fault."""
    for identifier, topic in enumerate(("lamp/1", "lamp/#", "lamp/+", "door/1", "door/#"), 1):
        feed.send(Publish(topic, b"x", qos=1, packet_id=identifier))
        feed.receive(Ack(PacketType.PUBACK, identifier))
    feed.send(Publish("door/2", b"x", qos=1, packet_id=0))


def groups(run: Running) -> dict[str, tuple[int, int, int]]:
    """Rows of the findings view: check -> count, first, latest."""
    shown = run.main.views.current.query_one(GroupList)._groups
    return {group.id: (group.count, group.first, group.latest) for group in shown}


def operations(run: Running) -> list[int]:
    """Rows of the operations view: the first packets, rising."""
    return sorted(run.main.views.current.query_one(OperationList).starts)


async def apply(run: Running, text: str) -> None:
    """Typed into the filter bar, from whatever view is in front."""
    await run.press("slash", "ctrl+u")
    await paste(run, text)
    await run.press("enter")
    await run.until(lambda: not run.app.filtering.testing, "filtered")


async def test_packets_operations_and_findings_show_what_it_selects() -> None:
    async with inspecting(0) as (run, feed):
        traffic(feed)
        await run.caught_up()
        findings = run.app.pump.findings
        everything = {"B06": (3, 5, 11), "D03": (1, 13, 13)}
        await run.press("9")
        await run.until(lambda: groups(run) == everything, "all findings")
        totals = findings.errors, findings.warnings
        # Applied in the findings, it holds in the other views.
        await apply(run, 'mqtttui.topic matches "^lamp"')
        await run.until(lambda: groups(run) == {"B06": (2, 5, 7)}, "the findings of the lamps")
        await run.press("5")
        await run.until(lambda: operations(run) == [3, 5, 7], "the operations of the lamps")
        await run.press("4")
        rows = run.main.inspector.packets.rows
        await run.until(lambda: [rows.number(at) for at in range(len(rows))] == [3, 4, 5, 6, 7, 8], "the packets of the lamps")
        await run.shows("6 of 13")
        # What comes later is selected too, in all of them.
        feed.send(Publish("lamp/#", b"y", qos=1, packet_id=9))
        feed.receive(Ack(PacketType.PUBACK, 9))
        feed.send(Publish("door/#", b"y", qos=1, packet_id=10))
        await run.shows("8 of 16")
        await run.press("5")
        await run.until(lambda: operations(run) == [3, 5, 7, 14], "the new operation of a lamp")
        await run.press("9")
        await run.until(lambda: groups(run) == {"B06": (3, 5, 14)}, "the new finding of a lamp")
        # Nothing was lost: the counts in the status bar are of all packets, and without the filter everything is back.
        assert findings.errors == totals[0] + 2
        await apply(run, "")
        await run.until(lambda: groups(run)["B06"] == (5, 5, 16) and "D03" in groups(run), "all findings again")
        await run.press("5")
        await run.until(lambda: len(operations(run)) == len(run.app.pump.operations.rows("all", 0, 100)), "all operations again")


async def test_what_no_view_has_is_said_in_each() -> None:
    async with inspecting(0) as (run, feed):
        traffic(feed)
        await run.caught_up()
        await apply(run, 'mqtttui.topic == "nowhere"')
        await run.shows("0 of 13")
        await run.press("9")
        await run.shows("no finding on the packets that the filter selects")
        await run.press("5")
        await run.shows("the filter selects no operation")
