"""Real brokers on free loopback ports, in temporary folders, ended by their own process id.

Each function is a context manager that gives a running `Broker`; the fixtures at the end keep one of each kind per run.
A program that is missing skips the test and says so; with the environment variable CI set it fails it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.certs import Certificates, Pair
from tests.support.waiting import wait_until_sync

HOST = "127.0.0.1"
ALICE = ("alice", "secret")
"""User name and password that every broker with a login knows; bob/hunter2 may do less."""
USERS: Mapping[str, str] = {"alice": "secret", "bob": "hunter2"}
ACL = """\
user alice
topic readwrite t/#
topic read $SYS/#
user bob
topic read t/#
topic readwrite t/bob/#
"""
"""mosquitto 2.0 grants a subscription that the list forbids and delivers nothing; a v5 PUBLISH gets PUBACK 0x87."""

_ATTEMPTS = 4
_AEDES_VERSION = "1.2.0"
_WS_VERSION = "8.23.0"


@dataclass
class Broker:
    """A broker process. `start` after `stop` or `kill` uses the same folder and port again."""

    name: str
    directory: Path
    command: Sequence[str]
    port: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[Broker], bool] = lambda broker: accepts(broker.port)
    host: str = HOST
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running broker."""
        assert self.process is not None, f"{self.name} is not running"
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self.process is not None and self.process.poll() is None

    def log(self) -> str:
        """What the broker has said so far."""
        path = self.directory / "out"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Starts the process and waits until it serves. Raises BrokerFailed."""
        with (self.directory / "out").open("wb") as out:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=os.environ | self.environment,
            )
        try:
            wait_until_sync(lambda: not self.running or self.ready(self), f"{self.name} does not serve", 30)
        except AssertionError:
            self.kill()
            raise
        if not self.running:
            raise BrokerFailed(f"{self.name} ended with {self.process.returncode}:\n{self.log()[-2000:]}")

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after ten seconds. Harmless if it has ended."""
        if self.process is None:
            return
        if self.running:
            self.resume()
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self) -> None:
        """SIGKILL: nothing is saved, no connection is closed in an orderly way."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def pause(self) -> None:
        """SIGSTOP: TCP stays up and nothing answers any more."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)


@dataclass(frozen=True)
class Ways:
    """The ways into one broker: ports, and the path of a Unix socket."""

    broker: Broker
    websocket: int
    secure_websocket: int
    tls: int
    unix: str


class BrokerFailed(Exception):
    """A broker that ended before it served."""


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Whether a TCP connection to the port is accepted."""
    try:
        socket.create_connection((HOST, port), 1).close()
    except OSError:
        return False
    return True


def in_ci() -> bool:
    """Whether missing programs are failures."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


