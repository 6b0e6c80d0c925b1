"""Kernels driven alone: each without stalls and with random ones, and what that shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainsmith.compiler.answers import reference_of
from brainsmith.compiler.codegen import project
from brainsmith.compiler.elements import WrongElement, output_sizes, wrong_elements, wrong_lanes
from brainsmith.compiler.folding import estimate, prepare
from brainsmith.compiler.implement import Module
from brainsmith.compiler.schedule import first_to_last, schedule_of
from brainsmith.compiler.simulate import STEADY_FRAMES, steady_frames, steady_interval
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.simulation import UnitRun
from brainsmith.toolchains.verilator import build_simulation

FRAMES = STEADY_FRAMES + 1
_PATIENCE = 10_000  # cycles without a beat, beyond those of a frame, after which a unit hangs

Inputs = Mapping[str, np.ndarray]
"""The frames that a module is driven with, (frames, *dims of the port) by port."""


@dataclass(frozen=True)
class Simulated:
    """What the simulation of one kernel showed.

    Attributes:
        elements: that were compared, with and without random stalls on every port.
        mismatches: of these, wrong ones.
        first: the first wrong element.
        lanes: in which lanes all of them lie, in words, where that is not in all; else empty.
        interval: cycles between frames driven back to back; None if it varies.
        latency: cycles from the first beat in to the last beat out.
        said_interval, said_latency: what the kernel's models say.
    """

    elements: int
    mismatches: int
    first: WrongElement | None
    lanes: str
    interval: int | None
    latency: int
    said_interval: int
    said_latency: int


def drive(
    modules: Sequence[Module],
    inputs: Mapping[str, Inputs],
    *,
    stall_seed: int,
    cache: BuildCache,
    log: BuildLog,
    wave: Path | None = None,
) -> list[Simulated]:
    """What came of each module, all in one simulation.

    Args:
        modules: kernels at one configuration each.
        inputs: by the name of the module's instance.
        stall_seed: for the random stalls.
        cache: of simulations.
        log: of the tools.
        wave: an FST file; then there is only the run with stalls, which shows the most.

    Raises:
        StreamError: some hang or break the wire contract; it names their units.
        BrainsmithError: the simulation cannot be built.
    """
    runs = run_units(
        modules, inputs, stall_seed=stall_seed, cache=cache, log=log, wave=wave, free=wave is None
    )
    names = [module.instance.name for module in modules]
    return [
        judged(module, inputs[name], [run[name] for run in runs])
        for module, name in zip(modules, names, strict=True)
    ]


def run_units(
    modules: Sequence[Module],
    inputs: Mapping[str, Inputs],
    *,
    stall_seed: int | None,
    cache: BuildCache,
    log: BuildLog,
    wave: Path | None = None,
    free: bool = True,
) -> list[dict[str, UnitRun]]:
    """All modules in one simulation: without stalls if `free`, then with them if there is a seed.

    Raises:
        As `drive`.
    """
    prepare([(m.instance.candidate.kernel, [m.instance.config]) for m in modules])
    simulation = build_simulation(
        project(modules), [m.unit for m in modules], cache=cache, log=log, wave=wave is not None
    )
    flat = {
        unit: {port: array.reshape(len(array), -1) for port, array in ports.items()}
        for unit, ports in inputs.items()
    }
    sizes = output_sizes(modules)
    patience = _PATIENCE + 8 * max(module.instance.config.cycles for module in modules)
    seeds = [*([None] if free else []), *([] if stall_seed is None else [stall_seed])]
    return [
        simulation.run(flat, frames_out=sizes, timeout_cycles=patience, stall_seed=seed, wave=wave)
        for seed in seeds
    ]


def judged(module: Module, inputs: Inputs, runs: Sequence[UnitRun]) -> Simulated:
    """What the runs of a module show: one without stalls, then one with them if there is one.

    (Where there is but one, with stalls, nothing is said of the pace.)
    """
    instance, first_run = module.instance, runs[0]
    expected = reference_of(instance.operation, instance.config, inputs)
    wrong, first = wrong_elements(instance.config, expected, runs)
    intervals, _ = estimate(instance.kernel, [instance.config])
    return Simulated(
        elements=len(runs) * sum(array.size for array in expected.values()),
        mismatches=wrong,
        first=first,
        lanes=wrong_lanes(instance.config, expected, runs),
        interval=steady_interval(first_run, steady_frames(instance.config.cycles)),
        latency=first_run.latency,
        said_interval=intervals[0],
        said_latency=first_to_last(schedule_of(instance.kernel, instance.config)),
    )
