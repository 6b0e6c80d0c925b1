"""Arithmetic on runs against the same on arrays."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.api import Runs
from brainsmith.compiler import runs

steps = st.lists(st.integers(0, 4), min_size=1, max_size=24)
nests = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9)), max_size=3)


def ascending(differences: list[int]) -> np.ndarray:
    return np.cumsum(differences)


@given(steps)
def test_runs_hold_the_numbers_of_an_array(differences: list[int]) -> None:
    numbers = ascending(differences)
    found = Runs.of(numbers)
    assert (found.array() == numbers).all() and len(found) == len(numbers)
    assert (found.at(np.arange(len(numbers))) == numbers).all()
    half = len(numbers) // 2
    assert (found.part(half, len(numbers)).array() == numbers[half:]).all()
    assert (found.part(0, half + 1).then(found.shifted(9)).array()[half + 1 :] == numbers + 9).all()


def test_a_regular_frame_is_one_run_and_pairs_are_joined() -> None:
    assert len(Runs.nest([(50, 64), (1, 9), (64, 1)]).first) == 1
    assert len(Runs.of(np.array([0, 1, 5, 6, 10, 11])).first) == 3


@given(nests, st.integers(0, 9))
def test_nested_loops(loops: list[tuple[int, int]], first: int) -> None:
    numbers = np.array([first])
    for trips, stride in loops:
        numbers = (numbers[:, None] + stride * np.arange(trips)).ravel()
    assert (Runs.nest(loops, first).array() == numbers).all()


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=24))
def test_sums_and_the_greater_of_two(pairs: list[tuple[int, int]]) -> None:
    a, b = np.array(pairs).T
    x, y = Runs.of(a), Runs.of(b)
    assert (runs.plus(x, y).array() == a + b).all()
    assert (runs.plus(x, y, -1).array() == a - b).all()
    assert (runs.greater(x, y).array() == np.maximum(a, b)).all()
    assert (runs.running_greatest(x).array() == np.maximum.accumulate(a)).all()
    assert runs.same(x, y) == bool((a == b).all())
    assert runs.same(x, Runs(a, np.full_like(a, 7), np.ones_like(a)))


@given(steps, steps)
def test_values_of_the_latest_beat(of: list[int], at: list[int]) -> None:
    values, beats, numbers = np.cumsum(of[::-1]), ascending(of), ascending(at)
    count = np.searchsorted(beats, numbers, side="right")
    wanted = np.where(count > 0, values[np.maximum(count - 1, 0)], -1)
    found = runs.of_latest(Runs.of(values), Runs.of(beats), Runs.of(numbers), -1)
    assert (found.array() == wanted).all()
    assert (runs.up_to(Runs.of(beats), numbers) == count).all()


@given(st.integers(1, 2000), st.integers(0, 5000))
def test_beats_are_spread_over_a_period(beats: int, more: int) -> None:
    cycles = runs.spread(beats, beats + more).array()
    assert len(cycles) == beats and cycles[0] == 0 and cycles[-1] < beats + more
    assert (np.diff(cycles) >= 1).all()
    off = np.abs(cycles - np.arange(beats) * (beats + more) / beats)
    assert off.max() <= 1 + (beats + more) / 256


@given(st.lists(st.integers(3, 9), min_size=1, max_size=12), st.integers(1, 3))
def test_beats_are_split_evenly(gaps: list[int], parts: int) -> None:
    cycles = np.cumsum(gaps)
    found = runs.split(Runs.of(cycles), parts).array().reshape(-1, parts)
    assert (found[:, 0] == cycles).all()
    assert (np.diff(found.ravel()) >= 1).all()
    assert (found[:-1, -1] < cycles[1:]).all() and found[-1, -1] == cycles[-1] + parts - 1
