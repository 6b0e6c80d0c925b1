"""Constraints: literals over facts."""

from __future__ import annotations

import pytest

from brainsmith.compiler.constraints import failures
from brainsmith.errors import PluginError

FACTS = {"K": 48, "size": 4096, "dtypes": ["INT4", "UINT8"], "x_bits": 8}


def test_all_that_hold_give_nothing() -> None:
    rules = {
        "min_K": 16,
        "max_x_bits": 8,
        "multiple_of_K": 8,
        "supported_dtypes": ["INT4", "UINT8"],
    }
    assert failures(rules, FACTS, "p:K") == []


def test_each_failure_says_what_is_wanted_and_what_there_is() -> None:
    rules = {"min_size": 5000, "supported_dtypes": ["INT4"], "multiple_of_K": 32}
    assert failures(rules, FACTS, "p:K") == [
        "min_size is 5000, the node has 4096",
        "supported_dtypes is ['INT4'], the node has UINT8",
        "multiple_of_K is 32, the node has 48",
    ]


@pytest.mark.parametrize(
    ("key", "hint"),
    [("min_kay", "valid names"), ("min_siz", "did you mean 'size'"), ("at_most_K", "min_")],
)
def test_an_unknown_key_is_an_error(key: str, hint: str) -> None:
    with pytest.raises(PluginError) as caught:
        failures({key: 1}, FACTS, "p:K")
    assert hint in str(caught.value)


def test_zero_is_a_bound_as_any_other() -> None:
    assert failures({"min_K": 0}, FACTS, "p:K") == []
    assert failures({"max_K": 0}, FACTS, "p:K") == ["max_K is 0, the node has 48"]


@pytest.mark.parametrize(
    ("key", "wanted", "hint"),
    [
        ("multiple_of_K", 0, "above 0"),
        ("multiple_of_K", 1.5, "above 0"),
        ("min_K", "16", "a number"),
        ("max_K", None, "a number"),
        ("supported_dtypes", "INT4", "a list"),
        ("supported_K", 48, "a list"),
    ],
)
def test_a_value_that_a_rule_cannot_take_is_an_error(key: str, wanted: object, hint: str) -> None:
    with pytest.raises(PluginError) as caught:
        failures({key: wanted}, FACTS, "p:K")
    assert key in caught.value.what and hint in str(caught.value.hint)
