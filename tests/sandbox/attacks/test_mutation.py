"""Each rule is needed: without it, one of its attacks at least gets another verdict."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from brainsmith.sandbox import surroundings
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.rules import RULES
from brainsmith.sandbox.zygotes import zygotes
from tests.sandbox.attacks.case import Attack, confined
from tests.sandbox.attacks.stage import Stage
from tests.sandbox.attacks.table import ATTACKS

# The attacks of each rule, those first that take least.
OF_ATTACKS = {rule: [attack for attack in ATTACKS if attack.rules[:1] == (rule,)] for rule in RULES}
# These do not stand in the worker: the host keeps the time, and starts the zygote.
OF_THE_HOST = ("wall_time", "environment", "output_size")


def flips(attack: Attack, stage: Stage, rule: str) -> bool:
    """Whether an attack goes another way without a rule."""
    brief = replace(attack, policy=replace(attack.policy, wall_time=3))  # where no rule ends it
    seen = confined(brief, stage, Level.L3, report_only=True, without=(rule,) if rule else ())
    return seen.verdict != attack.expected


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in OF_THE_HOST])
def test_a_rule_is_needed(rule: str, stage: Stage) -> None:
    if rule == "capabilities" and os.geteuid() != 0:
        pytest.skip("an ordinary user has none to drop")
    assert OF_ATTACKS[rule]
    assert any(flips(attack, stage, rule) for attack in OF_ATTACKS[rule])


def test_the_environment_is_needed_to_be_clean(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = surroundings.environment()
    monkeypatch.setattr(
        surroundings, "environment", lambda: {"PYTHONPATH": "/", **os.environ, **clean}
    )
    zygotes.close()
    try:
        verdicts = {attack.act: flips(attack, stage, "") for attack in OF_ATTACKS["environment"]}
    finally:
        zygotes.close()
    assert all(verdicts.values()), verdicts


@pytest.mark.parametrize("attack", OF_ATTACKS["wall_time"], ids=lambda attack: attack.name)
def test_the_limit_of_time_is_what_ends_a_call(attack: Attack, stage: Stage) -> None:
    longer = replace(attack, policy=replace(attack.policy, wall_time=1.5))
    seen = confined(longer, stage, Level.L3)
    assert seen.trial is not None
    assert seen.trial.seconds >= 1.5 > 3 * attack.policy.wall_time


@pytest.mark.parametrize("attack", OF_ATTACKS["output_size"], ids=lambda attack: attack.name)
def test_the_limit_of_size_is_what_ends_a_large_answer(attack: Attack, stage: Stage) -> None:
    larger = replace(attack, policy=replace(attack.policy, output_size=32 << 20))
    limited, seen = confined(attack, stage, Level.L3), confined(larger, stage, Level.L3)
    assert limited.verdict == attack.expected
    assert limited.trial is not None
    assert seen.trial is not None
    # An answer that is refused for what is in it was not too large.
    assert type(seen.trial.outcome) is not type(limited.trial.outcome)