def program(name: str, hint: str) -> str:
    """The path of a program (also from /usr/sbin). Skips the test without it, or fails in CI."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin")
    return path if path is not None else unavailable(f"{name} is not installed ({hint})")


def unavailable(reason: str) -> NoReturn:
    """Skips the test, or fails it in CI."""
    if in_ci():
        pytest.fail(f"{reason}; CI needs it", pytrace=False)
    pytest.skip(reason)


@contextmanager
def mosquitto(
    directory: Path,
    *,
    users: Mapping[str, str] | None = None,
    acl: str = "",
    tls: Pair | None = None,
    client_ca: Path | None = None,
    persistence: bool = False,
    options: Sequence[str] = (),
) -> Iterator[Broker]:
    """mosquitto with one listener: anonymous, or with `users` (name -> password) and an access list.

    `client_ca` asks for a client certificate, whose common name is the user. `options` are further lines of
    mosquitto.conf, e.g. `max_qos 1`, `max_inflight_messages 3` (the v5 Receive Maximum), `message_size_limit 1000`.
    """
    path = program("mosquitto", "apt-get install mosquitto")
    directory.mkdir(parents=True, exist_ok=True)
    lines = ["user root"] if os.geteuid() == 0 else []
    lines += ["listener {port} " + HOST, "log_dest stdout", "log_type all", "sys_interval 1"]
    lines += [f"allow_anonymous {'false' if users is not None or client_ca is not None else 'true'}"]
    if users is not None:
        _password_file(directory / "passwords", users)
        lines += [f"password_file {directory / 'passwords'}"]
    if acl:
        (directory / "acl").write_text(acl)
        (directory / "acl").chmod(0o600)
        lines += [f"acl_file {directory / 'acl'}"]
    if tls is not None:
        lines += [f"certfile {tls.certificate}", f"keyfile {tls.key}"]
    if client_ca is not None:
        lines += [f"cafile {client_ca}", "require_certificate true", "use_identity_as_username true"]
    if persistence:
        lines += ["persistence true", f"persistence_location {directory}/"]
    config = directory / "mosquitto.conf"
    text = "\n".join([*lines, *options]) + "\n"

    def prepare(port: int) -> Broker:
        config.write_text(text.replace("{port}", str(port)))
        return Broker("mosquitto", directory, [path, "-c", str(config)], port)

    with _running(prepare) as broker:
        yield broker


@contextmanager
def mosquitto_every_way(directory: Path, pair: Pair) -> Iterator[Ways]:
    """mosquitto on TCP, TLS, WebSocket with and without TLS, and a Unix socket; anonymous.

    mosquitto 2.0 takes any path for a WebSocket, and listens for it on every address.
    """
    ports = [free_port() for _ in range(3)]
    secure = [f"certfile {pair.certificate}", f"keyfile {pair.key}"]
    with tempfile.TemporaryDirectory() as place:  # The path of a socket is short, pytest's folders are not.
        path = f"{place}/mosquitto.sock"
        options = [f"listener {ports[0]}", "protocol websockets", f"listener {ports[1]}", "protocol websockets", *secure]
        options += [f"listener {ports[2]} {HOST}", *secure, f"listener 0 {path}"]
        with mosquitto(directory, options=options) as broker:
            wait_until_sync(lambda: all(map(accepts, ports)) and Path(path).exists(), "every listener of mosquitto", 10)
            yield Ways(broker, ports[0], ports[1], ports[2], path)


@contextmanager
def ejabberd(directory: Path, *, only: str = "", tls: Pair | None = None, websocket: int = 0) -> Iterator[Broker]:
    """ejabberd's mod_mqtt (3.1.1 and 5), users as in `USERS`; without a user name it refuses. Up in about 2 s.

    With `only`, every other filter and topic is refused with a Reason String. `websocket` is a port for one at /mqtt.
    """
    erlang = program("erl", "apt-get install ejabberd")
    homes = sorted(Path("/usr/lib").glob("*/ejabberd-[0-9]*"))
    if not homes:
        unavailable("ejabberd is not installed (apt-get install ejabberd)")
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "ejabberd.yml"
    certificate = directory / "server.pem"
    if tls is not None:
        certificate.write_bytes(tls.certificate.read_bytes() + tls.key.read_bytes())
    rules = f'    access_publish: {{ "{only}": all }}\n    access_subscribe: {{ "{only}": all }}\n' if only else ""
    served = directory / "served"

    def prepare(port: int) -> Broker:
        served.unlink(missing_ok=True)
        config.write_text(
            "hosts: [localhost]\nloglevel: info\nauth_method: internal\n"
            + (f'certfiles: [ "{certificate}" ]\n' if tls is not None else "")
            + f'listen:\n  -\n    port: {port}\n    ip: "{HOST}"\n    module: mod_mqtt\n    backlog: 1000\n'
            + ("    tls: true\n" if tls is not None else "")
            + (_EJABBERD_WEBSOCKET.format(port=websocket, host=HOST) if websocket else "")
            + f"modules:\n  mod_mqtt:\n{rules}    max_queue: 5000\n    session_expiry: 5 minutes\n"
        )
        environment = {
            "EJABBERD_CONFIG_PATH": str(config),
            "EJABBERD_LOG_PATH": str(directory / "ejabberd.log"),
            "ERL_LIBS": str(homes[-1].parent),
            "HOME": str(directory),
            "ERL_CRASH_DUMP": "/dev/null",
        }
        options = ["-noinput", "+S", "1:1", "+sbwt", "none", "-mnesia", "dir", f'"{directory}/spool"']
        command = [erlang, *options, "-s", "ejabberd", "-eval", _REGISTER_USERS]
        return Broker("ejabberd", directory, command, port, environment, ready=lambda broker: served.exists() and accepts(broker.port))

    with _running(prepare) as broker:
        yield broker


_EJABBERD_WEBSOCKET = """\
  -
    port: {port}
    ip: "{host}"
    module: ejabberd_http
    request_handlers:
      /mqtt: mod_mqtt
