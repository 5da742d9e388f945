"""What `mqtttui check` takes from its words."""

from __future__ import annotations

import pytest

from mqtttui.analysis.check_run import Depth
from mqtttui.cli.check import check_from
from mqtttui.config.check import CheckJob
from mqtttui.config.errors import ConfigError
from mqtttui.protocol.enums import Version


def job(*words: str, **environ: str) -> CheckJob:
    made, warnings = check_from(words, environ)
    assert warnings == []
    return made


def test_one_whole_run_on_a_topic_of_its_own() -> None:
    first, second = job("h"), job("h")
    assert (first.count, first.plan.depth, first.plan.qos, first.json) == (1, Depth.PUBLISH, (0, 1, 2), False)
    assert first.plan.topic.startswith(b"mqtttui/check/")
    assert first.plan.topic != second.plan.topic


def test_the_connection_is_that_of_the_other_commands() -> None:
    options = job("mqtts://me@h:8884", "-V", "5", "--server-name", "x.example", MQTTTUI_PASSWORD="secret").options
    assert (options.host, options.port, options.connect.version) == ("h", 8884, Version.V5)
    assert (options.connect.username, options.connect.password) == ("me", b"secret")
    assert options.tls is not None and options.tls.server_name == "x.example"


def test_runs_topic_and_depth() -> None:
    made = job("h", "-C", "5", "--interval", "0.5", "--timeout", "3", "-t", "a/b", "-q", "1,0", "--json")
    assert (made.count, made.interval, made.plan.timeout, made.json) == (5, 0.5, 3.0, True)
    assert (made.plan.topic, made.plan.qos) == (b"a/b", (0, 1))
    assert job("mqtt://h/a/b").plan.topic == b"a/b"
    assert job("h", "--connect-only").plan.depth is Depth.CONNECT
    plan = job("h", "--subscribe-only", "-t", "a/#").plan
    assert (plan.depth, plan.topic) == (Depth.SUBSCRIBE, b"a/#")


def test_limits() -> None:
    words = ("--warn", "publish=50ms", "--warn", "ping=1.5s", "--critical", "total=2s", "--critical", "availability=99.5%")
    thresholds = job("h", *words, "--warn", "dns=300us").thresholds
    assert thresholds.warning == {"publish": 50_000_000, "ping": 1_500_000_000, "dns": 300_000}
    assert thresholds.critical == {"total": 2_000_000_000}
    assert (thresholds.available_warning, thresholds.available_critical) == (None, 99.5)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "no broker to check"),
        (["h", "--warn", "publih=5ms"], "names nothing"),
        (["h", "--warn", "publish"], "has no time"),
        (["h", "--warn", "publish=5"], "has no time"),
        (["h", "--critical", "availability=101%"], "has no percentage"),
        (["h", "--connect-only", "--warn", "publish=5ms"], "not measured with --connect-only"),
        (["h", "--subscribe-only", "-t", "a", "--warn", "latency=5ms"], "not measured with --subscribe-only"),
        (["h", "--subscribe-only"], "nothing to subscribe to"),
        (["h", "--subscribe-only", "--connect-only", "-t", "a"], "says something else"),
        (["h", "-t", "a/#"], "no topic for a probe"),
        (["h", "--subscribe-only", "-t", "a/#/b"], "no topic filter"),
        (["h", "-t", "a", "-t", "b"], "has a topic already"),
        (["h", "-q", "3"], "no list of QoS"),
        (["h", "-C", "0"], "no number from 1"),
        (["h", "--interval", "-1"], "no number of seconds"),
        (["h", "--timeout", "0"], "too few"),
        (["h", "--reconnect"], "no such option"),
        (["h", "-m", "x"], "no such option"),
    ],
)
def test_unusable_words(words: list[str], complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_from(words, {})
    assert complaint in caught.value.title


def test_a_misspelt_limit_gets_the_nearest_name() -> None:
    with pytest.raises(ConfigError) as caught:
        check_from(["h", "--warn", "publih=5ms"], {})
    assert caught.value.hint == "did you mean publish?"
