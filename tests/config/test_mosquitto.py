"""Pasted mosquitto commands: what they mean, and that mosquitto's own clients mean the same."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from mqtttui.config.errors import ConfigError
from mqtttui.config.mosquitto import Parsed, parse_command, parse_pasted
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connect, Property, Publish, Subscribe, TopicRequest, Will, encode


def test_subscribe() -> None:
    parsed = parse_command("mosquitto_sub -h broker.lan -p 1884 -u me -P 'p w' -i dev -k 10 -q 1 -t a/# -t '$SYS/#' -v -C 5")
    assert parsed.options.url == "mqtt://broker.lan:1884"
    assert parsed.options.connect == Connect("dev", username="me", password=b"p w", keep_alive=10)
    assert parsed.subscriptions == (TopicRequest("a/#", 1), TopicRequest("$SYS/#", 1))
    assert parsed.publish is None
    assert parsed.ignored == ("-v", "-C 5")


def test_publish_over_lines() -> None:
    parsed = parse_command(
        "$ docker exec -it broker mosquitto_pub \\\n  -h localhost -t cmd/temp -q 2 -r \\\n"
        "  -m '{\"on\": true}' -V 5 -D publish user-property k 'v w' \\\n  --will-topic gone --will-payload bye --will-qos 1 --will-retain"
    )
    assert parsed.publish == Publish("cmd/temp", b'{"on": true}', 2, True, properties=(Property(PropertyId.USER_PROPERTY, ("k", "v w")),))
    assert parsed.options.connect.will == Will("gone", b"bye", 1, True)
    assert parsed.options.connect.version is Version.V5
    assert parsed.subscriptions == ()
    assert parsed.ignored == ()


def test_request_and_response() -> None:
    parsed = parse_command("mosquitto_rr -t ask -e answer -m hi")
    assert parsed.options.connect.version is Version.V5
    assert parsed.publish == Publish("ask", b"hi", properties=(Property(PropertyId.RESPONSE_TOPIC, "answer"),))
    assert parsed.subscriptions == (TopicRequest("answer"),)


def test_tls() -> None:
    parsed = parse_command("mosquitto_sub -t a --cafile ca.pem --cert c.pem --key k.pem --tls-version tlsv1.3 --insecure -h h")
    tls = parsed.options.tls
    assert tls is not None
    assert (tls.ca_file, tls.certificate, tls.key, tls.minimum_version, tls.verify) == ("ca.pem", "c.pem", "k.pem", "1.3", False)
    assert parsed.options.port == 8883


@pytest.mark.parametrize(
    ("text", "port", "tls"),
    [
        ("mosquitto_sub -t a -p 8883", 8883, True),
        ("mosquitto_sub -L mqtt://h:8883/a", 8883, True),
        ("mosquitto_sub -L mqtts://h/a", 8883, True),
        ("mosquitto_sub -L mqtt://h/a", 1883, False),
        ("mosquitto_sub -t a --tls-use-os-certs -p 1883", 1883, True),
        ("mosquitto_sub -t a --capath /etc/ssl/certs", 8883, True),
    ],
)
def test_port_and_tls(text: str, port: int, tls: bool) -> None:
    options = parse_command(text).options
    assert (options.port, options.tls is not None) == (port, tls)


def test_url_takes_percent_as_it_stands() -> None:
    parsed = parse_command("mosquitto_sub -L mqtt://m%40e:p%zz@broker:1999/a%20b")
    assert parsed.options.connect.username == "m%40e"
    assert parsed.options.connect.password == b"p%zz"
    assert parsed.subscriptions == (TopicRequest("a%20b"),)


def test_words_and_programs() -> None:
    expected = parse_command("mosquitto_sub -h h -t '# x'")
    assert parse_command(["mosquitto_sub", "-h", "h", "-t", "# x"]) == expected
    for text in (
        "-h h -t '# x'",
        "/usr/bin/mosquitto_sub -h h -t '# x'",
        "sudo mosquitto_sub.exe -h h -t '# x'",
        "X=1 mosquitto_sub -hh -t'# x'",
    ):
        assert parse_command(text) == expected, text


def test_what_is_left_aside_is_listed(tmp_path: Path) -> None:
    assert parse_command("mosquitto_sub -t a -W 3 -F %j -T b -U c | jq .").ignored == (
        "-W 3",
        "-F %j",
        "-T b",
        "-U c",
        "| jq . (another command)",
    )
    assert parse_command("mosquitto_sub -t a -x 30 -R").ignored == ("-x (needs MQTT 5: add -V 5)", "-R (needs MQTT 5: add -V 5)")
    assert parse_command("mosquitto_sub -t a --insecure").ignored == ("--insecure (needs TLS: add --tls or write mqtts://)",)
    assert parse_command("mosquitto_sub -t a -m x").ignored == ("-m (mosquitto_sub sends no messages)",)
    assert parse_command("mosquitto_pub -t a -l").ignored == ("-l (payloads from standard input, one a line: fill it in by hand)",)
    assert parse_command("mosquitto_pub -t a -n -D disconnect user-property a b").ignored == (
        "-D disconnect (set it where that packet is sent)",
    )
    file = tmp_path / "payload"
    file.write_bytes(b"\x00\xff")
    parsed = parse_command(["mosquitto_pub", "-t", "a", "-t", "b", "-f", str(file), "--repeat", "3"])
    assert parsed.publish == Publish("b", b"\x00\xff")
    assert parsed.ignored == ("--repeat 3", "-t a (a message has one topic; the last one counts)")


@pytest.mark.parametrize(
    ("text", "said", "position"),
    [
        ("curl http://x", "no mosquitto command", 0),
        ("", "no mosquitto command", 0),
        ("mosquitto_sub -t", "-t needs a value", 14),
        ("mosquitto_sub -h --cafile x", "-h needs a value", 14),
        ("mosquitto_sub -t a --unix /x -h h", "does not go together with a host", None),
        ("mosquitto_sub -t a --unix ''", "is missing", 19),
        ("mosquitto_sub -t a --proxy https://x", "--proxy", 19),
        ("mosquitto_sub -t a --psk 00", "pre-shared", 19),
        ("mosquitto_sub -t a --hots x", "did you mean --host", 19),
        ("mosquitto_sub -t a b", "'b' belongs to no option", 19),
        ("mosquitto_sub -t a -p x", "-p: 'x' is no port", 19),
        ("mosquitto_sub -t a -h mqtt://b", "a URL is no host name", 19),
        ("mosquitto_sub -t a -q 3", "0, 1 or 2", 19),
        ("mosquitto_sub -t a -V 4", "3.1, 3.1.1 or 5", 19),
        ("mosquitto_sub -t a -k 65536", "0 to 65535", 19),
        ("mosquitto_sub -t a --tls-version tlsv1.4", "tlsv1.2", 19),
        ("mosquitto_sub -t a -D connect receive-maxinum 5", "did you mean receive-maximum", 19),
        ("mosquitto_sub -t a -D connect receive-maximum 65536", "0 to 65535", 19),
        ("mosquitto_sub -t a -D connect content-type x", "belongs to will or publish", 19),
        ("mosquitto_sub -t a -D connect server-keep-alive 5", "only brokers send it", 19),
        ("mosquitto_sub -t a -D conect receive-maximum 5", "'conect' is no packet", 19),
        ("mosquitto_sub -t a -D connect user-property k", "-D needs a value", 19),
        ("mosquitto_sub -t a -V 311 -D connect receive-maximum 5", "MQTT 5 only", None),
        ("mosquitto_sub -t a -D connect session-expiry-interval 5 -x 6", "-x", None),
        ("mosquitto_sub -t a -c", "add -i NAME", None),
        ("mosquitto_sub -t a --will-payload x", "--will-topic", None),
        ("mosquitto_sub -t a --key k.pem --tls-use-os-certs", "--cert", None),
        ("mosquitto_pub -m x", "add -t TOPIC", None),
        ("mosquitto_pub -t a -f /nowhere/at/all", "no file", 19),
        ("mosquitto_sub -P $PASS -t a", "not expanded", 17),
        ("mosquitto_sub -t 'a", "not closed", 17),
    ],
)
def test_errors_name_the_option_and_the_remedy(text: str, said: str, position: int | None) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_command(text)
    assert said in str(caught.value)
    assert caught.value.hint
    assert caught.value.position == position


def test_pasted_text_is_a_url_or_a_command() -> None:
    assert parse_pasted("mqtt://h/a/%23") == Parsed(parse_pasted("h").options, (TopicRequest("a/#"),))
    assert parse_pasted("  mosquitto_sub -h h -t 'a/#'\n").subscriptions == (TopicRequest("a/#"),)
    assert parse_pasted("ws://h/a").options.url == "ws://h:80/a"
    with pytest.raises(ConfigError, match="ws://"):
        parse_pasted("http://h")


def test_ways_of_mosquitto_commands() -> None:
    assert parse_command("mosquitto_sub --unix /run/m.sock -t a").options.url == "mqtt+unix:///run/m.sock"
    assert parse_command("mosquitto_sub -h h -p 9001 --ws -t a").options.url == "ws://h:9001/mqtt"
    assert parse_command("mosquitto_sub -h h --ws --tls-use-os-certs -t a").options.url == "wss://h:443/mqtt"


COMMANDS = (
    "mosquitto_sub -t a",
    "mosquitto_sub -t a -c -i x -k 5",
    "mosquitto_sub -t a -c -i x -V 5",
    "mosquitto_sub -t a -c -i x -x 30",
    "mosquitto_sub -t a -V mqttv31 -i x -q 2",
    "mosquitto_sub -t a -t b -q 1 -R --retain-as-published -D subscribe user-property k v",
    "mosquitto_sub -t a -V 5 -D subscribe subscription-identifier 7",
    "mosquitto_sub -t a -u '' -P pw -V 5",
    "mosquitto_sub -t a -P pw -V 5",
    "mosquitto_sub -t a -u me",
    "mosquitto_sub -t a -c -i x -D connect user-property a b -D connect topic-alias-maximum 5",
    "mosquitto_sub -t a -x ∞ -i y -V 5",
    "mosquitto_sub -t a -D connect authentication-method m -D connect authentication-data zz",
    "mosquitto_pub -t a -m 'é \\ x' -q 1 -r -D publish content-type text -D publish user-property a b",
    "mosquitto_pub -t a -n --will-topic w --will-qos 2 --will-retain --will-payload x",
    "mosquitto_pub -t a -t b -m x --will-topic w -D will will-delay-interval 3 -D will user-property a b",
    "mosquitto_rr -t a -m hi -e r",
    "mosquitto_rr -t a -m hi -e r -V 311",
    "mosquitto_rr -t a -m hi -e r -D publish correlation-data 77",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_same_bytes_as_mosquitto(command: str) -> None:
    words = shlex.split(command)
    if shutil.which(words[0]) is None:
        assert not os.environ.get("CI"), "mosquitto-clients is missing"
        pytest.skip("mosquitto-clients is not installed")
    parsed = parse_command(command)
    expected = b"".join(_packets(parsed, rr=words[0] == "mosquitto_rr"))
    assert _sent_by(words, parsed.options.connect.version, expected) == expected


def _packets(parsed: Parsed, rr: bool) -> list[bytes]:
    """What we would send, with the Receive Maximum that libmosquitto adds: 20 (mosquitto_rr: 1) unless it was given."""
    connect = parsed.options.connect
    if connect.version is Version.V5:
        maximum = Property(PropertyId.RECEIVE_MAXIMUM, 1 if rr else 20)
        connect = replace(connect, properties=(*connect.properties, maximum))
    out = [encode(connect, connect.version)]
    if parsed.subscriptions:
        out.append(encode(Subscribe(1, parsed.subscriptions, parsed.subscribe_properties), connect.version))
    if parsed.publish:
        packet_id = 1 if parsed.publish.qos else None
        out.append(encode(replace(parsed.publish, packet_id=packet_id), connect.version))
    return out


def _sent_by(words: list[str], version: Version, expected: bytes) -> bytes:
    """As many bytes as `expected` has of what the real client sends to a server that answers CONNECT and SUBSCRIBE."""
    v5 = version is Version.V5
    connack = b"\x20\x03\x00\x00\x00" if v5 else b"\x20\x02\x00\x00"
    suback = b"\x90\x04\x00\x01\x00\x00" if v5 else b"\x90\x03\x00\x01\x00"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        port = str(server.getsockname()[1])
        with subprocess.Popen(
            [*words, "-h", "127.0.0.1", "-p", port], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as client:
            try:
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(20)
                    got = connection.recv(65536)
                    connection.sendall(connack)
                    if len(got) < len(expected):
                        got += connection.recv(65536)
                    if len(got) < len(expected):
                        connection.sendall(suback)
                    while len(got) < len(expected) and (chunk := connection.recv(65536)):
                        got += chunk
            finally:
                client.kill()
    return got[: len(expected)]
