"""The stream model of one instance: when it takes and gives the beats of several frames.

A kernel walks its loop nest one folded iteration a cycle. It takes an input beat at the first
iteration that needs it, and gives an output beat `latency` cycles after the last iteration that
contributes to it. A kernel that does it otherwise says so in its method `schedule`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainsmith.api import KernelConfig, Schedule
from brainsmith.errors import PluginError

_LONG_AGO = np.iinfo(np.int64).min // 2
_MOST_ROUNDS = 1_000

Beats = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Timing:
    """Cycles of each beat over several frames: when inputs were taken and outputs given."""

    taken: Beats
    given: Beats


def schedule_of(kernel: Any, config: KernelConfig) -> Schedule:
    """The schedule of a kernel at a configuration: its own method, or that of its loop nest."""
    own = getattr(kernel, "schedule", None)
    if own:
        said: Schedule = own([config])[0]
        return said
    latency_of = getattr(kernel, "latency", None)
    interval_of = getattr(kernel, "interval", None)
    latency = int(latency_of([config])[0]) if latency_of else 1
    streams = [p for p in config.nest.ports if config.is_stream(p.name)]
    inputs = [p.name for p in streams if p.direction == "in"]
    outputs = [p.name for p in streams if p.direction == "out"]
    # What a kernel needs beyond its iterations is taken to follow them.
    iterations = max(config.cycles, int(interval_of([config])[0]) if interval_of else 0)
    return Schedule(
        iterations,
        {port: _walk(config, port, last=False) for port in inputs},
        {port: _walk(config, port, last=True) for port in outputs},
        latency,
    )


def run(schedule: Schedule, arrivals: Beats, frames: int) -> Timing:
    """The timing of an instance over its first `frames` frames, given when input beats arrive.

    Iteration t runs at the first cycle after iteration t-1 in which the beats that it needs are
    there. Outputs are not held back.
    """
    total = schedule.iterations * frames
    needs, rooms, gives = (
        {port: _repeat(at, schedule.iterations, frames) for port, at in beats.items()}
        for beats in (schedule.takes, schedule.rooms, schedule.gives)
    )

    def starts(there: Beats) -> np.ndarray:
        return _starts(_ready(needs, there, np.zeros(total, np.int64)))

    def taken(port: str, start: np.ndarray) -> np.ndarray:
        free = np.where(rooms[port] < 0, _LONG_AGO, start[np.maximum(rooms[port], 0)] + 1)
        return _starts(np.maximum(arrivals[port], free))

    return _settled(schedule, arrivals, starts, taken, needs, gives)


def run_full(schedule: Schedule, arrivals: Beats, interval: int) -> Timing:
    """The timing in one frame of many, each `interval` cycles after the one before.

    The frame before ends `interval` cycles before this one does. So when this one ends follows from
    its arrivals alone: as a frame takes at most `interval` iterations, waiting for the frame before
    cannot let it end later. Only then is it known when its first iteration may run.
    """

    def after_the_frame_before(ready: np.ndarray) -> np.ndarray:
        ready[0] = max(ready[0], _starts(ready)[-1] - interval + 1)
        return _starts(ready)

    def starts(there: Beats) -> np.ndarray:
        ready = np.full(schedule.iterations, _LONG_AGO)
        return after_the_frame_before(_ready(schedule.takes, there, ready))

    def taken(port: str, start: np.ndarray) -> np.ndarray:
        frame, iteration = np.divmod(schedule.rooms[port], schedule.iterations)
        free = start[iteration] + interval * frame + 1
        return after_the_frame_before(np.maximum(arrivals[port], free))

    return _settled(schedule, arrivals, starts, taken, schedule.takes, schedule.gives)


def first_to_last(schedule: Schedule) -> int:
    """Cycles from the first input beat of a frame to its last output beat, both included in a
    run that never waits for its inputs."""
    there = {port: np.zeros(len(at), np.int64) for port, at in schedule.takes.items()}
    timing = run(schedule, there, 1)
    first = min(int(cycles[0]) for cycles in timing.taken.values())
    return max(int(cycles[-1]) for cycles in timing.given.values()) - first


def _settled(
    schedule: Schedule,
    arrivals: Beats,
    starts: Callable[[Beats], np.ndarray],
    taken: Callable[[str, np.ndarray], np.ndarray],
    needs: Beats,
    gives: Beats,
) -> Timing:
    """The timing in which iterations wait for beats, and beats that go ahead for room.

    Args:
        starts: the cycle of each iteration, given the first cycle in which each beat can be used.
        taken: when the beats of a port that go ahead are taken, given the iterations.
        needs: for each beat the iteration that needs it.
        gives: for each beat the iteration that completes it.
    """
    start = starts(arrivals)
    for _ in range(_MOST_ROUNDS):
        ahead = {port: taken(port, start) for port in schedule.rooms}
        usable = {port: cycles + schedule.lag for port, cycles in ahead.items()}
        later = starts({**arrivals, **usable})
        if np.array_equal(start, later):
            in_step = {port: start[at] for port, at in needs.items() if port not in ahead}
            given = {port: start[at] + schedule.latency for port, at in gives.items()}
            return Timing({**in_step, **ahead}, given)
        start = later
    raise PluginError(
        "the schedule of a kernel does not hold its interval",
        hint="its method `schedule` promises more iterations a frame than its buffer has room for",
    )


def _ready(needs: Beats, there: Beats, ready: np.ndarray) -> np.ndarray:
    """The first cycle, not before `ready`, in which each iteration has the beats it needs."""
    for port, at in needs.items():
        inside = at < len(ready)
        np.maximum.at(ready, at[inside], there[port][inside])
    return ready


def _starts(ready: np.ndarray) -> np.ndarray:
    """The cycle of each iteration or beat: one after the one before, and not before it is ready."""
    index = np.arange(len(ready))
    return np.asarray(np.maximum.accumulate(ready - index) + index)


def _repeat(iterations: np.ndarray, period: int, frames: int) -> np.ndarray:
    return (iterations[None, :] + period * np.arange(frames)[:, None]).ravel()


def _walk(config: KernelConfig, port: str, *, last: bool) -> np.ndarray:
    """The first or last iteration of each beat of a port, beats in the order of the stream."""
    declared, iterations = config.nest.port(port), config.cycles
    if declared.fold:  # regrouped elements: beats are spread evenly over the frame
        beats = config.stream(port).beats
        beat = np.arange(beats, dtype=np.int64)
        return -(-(beat + 1) * iterations // beats) - 1 if last else beat * iterations // beats
    trips = [
        (loop.name, config.dims[loop.name] // config.nest.unroll(loop.name, config.folding))
        for loop in config.nest.loops
    ]
    offset = np.zeros(1, dtype=np.int64)
    stride = iterations
    for name, trip in trips:
        stride //= trip
        if name in declared.dims:
            offset = (offset[:, None] + stride * np.arange(trip)[None, :]).ravel()
        elif last:
            offset = offset + stride * (trip - 1)
    return offset
