"""What happened, as a Session tells it: plain frozen values. Each names its peer.

`StateChanged` carries the whole state of a peer; a screen needs nothing else to draw its panes.
All texts in these values are visible text already (they passed `mqtttui.text`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from mqtttui.analysis.check_run import Run
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.enums import ErrorClass
from mqtttui.protocol.packets import Connack, Properties, TopicRequest


class Phase(Enum):
    """Where a peer stands."""

    IDLE = "not connected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTING = "disconnecting"
    WAITING = "waiting to reconnect"


class StepStatus(Enum):
    """How far one step of connecting got."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Try:
    """One address that was tried, times in monotonic ns."""

    address: str
    """`127.0.0.1:1883`."""
    started: int
    ended: int | None = None
    """None while it runs, or if it was given up with the whole step."""
    error: str = ""
    """`refused`, `no answer`; empty if it worked."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of connecting, times in monotonic ns.

    `resolve`, `tcp`, `proxy` where there is one, `tls` (or `unix`), `websocket` where there is one, `connect` (CONNECT handed
    over), `connack`.
    """

    name: str
    status: StepStatus = StepStatus.WAITING
    started: int | None = None
    ended: int | None = None
    detail: str = ""
    """`127.0.0.1:1883`, `TLSv1.3 TLS_AES_256_GCM_SHA384`, or the error."""
    tried: int | None = None
    """When the try that worked began, in `resolve`, `tcp` (where other addresses may have failed before) and `tls`."""
    tries: tuple[Try, ...] = ()
    """Each address of `tcp` in the order in which they were tried."""

    @property
    def nanoseconds(self) -> int | None:
        """How long what worked took, without the tries that failed before it; None unless the step is done."""
        if self.status is not StepStatus.DONE or self.started is None or self.ended is None:
            return None
        return self.ended - (self.started if self.tried is None else self.tried)

    @property
    def milliseconds(self) -> float | None:
        """How long it took, None while it runs or if it never began."""
        return None if self.started is None or self.ended is None else (self.ended - self.started) / 1e6


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The HTTP exchange that a WebSocket begins with, line by line; secret values are masked."""

    request: tuple[str, ...] = ()
    response: tuple[str, ...] = ()
    """Status line and headers; empty if no answer came."""


@dataclass(frozen=True, slots=True)
class CertificateInfo:
    """What a certificate says."""

    subject: str = ""
    """`CN=broker.lan, O=Lab`."""
    issuer: str = ""
    names: tuple[str, ...] = ()
    """Hosts and addresses that it is for."""
    not_before: datetime | None = None
    not_after: datetime | None = None
    fingerprint: str = ""
    """SHA-256, 64 hexadecimal digits."""
    serial: str = ""
    """In hexadecimal."""
    key: str = ""
    """`RSA 2,048 bits`, `EC secp256r1`, `Ed25519`."""
    signature: str = ""
    """`ecdsa with sha256`."""
    authority: bool = False
    """It may sign others."""
    der: bytes = field(default=b"", repr=False)
    """The certificate itself."""
    problem: str = ""
    """Why it cannot be read; what could not be read is empty then."""


@dataclass(frozen=True, slots=True)
class TlsInfo:
    """What a TLS handshake showed, whether it worked or not; what did not come is empty."""

    version: str = ""
    """`TLSv1.3`."""
    cipher: str = ""
    """`TLS_AES_256_GCM_SHA384`."""
    alpn: str = ""
    """The protocol that the server chose by ALPN. Empty where it chose none: OpenSSL goes on then, even if some were offered."""
    certificates: tuple[CertificateInfo, ...] = ()
    """As the server sent them, its own first. They may be untrusted, incomplete or in disorder."""
    server_name: str = ""
    """The name that was asked for, and that the certificate was checked against."""
    certificate_wanted: bool = False
    """The server asked for a certificate of the client, which need not mean that it insists."""
    complete: bool = False
    """The handshake worked."""


class Fix(Enum):
    """A likely mend of a failed connect that one key can apply."""

    USE_TLS = "use TLS"
    NO_TLS = "use no TLS"
    USE_WEBSOCKET = "use WebSocket"
    NO_WEBSOCKET = "use no WebSocket"
    USE_311 = "try MQTT 3.1.1"
    USE_V5 = "try MQTT 5"
    OTHER_PORT = "try the other port"
    NO_PROXY = "connect without the proxy"
    HTTP_PROXY = "take it for an HTTP proxy"
    SOCKS_PROXY = "take it for a SOCKS5 proxy"
    SERVER_NAME = "expect the certificate's name"
    PIN = "pin this certificate"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a connection failed or ended, for people."""

    title: str
    """`Connection refused`."""
    detail: str
    """What was seen: address, code, reason string."""
    hint: str
    """What to check."""
    step: str = ""
    """The step of connecting that failed, empty for a loss later on."""
    fixes: tuple[Fix, ...] = ()
    cause: ErrorClass = ErrorClass.CLOSED
    """What kind it is, where the step does not say it."""
    value: str = ""
    """The name or fingerprint that SERVER_NAME or PIN would set."""

    @property
    def kind(self) -> ErrorClass:
        """Where it belongs among the classes of errors of a test run."""
        return _STEP_KINDS.get(self.step, self.cause)


