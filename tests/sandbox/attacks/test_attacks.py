"""Every attack, confined: the verdict of the host, and the host afterwards."""

from __future__ import annotations

import pytest

from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.outcome import Returned
from tests.sandbox.attacks.case import Attack, confined, describe
from tests.sandbox.attacks.conftest import needs
from tests.sandbox.attacks.stage import Stage
from tests.sandbox.attacks.table import ATTACKS

# What holds in a process of its own already, without filters and Landlock.
OF_LIMITS = ("memory", "cpu_time", "wall_time", "open-files", "core-dumps", "environment")
LIMITED = [
    attack
    for attack in ATTACKS
    if attack.rules[:1] and attack.rules[0] in (*OF_LIMITS, "descriptors", "capabilities")
]
REFUSED = [attack for attack in ATTACKS if attack.expected.startswith("DENY")]


@pytest.mark.parametrize("level", [Level.L2, Level.L3, Level.L4], ids=lambda level: level.name)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_is_ended(attack: Attack, level: Level, stage: Stage, host_stays: None) -> None:
    needs(level)
    seen = confined(attack, stage, level)
    assert seen.verdict == attack.verdict_at(level), describe(seen)


@pytest.mark.parametrize("attack", REFUSED, ids=lambda attack: attack.name)
def test_an_attack_that_goes_on_after_a_refusal_has_no_effect(
    attack: Attack, stage: Stage, host_stays: None
) -> None:
    seen = confined(attack, stage, Level.L3, report_only=True)
    assert seen.verdict == attack.expected, describe(seen)
    assert not seen.effects


@pytest.mark.parametrize("attack", LIMITED, ids=lambda attack: attack.name)
def test_limits_hold_in_a_process_of_its_own_too(
    attack: Attack, stage: Stage, host_stays: None
) -> None:
    seen = confined(attack, stage, Level.L1)
    assert seen.verdict == attack.expected, describe(seen)


def test_a_call_works_after_all_of_them(stage: Stage, host_stays: None) -> None:
    seen = confined(Attack(0, "answers:nothing", (), "CONTAIN"), stage, Level.L3)
    assert seen.verdict == "CONTAIN"
    assert seen.trial is not None and isinstance(seen.trial.outcome, Returned)
