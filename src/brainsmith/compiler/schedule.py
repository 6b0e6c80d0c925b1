"""The stream model of one instance: when it takes and gives the beats of a frame among many.

A kernel walks its loop nest one folded iteration a cycle. It takes an input beat at the first
iteration that needs it, and gives an output beat `latency` cycles after the last iteration that
contributes to it. A kernel that does it otherwise says so in its method `schedule`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from brainsmith.api import KernelConfig, Runs, Schedule
from brainsmith.compiler import runs
from brainsmith.errors import PluginError

_MOST_ROUNDS = 1_000
FAR_APART = 1 << 40  # cycles between frames of which none waits for another

Beats = Mapping[str, Runs]


@dataclass(frozen=True)
class Timing:
    """Cycles of each beat of a frame: when inputs were taken and outputs given."""

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


def run(schedule: Schedule, arrivals: Beats, interval: int) -> Timing:
    """The timing in one frame of many, each `interval` cycles after the one before.

    Iteration t runs at the first cycle after iteration t-1 in which the beats that it needs are
    there, and the first one after the last one of the frame before. Outputs are not held back.

    Args:
        schedule: of at most `interval` iterations.
        arrivals: when the beats of each input are there.
        interval: between frames.
    """
    iterations = _Iterations(schedule, arrivals, interval)
    if not schedule.rooms:
        return iterations.timing({})
    for _ in range(_MOST_ROUNDS):
        ahead = {port: iterations.taken_ahead(port, arrivals[port]) for port in schedule.rooms}
        usable = {port: cycles.shifted(schedule.lag) for port, cycles in ahead.items()}
        settled = _Iterations(schedule, {**arrivals, **usable}, interval)
        if settled.same(iterations):
            return iterations.timing(ahead)
        iterations = settled
    raise PluginError(
        "the schedule of a kernel does not hold its interval",
        hint="its method `schedule` promises more iterations a frame than its buffer has room for",
    )


def first_to_last(schedule: Schedule) -> int:
    """Cycles from the first input beat of a frame to its last output beat, both included in a
    run that never waits for its inputs."""
    there = {port: runs.ramp(len(at), 0, 0) for port, at in schedule.takes.items()}
    timing = run(schedule, there, FAR_APART)
    first = min(int(cycles.first[0]) for cycles in timing.taken.values())
    return max(int(cycles.last[-1]) for cycles in timing.given.values()) - first


class _Iterations:
    """When the iterations of a frame run: iteration t at t, and what the beats up to it delay.

    The frame before ends `interval` cycles before this one does. So when this one ends follows from
    its beats alone: as a frame takes at most `interval` iterations, waiting for the frame before
    cannot let it end later. From that follows when its first iteration may run.
    """

    def __init__(self, schedule: Schedule, there: Beats, interval: int) -> None:
        self.schedule, self.interval = schedule, interval
        # Of the beats that an iteration needs, how much later than that each is there at the most.
        delays = {}
        for port, at in schedule.takes.items():
            needed = int(runs.up_to(at, np.array([schedule.iterations - 1]))[0])
            if needed:
                at = at.part(0, needed)
                delay = runs.plus(there[port].part(0, needed), at, -1)
                delays[port] = at, runs.running_greatest(delay)
        last = max((int(delay.last[-1]) for _, delay in delays.values()), default=0)
        self.least = last + schedule.iterations - interval if delays else 0
        self.delays = {
            port: (at, runs.at_least(delay, self.least)) for port, (at, delay) in delays.items()
        }

    def start(self, at: Runs) -> Runs:
        """The cycles of some iterations of the frame, which ascend."""
        if not self.delays:
            return at.shifted(self.least)
        delays = (runs.of_latest(d, of, at, self.least) for of, d in self.delays.values())
        return runs.plus(at, reduce(runs.greater, delays))

    def taken_ahead(self, port: str, arrivals: Runs) -> Runs:
        """When the beats of a port are taken into a buffer as early as there is room for them."""
        rooms, iterations = self.schedule.rooms[port], self.schedule.iterations
        parts = []
        for frame in range(
            int(rooms.first[0]) // iterations, int(rooms.last[-1]) // iterations + 1
        ):
            bounds = np.array([frame, frame + 1]) * iterations - 1
            begin, end = map(int, runs.up_to(rooms, bounds))
            if begin < end:
                of_frame = rooms.part(begin, end).shifted(-frame * iterations)
                parts.append(self.start(of_frame).shifted(frame * self.interval + 1))
        taken = runs.one_a_cycle(runs.greater(arrivals, reduce(Runs.then, parts)))
        after_the_frame_before = int(taken.last[-1]) - self.interval + 1
        return runs.greater(taken, runs.ramp(len(taken), after_the_frame_before))

    def timing(self, ahead: Beats) -> Timing:
        """Of all beats, given when those are taken that go ahead."""
        takes, gives = self.schedule.takes, self.schedule.gives
        in_step = {port: self.start(at) for port, at in takes.items() if port not in ahead}
        given = {port: self.start(at).shifted(self.schedule.latency) for port, at in gives.items()}
        return Timing({**in_step, **ahead}, given)

    def same(self, other: _Iterations) -> bool:
        """Whether all iterations run in the same cycles."""
        return self.least == other.least and all(
            runs.same(delay, other.delays[port][1]) for port, (_, delay) in self.delays.items()
        )


def _walk(config: KernelConfig, port: str, *, last: bool) -> Runs:
    """The first or last iteration of each beat of a port, beats in the order of the stream."""
    declared, iterations = config.nest.port(port), config.cycles
    if declared.fold:  # regrouped elements: beats are spread evenly over the frame
        beats = config.stream(port).beats
        if iterations % beats == 0:
            every = iterations // beats
            return runs.ramp(beats, every - 1 if last else 0, every)
        beat = np.arange(beats, dtype=np.int64)
        return Runs.of(
            -(-(beat + 1) * iterations // beats) - 1 if last else beat * iterations // beats
        )
    trips = [
        (loop.name, config.dims[loop.name] // config.nest.unroll(loop.name, config.folding))
        for loop in config.nest.loops
    ]
    loops, first, stride = [], 0, iterations
    for name, trip in trips:
        stride //= trip
        if name in declared.dims:
            loops.append((trip, stride))
        elif last:
            first += stride * (trip - 1)
    return Runs.nest(loops, first)
