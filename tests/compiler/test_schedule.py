"""The stream model of one instance."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from brainsmith.api import (
    IntType,
    KernelConfig,
    Loop,
    LoopNest,
    Runs,
    Schedule,
    static_in,
    stream_in,
    stream_out,
)
from brainsmith.compiler.schedule import first_to_last, run, schedule_of
from brainsmith.errors import PluginError

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
    assert list(schedule.takes["x"].array()) == list(first.values())
    assert list(schedule.gives["y"].array()) == list(last.values())


class Loads:
    """A kernel that needs four cycles a frame for something of its own."""

    def interval(self, configs: list[KernelConfig]) -> list[int]:
        return [config.cycles + 4 for config in configs]


def test_a_frame_takes_as_long_as_its_kernel_says() -> None:
    assert schedule_of(Loads(), config(1, 4, 6, 2, 3)).iterations == 8


ALONE = 1 << 20  # cycles to a frame that has nothing to do with the one before


def test_a_frame_that_never_waits_takes_its_iterations_and_the_latency() -> None:
    schedule = Schedule(8, {"x": Runs.of([0, 1])}, {"y": Runs.of([3, 7])}, latency=5)
    timing = run(schedule, {"x": Runs.of([8, 9])}, ALONE)
    assert list(timing.taken["x"].array()) == [8, 9]
    assert list(timing.given["y"].array()) == [16, 20]
    assert first_to_last(schedule) == 12


@given(st.lists(st.integers(0, 20), min_size=6, max_size=6))
def test_late_beats_delay_and_never_reorder(delays: list[int]) -> None:
    schedule = Schedule(6, {"x": Runs.of(np.arange(6))}, {"y": Runs.of(np.arange(6))}, latency=1)
    arrivals = np.cumsum(np.array(delays)) + np.arange(6)
    timing = run(schedule, {"x": Runs.of(arrivals)}, ALONE)
    taken = timing.taken["x"].array()
    assert (taken >= arrivals).all()
    assert (np.diff(taken) >= 1).all()
    assert (timing.given["y"].array() == taken + 1).all()


@dataclass(frozen=True)
class Simple:
    """A schedule in arrays, walked iteration by iteration through many frames."""

    iterations: int
    takes: Mapping[str, list[int]]
    gives: list[int]
    rooms: Mapping[str, list[int]]

    def runs(self) -> Schedule:
        rooms = {port: Runs.of(at) for port, at in self.rooms.items()}
        takes = {port: Runs.of(at) for port, at in self.takes.items()}
        return Schedule(self.iterations, takes, {"y": Runs.of(self.gives)}, 3, rooms)

    def walk(
        self, arrivals: Mapping[str, np.ndarray], interval: int, frames: int
    ) -> tuple[dict[str, list[int]], list[int]]:
        """When the beats of the last of many frames were taken and given."""
        starts: list[int] = []
        taken: dict[str, list[int]] = {port: [] for port in self.takes}

        def take_ahead(port: str, beat: int) -> int:
            """All beats up to this one; its room is there, as iterations run in order."""
            cycles = taken[port]
            while len(cycles) <= beat:
                frame, index = divmod(len(cycles), len(self.takes[port]))
                there = arrivals[port][index] + frame * interval
                room = self.rooms[port][index] + frame * self.iterations
                free = starts[room] + 1 if room >= 0 else there
                before = cycles[-1] + 1 if cycles else there
                cycles.append(max(there, free, before))
            return cycles[beat]

        for frame in range(frames):
            for t in range(self.iterations):
                start = starts[-1] + 1 if starts else -(10**6)
                for port, at in self.takes.items():
                    for index in (i for i, needed in enumerate(at) if needed == t):
                        beat = frame * len(at) + index
                        there = arrivals[port][index] + frame * interval
                        usable = take_ahead(port, beat) + 1 if port in self.rooms else there
                        start = max(start, usable)
                starts.append(start)
        for port, at in self.takes.items():
            if port in self.rooms:
                take_ahead(port, frames * len(at) - 1)
            else:
                taken[port] = [starts[f * self.iterations + t] for f in range(frames) for t in at]
        last, shift = (frames - 1) * self.iterations, (frames - 1) * interval
        return (
            {p: [c - shift for c in taken[p][-len(at) :]] for p, at in self.takes.items()},
            [starts[last + t] + 3 - shift for t in self.gives],
        )


@st.composite
def simple(draw: st.DrawFn) -> Simple:
    iterations = draw(st.integers(2, 12))

    def numbers(least: int) -> list[int]:
        drawn = draw(st.lists(st.integers(0, iterations - 1), min_size=least, max_size=8))
        return sorted(set(drawn) | {0})

    takes = {port: numbers(1) for port in draw(st.sampled_from(["a", "ab"]))}
    rooms = {}
    if draw(st.booleans()):  # a buffer of several beats
        at, depth = takes["a"], draw(st.integers(2, 5))
        many = [t + frame * iterations for frame in (-3, -2, -1, 0) for t in at]
        if depth <= len(many) - len(at):
            rooms["a"] = [many[3 * len(at) + i - depth] for i in range(len(at))]
    return Simple(iterations, takes, numbers(1), rooms)


@given(simple(), st.integers(0, 5), st.data())
def test_a_frame_of_many_is_one_of_the_late_ones(
    said: Simple, slack: int, data: st.DataObject
) -> None:
    """Each layer of a pipeline may fill some frames later than the one before."""
    interval = said.runs().interval + slack
    arrivals = {
        port: np.cumsum(data.draw(st.lists(st.integers(1, 5), min_size=len(at), max_size=len(at))))
        for port, at in said.takes.items()
    }
    try:
        found = run(said.runs(), {port: Runs.of(at) for port, at in arrivals.items()}, interval)
    except PluginError:
        assume(False)
    taken, given_ = said.walk(arrivals, interval, 40)
    assert {port: list(cycles.array()) for port, cycles in found.taken.items()} == taken
    assert list(found.given["y"].array()) == given_


def test_room_may_come_from_frames_before_the_last_one() -> None:
    """A frame of one iteration whose beat waits in a register while the one before is used."""
    schedule = Schedule(1, {"x": Runs.of([0])}, {"y": Runs.of([0])}, 0, {"x": Runs.of([-2])})
    timing = run(schedule, {"x": Runs.of([0])}, 1)
    assert list(timing.taken["x"].array()) == [0]
    assert list(timing.given["y"].array()) == [1]
