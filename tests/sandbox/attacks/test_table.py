"""The table of attacks is whole, and the page of verdicts tells of all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.rules import RULES
from tests.sandbox.attacks.table import ATTACKS, ELSEWHERE, ROWS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/sandbox-attacks.md").read_text()


def test_every_number_has_an_act_or_a_test() -> None:
    assert {attack.row for attack in ATTACKS} | set(ELSEWHERE) == set(ROWS)


def test_every_rule_has_an_attack() -> None:
    tried = {rule for attack in ATTACKS for rule in attack.rules}
    assert set(RULES) - tried == set()


@pytest.mark.parametrize(
    ("file", "test"), [one for tests in ELSEWHERE.values() for one in tests], ids=str
)
def test_a_test_that_stands_for_an_attack_is_there(file: str, test: str) -> None:
    assert re.search(rf"^def {test}\(", (ROOT / "tests" / file).read_text(), re.M)


def test_most_acts_come_in_both_forms() -> None:
    forms: dict[int, set[str]] = {}
    for attack in ATTACKS:
        forms.setdefault(attack.row, set()).add(attack.form)
    one = {row for row, found in forms.items() if len(found) == 1}
    assert len(one) < len(forms) / 3, one


def test_what_stands_open_says_why() -> None:
    for attack in ATTACKS:
        if attack.expected == "OPEN":
            assert attack.why


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_page_has_the_verdicts_that_are_expected(attack) -> None:  # type: ignore[no-untyped-def]
    (head,) = re.findall(r"^\| \| attack .*$", PAGE, re.M)
    columns = [cell.strip() for cell in head.split("|")]
    (line,) = re.findall(rf"^\| \| `{attack.act}` .*$", _of_row(attack.row), re.M)
    cells = dict(zip(columns, (cell.strip() for cell in line.split("|")), strict=True))
    assert cells["alone"] == ("not run" if attack.control == "nobody" else "succeeds")
    for level in (Level.L2, Level.L3, Level.L4):
        assert cells[level.name] == attack.verdict_at(level)


def _of_row(row: int) -> str:
    """The part of the page about one number."""
    part = re.search(rf"^\| {row} \|.*?(?=^\| \d|\n\n)", PAGE, re.M | re.S)
    assert part is not None
    return part[0]
