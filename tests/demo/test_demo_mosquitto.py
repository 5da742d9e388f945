"""mosquitto's own clients against the embedded broker."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mqtttui.demo.broker import DemoBroker
from tests.support.brokers import program
from tests.support.waiting import wait_until_sync

VERSIONS = ["mqttv31", "mqttv311", "mqttv5"]
V5_ONLY = ["mqttv5"]


def publish(broker: DemoBroker, *options: str, version: str = "mqttv311") -> subprocess.CompletedProcess[str]:
    """Runs mosquitto_pub to its end."""
    tool = program("mosquitto_pub", "apt-get install mosquitto-clients")
    command = [tool, "-h", broker.host, "-p", str(broker.port), "-V", version, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


@contextmanager
def subscriber(broker: DemoBroker, *options: str, version: str = "mqttv311") -> Iterator[subprocess.Popen[str]]:
    """Runs mosquitto_sub; the block is entered when the broker has granted its filter."""
    tool = program("mosquitto_sub", "apt-get install mosquitto-clients")
    before = broker.call(lambda core: len(core.subscriptions))
    command = [tool, "-h", broker.host, "-p", str(broker.port), "-V", version, "-W", "20", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_until_sync(
            lambda: process.poll() is not None or broker.call(lambda core: len(core.subscriptions)) > before, "the subscription"
        )
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


def output(process: subprocess.Popen[str]) -> list[str]:
    """What a subscriber with -C has printed when it ends."""
    return process.communicate(timeout=20)[0].splitlines()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", ["0", "1", "2"])
def test_publish_and_subscribe(broker: DemoBroker, version: str, qos: str) -> None:
    with subscriber(broker, "-t", "a/+", "-q", "2", "-C", "30", "-F", "%t %q %r %p", version=version) as receiver:
        for number in range(2):
            done = publish(broker, "-t", f"a/{number}", "-q", qos, "-m", f"message {number}", version=version)
            assert done.returncode == 0, done.stderr
        for number in range(2, 30):
            broker.publish(f"a/{number}", b"message %d" % number, qos=int(qos))
        lines = output(receiver)
    own = [line for line in lines if line not in {f"a/{number} {qos} 0 message {number}" for number in range(2)}]
    assert own == [f"a/{number} {qos} 0 message {number}" for number in range(2, 30)]
    assert len(set(lines)) == len(lines) == 30  # order holds for one sender only (MQTT-4.6.0-5), and there were three


@pytest.mark.parametrize("version", VERSIONS)
def test_versions_mix(broker: DemoBroker, version: str) -> None:
    with subscriber(broker, "-t", "mix", "-q", "2", "-C", "3", version=version) as receiver:
        for other in VERSIONS:
            assert publish(broker, "-t", "mix", "-q", "2", "-m", other, version=other).returncode == 0
        assert output(receiver) == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_retained(broker: DemoBroker, version: str) -> None:
    publish(broker, "-t", "r/1", "-m", "kept", "-q", "1", "-r", version=version)
    publish(broker, "-t", "r/2", "-m", "forgotten", "-q", "1", "-r", version=version)
    publish(broker, "-t", "r/2", "-n", "-q", "1", "-r", version=version)
    with subscriber(broker, "-t", "r/#", "-C", "1", "-F", "%t %r %p", version=version) as receiver:
        assert output(receiver) == ["r/1 1 kept"]
    assert broker.call(lambda core: [message.topic for message in core.retained.matching(b"#", 0)]) == [b"r/1"]


@pytest.mark.parametrize("version", VERSIONS)
def test_will(broker: DemoBroker, version: str) -> None:
    with subscriber(broker, "-t", "will", "-C", "1", "-F", "%t %q %p", "-q", "2", version=version) as watcher:
        will = ("--will-topic", "will", "--will-payload", "dead", "--will-qos", "2")
        with subscriber(broker, "-t", "x", *will, version=version):
            pass  # it is killed at the end of the block
        assert output(watcher) == ["will 2 dead"]


@pytest.mark.parametrize("version", VERSIONS)
def test_session_keeps_messages(broker: DemoBroker, version: str) -> None:
    session = ("-i", "keeper", "-c", "-q", "2", "-t", "k", *(("-x", "60") if version == "mqttv5" else ()))
    with subscriber(broker, *session, "-E", version=version) as first:
        assert first.wait(20) == 0
    wait_until_sync(lambda: broker.call(lambda core: not core.sessions["keeper"].online), "the subscriber to leave")
    for qos in ("1", "2"):
        publish(broker, "-t", "k", "-q", qos, "-m", f"kept {qos}", version=version)
    tool = program("mosquitto_sub", "apt-get install mosquitto-clients")
    command = [tool, "-h", broker.host, "-p", str(broker.port), "-V", version, "-W", "20", *session, "-C", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=25, check=False)
    assert done.stdout.splitlines() == ["kept 1", "kept 2"]


def test_properties_of_v5(broker: DemoBroker) -> None:
    with subscriber(broker, "-t", "p", "-C", "1", "-F", "%A|%C|%D|%E|%P|%R|%p", version="mqttv5") as receiver:
        properties = (
            ("content-type", "text/plain"),
            ("correlation-data", "42"),
            ("message-expiry-interval", "60"),
            ("response-topic", "answers"),
            ("payload-format-indicator", "1"),
            ("topic-alias", "3"),
        )
        options = [word for name, value in properties for word in ("-D", "publish", name, value)]
        done = publish(broker, "-t", "p", "-m", "x", *options, "-D", "publish", "user-property", "k", "v", version="mqttv5")
        assert done.returncode == 0, done.stderr
        assert output(receiver) == ["|text/plain|42|60|k:v|answers|x"]


def test_a_refused_publish(broker: DemoBroker) -> None:
    done = publish(broker, "-t", "forbidden/x", "-q", "1", "-m", "x", version="mqttv5")
    assert "Not authorized" in done.stderr + done.stdout
    assert publish(broker, "-t", "forbidden/x", "-q", "1", "-m", "x").returncode == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_refused_login(broker: DemoBroker, version: str) -> None:
    done = publish(broker, "-t", "x", "-m", "x", "-u", "refuse", "-P", "x", version=version)
    assert done.returncode != 0
    assert "uthori" in done.stderr


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_a_refused_subscription(broker: DemoBroker, version: str) -> None:
    tool = program("mosquitto_sub", "apt-get install mosquitto-clients")
    command = [tool, "-h", broker.host, "-p", str(broker.port), "-V", version, "-W", "20", "-t", "forbidden/x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=25, check=False)
    assert "denied" in (done.stdout + done.stderr).lower()


def test_shared_subscription(broker: DemoBroker) -> None:
    options = ("-t", "$share/g/s", "-C", "2")
    with subscriber(broker, *options, version="mqttv5") as one, subscriber(broker, *options, version="mqttv5") as two:
        for number in range(4):
            publish(broker, "-t", "s", "-m", str(number), "-q", "1", version="mqttv5")
        assert sorted(output(one) + output(two)) == ["0", "1", "2", "3"]


def test_many_lines_at_qos_2(broker: DemoBroker) -> None:
    with subscriber(broker, "-t", "many", "-q", "2", "-C", "500", version="mqttv5") as receiver:
        tool = program("mosquitto_pub", "apt-get install mosquitto-clients")
        lines = "".join(f"line {number}\n" for number in range(500))
        command = [tool, "-h", broker.host, "-p", str(broker.port), "-V", "5", "-t", "many", "-q", "2", "-l"]
        subprocess.run(command, input=lines, text=True, timeout=30, check=True)
        assert output(receiver) == lines.splitlines()
