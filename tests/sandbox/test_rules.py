"""Every system call that a call may not make belongs to one rule."""

from __future__ import annotations

from collections import Counter

import pytest

from brainsmith.sandbox import rules, syscalls
from brainsmith.sandbox.profiles import CALL, OPENING, PROFILES

NAMES = sorted({*syscalls.table("x86_64"), *syscalls.table("aarch64")})
COUNTS = Counter(name for rule in rules.RULES.values() for name in rule.syscalls)


def test_every_name_is_allowed_or_belongs_to_a_rule() -> None:
    assert [name for name in NAMES if name not in CALL.allowed and not COUNTS[name]] == []


def test_no_name_is_allowed_and_denied_or_denied_twice() -> None:
    assert [name for name in CALL.allowed if COUNTS[name]] == []
    assert [name for name, count in COUNTS.items() if count > 1] == []


def test_what_is_allowed_with_tests_belongs_to_the_rule_that_the_tests_are_for() -> None:
    tested = {*CALL.tested, *CALL.quiet, *CALL.quiet_tested, *OPENING}
    assert [name for name in tested if COUNTS[name] != 1] == []
    assert rules.rule_of("clone") == "processes"
    assert rules.rule_of("prlimit64") == "limits-of-others"
    assert rules.rule_of("openat") == "files"


def test_rules_and_profiles_name_only_what_there_is() -> None:
    assert [name for name in COUNTS if name not in NAMES] == []
    for profile in PROFILES.values():
        named = {*profile.allowed, *profile.tested, *profile.quiet, *profile.quiet_tested}
        assert named <= set(NAMES)


def test_a_name_that_is_not_known_belongs_to_the_kernel() -> None:
    assert rules.rule_of("system call 9999") == "kernel"


@pytest.mark.parametrize("name", rules.RULES)
def test_a_rule_says_what_it_is_for(name: str) -> None:
    why = rules.RULES[name].why
    assert len(why) > 10
    assert why[0].islower()
    assert not why.endswith(".")
