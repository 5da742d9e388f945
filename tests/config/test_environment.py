"""`MQTTTUI_*` variables."""

from __future__ import annotations

import pytest

from mqtttui.config.arguments import OPTIONS
from mqtttui.config.environment import from_environment
from mqtttui.config.errors import ConfigError


def given(**variables: str) -> list[tuple[str, tuple[str, ...]]]:
    found, warnings = from_environment(variables, OPTIONS)
    assert warnings == []
    return [(each.option.key, each.values) for each in found]


def test_every_option_has_a_variable_of_its_own() -> None:
    names = [option.environment for option in OPTIONS]
    assert len(set(names)) == len(names)
    for option in OPTIONS:
        value = "connect receive-maximum 5" if option.key == "property" else "1"
        assert [key for key, _ in given(**{option.environment: value})] == [option.key]


def test_values_switches_and_lists() -> None:
    assert given(MQTTTUI_HOST="h", MQTTTUI_PASSWORD="p w", HOST="x") == [("host", ("h",)), ("pw", ("p w",))]
    assert given(MQTTTUI_TLS="1", MQTTTUI_INSECURE="no", MQTTTUI_WILL_RETAIN="") == [("tls", ())]
    assert given(MQTTTUI_TOPIC="a b/#\n\n$SYS/#\n") == [("topic", ("a b/#",)), ("topic", ("$SYS/#",))]
    assert given(MQTTTUI_PROPERTY="connect receive-maximum 5\npublish user-property k 'v w'") == [
        ("property", ("connect", "receive-maximum", "5")),
        ("property", ("publish", "user-property", "k", "v w")),
    ]


def test_empty_is_unset_where_it_means_nothing() -> None:
    assert given(MQTTTUI_HOST="", MQTTTUI_PORT="") == []
    assert given(MQTTTUI_ID="", MQTTTUI_USERNAME="", MQTTTUI_PASSWORD="") == [("id", ("",)), ("username", ("",)), ("pw", ("",))]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MQTTTUI_TLS", "maybe", "set it to 1 or 0"),
        ("MQTTTUI_PROPERTY", "connect", "3 words are wanted"),
        ("MQTTTUI_PROPERTY", "connect user-property k", "4 words are wanted"),
        ("MQTTTUI_PROPERTY", "connect 'x", "quote"),
    ],
)
def test_bad_values_name_the_variable(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        from_environment({name: value}, OPTIONS)
    assert caught.value.title.startswith(f"{name}:")


def test_a_misspelt_variable_is_said() -> None:
    found, warnings = from_environment({"MQTTTUI_PASWORD": "x", "MQTTTUI_ZZZZZZZZ": "x"}, OPTIONS)
    assert found == []
    assert "did you mean MQTTTUI_PASSWORD?" in warnings[0]
    assert "--help" in warnings[1]
