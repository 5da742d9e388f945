"""Every check of letters A, C, G and H strikes where it should, and only there."""

from __future__ import annotations

import pytest

from mqtttui.analysis.expert.checks import CONVERSATION
from mqtttui.protocol.enums import Severity
from tests.support.connection_cases import CASES
from tests.support.expert import ids, of
from tests.support.expert_cases import Case

LETTERS = "ACGH"


def test_every_check_has_a_case() -> None:
    assert {case.id for case in CASES} == {id for id in CONVERSATION if id[0] in LETTERS}


def test_every_check_says_what_to_check() -> None:
    assert [id for id, check in CONVERSATION.items() if not check.hint and check.severity >= Severity.WARN] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_strikes(case: Case) -> None:
    found = of(case.id, case.findings(case.strikes))
    assert found, ids(case.findings(case.strikes))
    finding = found[0]
    assert finding.severity is (case.severity or CONVERSATION[case.id].severity_in(case.version))
    assert finding.text.endswith(".") and finding.text[0].isupper() and finding.text.isprintable()
    assert all(no != finding.no for no in finding.related)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_silent(case: Case) -> None:
    assert case.id not in ids(case.findings(case.silent))
