"""The control arms: the same acts succeed in a process that is not confined."""

from __future__ import annotations

import os

import pytest

from tests.sandbox.attacks.case import ANYBODY, NOBODY, ROOT, Attack, plain
from tests.sandbox.attacks.stage import Stage
from tests.sandbox.attacks.table import ATTACKS


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_act_succeeds_where_nothing_stands_against_it(attack: Attack, stage: Stage) -> None:
    if attack.control == NOBODY:
        pytest.skip(attack.why)
    if attack.control == ROOT and os.geteuid() != 0:
        pytest.skip("root alone may do it")
    assert attack.effect in plain(attack, stage).effects


def test_few_acts_have_no_control_arm() -> None:
    without = [attack for attack in ATTACKS if attack.control == NOBODY]
    assert all(attack.why for attack in without)
    assert len(without) <= 20
    assert {attack.control for attack in ATTACKS} == {ANYBODY, ROOT, NOBODY}
