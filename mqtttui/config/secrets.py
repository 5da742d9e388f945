"""Where a secret comes from: the environment, a command, the operating system's keyring, or the person.

Rules:
1. A secret is fetched when it is needed for a connection, never to show or list a profile.
2. `keyring` is imported at first use, in a daemon thread, and has two seconds: a locked keyring or a lost bus must not hold anybody up.
3. No error and no repr carries a secret, nor what a command printed.
"""

from __future__ import annotations

import importlib
import os
import queue
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from mqtttui.config.errors import ConfigError
from mqtttui.text import shorten, visible

SERVICE = "mqtttui"
"""Under this name the keyring keeps our entries."""
KEYRING_LIMIT = 2.0
"""Seconds."""
COMMAND_LIMIT = 60.0
"""Seconds; a password manager may ask the person something."""

_OTHER_WAYS = 'write { ask = true }, { env = "NAME" } or { command = ["pass", "show", "x"] } instead'
_HEX = "hex:"
_LARGEST = 0xFFFF
_LOOK_EVERY = 0.05
"""Seconds after which it is looked whether a command has ended."""


@dataclass(frozen=True, slots=True)
class FromEnvironment:
    """A variable of the environment."""

    name: str


@dataclass(frozen=True, slots=True)
class FromCommand:
    """The first line that a command prints; no shell reads its words."""

    words: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FromKeyring:
    """An entry in the operating system's keyring."""

    entry: str
    """`home/password`; empty: the name follows from the profile that says so."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The person types it when it is needed; it is kept nowhere."""


Source = FromEnvironment | FromCommand | FromKeyring | Asked


def words_of(source: Source) -> str:
    """`from the keyring`: where it comes from, for people."""
    match source:
        case FromEnvironment(name=name):
            return f"from ${visible(name)}"
        case FromCommand(words=words):
            return f"from the command {shorten(visible(words[0]), 20)}"
        case FromKeyring():
            return "from the keyring"
        case Asked():
            return "asked for"


def fetch(source: FromEnvironment | FromCommand | FromKeyring, environ: Mapping[str, str]) -> bytes:
    """The secret. Blocks for at most the limits above. Raises ConfigError."""
    match source:
        case FromEnvironment(name=name):
            if name not in environ:
                raise ConfigError(f"${visible(name)} is not set", hint=f"export {visible(name)} before the start")
            return environ[name].encode("utf-8", "surrogateescape")
        case FromCommand(words=words):
            return _printed(words, environ)
        case FromKeyring(entry=entry):
            found = _with_keyring(lambda keyring: keyring.get_password(SERVICE, entry))
            if found is None:
                raise ConfigError(
                    f"the keyring has no entry '{shorten(visible(entry), 60)}'", hint="save the profile again with its password"
                )
            return _decoded(str(found))


def store(entry: str, secret: bytes) -> None:
    """Put a secret into the keyring. Raises ConfigError."""
    _with_keyring(lambda keyring: keyring.set_password(SERVICE, entry, _encoded(secret)))


def forget(entry: str) -> None:
    """Take an entry out of the keyring; one that is not there is fine. Raises ConfigError."""

    def work(keyring: Any) -> None:
        if keyring.get_password(SERVICE, entry) is not None:
            keyring.delete_password(SERVICE, entry)

    _with_keyring(work)


def _printed(words: tuple[str, ...], environ: Mapping[str, str]) -> bytes:
    shown = shorten(visible(words[0]), 40)
    # No terminal: a program that asks on it would write over our screen and wait for keys that we take.
    environment = {name: value for name, value in environ.items() if name != "GPG_TTY"}
    try:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it cannot be started"
        raise ConfigError(f"the command {shown} cannot be started", reason, "mend it in the profile") from None
    with process:
        try:
            printed = _output(process)
        except subprocess.TimeoutExpired:
            with suppress(OSError):  # It has just ended.
                os.killpg(process.pid, signal.SIGKILL)
            raise ConfigError(f"the command {shown} took longer than {COMMAND_LIMIT:g} s", hint="try it in a terminal") from None
    if process.returncode:
        raise ConfigError(f"the command {shown} ended with status {process.returncode}", hint="try it in a terminal, to see why")
    first = printed.partition(b"\n")[0].removesuffix(b"\r")
    if not first:
        raise ConfigError(f"the command {shown} printed nothing", hint="its first line is the secret")
    if len(first) > _LARGEST:
        raise ConfigError(f"the command {shown} printed more than {_LARGEST:,} bytes", hint="its first line is the secret")
    return first


def _output(process: subprocess.Popen[bytes]) -> bytes:
    """The beginning of what it prints, until it ends: what it has started may hold the pipe open longer. Raises TimeoutExpired."""
    assert process.stdout is not None
    printed = bytearray()
    deadline = time.monotonic() + COMMAND_LIMIT
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            ended = process.poll() is not None
            if selector.select(0 if ended else min(left, _LOOK_EVERY)):
                chunk = os.read(process.stdout.fileno(), 65_536)
                printed += chunk[: _LARGEST + 2 - len(printed)]
                if chunk:
                    continue
                process.wait(left)
                ended = True
            if ended:
                return bytes(printed)
    raise subprocess.TimeoutExpired(process.args, COMMAND_LIMIT)


def _with_keyring(work: Callable[[Any], Any]) -> Any:
    """What `work` makes of the module `keyring`, within the limit. Raises ConfigError."""
    answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            keyring = importlib.import_module("keyring")
            if keyring.get_keyring().priority < 1:  # the backends that fail, forget, or write plain text
                raise ConfigError("this host has no keyring", hint=_OTHER_WAYS)
            answers.put((work(keyring), None))
        except BaseException as error:  # noqa: BLE001 - a backend is somebody else's program; what it raises is said below
            answers.put((None, error))

    threading.Thread(target=run, name="keyring", daemon=True).start()
    try:
        found, error = answers.get(timeout=KEYRING_LIMIT)
    except queue.Empty:
        raise ConfigError(f"the keyring gave no answer within {KEYRING_LIMIT:g} s", hint=f"unlock it, or {_OTHER_WAYS}") from None
    match error:
        case None:
            return found
        case ConfigError():
            raise error
        case ModuleNotFoundError(name="keyring"):
            raise ConfigError("there is no keyring: the package is not installed", hint=f"pip install 'mqtttui[keyring]', or {_OTHER_WAYS}")
        case _:
            raise ConfigError("the keyring cannot be used", type(error).__name__, f"unlock it, or {_OTHER_WAYS}") from None


def _encoded(secret: bytes) -> str:
    """Keyrings keep text."""
    try:
        text = secret.decode("utf-8")
    except UnicodeDecodeError:
        return _HEX + secret.hex()
    return _HEX + secret.hex() if text.startswith(_HEX) or "\0" in text else text


def _decoded(text: str) -> bytes:
    if text.startswith(_HEX):
        try:
            return bytes.fromhex(text.removeprefix(_HEX))
        except ValueError:
            pass
    return text.encode("utf-8", "surrogateescape")
