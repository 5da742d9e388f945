"""Hypothesis strategies for control packets, properties, topics and hostile text.

`packets(version)` gives whole values of one version; `encoded(version)` their bytes with the value beside them. What they
give is well-formed unless the name says `any_`.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.fields import Context
from mqtttui.protocol.packets import (
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Properties,
    Property,
    Publish,
    Suback,
    Subscribe,
    TopicRequest,
    Unsuback,
    Unsubscribe,
    Will,
)
from mqtttui.protocol.properties import PROPERTIES, WILL, Kind

ACKNOWLEDGEMENTS = (PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBREL, PacketType.PUBCOMP)

versions: SearchStrategy[Version] = st.sampled_from(Version)
directions: SearchStrategy[Direction] = st.sampled_from(Direction)
packet_ids: SearchStrategy[int] = st.integers(1, 0xFFFF)
qos_levels: SearchStrategy[int] = st.integers(0, 2)

words: SearchStrategy[str] = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
"""Any text that MQTT can carry: escapes, bidi, emoji, but no NUL."""

any_bytes: SearchStrategy[bytes] = st.binary(max_size=60)

levels: SearchStrategy[str] = st.text(st.characters(codec="utf-8", exclude_characters="\0+#/"), max_size=6)
topics: SearchStrategy[str] = (
    st.lists(levels, min_size=1, max_size=4).map("/".join).filter(lambda text: bool(text) and not text.startswith("$share"))
)
"""Topic names that may be published to."""

filters: SearchStrategy[str] = st.builds(
    lambda parts, tail: "/".join([*parts, *tail]),
    st.lists(st.one_of(levels, st.just("+")), min_size=1, max_size=4),
    st.sampled_from([(), ("#",)]),
).filter(lambda text: bool(text) and not text.startswith("$share"))
"""Topic filters that may be subscribed to."""

contexts: SearchStrategy[Context] = st.builds(Context, versions, directions, st.none() | st.binary(max_size=8))


def property_values(kind: Kind) -> SearchStrategy[int | str | bytes | tuple[str, str]]:
    """Values of one data type, over its whole range."""
    match kind:
        case Kind.BYTE:
            return st.integers(0, 0xFF)
        case Kind.UINT16:
            return st.integers(0, 0xFFFF)
        case Kind.UINT32:
            return st.integers(0, 0xFFFFFFFF)
        case Kind.VARIABLE:
            return st.integers(0, 268_435_455)
        case Kind.STRING:
            return words
        case Kind.BINARY:
            return any_bytes
        case Kind.PAIR:
            return st.tuples(words, words)


def properties(place: int, *, max_size: int = 5) -> SearchStrategy[Properties]:
    """Property lists allowed at `place` (a packet type, or WILL); only repeatable ones repeat."""
    specs = [spec for spec in PROPERTIES.values() if place in spec.packets]
    if not specs:
        return st.just(())
    one = st.sampled_from(specs).flatmap(lambda spec: property_values(spec.kind).map(lambda value: Property(spec.id, value)))
    return st.lists(one, max_size=max_size, unique_by=lambda item: object() if PROPERTIES[item.id].repeat else item.id).map(tuple)


any_properties: SearchStrategy[Properties] = st.lists(
    st.sampled_from(list(PROPERTIES.values())).flatmap(lambda spec: property_values(spec.kind).map(lambda value: Property(spec.id, value))),
    max_size=6,
).map(tuple)
"""Known properties in any packet, in any order and number."""


def _listed(version: Version, place: int) -> SearchStrategy[Properties]:
    return properties(place) if version is Version.V5 else st.just(())


def connects(version: Version) -> SearchStrategy[Connect]:
    """CONNECT with everything that may be in it."""
    wills = st.builds(Will, topics, any_bytes, qos_levels, st.booleans(), _listed(version, WILL))
    return st.builds(
        Connect,
        client_id=words,
        version=st.just(version),
        clean=st.booleans(),
        keep_alive=st.integers(0, 0xFFFF),
        username=st.none() | words,
        password=st.none() | any_bytes,
        will=st.none() | wills,
        properties=_listed(version, PacketType.CONNECT),
    )


def publishes(version: Version) -> SearchStrategy[Publish]:
    """PUBLISH with a packet identifier exactly if its QoS needs one."""
    listed = _listed(version, PacketType.PUBLISH)
    plain = st.builds(Publish, topics, any_bytes, st.just(0), st.booleans(), st.just(False), st.none(), listed)
    acknowledged = st.builds(Publish, topics, any_bytes, st.integers(1, 2), st.booleans(), st.booleans(), packet_ids, listed)
    return plain | acknowledged


def acknowledgements(version: Version) -> SearchStrategy[Ack]:
    """PUBACK, PUBREC, PUBREL and PUBCOMP in each of their lengths."""
    kinds = st.sampled_from(ACKNOWLEDGEMENTS)
    short = st.builds(Ack, kinds, packet_ids)
    if version is not Version.V5:
        return short
    codes = st.integers(0, 0xFF)
    return short | st.builds(Ack, kinds, packet_ids, codes) | st.builds(Ack, kinds, packet_ids, codes, properties(PacketType.PUBACK))


def subscribes(version: Version) -> SearchStrategy[Subscribe]:
    """SUBSCRIBE with one to four filters."""
    plain = st.builds(TopicRequest, filters, qos_levels)
    full = st.builds(TopicRequest, filters, qos_levels, st.booleans(), st.booleans(), st.integers(0, 2))
    requests = st.lists(full if version is Version.V5 else plain, min_size=1, max_size=4).map(tuple)
    return st.builds(Subscribe, packet_ids, requests, _listed(version, PacketType.SUBSCRIBE))


def disconnects(version: Version) -> SearchStrategy[Disconnect]:
    """DISCONNECT in each of its lengths."""
    if version is not Version.V5:
        return st.builds(Disconnect)
    codes = st.integers(0, 0xFF)
    return st.builds(Disconnect) | st.builds(Disconnect, codes) | st.builds(Disconnect, codes, properties(PacketType.DISCONNECT))


auths: SearchStrategy[Auth] = st.builds(Auth) | st.builds(Auth, st.integers(0, 0xFF), properties(PacketType.AUTH))
"""AUTH, which cannot leave out the properties alone."""


def packets(version: Version) -> SearchStrategy[Packet]:
    """Every type of packet that `version` has."""
    codes = st.lists(st.integers(0, 0xFF), min_size=1, max_size=5).map(tuple)
    v5 = version is Version.V5
    filter_lists = st.lists(filters, min_size=1, max_size=4).map(tuple)
    kinds: list[SearchStrategy[Packet]] = [
        connects(version),
        st.builds(
            Connack,
            st.integers(0, 0xFF),
            st.just(False) if version is Version.V31 else st.booleans(),
            _listed(version, PacketType.CONNACK),
        ),
        publishes(version),
        acknowledgements(version),
        subscribes(version),
        st.builds(Suback, packet_ids, codes, _listed(version, PacketType.SUBACK)),
        st.builds(Unsubscribe, packet_ids, filter_lists, _listed(version, PacketType.UNSUBSCRIBE)),
        st.builds(Unsuback, packet_ids, codes if v5 else st.just(()), _listed(version, PacketType.UNSUBACK)),
        st.builds(Pingreq),
        st.builds(Pingresp),
        disconnects(version),
    ]
    if v5:
        kinds.append(auths)
    return st.one_of(kinds)


versioned_packets: SearchStrategy[tuple[Version, Packet]] = versions.flatmap(lambda version: st.tuples(st.just(version), packets(version)))
"""A version and a packet of it."""

any_packet_bytes: SearchStrategy[bytes] = st.builds(
    lambda first, body: bytes([first, len(body)]) + body, st.integers(0, 0xFF), st.binary(max_size=100)
)
"""A right fixed header in front of anything."""

hostile_text: SearchStrategy[str] = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(["\x1b", "\x9b", "\x07", "\0", "\u202e", "\u2066", "\u200b", "\ufeff", "\\", "[", "]", "\r", "\n", "\u0301"]),
    ),
    max_size=40,
)
"""Text full of what terminals and markup act upon, surrogates included."""
