"""The stream model of one instance."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.api import (
    IntType,
    KernelConfig,
    Loop,
    LoopNest,
    Schedule,
    static_in,
    stream_in,
    stream_out,
)
from brainsmith.compiler.schedule import first_to_last, run, run_full, schedule_of

MATMUL = LoopNest(
    (Loop("N"), Loop("M", fold="PE"), Loop("K", fold="SIMD")),
    (stream_in("x", "N", "K"), static_in("w", "K", "M"), stream_out("y", "N", "M")),
)


class NoModels:
    """A kernel that states neither latency nor interval."""


def config(n: int, m: int, k: int, pe: int, simd: int) -> KernelConfig:
    int4 = IntType(4, signed=True)
    return KernelConfig(
        "node",
        MATMUL,
        {"N": n, "M": m, "K": k},
        {"x": int4, "w": int4, "y": IntType(12, signed=True)},
        statics={"w": np.zeros((k, m), dtype=np.int64)},
        folding={"PE": pe, "SIMD": simd},
    )


@pytest.mark.parametrize(
    ("n", "m", "k", "pe", "simd"), [(1, 4, 6, 2, 3), (3, 2, 4, 1, 2), (2, 4, 4, 4, 4)]
)
def test_beats_are_taken_first_and_given_last(n: int, m: int, k: int, pe: int, simd: int) -> None:
    schedule = schedule_of(NoModels(), config(n, m, k, pe, simd))
    first: dict[tuple[int, int], int] = {}
    last: dict[tuple[int, int], int] = {}
    nest = itertools.product(range(n), range(m // pe), range(k // simd))
    for t, (i, j, l) in enumerate(nest):  # noqa: E741
        first.setdefault((i, l), t)
        last[i, j] = t
    assert schedule.iterations == n * (m // pe) * (k // simd)
    assert list(schedule.takes["x"]) == list(first.values())
    assert list(schedule.gives["y"]) == list(last.values())


class Loads:
    """A kernel that needs four cycles a frame for something of its own."""

    def interval(self, configs: list[KernelConfig]) -> list[int]:
        return [config.cycles + 4 for config in configs]


def test_a_frame_takes_as_long_as_its_kernel_says() -> None:
    assert schedule_of(Loads(), config(1, 4, 6, 2, 3)).iterations == 8


def test_a_frame_that_never_waits_takes_its_iterations_and_the_latency() -> None:
    schedule = Schedule(8, {"x": np.arange(2)}, {"y": np.array([3, 7])}, latency=5)
    timing = run(schedule, {"x": np.array([0, 1, 8, 9])}, frames=2)
    assert list(timing.taken["x"]) == [0, 1, 8, 9]
    assert list(timing.given["y"]) == [8, 12, 16, 20]
    assert first_to_last(schedule) == 12


@given(st.lists(st.integers(0, 20), min_size=6, max_size=6))
def test_late_beats_delay_and_never_reorder(delays: list[int]) -> None:
    schedule = Schedule(3, {"x": np.arange(3)}, {"y": np.arange(3)}, latency=1)
    arrivals = np.cumsum(np.array(delays)) + np.arange(6)
    timing = run(schedule, {"x": arrivals}, frames=2)
    assert (timing.taken["x"] >= arrivals).all()
    assert (np.diff(timing.taken["x"]) >= 1).all()
    assert (timing.given["y"] == timing.taken["x"] + 1).all()


@given(
    delays=st.lists(st.integers(0, 9), min_size=3, max_size=3),
    iterations=st.integers(3, 8),
    slack=st.integers(0, 4),
)
def test_a_frame_of_many_is_one_of_the_late_ones(
    delays: list[int], iterations: int, slack: int
) -> None:
    """Each layer of a pipeline may fill a frame later than the one before; 8 frames suffice."""
    interval, frames = iterations + slack, 8
    spread = np.linspace(0, iterations - 1, 3).astype(int)
    schedule = Schedule(iterations, {"x": spread}, {"y": spread}, latency=2)
    once = np.cumsum(np.array(delays)) + np.arange(3)
    arrivals = (once[None, :] + interval * np.arange(frames)[:, None]).ravel()
    many = run(schedule, {"x": arrivals}, frames)
    full = run_full(schedule, {"x": once}, interval)
    assert (full.taken["x"] + interval * (frames - 1) == many.taken["x"][-3:]).all()
    assert (full.given["y"] + interval * (frames - 1) == many.given["y"][-3:]).all()


def test_room_may_come_from_frames_before_the_last_one() -> None:
    """A frame of one iteration whose beat waits in a register while the one before is used."""
    schedule = Schedule(
        1, {"x": np.array([0])}, {"y": np.array([0])}, latency=0, rooms={"x": np.array([-2])}
    )
    timing = run(schedule, {"x": np.zeros(4, np.int64)}, frames=4)
    assert list(timing.taken["x"]) == [0, 1, 2, 3]
    assert list(timing.given["y"]) == [1, 2, 3, 4]


def test_room_from_frames_long_before_is_there_at_once() -> None:
    """A buffer of four beats in front of frames of one iteration."""
    rooms = {"x": np.array([-4])}
    schedule = Schedule(1, {"x": np.array([0])}, {"y": np.array([0])}, 1, rooms)
    timing = run(schedule, {"x": np.zeros(6, np.int64)}, frames=6)
    assert list(timing.taken["x"]) == [0, 1, 2, 3, 4, 5]
    assert list(timing.given["y"]) == [2, 3, 4, 5, 6, 7]
