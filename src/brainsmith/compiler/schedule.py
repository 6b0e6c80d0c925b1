"""When a kernel takes and gives the beats of a frame: the stream model of one instance.

A kernel walks its loop nest one folded iteration a cycle. It takes an input beat at the first
iteration that needs it, and gives an output beat `latency` cycles after the last iteration that
contributes to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainsmith.api import KernelConfig


@dataclass(frozen=True)
class Schedule:
    """One frame of an instance.

    Attributes:
        iterations: cycles of a frame that never waits.
        takes: for each input stream, the iteration that takes each beat, ascending.
        gives: for each output stream, the iteration that completes each beat, ascending.
        latency: cycles from that iteration to the beat on the port.
    """

    iterations: int
    takes: Mapping[str, np.ndarray]
    gives: Mapping[str, np.ndarray]
    latency: int


@dataclass(frozen=True)
class Timing:
    """Cycles of each beat over several frames: when inputs were taken and outputs given."""

    taken: Mapping[str, np.ndarray]
    given: Mapping[str, np.ndarray]


def schedule_of(kernel: Any, config: KernelConfig) -> Schedule:
    """The schedule of a kernel at a configuration: its own method, or that of its loop nest."""
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


def run(schedule: Schedule, arrivals: Mapping[str, np.ndarray], frames: int) -> Timing:
    """The timing of an instance over its first `frames` frames, given when input beats arrive.

    Iteration t runs at the first cycle after iteration t-1 in which the beats that it takes have
    arrived. Outputs are not held back.
    """
    total = schedule.iterations * frames
    ready = np.zeros(total, dtype=np.int64)
    taken_at = {p: _repeat(t, schedule.iterations, frames) for p, t in schedule.takes.items()}
    given_at = {p: _repeat(t, schedule.iterations, frames) for p, t in schedule.gives.items()}
    for port, iterations in taken_at.items():
        np.maximum.at(ready, iterations, arrivals[port])
    start = _starts(ready)
    return _timing(start, taken_at, given_at, schedule.latency)


def run_full(schedule: Schedule, arrivals: Mapping[str, np.ndarray], interval: int) -> Timing:
    """The timing in one frame of many, each `interval` cycles after the one before.

    The frame before ends `interval` cycles before this one does. So when this one ends follows from
    its arrivals alone: as a frame takes at most `interval` iterations, waiting for the frame before
    cannot let it end later. Only then is it known when its first iteration may run.
    """
    ready = np.full(schedule.iterations, np.iinfo(np.int64).min // 2)
    for port, iterations in schedule.takes.items():
        np.maximum.at(ready, iterations, arrivals[port])
    ready[0] = max(ready[0], _starts(ready)[-1] - interval + 1)
    return _timing(_starts(ready), schedule.takes, schedule.gives, schedule.latency)


def _starts(ready: np.ndarray) -> np.ndarray:
    """The cycle of each iteration: one after the one before, and not before it is ready."""
    index = np.arange(len(ready))
    return np.asarray(np.maximum.accumulate(ready - index) + index)


def _timing(
    start: np.ndarray,
    takes: Mapping[str, np.ndarray],
    gives: Mapping[str, np.ndarray],
    latency: int,
) -> Timing:
    return Timing(
        {port: start[at] for port, at in takes.items()},
        {port: start[at] + latency for port, at in gives.items()},
    )


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


def first_to_last(schedule: Schedule) -> int:
    """Cycles from the first input beat of a frame to its last output beat, both included in a
    run that never waits."""
    first = min(int(taken[0]) for taken in schedule.takes.values())
    last = max(int(given[-1]) for given in schedule.gives.values())
    return last - first + schedule.latency
