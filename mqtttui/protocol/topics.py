"""Topic Names and Topic Filters (MQTT 5 and 3.1.1, section 4.7): are they allowed, and do they match."""

from __future__ import annotations

from mqtttui.protocol.enums import Version

MAX_TOPIC_BYTES = 65_535
_SHARE = b"$share/"


def check_topic(topic: bytes | str, version: Version) -> str | None:
    """Why `topic` may not be published to, as a short sentence; None if it is fine.

    An empty topic is refused here; MQTT 5 allows it beside a Topic Alias, which is for the caller to know.
    """
    raw = _raw(topic)
    if not raw:
        return "the topic is empty"  # [MQTT-4.7.3-1]
    problem = _string_problem(raw, "topic")
    if problem:
        return problem
    for wildcard in "+#":
        position = raw.find(wildcard.encode())
        if position >= 0:  # [MQTT-3.3.2-2]
            return f"{wildcard} at byte {position} is a wildcard: only filters may have one"
    return None


def check_filter(filter: bytes | str, version: Version) -> str | None:
    """Why `filter` may not be subscribed to, as a short sentence; None if it is fine.

    `$share/` is a shared subscription in MQTT 5 and checked as one; in 3.x it is an ordinary level to the standard.
    """
    raw = _raw(filter)
    if not raw:
        return "the filter is empty"  # [MQTT-4.7.3-1]
    problem = _string_problem(raw, "filter")
    if problem:
        return problem
    if version is Version.V5 and (raw == b"$share" or raw.startswith(_SHARE)):
        problem = share_problem(raw)
        if problem:
            return problem
    return wildcard_problem(raw)


def wildcard_problem(filter: bytes) -> str | None:
    """What is wrong with the wildcards of `filter` ([MQTT-4.7.1-1], [MQTT-4.7.1-2]); None if nothing is."""
    return multi_level_problem(filter) or single_level_problem(filter)


def multi_level_problem(filter: bytes) -> str | None:
    """What is wrong with `#` in `filter`: it must be the last character and alone in its level."""
    position = filter.find(b"#")
    if position < 0:
        return None
    if position != len(filter) - 1:
        return f"# at byte {position} is not at the end: nothing may follow it"
    if position and filter[position - 1 : position] != b"/":
        return "# must stand alone after a slash"
    return None


def single_level_problem(filter: bytes) -> str | None:
    """What is wrong with `+` in `filter`: it must fill its level."""
    if b"+" not in filter:
        return None
    position = 0
    for level in filter.split(b"/"):
        if b"+" in level and level != b"+":
            return f"+ at byte {position + level.index(b'+')} must stand alone between slashes"
        position += len(level) + 1
    return None


def share_problem(filter: bytes) -> str | None:
    """What is wrong with a `$share/…` filter ([MQTT-4.8.2-1], [MQTT-4.8.2-2]); None if nothing is."""
    parts = filter.split(b"/", 2)
    if len(parts) < 2 or not parts[1]:
        return "the share name after $share/ is missing"
    if b"+" in parts[1] or b"#" in parts[1]:
        return "the share name must not contain + or #"
    if len(parts) < 3 or not parts[2]:
        return "nothing follows the share name: a filter is needed after it"
    return None


def is_shared(filter: bytes) -> bool:
    """Whether `filter` asks for a shared subscription."""
    return filter.startswith(_SHARE)


def without_share(filter: bytes) -> bytes:
    """`filter` without its `$share/name/`; unchanged if it has none."""
    if not filter.startswith(_SHARE):
        return filter
    parts = filter.split(b"/", 2)
    return parts[2] if len(parts) == 3 else b""


def matches(filter: bytes, topic: bytes) -> bool:
    """Whether a message to `topic` is delivered to a subscription to `filter` (section 4.7).

    A leading `$share/name/` does not count. Wildcards in the first level do not match topics that start with `$`
    [MQTT-4.7.2-1]. An ill-formed filter matches as far as its levels can be read.
    """
    pattern = without_share(filter)
    if pattern == topic:
        return True
    if topic[:1] == b"$" and pattern[:1] in (b"+", b"#"):
        return False
    if b"+" not in pattern and b"#" not in pattern:
        return False
    wanted, given = pattern.split(b"/"), topic.split(b"/")
    for index, level in enumerate(wanted):
        if level == b"#":
            return True
        if index == len(given):
            return False
        if level != b"+" and level != given[index]:
            return False
    return len(wanted) == len(given)


def overlap(one: bytes, other: bytes) -> bool:
    """Whether a topic can match both filters, so that a broker may send its messages once for each (section 3.3.4)."""
    first, second = without_share(one).split(b"/"), without_share(other).split(b"/")
    for index in range(max(len(first), len(second))):
        levels = [levels[index] if index < len(levels) else None for levels in (first, second)]
        if b"#" in levels:
            return not (index == 0 and any(level is not None and level.startswith(b"$") for level in levels))
        if None in levels:
            return False
        if levels[0] != levels[1] and b"+" not in levels:
            return False
        if index == 0 and b"+" in levels and any(level is not None and level.startswith(b"$") for level in levels):
            return False
    return True


def _raw(text: bytes | str) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


def _string_problem(raw: bytes, what: str) -> str | None:
    if len(raw) > MAX_TOPIC_BYTES:
        return f"the {what} has {len(raw):,} bytes: at most {MAX_TOPIC_BYTES:,} fit"
    if b"\0" in raw:  # [MQTT-4.7.3-2]
        return f"byte {raw.index(0)} is NUL, which no {what} may contain"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:  # [MQTT-1.5.4-1]
        return f"byte {error.start} is not UTF-8"
    return None
