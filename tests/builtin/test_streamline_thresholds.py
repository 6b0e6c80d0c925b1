"""Staircases: thresholds found by trying every integer, and by bisection."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.builtin.transforms import thresholds
from brainsmith.builtin.transforms.thresholds import (
    Falling,
    NotMonotone,
    NotProved,
    Staircase,
    staircase,
)


def _count(table: np.ndarray) -> thresholds.Codes:
    return lambda q: (q[:, :, None] >= table[None]).sum(axis=2)


def _rising(labels: int) -> np.ndarray:
    return np.ones(labels, np.int64)


@given(
    st.lists(st.lists(st.integers(-50, 50), min_size=3, max_size=3), min_size=1, max_size=4),
    st.booleans(),
)
def test_thresholds_are_found_again(rows: list[list[int]], bisect: bool) -> None:
    table = np.sort(np.array(rows), axis=1)
    codes, labels = _count(table), len(rows)
    find = thresholds._bisected if bisect else thresholds._enumerated
    stairs = find(codes, labels, -40, 45)
    assert isinstance(stairs, Staircase)
    q = np.broadcast_to(np.arange(-40, 46)[:, None], (86, labels))
    found = stairs.first + stairs.step * _count(stairs.thresholds)(q)
    np.testing.assert_array_equal(found, codes(q))
    assert stairs.thresholds.min() >= -40
    assert stairs.thresholds.max() <= 46


def test_a_falling_function_is_told_per_label() -> None:
    signs = np.array([1, -1, 1])
    outcome = staircase(lambda q: q * signs // 4, 3, -20, 20, lambda: _rising(3))
    assert isinstance(outcome, Falling)
    assert outcome.signs.tolist() == signs.tolist()


def test_a_function_that_turns_is_shown_by_three_integers() -> None:
    outcome = staircase(lambda q: abs(q) // 3, 1, -20, 20, lambda: _rising(1))
    assert isinstance(outcome, NotMonotone)
    a, b, c = outcome.points
    assert a < b < c
    assert [abs(p) // 3 for p in outcome.points] == list(outcome.codes)
    assert (outcome.codes[1] - outcome.codes[0]) * (outcome.codes[2] - outcome.codes[1]) < 0


def test_minus_one_and_one_are_bipolar() -> None:
    outcome = staircase(lambda q: np.where(q >= 3, 1, -1), 1, -20, 20, lambda: _rising(1))
    assert isinstance(outcome, Staircase)
    assert (outcome.step, outcome.first, outcome.thresholds.tolist()) == (2, -1, [[3]])


def test_a_large_range_is_bisected_where_the_nodes_are_monotone() -> None:
    table = np.array([[-300_000, 5, 2_000_000]])
    outcome = staircase(_count(table), 1, -(2**30), 2**30, lambda: _rising(1))
    assert isinstance(outcome, Staircase)
    assert outcome.proof == "bisected"
    np.testing.assert_array_equal(outcome.thresholds, table)


def test_a_large_range_of_unknown_direction_is_not_proved() -> None:
    outcome = staircase(_count(np.array([[1]])), 1, -(2**30), 2**30, lambda: "Sinc is unknown")
    assert isinstance(outcome, NotProved)
    assert outcome.reason.startswith("Sinc is unknown, and 2147483649 integers")


def test_too_many_codes_are_not_proved() -> None:
    outcome = staircase(lambda q: q, 1, 0, 2**20, lambda: _rising(1))
    assert isinstance(outcome, NotProved)
    assert "1048576 thresholds" in outcome.reason


@pytest.mark.parametrize("value", [-7, 0, 9])
def test_a_constant_has_a_threshold_that_is_never_reached(value: int) -> None:
    outcome = staircase(lambda q: np.full_like(q, value), 2, -8, 7, lambda: _rising(2))
    assert isinstance(outcome, Staircase)
    assert outcome.first == value
    assert (outcome.thresholds == 8).all()


@pytest.mark.parametrize("lo", [-3000, 0, 57])
def test_curves_are_bisected_as_they_are_enumerated(lo: int) -> None:
    """Far from a line through their first step and their last: curves, jumps, flat ends."""
    hi = lo + 6000

    def codes(q: np.ndarray) -> np.ndarray:
        x = (q - lo) / 6000
        rows = [x[:, 0] ** 5, np.sqrt(x[:, 1]), np.rint(x[:, 2]), 0 * x[:, 3], 3 * x[:, 4] - 1]
        return np.rint(200 * np.clip(np.stack(rows, axis=1), 0, 1)).astype(np.int64)

    bisected, enumerated = (
        find(codes, 5, lo, hi) for find in (thresholds._bisected, thresholds._enumerated)
    )
    assert isinstance(bisected, Staircase) and isinstance(enumerated, Staircase)
    assert bisected.first == enumerated.first
    np.testing.assert_array_equal(bisected.thresholds, enumerated.thresholds)
