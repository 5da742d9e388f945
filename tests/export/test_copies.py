"""What can be copied of a packet, and findings and operations as Markdown."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.analysis.expert.finding import Finding
from mqtttui.analysis.operation import Leg, Operation, OpKind, OpState
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.export.copies import Copied, copies, pasteable
from mqtttui.export.markdown import MAX_COMMAND, decode_command, finding_markdown, operation_markdown
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, PacketType, Severity, Version
from mqtttui.protocol.fields import Context
from mqtttui.protocol.packets import Ack, Connect, Packet, Publish, encode
from tests.support import golden, strategies

WALL = 1_700_000_000_000_000_000
UP, DOWN = Direction.C2S, Direction.S2C


def log_of(*packets: tuple[Direction, Packet | bytes], version: Version = Version.V311) -> Log:
    log = Log()
    number = log.open_connection(
        peer="p", origin=Origin.OWN, source="10.0.0.1:50001", destination="10.0.0.2:1883", mono=0, wall=WALL, version=version
    )
    recorder = Recorder(log, number)
    for index, (direction, packet) in enumerate(packets):
        recorder.record(direction, packet if isinstance(packet, bytes) else encode(packet, version), index * 1_000_000, WALL + index)
    return log


def made(log: Log, no: int, field: str = "", filter_text: str = "") -> dict[str, Copied]:
    dissection = log.dissect(no)
    selected = dissection.first(field) if field else None
    found = copies(log, no, dissection, selected, filter_text=filter_text)
    assert len({each.id for each in found}) == len(found)
    return {each.id: each.make() for each in found}


def test_everything_of_a_publish() -> None:
    log = log_of((UP, Connect("me", username="anna", password=b"s3cret")), (UP, Publish("a/b", '{"ü": 1}'.encode())))
    found = made(log, 2, "mqtt.topic", 'mqtt.topic == "a/b"')
    assert list(found) == [
        "value", "bytes", "filter", "hex", "dump", "tree", "payload", "payload-hex", "payload-file", "json", "command", "snippet",
    ]  # fmt: skip
    assert found["value"].data == "a/b"
    assert found["bytes"].data == b"a/b".hex()
    assert found["filter"].data == 'mqtt.topic == "a/b"'
    assert found["hex"].data == log[2].raw.hex()
    assert str(found["dump"].data).startswith("0000  30 ")
    assert "Topic Name" in str(found["tree"].data)
    assert found["payload"] == Copied('{"ü": 1}')
    assert found["payload-hex"].data == '{"ü": 1}'.encode().hex()
    assert found["payload-file"].data == '{"ü": 1}'.encode()
    assert json.loads(found["json"].data)["fields"]["mqtt.topic"] == ["a/b"]
    assert '-u anna -P "$MQTT_PASSWORD" -t a/b' in str(found["command"].data)
    assert "paho" in str(found["snippet"].data)


def test_no_copy_holds_a_secret() -> None:
    log = log_of((UP, Connect("me", username="anna", password=b"s3cret")))
    for no, field in ((1, "mqtt.passwd"), (1, "mqtt.clientid")):
        for copied in made(log, no, field).values():
            data = copied.data if isinstance(copied.data, bytes) else copied.data.encode()
            assert b"s3cret" not in data
            assert b"s3cret".hex().encode() not in data
    assert made(log, 1, "mqtt.passwd")["value"] == Copied("******", "secret masked")
    assert made(log, 1)["hex"].remark == made(log, 1)["json"].remark == "secrets masked"


def test_packets_without_payload_or_command_offer_none() -> None:
    assert list(made(log_of((UP, b"\xc0\x00")), 1)) == ["hex", "dump", "tree", "json"]


def test_an_evicted_packet_is_copied_as_far_as_it_is_known() -> None:
    log = log_of((UP, b"\xc0\x00"))
    dissection = dissect(b"\xc0\x00", Context(Version.V311, UP))
    assert [each.id for each in copies(log, 77, dissection)] == ["hex", "dump", "tree"]


def test_a_large_payload_is_read_from_a_file_and_that_is_said() -> None:
    found = made(log_of((UP, Publish("a", bytes(70_000)))), 1)
    assert "-f payload.bin" in str(found["command"].data)
    assert found["command"].remark == found["snippet"].remark == "payload.bin must hold the payload"


def test_payloads_that_could_surprise_are_escaped() -> None:
    assert pasteable(b"a\nb\tc") == ("a\nb\tc", False)
    assert made(log_of((UP, Publish("a", b"\x1b]52;c;x\x07"))), 1)["payload"] == Copied("\\x1b]52;c;x\\x07", "escaped: not plain text")


@given(strategies.any_packet_bytes, strategies.contexts)
def test_any_row_can_be_copied(raw: bytes, context: Context) -> None:
    log = log_of((context.direction, raw), version=context.version)
    for no in log.numbers():
        for copied in made(log, no).values():
            if isinstance(copied.data, str):
                assert all(char.isprintable() or char in "\n\t" for char in copied.data)


def run_in_sh(command: str) -> str:
    """What the command prints, with our own `mqtttui`."""
    done = subprocess.run(
        ["sh", "-c", command.replace("mqtttui ", f"'{sys.executable}' -m mqtttui ")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def code_of(markdown: str) -> str:
    """The command in the last fence."""
    return markdown.rpartition("```sh\n")[2].partition("\n```")[0]


def test_a_finding() -> None:
    packet = golden.packet(20)
    log = log_of((UP, packet.raw))
    finding = Finding("D02", Severity.ERROR, 1, "MQTT-3.3.1-2", "The client set DUP at QoS 0 on 'a_b*'.", "the client's library", (), 0, 1)
    shown = finding_markdown(finding, log)
    assert shown.startswith(
        "**error D02** \\[MQTT-3.3.1-2\\]: The client set DUP at QoS 0 on 'a\\_b\\*'.\n\nWhat to check: the client's library\n"
    )
    assert "- packet 1: PUBLISH `C>S`, 12 bytes, MQTT 3.1.1, connection 0, 2023-11-14T22:13:20.000000000Z\n" in shown
    assert "- it is about bytes 0 to 0 of packet 1\n" in shown
    assert "```text\n0000  38 0a 00 08" in shown
    assert code_of(shown) == f"mqtttui decode --direction 'C>S' --protocol-version 3.1.1 --hex {packet.raw.hex()}"
    assert "error D02" in run_in_sh(code_of(shown))


def test_a_finding_with_related_packets_shows_them_together() -> None:
    log = log_of((UP, Publish("a", b"x", 1, packet_id=7)), (UP, Publish("b", b"y", 1, packet_id=7)))
    finding = Finding("E10", Severity.ERROR, 2, "MQTT-2.2.1-3", "The identifier 7 is in use.", "", (1, 99))
    shown = finding_markdown(finding, log)
    assert "- packet 1: PUBLISH" in shown and "- packet 2: PUBLISH" in shown and "- packet 99: evicted" in shown
    printed = run_in_sh(code_of(shown))
    assert "Topic Name: a" in printed and "Topic Name: b" in printed


def test_a_finding_on_a_secret_names_no_byte_of_it() -> None:
    log = log_of((UP, Connect("c", Version.V31, username="u", password=b"\xff\xfe")), version=Version.V31)
    note = log.dissect(1).notes[0]
    shown = finding_markdown(Finding(note.id, note.severity, 1, note.statement, note.text, "", (), note.start, note.end), log)
    assert "0xff" not in shown and "fffe" not in shown and "about a secret" in shown


def test_an_operation() -> None:
    log = log_of((UP, Publish("a/`b`", b"x", 1, packet_id=7)), (DOWN, Ack(PacketType.PUBACK, 7, 0x87)), version=Version.V5)
    legs = (Leg(1, "PUBLISH", 0), Leg(2, "PUBACK", 1_000_000))
    shown = operation_markdown(Operation(1, OpKind.PUBLISH, b"a/`b`", OpState.FAILED, 0x87, 1_000_000, legs, None, 0, UP, 1, 0), log)
    assert shown.startswith("**PUBLISH** `` a/`b` ``: failed, 0x87 not authorized, 1.0 ms\n")
    assert "- packet 2: PUBACK `S>C`" in shown and "(PUBACK, after 1.0 ms)" in shown
    assert "```text\npacket 1\n0000  32 " in shown
    printed = run_in_sh(code_of(shown))
    assert "PUBLISH" in printed and "0x87" in printed


def test_an_open_operation_says_for_how_long() -> None:
    log = log_of((UP, Publish("a", b"x", 1, packet_id=7)))
    operation = Operation(1, OpKind.PUBLISH, b"a", OpState.OPEN, None, None, (Leg(1, "PUBLISH", 0),), 90_000_000_000, 0, UP, 1, 0)
    assert operation_markdown(operation, log).startswith("**PUBLISH** `a`: open for 1 min 30 s\n")


def test_large_packets_have_no_command_and_a_cut_dump() -> None:
    log = log_of((UP, Publish("a", bytes(MAX_COMMAND))))
    assert decode_command(log, [1]) == ""
    shown = finding_markdown(Finding("D01", Severity.NOTE, 1, "", "Large.", ""), log)
    assert "bytes more\n```" in shown and "decode" not in shown


@pytest.mark.parametrize("text", ["```", "<img src=x onerror=alert(1)>", "@everyone #1 [x](javascript:1)", "a|b", "**b**", "`"])
def test_wire_text_is_never_markup(text: str) -> None:
    log = log_of((UP, Publish(text, text.encode() * 3)))
    shown = finding_markdown(Finding("D01", Severity.NOTE, 1, "", text, text), log)
    prose = shown.partition("\n- packet")[0]
    for special in "`<>@#[]|*":
        assert prose.replace("**note D01**", "").replace(f"\\{special}", "").count(special) == 0
    body = shown.partition("\n- packet")[2]
    fence = body.partition("text\n")[0].rpartition("\n")[2]
    assert fence.strip("`") == "" and fence not in body.partition("text\n")[2].partition(f"\n{fence}")[0]


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=3))
def test_any_packets_give_a_command_of_plain_ascii(raws: list[bytes]) -> None:
    log = log_of(*((UP, raw) for raw in raws))
    assert decode_command(log, list(log.numbers())).isascii()
