"""Kernels at configurations of nodes, simulated and compared with the operation's reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from brainsmith.api import KernelConfig
from brainsmith.comparison.each import each
from brainsmith.compiler.answers import reference_of
from brainsmith.compiler.codegen import project
from brainsmith.compiler.elements import WrongElement, output_sizes, wrong_elements
from brainsmith.compiler.folding import estimate, prepare
from brainsmith.compiler.implement import Module
from brainsmith.compiler.schedule import first_to_last, schedule_of
from brainsmith.compiler.simulate import steady_interval
from brainsmith.errors import BrainsmithError
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.simulation import StreamError, UnitRun
from brainsmith.toolchains.verilator import build_simulation

_PATIENCE = 10_000  # cycles without a beat, beyond those of a frame, after which a unit hangs


@dataclass(frozen=True, eq=False)
class Bench:
    """A module and the frames that it is driven with, (frames, *dims of the port) by port."""

    module: Module
    inputs: Mapping[str, np.ndarray]

    @property
    def name(self) -> str:
        return self.module.instance.name


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


@dataclass(frozen=True)
class Simulator:
    """Runs benches, as many as can be had in one simulation."""

    cache: BuildCache
    log: BuildLog
    seed: int = 0

    def run(self, benches: Sequence[Bench]) -> list[Simulated | BrainsmithError]:
        """What came of each bench, or what stops it: it hangs, or its sources do not compile."""
        found: dict[str, Simulated | BrainsmithError] = {}
        waiting = list(benches)
        while waiting:
            results = each(self._together, waiting)
            again = []
            for bench, result in zip(waiting, results, strict=True):
                if result is None:
                    again.append(bench)
                else:
                    found[bench.name] = result
            waiting = again
        return [found[bench.name] for bench in benches]

    def _together(self, benches: Sequence[Bench]) -> list[Simulated | BrainsmithError | None]:
        """All in one simulation; None for those that a fault of others stopped."""
        modules = [bench.module for bench in benches]
        prepare([(m.instance.candidate.kernel, [m.instance.config]) for m in modules])
        simulation = build_simulation(
            project(modules), [m.unit for m in modules], cache=self.cache, log=self.log
        )
        flat = {
            bench.name: {p: array.reshape(len(array), -1) for p, array in bench.inputs.items()}
            for bench in benches
        }
        sizes = output_sizes(modules)
        patience = _PATIENCE + 8 * max(module.instance.config.cycles for module in modules)
        try:
            free = simulation.run(flat, frames_out=sizes, timeout_cycles=patience)
            stalled = simulation.run(
                flat, frames_out=sizes, timeout_cycles=patience, stall_seed=self.seed + 1
            )
        except StreamError as error:
            if not {bench.name for bench in benches} & set(error.units):
                raise
            return [error if b.name in error.units else None for b in benches]
        return [_judged(b, free[b.name], stalled[b.name]) for b in benches]


def _judged(bench: Bench, free: UnitRun, stalled: UnitRun) -> Simulated:
    instance = bench.module.instance
    expected = reference_of(instance.operation, instance.config, bench.inputs)
    wrong, first = wrong_elements(instance.config, expected, free, stalled)
    intervals, _ = estimate(instance.kernel, [instance.config])
    return Simulated(
        elements=2 * sum(array.size for array in expected.values()),
        mismatches=wrong,
        first=first,
        lanes=_lanes(instance.config, expected, (free, stalled)),
        interval=steady_interval(free),
        latency=free.latency,
        said_interval=intervals[0],
        said_latency=first_to_last(schedule_of(instance.kernel, instance.config)),
    )


def _lanes(
    config: KernelConfig, expected: Mapping[str, np.ndarray], runs: Sequence[UnitRun]
) -> str:
    """The lanes of an output that alone are wrong: a fault is often in one of several."""
    for port, array in expected.items():
        count, want = config.stream(port).elements, array.reshape(len(array), -1)
        wrong = [np.argwhere(want != run.outputs[port])[:, 1] % count for run in runs]
        lanes = sorted(set(np.concatenate(wrong).tolist()))
        if lanes and len(lanes) < count:
            return f"all of them are in lane {', '.join(map(str, lanes))} of {count} of {port}"
    return ""
