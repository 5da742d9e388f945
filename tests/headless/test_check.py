"""`mqtttui check` as a monitor and a person run it: in a process of its own."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mqtttui.analysis.check_run import METRICS
from tests.support.brokers import ALICE, Broker, Ways, free_port
from tests.support.certs import Certificates
from tests.support.waiting import wait_until_sync

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("MQTTTUI_")}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "mqtttui", "check", *words]


def check(*words: str, status: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(*words),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env=ENVIRONMENT | environ,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == status, done.stdout + done.stderr
    return done


def url(broker: Broker) -> str:
    return f"mqtt://127.0.0.1:{broker.port}"


def performance(line: str) -> dict[str, tuple[float, str, list[str]]]:
    """The performance data as the guidelines for monitoring plugins define it: label -> value, unit, limits."""
    _, bar, data = line.partition("|")
    assert bar and "|" not in data
    found = {}
    for part in data.split():
        match = re.fullmatch(r"([a-z0-9-]+)=([0-9.]+)(s|B|%);([0-9.:]*);([0-9.:]*);([0-9.]*);([0-9.]*)", part)
        assert match is not None, part
        found[match[1]] = (float(match[2]), match[3], list(match.groups()[3:]))
    return found


def test_ok_has_a_first_line_for_monitors_and_a_table(mosquitto_broker: Broker) -> None:
    done = check(url(mosquitto_broker), "--critical", "total=30s")
    first, empty, *table = done.stdout.splitlines()
    assert first.startswith(f"MQTT OK - {url(mosquitto_broker)}: 1 of 1 runs, total ")
    data = performance(first)
    assert data["total"][1:] == ("s", ["", "30.000000", "0", ""])
    assert data["publish-qos1"][0] < data["total"][0]
    assert data["availability"] == (100.0, "%", ["", "", "0", "100"])
    assert empty == ""
    rows = {line[:25].strip(): line[25:].strip() for line in table}
    assert not {"DNS", "TLS"} & set(rows), "there is a row for what was measured"
    assert re.fullmatch(r"[0-9.]+ m?s", rows["CONNACK"])
    assert re.fullmatch(r"[0-9]+ bytes", rows["PUBLISH QoS 1"])
    assert done.stderr == ""
    assert max(len(line) for line in table) <= 80


def test_several_runs_have_statistics(mosquitto_broker: Broker) -> None:
    done = check(url(mosquitto_broker), "-C", "3", "--interval", "0")
    lines = done.stdout.splitlines()
    assert "3 of 3 runs" in lines[0]
    assert lines[2].split() == ["n", "min", "median", "p95", "max"]
    assert next(line for line in lines if line.startswith("ping")).split()[1] == "3"
    assert lines[-1] == "availability 100 % (3 of 3 runs)"


def test_json(mosquitto_broker: Broker) -> None:
    made: dict[str, Any] = json.loads(check(url(mosquitto_broker), "-C", "2", "--interval", "0", "--json", "-t", "check/json").stdout)
    assert (made["status"], made["exit"], made["runs"], made["availability"], made["errors"]) == ("OK", 0, 2, 100.0, {})
    assert made["topic"] == "check/json"
    assert list(made["times_ms"]) == [metric.key for metric in METRICS]
    assert made["times_ms"]["dns"] is None
    assert made["times_ms"]["publish-qos2"]["n"] == 2
    first = made["each"][0]
    assert first["error"] is None
    assert first["times_ms"]["total"] >= first["times_ms"]["connected"] > 0
    assert first["sizes"]["publish-size-qos0"] == 2 + 2 + len("check/json") + first["sizes"]["publish-payload"]
    assert first["sizes"]["publish-size-qos1"] == first["sizes"]["publish-size-qos0"] + 2


def test_limits_make_warning_and_critical(mosquitto_broker: Broker) -> None:
    first = check(url(mosquitto_broker), "--warn", "publish=1us", status=1).stdout.splitlines()[0]
    assert first.startswith("MQTT WARNING - ")
    assert "publish QoS 1 (PUBACK) " in first
    assert check(url(mosquitto_broker), "--warn", "ping=1us", "--critical", "total=1us", status=2).stdout.startswith("MQTT CRITICAL - ")


def test_tls_and_a_name(tls_mosquitto: Broker, certificates: Certificates) -> None:
    words = (f"mqtts://localhost:{tls_mosquitto.port}", "--cafile", str(certificates.ca), "--json")
    times = json.loads(check(*words).stdout)["times_ms"]
    assert times["dns"]["n"] == times["tls"]["n"] == 1
    assert check(f"mqtts://localhost:{tls_mosquitto.port}", status=2).stdout.startswith("MQTT CRITICAL - ")


def test_a_password_from_the_environment(password_mosquitto: Broker) -> None:
    name, password = ALICE
    words = (url(password_mosquitto), "-u", name, "-t", "t/check")
    done = check(*words, MQTTTUI_PASSWORD=password)
    assert password not in done.stdout + done.stderr
    refused = check(*words, status=2, MQTTTUI_PASSWORD="open-sesame").stdout
    assert "refused: Refused: " in refused.splitlines()[0]
    assert "open-sesame" not in refused


def test_a_broker_that_is_not_there() -> None:
    port = free_port()
    done = check(f"127.0.0.1:{port}", "-C", "2", "--interval", "0", status=2)
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"MQTT CRITICAL - mqtt://127.0.0.1:{port}: 0 of 2 runs, connect: Connection refused")
    assert lines[1:3] == ["", "availability 0 % (0 of 2 runs)"], "no table of nothing"
    assert "errors: 2 connect" in lines
    assert any(line.startswith("run 2, tcp: Connection refused: 127.0.0.1:") for line in lines)
    check(f"127.0.0.1:{port}", "--critical", "availability=0%", status=0)


@pytest.mark.parametrize("words", [["h", "--warn", "nonsense"], [], ["--nonsense"], ["h", "--topic"], ["h", "-t", "a|#"]])
def test_unusable_words_are_unknown_to_a_monitor(words: list[str]) -> None:
    done = check(*words, status=3)
    assert done.stdout.startswith("MQTT UNKNOWN - ")
    assert len(done.stdout.splitlines()) == 1 and "|" not in done.stdout
    assert done.stderr.startswith("mqtttui: ")


def test_help_names_what_can_be_limited() -> None:
    said = check("--help").stdout
    assert "availability" in said and "--subscribe-only" in said and "3 unknown" in said
    assert "--will-topic" in said and "--reconnect" not in said
    assert max(map(len, said.splitlines())) <= 130


def test_it_loads_no_screen(mosquitto_broker: Broker) -> None:
    code = (
        f"import sys\nfrom mqtttui.cli import main\nstatus = main(['check', {url(mosquitto_broker)!r}, '--connect-only'])\n"
        "print(status, *sorted({'textual', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, env=ENVIRONMENT)
    assert done.stdout.splitlines()[-1] == "0"


@pytest.mark.parametrize("way", ["mqtt", "mqtts", "wss", "unix"])
def test_no_time_is_spent_on_loading_code(mosquitto_ways: Ways, certificates: Certificates, way: str) -> None:
    """All that a run needs is loaded before its clock starts."""
    words = {
        "mqtt": [f"mqtt://localhost:{mosquitto_ways.broker.port}"],
        "mqtts": [f"mqtts://localhost:{mosquitto_ways.tls}", "--cafile", str(certificates.ca)],
        "wss": [f"wss://localhost:{mosquitto_ways.secure_websocket}/mqtt", "--cafile", str(certificates.ca)],
        "unix": [f"mqtt+unix://{mosquitto_ways.unix}"],
    }[way]
    code = (
        "import sys\nfrom mqtttui import cli\nfrom mqtttui.client import checking\nonce = checking.check_once\n"
        "async def watched(*given):\n    before = set(sys.modules)\n    run = await once(*given)\n"
        "    print('LOADED', run.error, sorted(set(sys.modules) - before))\n    return run\n"
        f"checking.check_once = watched\ncli.main({['check', *words]!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, env=ENVIRONMENT)
    assert "LOADED None []" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_what_there_is(mosquitto_broker: Broker, tmp_path: Path, number: signal.Signals) -> None:
    """On a terminal it shows how far it is."""
    master, slave = pty.openpty()
    out = tmp_path / "out"
    try:
        with (
            out.open("wb") as stream,
            subprocess.Popen(
                command(url(mosquitto_broker), "-C", "100", "--interval", "60"),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=slave,
                env=ENVIRONMENT,
            ) as process,
        ):
            said = b""

            def waiting() -> bool:
                nonlocal said
                said += os.read(master, 4096)
                return b"the next one comes" in said

            wait_until_sync(waiting, lambda: repr(said), 20)
            process.send_signal(number)
            assert process.wait(20) == 0
    finally:
        os.close(master)
        os.close(slave)
    assert b"run 1 of 100  waiting for CONNACK" in said
    assert out.read_text().startswith(f"MQTT OK - {url(mosquitto_broker)}: 1 of 1 runs")


def test_a_signal_before_the_first_run_has_ended_is_unknown(mosquitto_broker: Broker) -> None:
    mosquitto_broker.pause()
    try:
        words = command(url(mosquitto_broker), "--timeout", "60")
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
            wait_until_sync(lambda: _handles(process.pid, signal.SIGTERM), "the handler of the signal", 20)
            process.send_signal(signal.SIGTERM)
            said, errors = process.communicate(timeout=20)
            assert process.returncode == 3, errors
    finally:
        mosquitto_broker.resume()
    assert said.decode().startswith("MQTT UNKNOWN - ") and "interrupted" in said.decode()
    assert b"Traceback" not in errors


def _handles(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = re.search(r"SigCgt:\s*([0-9a-f]+)", status)
    return caught is not None and bool(int(caught[1], 16) >> (number - 1) & 1)
