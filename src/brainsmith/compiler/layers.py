"""Layers alone, on their worst cases and on what reaches them in the network.

Either all in one simulation, beside that of the whole design, or, in its place, each in one of its
own, several at a time. Of a layer that would take long a slice is driven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

import numpy as np

from brainsmith.api import KernelConfig
from brainsmith.compiler.alone import Inputs, Simulated, judged, run_units
from brainsmith.compiler.codegen import Rtl
from brainsmith.compiler.design import Instance
from brainsmith.compiler.folding import estimate
from brainsmith.compiler.implement import Module, implement
from brainsmith.compiler.reference import frames_at_once, walk
from brainsmith.compiler.simulate import Tally, steady_frames
from brainsmith.compiler.slices import Bounds, cut_frames, places_in, slice_of, spread_frames
from brainsmith.compiler.stimuli import only_reachable, stimuli
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.simulation import UnitRun

# What a layer may take: cycles of all its frames, and bytes.
TOGETHER = Bounds(cycles=500_000, bytes=64 << 20)
EACH = Bounds(cycles=2_000_000, bytes=64 << 20)
_LUT_CYCLES = 6e9  # of a layer in a simulation of its own: a large one gets fewer cycles
AT_ONCE = 2
_WAITING = 2  # layers whose frames lie ready while others run
_ENOUGH = 16  # frames of the network that a layer is driven with at a time
Told = Callable[[int, int, str], None]
"""Hears of layers that are done, their number, and the one that came last."""


@dataclass(frozen=True)
class LayerRun:
    """A layer that was driven alone.

    Attributes:
        node: the instance.
        tally: against the reference.
        interval: cycles between frames; None where they differ.
        latency: cycles from the first beat in to the last beat out.
        expected: interval and latency that its kernel promises for what was simulated.
        frames: that were driven.
        real: of these, ones that reach the layer in the network; the others are its worst cases,
            the ends of its range, and random.
        stalled: whether they were driven again with random stalls on every port.
        part: what was simulated of each loop that was cut, and of how many iterations; all of the
            layer if empty.
    """

    node: str
    tally: Tally
    interval: int | None
    latency: int
    expected: tuple[int, int]
    frames: int = 0
    real: int = 0
    stalled: bool = False
    part: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Job:
    """What is simulated of one layer.

    `module` may be a slice of the layer whose configuration is `whole`.
    """

    module: Module
    whole: KernelConfig
    inputs: Inputs
    real: int

    @property
    def name(self) -> str:
        return self.module.instance.name


def check_together(
    rtls: Sequence[Rtl],
    values: Mapping[str, np.ndarray],
    seed: int,
    cache: BuildCache,
    log: BuildLog,
) -> list[LayerRun]:
    """Drives every layer alone, its worst cases first, in one simulation of them all.

    Args:
        rtls: the partitions.
        values: the reference, (frames, ...) by the name of the value. Frames that reach a layer
            stand in for worst cases that no input of the network leads to.
        seed: for the random frames.
    """
    jobs = list(_jobs(rtls, values, seed, TOGETHER, real=False))
    inputs = {job.name: job.inputs for job in jobs}
    modules = [job.module for job in jobs]
    (runs,) = run_units(modules, inputs, stall_seed=None, cache=cache, log=log)
    return [_layer_run(job, [runs[job.name]]) for job in jobs]


def check_each(
    rtls: Sequence[Rtl],
    values: Mapping[str, np.ndarray],
    seed: int,
    cache: BuildCache,
    log: BuildLog,
    told: Told | None = None,
) -> list[LayerRun]:
    """Drives every layer in a simulation of its own, with stalls and without, several at a time.

    Each gets its worst cases and what the frames of the network lead to. A slice gets these from
    all over the layer.

    Raises:
        StreamError: a layer hangs or breaks the wire contract; it names the layer.
    """
    found: dict[str, LayerRun] = {}
    names = [layer.name for rtl in rtls for layer in rtl.partition.layers]

    def simulated(job: _Job) -> list[dict[str, UnitRun]]:
        return run_units(
            [job.module], {job.name: job.inputs}, stall_seed=seed, cache=cache, log=log
        )

    def finish(running: dict[Future[list[dict[str, UnitRun]]], _Job], most: int) -> None:
        while len(running) > most:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                job = running.pop(future)
                found[job.name] = _layer_run(job, [run[job.name] for run in future.result()])
                if told is not None:
                    told(len(found), len(names), job.name)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        running: dict[Future[list[dict[str, UnitRun]]], _Job] = {}
        try:
            for job in _jobs(rtls, values, seed, None, real=True):
                running[pool.submit(simulated, job)] = job
                finish(running, AT_ONCE + _WAITING - 1)
            finish(running, 0)
        except BaseException:
            log.stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [found[name] for name in names]


def _jobs(
    rtls: Sequence[Rtl],
    values: Mapping[str, np.ndarray],
    seed: int,
    bounds: Bounds | None,
    *,
    real: bool,
) -> Iterator[_Job]:
    """What to simulate of each layer, one after the other, so that few frames are there at once."""
    rng = np.random.default_rng(seed)
    for rtl in rtls:
        modules = {module.instance.name: module for module in rtl.modules}
        count = max(2, min(_ENOUGH, frames_at_once(rtl.partition)))
        given = {
            port.value: values[port.value][:count].reshape(-1, port.size)
            for port in rtl.partition.inputs
        }
        for layer, frames, _ in walk(rtl.partition, given):
            inside = bounds or _bounds(layer)
            yield _job(modules[layer.name], frames, rng, inside, real)


def _bounds(layer: Instance) -> Bounds:
    """Of a layer in a simulation of its own: a cycle of a large one takes longer."""
    _, (needs,) = estimate(layer.kernel, [layer.config])
    return replace(EACH, cycles=min(EACH.cycles, int(_LUT_CYCLES / max(1.0, needs.LUT))))


def _job(
    module: Module, network: Inputs, rng: np.random.Generator, bounds: Bounds, real: bool
) -> _Job:
    instance, whole = module.instance, module.instance.config
    part = slice_of(instance.operation, whole, bounds)
    if part is not whole:
        (module,) = implement([replace(instance, config=part)])
    needed = steady_frames(part.cycles) + 1
    worst = stimuli(instance.operation, part, rng, 0 if real else needed)
    reached = {port: np.asarray(array) for port, array in cut_frames(part, network).items()}
    worst = only_reachable(instance.operation, part, worst, reached)
    if not real:
        return _Job(module, whole, worst, 0)
    count = _real_frames(part, whole, network, worst, needed, bounds)
    spread = spread_frames(instance.operation, whole, part, network, count)
    inputs = {p: np.concatenate([worst[p], spread[p].astype(np.int64)]) for p in worst}
    return _Job(module, whole, inputs, count)


def _real_frames(
    part: KernelConfig,
    whole: KernelConfig,
    network: Inputs,
    worst: Inputs,
    needed: int,
    bounds: Bounds,
) -> int:
    """How many frames of the network: all of all that are given, if they are inside the bounds."""
    others = len(next(iter(worst.values())))
    given = len(next(iter(network.values())))
    bytes_each = 8 * sum(int(array[0].size) for array in worst.values())
    inside = min(bounds.cycles // part.cycles, bounds.bytes // bytes_each) - others
    return max(2, needed - others, min(given * places_in(whole, part), inside))


def _layer_run(job: _Job, runs: Sequence[UnitRun]) -> LayerRun:
    seen = judged(job.module, job.inputs, runs)
    config = job.module.instance.config
    cut = {n.name for n in config.nest.loops if config.dims[n.name] != job.whole.dims[n.name]}
    return LayerRun(
        job.name,
        Tally(seen.elements, seen.mismatches, _first(job.name, seen)),
        seen.interval,
        seen.latency,
        (seen.said_interval, seen.said_latency),
        frames=len(next(iter(job.inputs.values()))),
        real=job.real,
        stalled=len(runs) > 1,
        part={name: (config.dims[name], job.whole.dims[name]) for name in sorted(cut)},
    )


def _first(name: str, seen: Simulated) -> str:
    if seen.first is None:
        return ""
    return f"{name}.{seen.first}" + (f"; {seen.lanes}" if seen.lanes else "")
