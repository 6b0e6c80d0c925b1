"""FIFO depths by simulation: of each FIFO the least depth with which the design keeps its pace.

One simulation is built, whose FIFOs read their depths from files when a run starts; so a depth is
tried by a run, not by a build. FIFOs are shrunk one after the other, the largest first, each by
bisection between what the stream model found and the least: depths are the smallest in the sense
that none can be less while the others stay as they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from brainsmith.compiler.codegen import Rtl, generate
from brainsmith.compiler.design import Instance, Partition
from brainsmith.compiler.fifo import StreamModel, fifos_of, resized
from brainsmith.compiler.frontend import FrontEnd, with_partitions
from brainsmith.compiler.implement import implemented, memory_image
from brainsmith.compiler.progress import Progress
from brainsmith.compiler.simulate import (
    frames_wanted,
    run_partition,
    simulation_of,
    steady_frames,
    steady_interval,
)
from brainsmith.errors import ConfigurationError, VerificationError
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.simulation import Simulation

LEAST = 3  # below, a FIFO is a register slice, of another latency
PARAMETER = "limit_file"  # of the FIFO's kernel: whether a simulation reads the depth from a file
_PATIENCE = 4  # intervals without a beat after which it hangs


def shrink(front: FrontEnd, cache: BuildCache, log: BuildLog, progress: Progress) -> FrontEnd:
    """The front end's result with the least FIFO depths that keep each partition's pace.

    Args:
        front: with depths from the stream model.
        cache: of simulations.
        log: of the tools.
        progress: hears of every FIFO.

    Raises:
        ConfigurationError: the kernel of the FIFOs has no parameter `limit_file`.
        ToolError: the simulation cannot be built.
    """
    progress.step("shrink FIFOs", sum(map(len, map(_shrinkable, front.design.partitions))))
    modelled = {fifo.name: _depth(fifo) for p in front.design.partitions for fifo in fifos_of(p)}
    exact = {}
    for partition in front.design.partitions:
        if _shrinkable(partition):
            search = _Search.of(partition, front.models[partition.name], cache, log)
            exact[partition.name] = resized(partition, search.shrunk(progress))
    front = with_partitions(front, exact)
    return dataclasses.replace(front, modelled_depths=modelled)


@dataclass(frozen=True)
class _Search:
    """A partition whose FIFOs are as deep as a run says."""

    rtl: Rtl
    simulation: Simulation
    model: StreamModel

    @classmethod
    def of(
        cls, partition: Partition, model: StreamModel, cache: BuildCache, log: BuildLog
    ) -> _Search:
        fifos = {fifo.name: _adjustable(fifo) for fifo in _shrinkable(partition)}
        instances = tuple(fifos.get(one.name, one) for one in partition.instances)
        [(adjustable, modules)] = implemented([dataclasses.replace(partition, instances=instances)])
        rtl = generate(adjustable, modules)
        return cls(rtl, simulation_of(rtl, cache, log), model)

    def shrunk(self, progress: Progress) -> dict[str, int]:
        """The least depths, by the FIFO's name."""
        fifos = sorted(_shrinkable(self.rtl.partition), key=_bits, reverse=True)
        depths = {fifo.name: _depth(fifo) for fifo in fifos}
        for fifo in fifos:
            low, high = LEAST, depths[fifo.name]
            while low < high:
                progress.advance(0, f"{fifo.name}: between {low} and {high} beats")
                middle = (low + high) // 2
                if self._keeps_pace({**depths, fifo.name: middle}):
                    high = middle
                else:
                    low = middle + 1
            depths[fifo.name] = high
            progress.advance(1, f"{fifo.name}: {high} beats")
        return depths

    def _keeps_pace(self, depths: Mapping[str, int]) -> bool:
        """Whether no frame after the pipeline has filled is late."""
        interval = self.model.interval
        frames = frames_wanted(self.model, 1)
        # A kernel's timing does not depend on the values.
        inputs = {
            port.value: np.full((frames, port.size), int(port.bipolar), np.int64)
            for port in self.rtl.partition.inputs
        }
        limits = {f"{name}_{PARAMETER}.mem": _file(depth) for name, depth in depths.items()}
        simulation = dataclasses.replace(self.simulation, files={**self.simulation.files, **limits})
        patience = _PATIENCE * interval + self.model.latency
        try:
            run = run_partition(simulation, self.rtl, inputs, patience=patience)
        except VerificationError:  # it hangs
            return False
        return steady_interval(run, steady_frames(interval)) == interval


def _shrinkable(partition: Partition) -> list[Instance]:
    return [fifo for fifo in fifos_of(partition) if _depth(fifo) > LEAST]


def _adjustable(fifo: Instance) -> Instance:
    if PARAMETER not in fifo.candidate.info.params:
        raise ConfigurationError(
            f"the FIFOs of {fifo.candidate.kernel.full_name} cannot be shrunk in simulation",
            where="fifo",
            hint=f"its parameter `{PARAMETER}` is missing; leave out --fifo exact",
        )
    params = {**fifo.config.params, PARAMETER: 1}
    return dataclasses.replace(fifo, config=dataclasses.replace(fifo.config, params=params))


def _depth(fifo: Instance) -> int:
    return int(fifo.config.params["depth"])


def _bits(fifo: Instance) -> int:
    return _depth(fifo) * fifo.config.stream("x").width


def _file(depth: int) -> bytes:
    return memory_image(depth >> np.arange(32)[None, :] & 1)
