"""Connection states and filled panes for tests and pictures of the forms."""

from __future__ import annotations

from textual.widget import Widget

from mqtttui.analysis.subscriptions import Count
from mqtttui.client.events import ConnectionState, Failure, Fix, Phase, Step, StepStatus, SubscriptionState
from mqtttui.config.options import ConnectOptions, TlsOptions
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connack, Connect, Property, Publish, TopicRequest, Will
from mqtttui.ui.panes.connection import ConnectionPane
from mqtttui.ui.panes.publish import PublishPane
from mqtttui.ui.panes.subscriptions import SubscriptionsPane

PEER = "p"

FULL = ConnectOptions(
    host="broker.lan",
    port=8883,
    tls=TlsOptions(ca_file="/etc/ssl/lab.pem", verify=False),
    connect=Connect(
        client_id="dev-42",
        version=Version.V5,
        clean=False,
        keep_alive=60,
        username="anna",
        password=b"s3cret\x00",
        will=Will("state/dev-42", b'{"online":false}', 1, True, (Property(PropertyId.WILL_DELAY_INTERVAL, 30),)),
        properties=(
            Property(PropertyId.SESSION_EXPIRY_INTERVAL, 3600),
            Property(PropertyId.RECEIVE_MAXIMUM, 20),
            Property(PropertyId.USER_PROPERTY, ("tenant", "a")),
            Property(PropertyId.USER_PROPERTY, ("tenant", "b")),
        ),
    ),
)

_MS = 1_000_000

CONNECTED = ConnectionState(
    PEER,
    Phase.CONNECTED,
    0,
    FULL,
    (
        Step("resolve", StepStatus.DONE, 0, 1 * _MS),
        Step("tcp", StepStatus.DONE, 0, 400_000, "192.0.2.7:8883"),
        Step("tls", StepStatus.DONE, 0, 12 * _MS),
        Step("connect", StepStatus.DONE, 0, 100_000),
        Step("connack", StepStatus.DONE, 0, 17 * _MS),
    ),
    Connack(0, True, (Property(PropertyId.SESSION_EXPIRY_INTERVAL, 600), Property(PropertyId.RECEIVE_MAXIMUM, 10),
                      Property(PropertyId.TOPIC_ALIAS_MAXIMUM, 5))),
    "192.0.2.7:8883",
    "TLSv1.3 TLS_AES_256_GCM_SHA384",
    "certificate not verified",
    subscriptions=(
        SubscriptionState(TopicRequest("sensors/#", 1), granted=1, answer="granted QoS 1", active=True, key=b"sensors/#"),
        SubscriptionState(TopicRequest("cmd/+/set", 2, no_local=True, retain_handling=1), 7, granted=1, answer="granted QoS 1",
                          active=True, key=b"cmd/+/set"),
        SubscriptionState(TopicRequest("$SYS/#"), granted=0x87, answer="refused: 0x87 not authorized", key=b"$SYS/#"),
        SubscriptionState(TopicRequest("spBv1.0/Plant1/DDATA/Line4/Robot7/#"), answer="waiting for SUBACK",
                          key=b"spBv1.0/Plant1/DDATA/Line4/Robot7/#"),
    ),
    client_id="dev-42",
    keep_alive=60,
    receive_maximum=10,
    in_flight=3,
    held=1,
    ping_ms=0.8,
)  # fmt: skip

REFUSED = ConnectionState(
    PEER,
    options=ConnectOptions(connect=Connect(version=Version.V5, client_id="dev-42")),
    steps=(
        Step("resolve", StepStatus.DONE, 0, 1 * _MS),
        Step("tcp", StepStatus.DONE, 0, 400_000, "127.0.0.1:1883"),
        Step("tls", StepStatus.SKIPPED),
        Step("connect", StepStatus.DONE, 0, 100_000),
        Step("connack", StepStatus.FAILED, 0, 17 * _MS),
    ),
    failure=Failure(
        "Connection refused",
        "127.0.0.1:1883 answered 1 unacceptable protocol version",
        "The broker does not speak MQTT 5: try 3.1.1",
        "connack",
        (Fix.USE_311, Fix.USE_TLS),
    ),
)

CONNECTING = ConnectionState(
    PEER,
    Phase.CONNECTING,
    options=FULL,
    steps=(Step("resolve", StepStatus.DONE, 0, 1 * _MS), Step("tcp", StepStatus.RUNNING, 0), Step("tls"), Step("connect"), Step("connack")),
)

STATES = {"idle": ConnectionState(PEER), "connected": CONNECTED, "refused": REFUSED, "connecting": CONNECTING}


def pane_for(name: str, state: str) -> Widget:
    """The pane called `name`, filled, in one of the states."""
    found = STATES[state]
    if name == "connection":
        connection = ConnectionPane(PEER)
        if state != "idle":
            connection.load(found.options or FULL)
        connection.state = found
        return connection
    if name == "subscriptions":
        subscriptions = SubscriptionsPane(PEER)
        subscriptions.state = found
        if state == "connected":
            subscriptions.counts = {b"sensors/#": Count(12_431, 1204), b"cmd/+/set": Count(7, 0)}
        return subscriptions
    publish = PublishPane(PEER)
    publish.state = found
    if state == "connected":
        publish.load(Publish("cmd/lamp", b'{"on":true,"level":[1,2,3]}', 1))
    return publish