"""

_REGISTER_USERS = (
    "F=fun F(0)->no; F(N)-> case whereis(ejabberd_sup) of undefined -> timer:sleep(100), F(N-1); _ -> "
    '[ejabberd_auth:try_register(U,<<"localhost">>,P) || {U,P} <- ['
    + ",".join(f'{{<<"{name}">>,<<"{password}">>}}' for name, password in USERS.items())
    + ']], file:write_file("served",<<"1">>) end end, spawn(fun() -> F(200) end).'
)


@contextmanager
def nats(directory: Path, *, websocket: int = 0) -> Iterator[Broker]:
    """nats-server: 3.1.1 only, QoS 0 and 1, users as in `USERS`, anonymous too. Takes 1.8 s to stop.

    `websocket` is a port for one at /mqtt.
    """
    path = program("nats-server", "apt-get install nats-server")
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "nats.conf"

    def prepare(port: int) -> Broker:
        users = "".join(f"{{ user: {name}, password: {password} }}\n" for name, password in USERS.items())
        config.write_text(
            f'server_name: mqtttui-test\nlisten: "{HOST}:-1"\n'
            f'jetstream {{ store_dir: "{directory}/store", max_mem: 64MB, max_file: 64MB }}\n'
            f'mqtt {{ listen: "{HOST}:{port}" }}\n'
            + (f'websocket {{ listen: "{HOST}:{websocket}", no_tls: true }}\n' if websocket else "")
            + f"authorization {{ users = [ {users} {{ user: anon, password: anon }} ] }}\nno_auth_user: anon\n"
        )
        command = [path, "-c", str(config)]
        return Broker("nats-server", directory, command, port, ready=lambda broker: "Server is ready" in broker.log())

    with _running(prepare) as broker:
        yield broker


@contextmanager
def aedes(directory: Path, pair: Pair | None = None) -> Iterator[Broker]:
    """aedes (npm): 3.1 and 3.1.1; refuses a v5 CONNECT with return code 1; user alice/secret or anonymous.

    With `pair` it has more ways than one: `aedes_ways` tells them.

    Installed once into a cache folder (`MQTTTUI_TEST_CACHE`, else the user's cache).
    """
    node = program("node", "Node 20 or newer")
    directory.mkdir(parents=True, exist_ok=True)
    # A module finds its packages from the folder it lies in.
    (directory / "node_modules").symlink_to(_installed_aedes() / "node_modules")
    script = shutil.copy(Path(__file__).with_name("aedes.mjs"), directory)
    files = [] if pair is None else [str(pair.certificate), str(pair.key)]
    broker = Broker("aedes", directory, [node, "--preserve-symlinks", str(script), *files], ready=_aedes_ready)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def aedes_ways(broker: Broker) -> Ways:
    """The ways into an aedes that was given certificates."""
    ports = _aedes_ports(broker)
    return Ways(broker, ports["ws"], ports["wss"], ports["tls"], "")


def _aedes_ready(broker: Broker) -> bool:
    ports = _aedes_ports(broker)
    if ports:
        broker.port = ports["port"]
    return bool(ports)


def _aedes_ports(broker: Broker) -> dict[str, int]:
    lines = [line for line in broker.log().splitlines() if line.startswith("{") and line.endswith("}")]
    return dict(json.loads(lines[0])) if lines else {}


def _installed_aedes() -> Path:
    cache = os.environ.get("MQTTTUI_TEST_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mqtttui-tests"
    home = Path(cache) / f"aedes-{_AEDES_VERSION}-ws-{_WS_VERSION}"
    if not (home / "node_modules" / "aedes" / "package.json").exists():
        npm = program("npm", "Node 20 or newer")
        home.mkdir(parents=True, exist_ok=True)
        # Installed aside and moved in one go: several test processes may do this at the same time.
        with tempfile.TemporaryDirectory(dir=home) as aside:
            command = [npm, "install", "--prefix", aside, "--no-audit", "--no-fund", f"aedes@{_AEDES_VERSION}", f"ws@{_WS_VERSION}"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
            if done.returncode != 0:
                unavailable(f"aedes could not be installed: {done.stderr.strip()[-300:]}")
            with suppress(OSError):
                Path(aside, "node_modules").rename(home / "node_modules")
    return home


@contextmanager
def _running(prepare: Callable[[int], Broker]) -> Iterator[Broker]:
    """Starts what `prepare` makes for a free port; takes another port if somebody was faster."""
    left = _ATTEMPTS
    while True:
        broker = prepare(free_port())
        left -= 1
        try:
            broker.start()
            break
        except BrokerFailed:
            if not left:
                raise
    try:
        yield broker
    finally:
        broker.stop()


def _password_file(path: Path, users: Mapping[str, str]) -> None:
    tool = program("mosquitto_passwd", "apt-get install mosquitto")
    path.touch()
    path.chmod(0o600)
    for name, password in users.items():
        subprocess.run([tool, "-b", str(path), name, password], check=True, capture_output=True, timeout=10)


@pytest.fixture(scope="session")
def mosquitto_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One anonymous mosquitto a run; use topics and client ids of your own."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker


@pytest.fixture(scope="session")
def password_mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """mosquitto with the users of `USERS` and the access list `ACL`."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto-password"), users=USERS, acl=ACL) as broker:
        yield broker


@pytest.fixture(scope="session")
def tls_mosquitto(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Broker]:
    """mosquitto behind TLS with `certificates.server`."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto-tls"), tls=certificates.server) as broker:
        yield broker


@pytest.fixture(scope="session")
def mutual_tls_mosquitto(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Broker]:
    """mosquitto that wants a client certificate from `certificates.ca`."""
    directory = tmp_path_factory.mktemp("mosquitto-mutual-tls")
    with mosquitto(directory, tls=certificates.server, client_ca=certificates.ca) as broker:
        yield broker


@pytest.fixture(scope="session")
def mosquitto_ways(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Ways]:
    """One mosquitto a run with every transport, with `certificates.server`."""
    with mosquitto_every_way(tmp_path_factory.mktemp("mosquitto-ways"), certificates.server) as ways:
        yield ways


@pytest.fixture(scope="session")
def ejabberd_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One ejabberd a run; log in as `ALICE`."""
    with ejabberd(tmp_path_factory.mktemp("ejabberd")) as broker:
        yield broker


@pytest.fixture(scope="session")
def nats_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One nats-server a run."""
    with nats(tmp_path_factory.mktemp("nats")) as broker:
        yield broker


@pytest.fixture(scope="session")
def aedes_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One aedes a run."""
    with aedes(tmp_path_factory.mktemp("aedes")) as broker:
        yield broker