_STEP_KINDS = {
    "resolve": ErrorClass.DNS,
    "tcp": ErrorClass.CONNECT,
    "unix": ErrorClass.CONNECT,
    "proxy": ErrorClass.CONNECT,
    "tls": ErrorClass.TLS,
    "websocket": ErrorClass.CONNECT,
}


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """One subscription of a peer."""

    request: TopicRequest
    identifier: int | None = None
    properties: Properties = ()
    granted: int | None = None
    """Granted QoS or reason code (>= 0x80: refused) from SUBACK; None while unanswered."""
    answer: str = ""
    """`granted QoS 1`, `refused: 0x87 not authorized`, `waiting for SUBACK`, `no SUBACK for 10 s`, `not renewed`, ..."""
    active: bool = False
    """The server holds it as far as we can know."""
    key: bytes = b""
    """The filter's bytes: what tells it from others."""
    late: bool = False
    """SUBACK or UNSUBACK is overdue; `answer` says for how long."""


class Outcome(Enum):
    """How a publish stands."""

    HELD = "held"
    QUEUED = "queued"
    SENT = "sent"
    LATE = "no answer so far"
    ACKED = "acked"
    REFUSED = "refused"
    LOST = "lost"
    CAME_BACK = "came back"
    NOT_BACK = "did not come back"


@dataclass(frozen=True, slots=True)
class Challenge:
    """An AUTH of the server that waits for an answer (MQTT 5, section 4.12)."""

    number: int
    """Which one on its connection, from 1."""
    method: str
    data: bytes | None = field(repr=False)
    """None: the property is absent. It may be as secret as a password."""
    reason: str
    """Reason String; empty without."""
    again: bool
    """It belongs to a re-authentication of an open connection."""
    due: int
    """Monotonic ns at which an unfinished login is given up."""


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """Everything about a peer that the panes show."""

    peer: str
    phase: Phase = Phase.IDLE
    connection: int | None = None
    """Number of the current or latest connection in the log."""
    options: ConnectOptions | None = None
    """What the current or latest connect was made with; client id filled in if it was generated."""
    steps: tuple[Step, ...] = ()
    connack: Connack | None = None
    address: str = ""
    """`127.0.0.1:1883`."""
    tls: str = ""
    """`TLSv1.3 TLS_AES_256_GCM_SHA384`; empty without TLS."""
    warning: str = ""
    """A warning that stays while it holds: `certificate not verified`, `no PINGRESP for 12 s`."""
    failure: Failure | None = None
    """Why the last attempt failed or the last connection ended unasked; None after a clean end."""
    ended: str = ""
    """One line on how the last connection ended."""
    subscriptions: tuple[SubscriptionState, ...] = ()
    client_id: str = ""
    """The id in force: our own, or the one the server assigned; visible text."""
    keep_alive: int = 0
    """Seconds in force: our own, or Server Keep Alive."""
    receive_maximum: int = 65535
    """The server's."""
    maximum_packet_size: int | None = None
    """The server's."""
    in_flight: int = 0
    """Own QoS 1 and 2 publishes without their last acknowledgement."""
    held: int = 0
    attempt: int = 0
    """Automatic reconnects so far in a row."""
    next_attempt: int | None = None
    """Monotonic ns of the next automatic reconnect."""
    ping_ms: float | None = None
    """Latest PINGREQ to PINGRESP."""
    upgrade: Upgrade | None = None
    """Of the current or latest attempt; None without WebSocket, or before it was tried."""
    tls_info: TlsInfo | None = None
    """Of the current or latest attempt, also where its handshake failed; None without TLS, or before the server's part of it."""
    challenge: Challenge | None = None
    """What the server asks for in AUTH, as long as nobody has answered."""
    misbehaving: bool = False
    """The client does something wrong on request; `warning` says what."""
    beside: tuple[str, ...] = ()
    """What connections beside this one are doing, one line each: `watches a/will on connection 3`."""
    observed: tuple[str, ...] = ()
    """What the broker did about it lately, the latest last: `kicked 15.2 s after the last packet (…)`."""

    def with_(self, **changes: object) -> ConnectionState:
        """A copy with changes."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The state of a peer is now this."""

    peer: str
    state: ConnectionState


