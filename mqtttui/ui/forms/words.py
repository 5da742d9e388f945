"""The state of a connection in words: steps, what the server granted, when the will fires."""

from __future__ import annotations

from mqtttui import text
from mqtttui.client.events import ConnectionState, Step, StepStatus
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connack, Connect, Properties, Property
from mqtttui.protocol.properties import PROPERTIES

NEVER = 0xFFFFFFFF
"""Session Expiry Interval of a session that does not end (section 3.1.2.11.2)."""

_STEPS = {"tcp": "TCP", "tls": "TLS", "unix": "Unix socket", "websocket": "WebSocket", "connect": "CONNECT", "connack": "CONNACK"}
_LONGEST = 120


def step_words(step: Step) -> str:
    """`TCP 0.4 ms`, `CONNACK failed after 10.0 s`, `TLS …` while it runs; empty for a step that was not needed."""
    name = _STEPS.get(step.name, step.name)
    took = duration(step.milliseconds)
    match step.status:
        case StepStatus.DONE:
            return f"{name} {took}".rstrip()
        case StepStatus.FAILED:
            return f"{name} failed" + (f" after {took}" if took and took != "0.0 ms" else "")
        case StepStatus.RUNNING:
            return f"{name} …"
        case StepStatus.WAITING:
            return name
        case StepStatus.SKIPPED:
            return ""


def duration(milliseconds: float | None) -> str:
    """`0.4 ms`, `17 ms`, `2.5 s`; empty for None."""
    if milliseconds is None:
        return ""
    if milliseconds < 9.95:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 999.5 else f"{milliseconds / 1000:.1f} s"


def granted_words(connack: Connack) -> list[str]:
    """What the server's CONNACK says beside its code, one short phrase each, in its order."""
    return [_granted(item) for item in connack.properties]


def _granted(item: Property) -> str:
    spec = PROPERTIES.get(item.id)
    value = item.value
    if isinstance(value, tuple):
        return f"{_shown(value[0])}={_shown(value[1])}"
    if isinstance(value, int):
        words = _number(item.id, value)
        if words:
            return words
        return f"{spec.name.lower() if spec else f'property 0x{item.id:02x}'} {value:,}"
    if item.id == PropertyId.AUTHENTICATION_DATA:
        return f"authentication data, {len(value)} bytes"
    names = {
        int(PropertyId.ASSIGNED_CLIENT_IDENTIFIER): "client id",
        int(PropertyId.REASON_STRING): "reason",
        int(PropertyId.SERVER_REFERENCE): "use server",
        int(PropertyId.RESPONSE_INFORMATION): "response topics under",
    }
    return f"{names.get(item.id, spec.name.lower() if spec else f'property 0x{item.id:02x}')} {_shown(value)}"


def _number(id: int, value: int) -> str:
    match id:
        case PropertyId.SESSION_EXPIRY_INTERVAL:
            return f"session ends {after(value)}"
        case PropertyId.SERVER_KEEP_ALIVE:
            return f"keep alive {value:,} s, set by the server"
        case PropertyId.RECEIVE_MAXIMUM:
            return f"{value:,} in flight"
        case PropertyId.MAXIMUM_QOS:
            return f"publish at QoS {value} at most"
        case PropertyId.MAXIMUM_PACKET_SIZE:
            return f"packets up to {value:,} bytes"
        case PropertyId.TOPIC_ALIAS_MAXIMUM:
            return f"{value:,} topic aliases" if value else "no topic aliases"
        case PropertyId.RETAIN_AVAILABLE:
            return _available("retained messages", value)
        case PropertyId.WILDCARD_SUBSCRIPTION_AVAILABLE:
            return _available("wildcards", value)
        case PropertyId.SUBSCRIPTION_IDENTIFIER_AVAILABLE:
            return _available("subscription identifiers", value)
        case PropertyId.SHARED_SUBSCRIPTION_AVAILABLE:
            return _available("shared subscriptions", value)
        case _:
            return ""


def _available(what: str, value: int) -> str:
    return what if value else f"no {what}"


def after(seconds: int) -> str:
    """When a session ends that outlives its connection by so much."""
    if seconds == 0:
        return "with the connection"
    return "never" if seconds == NEVER else f"{seconds:,} s after the connection"


def session_words(state: ConnectionState) -> str:
    """`old session resumed` or `new session`, from Session Present; empty before CONNACK."""
    if state.connack is None or state.connack.code:
        return ""
    asked = state.options is not None and not state.options.connect.clean
    if asked and state.options is not None and state.options.connect.version is Version.V31:
        return "old session or new, MQTT 3.1 does not say"
    if state.connack.session_present:
        return "old session resumed"
    return "new session, the server had none" if asked else "new session"


def will_words(connect: Connect, keep_alive: int | None = None, connack: Connack | None = None) -> str:
    """When the will fires; empty without a will. `keep_alive` in seconds is the one in force (None: as asked for)."""
    if connect.will is None:
        return ""
    v5 = connect.version is Version.V5
    seconds = connect.keep_alive if keep_alive is None else keep_alive
    causes = ["cut"] + (["0x04"] if v5 else []) + ["takeover"]
    causes.append(f"ka {seconds * 1.5:g} s" if seconds else "ka off")
    line = "will: " + ", ".join(causes)
    if not v5:
        return line + "; at once"
    delay = number(connect.will.properties, PropertyId.WILL_DELAY_INTERVAL) or 0
    expiry = number(connect.properties, PropertyId.SESSION_EXPIRY_INTERVAL) or 0
    if connack is not None:
        granted = number(connack.properties, PropertyId.SESSION_EXPIRY_INTERVAL)
        expiry = expiry if granted is None else granted
    shown = "never" if expiry == NEVER else f"{expiry:,}"
    return f"{line}; after min(delay {delay:,}, expiry {shown}) = {min(delay, expiry):,} s"


def number(properties: Properties, id: int) -> int | None:
    """The first property with this id, if it is a number."""
    return next((item.value for item in properties if item.id == id and isinstance(item.value, int)), None)


def _shown(value: str | bytes) -> str:
    return text.shorten(text.visible(value), _LONGEST)
