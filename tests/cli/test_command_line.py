"""The real program in a process of its own: exit status, output, and what it imports."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

import pytest

from mqtttui import __version__
from mqtttui.config.arguments import OPTIONS


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MQTTTUI_")} | environ
    return subprocess.run(
        [sys.executable, "-m", "mqtttui", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env=env,
        check=False,
    )


def test_version() -> None:
    result = run("--version")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"mqtttui {__version__}\n", "")


def test_help_lists_every_option_and_warns_of_ps() -> None:
    result = run("--help")
    assert (result.returncode, result.stderr) == (0, "")
    for option in OPTIONS:
        assert ", ".join(option.names) in result.stdout
    assert "with ps" in " ".join(result.stdout.split())
    assert "MQTTTUI_PASSWORD" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 120


@pytest.mark.parametrize("words", [("--nonsense",), ("-p", "x"), ("mqtt://",), ("h", "x"), ("--theme",), ("-P", "secret-word", "-p", "x")])
def test_unusable_words(words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("mqtttui: ")
    assert len(result.stderr.splitlines()) == 2
    assert "Traceback" not in result.stderr
    assert "secret-word" not in result.stderr


def test_unusable_variable() -> None:
    result = run(MQTTTUI_PORT="x", MQTTTUI_HOST="h")
    assert result.returncode == 2
    assert "MQTTTUI_PORT: 'x' is no port" in result.stderr


def test_without_a_terminal() -> None:
    result = run(MQTTTUI_PASWORD="x")
    assert result.returncode == 2
    assert "did you mean MQTTTUI_PASSWORD?" in result.stderr
    assert "needs a terminal" in result.stderr
    assert "x" not in result.stderr.split()
    assert "no terminal to ask on" in run("h", "--ask-password").stderr


def test_decode_is_a_command() -> None:
    result = run("decode", "--hex", "c0 00")
    assert (result.returncode, result.stderr) == (0, "")
    assert "PINGREQ" in result.stdout
    assert run("decode", "--nonsense").returncode == 2
    assert run("decode", "--help").returncode == 0


def test_decode_ends_quietly_when_its_reader_goes() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mqtttui", "decode", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(b"C>S c000\n" * 20_000, timeout=60)
    assert b"Traceback" not in errors
    assert process.returncode not in (0, 1)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["decode", "--hex", "c000"], ["-p", "x"]])
def test_what_needs_no_screen_imports_none(words: list[str]) -> None:
    code = (
        "import sys\nfrom mqtttui.cli import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        "print(*sorted({'asyncio', 'textual', 'rich', 'gmqtt'} & set(sys.modules)), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stderr.splitlines()[-1] == ""


def test_the_password_is_asked_for_on_the_terminal() -> None:
    code = (
        "import sys; from mqtttui.cli.start import settings_from; "
        "s, _ = settings_from(['h', '-u', 'me', '--ask-password'], {}); print('GOT', s.options.connect.password)"
    )
    master, slave = pty.openpty()
    try:
        with subprocess.Popen([sys.executable, "-c", code], stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as process:
            try:
                seen = _read_until(master, b"Password: ")
                os.write(master, b"hidden w\xc3\xb6rd\n")
                seen += _read_until(master, b"GOT b'hidden w\\xc3\\xb6rd'")
            finally:
                process.kill()
    finally:
        os.close(master)
        os.close(slave)
    assert b"hidden" not in seen.split(b"GOT")[0]


def _read_until(fd: int, wanted: bytes, seconds: float = 20) -> bytes:
    deadline = time.monotonic() + seconds
    seen = b""
    while wanted not in seen:
        ready, _, _ = select.select([fd], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"{wanted!r} did not come within {seconds} s, only {seen!r}"
        seen += os.read(fd, 4096)
    return seen