@dataclass(frozen=True, slots=True)
class PublishChanged:
    """A publish went one step further."""

    peer: str
    token: int
    outcome: Outcome
    text: str
    """`sent`, `the broker took it, 17 ms`, `refused: 0x87 not authorized`, `sent, no PUBACK for 10 s`, `held, window 20/20`, ..."""
    packet_id: int | None = None
    milliseconds: float | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A command that could not be carried out, and why (not connected, does not fit the version ...)."""

    peer: str
    text: str


@dataclass(frozen=True, slots=True)
class RawSent:
    """How far bytes made by hand have got. Repetitions are told a few times a second, and at their end."""

    peer: str
    token: int
    sent: int
    """How often they have been handed over whole."""
    times: int
    connection: int | None
    """Number of their connection in the log."""
    handed_over: int | None
    """Monotonic ns at which the last byte was handed over first; None before."""
    done: bool
    """Nothing more comes of it."""
    text: str
    """`sent`, `sent 3 of 10`, `stopped after 3 of 10`, `the connection ended after 3 of 10`."""


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """A TCP connection as the operating system sees it. With a proxy it is the way to the proxy. Times in ns."""

    rtt_ns: int
    """Round trip, smoothed. Includes a delay of the acknowledgement, where the other side waits for something to send with it."""
    variation_ns: int
    """How much the round trip varies."""
    shortest_ns: int | None
    """The shortest round trip of the last minutes: what the network takes at best. None: not told."""
    retransmitted: int
    """Segments that were sent again, since the connection was opened."""
    backoff: int
    """How often in a row the latest segment was sent again without an answer."""
    unacknowledged: int
    """Segments that are under way."""
    unsent: int | None
    """Bytes that wait in the system's buffer because the other side, or the network, takes no more. None: not told."""


@dataclass(frozen=True, slots=True)
class TcpMeasured:
    """How the TCP of a connection stands; told about twice a second while it is open, where the system tells it."""

    peer: str
    connection: int
    """Its number in the log."""
    mono: int
    """Monotonic ns."""
    info: TcpInfo
    waiting: int
    """Bytes that this program has not handed to the system yet, because its buffer is full."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the broker did about something that the client did on request."""

    peer: str
    text: str


@dataclass(frozen=True, slots=True)
class SeenMessages:
    """Messages of one topic and QoS that a session delivered."""

    topic: str
    qos: int
    count: int
    repeated: int
    """How many of them had DUP: they had been sent to the device before."""


@dataclass(frozen=True, slots=True)
class SessionReport:
    """What was found in a session that another client left behind; told again and again while it is looked at."""

    token: int
    client_id: str
    mode: str
    """`peek`, `drain` or `end`."""
    done: bool = False
    connection: int | None = None
    """Its number in the log."""
    session_present: bool | None = None
    """None before CONNACK, and for MQTT 3.1, which does not say it."""
    messages: tuple[SeenMessages, ...] = ()
    """The most frequent ones come first."""
    others: int = 0
    """Messages of topics that `messages` has no room for."""
    count: int = 0
    qos0: int = 0
    """Those of them that are gone, whatever was withheld."""
    unfinished: int = 0
    """PUBREL that came: QoS 2 messages that the device has, whose exchange is not complete."""
    size: int = 0
    """Bytes of all payloads."""
    withheld: int = 0
    """Messages and PUBREL whose acknowledgement did not leave."""
    window: int | None = None
    """Receive Maximum of our CONNECT; None: 3.x has none."""
    expiry: int | None = None
    """Session Expiry Interval in force from now on; None in 3.x."""
    failure: Failure | None = None
    ended: str = ""
    """How it ended, one line."""


@dataclass(frozen=True, slots=True)
class SessionLooked:
    """A look into a session went on, or is over."""

    peer: str
    report: SessionReport


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """A test run waits for something."""

    token: int
    number: int
    """Of the run, from 1."""
    text: str
    """`waiting for PUBACK`."""


@dataclass(frozen=True, slots=True)
class CheckRan:
    """One run of several has ended."""

    token: int
    run: Run


@dataclass(frozen=True, slots=True)
class CheckOver:
    """All runs have ended, or were stopped."""

    token: int
    stopped: bool


CheckEvent = CheckProgress | CheckRan | CheckOver

Event = StateChanged | PublishChanged | Rejected | RawSent | TcpMeasured | Observed | SessionLooked
