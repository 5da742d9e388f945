"""What is said to proxies, without a network: every chunking, every refusal, any bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.client.proxy import Conversation, HttpConnect, ProxyError, Socks5, Trouble, conversation
from mqtttui.config.options import ProxyOptions

SOCKS = ProxyOptions("socks5", "p", 1080)
SOCKS_LOGIN = ProxyOptions("socks5", "p", 1080, "me", "pw")
HTTP = ProxyOptions("http", "p", 3128)
HTTP_LOGIN = ProxyOptions("http", "p", 3128, "me", "p:w")
YES = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x01"


def talk_to(proxy: ProxyOptions, *answers: bytes, host: str = "broker", chunk: int = 0) -> tuple[list[bytes], Conversation]:
    """What was sent in answer to each of `answers`, and the conversation behind them."""
    talk = conversation(proxy, host, 1883)
    sent = [talk.start()]
    for answer in answers:
        size = chunk or len(answer)
        sent.append(b"".join(talk.feed(answer[start : start + size]) for start in range(0, len(answer), size)))
    return sent, talk


@pytest.mark.parametrize("chunk", [0, 1, 3])
def test_socks_without_a_login(chunk: int) -> None:
    sent, talk = talk_to(SOCKS, b"\x05\x00", YES, chunk=chunk)
    assert sent == [b"\x05\x01\x00", b"\x05\x01\x00\x03\x06broker\x07\x5b", b""]
    assert talk.done
    assert talk.rest == b""


def test_what_comes_early_is_kept() -> None:
    assert talk_to(SOCKS, b"\x05\x00", YES + b"early")[1].rest == b"early"


@pytest.mark.parametrize("chunk", [0, 1])
def test_socks_with_a_login(chunk: int) -> None:
    sent, talk = talk_to(SOCKS_LOGIN, b"\x05\x02", b"\x01\x00", YES, chunk=chunk)
    assert sent[:3] == [b"\x05\x02\x00\x02", b"\x01\x02me\x02pw", b"\x05\x01\x00\x03\x06broker\x07\x5b"]
    assert talk.done
    sent, talk = talk_to(SOCKS_LOGIN, b"\x05\x00")
    assert sent[1][:4] == b"\x05\x01\x00\x03"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", b"\x01\xc0\x00\x02\x01"),
        ("2001:db8::1", b"\x04\x20\x01\x0d\xb8" + bytes(11) + b"\x01"),
        ("fe80::1%eth0", b"\x04\xfe\x80" + bytes(13) + b"\x01"),
        ("bücher.example", b"\x03\x15xn--bcher-kva.example"),
    ],
)
def test_how_socks_names_the_broker(host: str, address: bytes) -> None:
    assert talk_to(SOCKS, b"\x05\x00", host=host)[0][1] == b"\x05\x01\x00" + address + b"\x07\x5b"


@pytest.mark.parametrize("bound", [b"\x01" + bytes(6), b"\x04" + bytes(18), b"\x03\x03abc\x00\x00", b"\x03\x00\x00\x00"])
def test_the_address_in_the_reply_may_be_of_any_kind(bound: bytes) -> None:
    _, talk = talk_to(SOCKS, b"\x05\x00", b"\x05\x00\x00" + bound)
    assert talk.done
    assert talk.rest == b""


@pytest.mark.parametrize(
    ("proxy", "answers", "trouble", "code"),
    [
        (SOCKS, [b"\x05\xff"], Trouble.LOGIN_WANTED, 0),
        (SOCKS, [b"\x05\x02"], Trouble.LOGIN_WANTED, 0),
        (SOCKS_LOGIN, [b"\x05\xff"], Trouble.LOGIN_KIND, 0),
        (SOCKS_LOGIN, [b"\x05\x01"], Trouble.LOGIN_KIND, 0),
        (SOCKS_LOGIN, [b"\x05\x02", b"\x01\x01"], Trouble.LOGIN_REFUSED, 0),
        (SOCKS, [b"\x05\x00", b"\x05\x02\x00\x01" + bytes(6)], Trouble.REPLY, 2),
        (SOCKS, [b"\x05\x00", b"\x05\x05"], Trouble.REPLY, 5),
        (SOCKS, [b"\x05\x00", b"\x05\x63\x00\x01" + bytes(6)], Trouble.REPLY, 0x63),
        (SOCKS, [b"\x05\x00", b"\x05\x00\x00\x09" + bytes(6)], Trouble.OTHER, 0),
        (SOCKS, [b"HTTP/1.1 400 Bad Request\r\n\r\n"], Trouble.OTHER, 0),
        (SOCKS, [b"\x00\x5b"], Trouble.OTHER, 0),
        (SOCKS, [b"\x05\x00", b"\x04\x00"], Trouble.OTHER, 0),
        (HTTP, [b"HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"], Trouble.LOGIN_WANTED, 407),
        (HTTP_LOGIN, [b"HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"], Trouble.LOGIN_REFUSED, 407),
        (HTTP, [b"HTTP/1.1 407 Login\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n\r\n"], Trouble.LOGIN_KIND, 407),
        (HTTP, [b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\n"], Trouble.STATUS, 403),
        (HTTP, [b"HTTP/1.0 502 Bad Gateway\r\n\r\n"], Trouble.STATUS, 502),
        (HTTP, [b"HTTP/9 x\r\n\r\n"], Trouble.OTHER, 0),
        (HTTP, [b"HTTP/1.1 200 OK\r\n" + b"a" * 20_000], Trouble.OTHER, 0),
        (HTTP, [b"\x05\xff"], Trouble.OTHER, 0),
        (HTTP, [b"SSH-2.0-x\r\n"], Trouble.OTHER, 0),
    ],
)
def test_refusals(proxy: ProxyOptions, answers: list[bytes], trouble: Trouble, code: int) -> None:
    for chunk in (0, 1):
        with pytest.raises(ProxyError) as caught:
            talk_to(proxy, *answers, chunk=chunk)
        assert (caught.value.trouble, caught.value.code) == (trouble, code)


@pytest.mark.parametrize("chunk", [0, 1, 7])
def test_connect(chunk: int) -> None:
    yes = b"HTTP/1.1 100 Wait\r\n\r\nHTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n"
    sent, talk = talk_to(HTTP, yes, chunk=chunk)
    assert sent == [b"CONNECT broker:1883 HTTP/1.1\r\nHost: broker:1883\r\n\r\n", b""]
    assert talk.done
    assert talk.rest == b""


def test_connect_with_a_login_and_bytes_that_come_early() -> None:
    sent, talk = talk_to(HTTP_LOGIN, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly", host="::1")
    assert sent[0].startswith(b"CONNECT [::1]:1883 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6cDp3\r\n" in sent[0]
    assert talk.done
    assert talk.rest == b"early"


@pytest.mark.parametrize("proxy", [SOCKS, HTTP])
def test_a_host_that_cannot_be_named(proxy: ProxyOptions) -> None:
    with pytest.raises(ProxyError) as caught:
        talk_to(proxy, b"\x05\x00", host="\udc80")
    assert caught.value.trouble is Trouble.TARGET


def test_a_host_that_is_too_long_for_socks() -> None:
    with pytest.raises(ProxyError, match="cannot be sent"):
        talk_to(SOCKS, host="x" * 256)


@given(st.lists(st.binary(max_size=40), max_size=6), st.sampled_from([SOCKS, SOCKS_LOGIN, HTTP]))
def test_any_bytes_end_in_a_proxy_error_or_wait(chunks: list[bytes], proxy: ProxyOptions) -> None:
    talk = conversation(proxy, "broker", 1883)
    talk.start()
    try:
        for chunk in chunks:
            if not talk.done and chunk:
                talk.feed(chunk)
    except ProxyError as error:
        assert error.trouble in Trouble


@given(st.lists(st.integers(1, 20), min_size=1, max_size=20))
def test_any_chunking_says_the_same(sizes: list[int]) -> None:
    data = b"\x05\x02\x01\x00" + YES
    whole, talk = Socks5(SOCKS_LOGIN, "broker", 1883), Socks5(SOCKS_LOGIN, "broker", 1883)
    assert whole.start() == talk.start()
    wanted, sent, position = whole.feed(data), b"", 0
    for size in [*sizes, len(data)]:
        if position < len(data):
            sent += talk.feed(data[position : position + size])
            position += size
    assert sent == wanted
    assert whole.done and talk.done
    assert isinstance(conversation(HTTP, "h", 1), HttpConnect)
