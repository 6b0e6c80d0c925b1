"""Kernels at configurations of nodes, simulated and compared with the operation's reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from brainsmith.comparison.each import each
from brainsmith.compiler.alone import Simulated, drive
from brainsmith.compiler.implement import Module
from brainsmith.errors import BrainsmithError
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.simulation import StreamError


@dataclass(frozen=True, eq=False)
class Bench:
    """A module and the frames that it is driven with, (frames, *dims of the port) by port."""

    module: Module
    inputs: Mapping[str, np.ndarray]

    @property
    def name(self) -> str:
        return self.module.instance.name


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
        inputs = {bench.name: bench.inputs for bench in benches}
        try:
            return [
                *drive(modules, inputs, stall_seed=self.seed + 1, cache=self.cache, log=self.log)
            ]
        except StreamError as error:
            if not {bench.name for bench in benches} & set(error.units):
                raise
            return [error if b.name in error.units else None for b in benches]
