"""Simulation of partitions, compared with the reference."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from brainsmith.compiler.codegen import Rtl
from brainsmith.compiler.fifo import StreamModel
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.simulation import OnProgress, Simulation, UnitRun
from brainsmith.toolchains.verilator import build_simulation

STEADY_FRAMES = 8
_LONG_FRAME = 50_000  # cycles of a frame of which fewer show whether the pace is steady
_PATIENCE = 1_000_000  # cycles without a beat, beyond those of a frame, after which it hangs
_STALLED = 3  # times as long as without stalls a run with them takes, about
OnShare = Callable[[int, int, float], None]
"""Hears of the frames that are done, their number, and the share of the time that has passed."""


@dataclass(frozen=True)
class Tally:
    """How many elements were compared and differ, and the first that does."""

    compared: int = 0
    wrong: int = 0
    first: str = ""

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.compared + other.compared, self.wrong + other.wrong, self.first or other.first
        )


@dataclass(frozen=True)
class NetworkRun:
    """A partition that was driven back to back.

    Attributes:
        tally: against the reference, without stalls.
        stalled_tally: against the reference, with random stalls on every port.
        frames: that were driven back to back.
        interval: cycles between the last frames (see `steady_frames`); None if these differ.
        latency: cycles from the first input beat of the first frame to its last output beat.
        first_outputs: what came out for the first frame, (1, elements) by the name of the value.
    """

    tally: Tally
    stalled_tally: Tally
    frames: int
    interval: int | None
    latency: int
    first_outputs: Mapping[str, np.ndarray] = field(default_factory=dict)


def simulation_of(rtl: Rtl, cache: BuildCache, log: BuildLog) -> Simulation:
    """The compiled simulation of a whole partition."""
    return build_simulation(rtl.hdl, [rtl.unit], cache=cache, log=log)


def run_partition(
    simulation: Simulation,
    rtl: Rtl,
    inputs: Mapping[str, np.ndarray],
    *,
    stall_seed: int | None = None,
    on_progress: OnProgress | None = None,
    interval: int = 0,
    patience: int | None = None,
) -> UnitRun:
    """Drives a partition with integers by the name of the value, (frames, elements).

    `interval` are the cycles of a frame, as far as they are known; after `patience` cycles without
    a beat it hangs, if None after many.
    """
    partition = rtl.partition
    name = partition.name
    driven = {name: {port.name: inputs[port.value] for port in partition.inputs}}
    sizes = {name: {port.name: port.size for port in partition.outputs}}
    return simulation.run(
        driven, frames_out=sizes, stall_seed=stall_seed, progress=on_progress,
        timeout_cycles=patience or _PATIENCE + 8 * interval,
    )[name]  # fmt: skip


def steady_frames(interval: int) -> int:
    """How many equal intervals in a row show a steady pace: 8, of long frames 2."""
    return STEADY_FRAMES if interval <= _LONG_FRAME else 2


def frames_wanted(model: StreamModel, given: int) -> int:
    """Frames to drive so that the pipeline fills, the pace shows, and all given ones are in."""
    fill = math.ceil(model.latency / max(1, model.interval))
    return max(given, fill + steady_frames(model.interval) + 1)


def check_partition(
    simulation: Simulation,
    rtl: Rtl,
    model: StreamModel,
    values: Mapping[str, np.ndarray],
    stall_seed: int,
    on_share: OnShare | None = None,
) -> NetworkRun:
    """Drives a partition without stalls and with random ones, and compares every element.

    Args:
        values: the reference, (frames, elements) by the name of the value, inputs included.
    """
    inputs = {port.value: values[port.value] for port in rtl.partition.inputs}
    given = len(next(iter(inputs.values())))
    wanted = frames_wanted(model, given)
    tiled = {name: _tile(array, wanted) for name, array in inputs.items()}
    pace = model.interval
    lengths = [model.latency + (count - 1) * pace for count in (wanted, given)]
    shares = _shares(lengths[0], _STALLED * lengths[1], on_share)
    free = run_partition(simulation, rtl, tiled, on_progress=next(shares), interval=pace)
    stalled = run_partition(
        simulation, rtl, inputs, stall_seed=stall_seed, on_progress=next(shares), interval=pace
    )
    return NetworkRun(
        compare(rtl, free, {n: _tile(a, wanted) for n, a in values.items()}),
        compare(rtl, stalled, values),
        wanted,
        steady_interval(free, steady_frames(pace)),
        free.latency,
        {port.value: free.outputs[port.name][:1] for port in rtl.partition.outputs},
    )


def _shares(free: int, stalled: int, on_share: OnShare | None) -> Iterator[OnProgress | None]:
    """For the two runs of so many cycles what hears of each."""
    for before, length in ((0, free), (free, stalled)):
        yield None if on_share is None else _share(before, length, free + stalled, on_share)


def _share(before: int, length: int, all_cycles: int, on_share: OnShare) -> OnProgress:
    return lambda done, total, cycle: on_share(
        done, total, (before + min(cycle, length)) / all_cycles
    )


def compare(rtl: Rtl, run: UnitRun, values: Mapping[str, np.ndarray]) -> Tally:
    """The outputs of a partition against the reference."""
    tally = Tally()
    for port in rtl.partition.outputs:
        tally += _difference(port.value, run.outputs[port.name], values[port.value])
    return tally


def steady_interval(run: UnitRun, frames: int = STEADY_FRAMES) -> int | None:
    """Cycles between the last frames if they are all the same; None if they are not."""
    last = max((run.timing[port].last for port in run.outputs), key=lambda cycles: cycles[-1])
    gaps = np.unique(np.diff(last[-frames - 1 :]))
    return int(gaps[0]) if len(gaps) == 1 else None


def _difference(name: str, got: np.ndarray, want: np.ndarray) -> Tally:
    wrong = np.argwhere(got != want)
    if not len(wrong):
        return Tally(want.size)
    frame, element = map(int, wrong[0])
    first = (
        f"{name}, frame {frame}, element {element}: the hardware gives {got[frame, element]}, "
        f"the reference {want[frame, element]}"
    )
    return Tally(want.size, len(wrong), first)


def _tile(array: np.ndarray, frames: int) -> np.ndarray:
    return array[np.arange(frames) % len(array)]
