"""Simulation of partitions and of layers alone, compared with the reference."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from brainsmith.api import KernelConfig
from brainsmith.compiler.answers import reference_of
from brainsmith.compiler.codegen import Rtl, project
from brainsmith.compiler.fifo import StreamModel
from brainsmith.compiler.folding import estimate
from brainsmith.compiler.implement import Module, implement
from brainsmith.compiler.reference import stream_ports
from brainsmith.compiler.schedule import first_to_last, schedule_of
from brainsmith.compiler.slices import Bounds, cut_frames, slice_of
from brainsmith.compiler.stimuli import only_reachable, stimuli
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.simulation import Simulation, UnitRun
from brainsmith.toolchains.verilator import build_simulation

STEADY_FRAMES = 8
_LONG_FRAME = 50_000  # cycles of a frame of which fewer show whether the pace is steady
_PATIENCE = 1_000_000  # cycles without a beat, beyond those of a frame, after which it hangs
# What a layer alone may take: cycles of all its frames, and bytes.
ALONE = Bounds(cycles=500_000, bytes=64 << 20)
OnFrames = Callable[[int, int], None]


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
    """

    tally: Tally
    stalled_tally: Tally
    frames: int
    interval: int | None
    latency: int


@dataclass(frozen=True)
class LayerRun:
    """A layer that was driven alone, with its worst cases.

    Attributes:
        node: the instance.
        tally: against the reference.
        interval: cycles between frames; None where they differ.
        latency: cycles from the first beat in to the last beat out.
        expected: interval and latency that its kernel promises for what was simulated.
        part: the sizes of the loops that were cut; all of the layer was simulated if empty.
    """

    node: str
    tally: Tally
    interval: int | None
    latency: int
    expected: tuple[int, int]
    part: Mapping[str, int] = field(default_factory=dict)


def simulation_of(rtl: Rtl, cache: BuildCache, log: BuildLog) -> Simulation:
    """The compiled simulation of a whole partition."""
    return build_simulation(rtl.hdl, [rtl.unit], cache=cache, log=log)


def run_partition(
    simulation: Simulation,
    rtl: Rtl,
    inputs: Mapping[str, np.ndarray],
    *,
    stall_seed: int | None = None,
    on_frames: OnFrames | None = None,
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
        driven, frames_out=sizes, stall_seed=stall_seed, progress=on_frames,
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
    on_frames: OnFrames | None = None,
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
    free = run_partition(simulation, rtl, tiled, on_frames=on_frames, interval=pace)
    stalled = run_partition(
        simulation, rtl, inputs, stall_seed=stall_seed, on_frames=on_frames, interval=pace
    )
    return NetworkRun(
        compare(rtl, free, {n: _tile(a, wanted) for n, a in values.items()}),
        compare(rtl, stalled, values),
        wanted,
        steady_interval(free, steady_frames(pace)),
        free.latency,
    )


def check_layers(
    modules: Sequence[Module],
    cache: BuildCache,
    log: BuildLog,
    seed: int,
    network: Mapping[str, Mapping[str, np.ndarray]],
) -> list[LayerRun]:
    """Drives every layer alone, its worst cases first, in one simulation of them all.

    Of a layer that would take long, a slice of its rows is driven.

    Args:
        network: frames that reach each layer in the whole network, by layer and port. They stand
            in for worst cases that no input of the network leads to.
    """
    whole = [module for module in modules if module.instance.role == "layer"]
    layers = _sliced(whole)
    rng = np.random.default_rng(seed)
    inputs = {
        m.instance.name: only_reachable(
            m.instance.operation,
            m.instance.config,
            stimuli(m.instance.operation, m.instance.config, rng, _frames_alone(m)),
            cut_frames(m.instance.config, network[m.instance.name]),
        )
        for m in layers
    }
    sizes = {
        m.instance.name: {
            port: m.instance.config.stream(port).elements * m.instance.config.stream(port).beats
            for port in stream_ports(m.instance, "out")
        }
        for m in layers
    }
    simulation = build_simulation(project(layers), [m.unit for m in layers], cache=cache, log=log)
    flat = {
        unit: {port: array.reshape(len(array), -1) for port, array in ports.items()}
        for unit, ports in inputs.items()
    }
    pace = max(module.instance.config.cycles for module in layers)
    runs = simulation.run(flat, frames_out=sizes, timeout_cycles=_PATIENCE + 8 * pace)
    return [
        _layer_run(module, inputs[name], runs[name], of.instance.config)
        for of, module in zip(whole, layers, strict=True)
        for name in (module.instance.name,)
    ]


def _sliced(modules: Sequence[Module]) -> list[Module]:
    """The modules, in the place of large ones those of slices of them."""
    configs = [slice_of(m.instance.operation, m.instance.config, ALONE) for m in modules]
    cut = [
        replace(module.instance, config=config)
        for module, config in zip(modules, configs, strict=True)
        if config is not module.instance.config
    ]
    made = iter(implement(cut))
    return [
        module if config is module.instance.config else next(made)
        for module, config in zip(modules, configs, strict=True)
    ]


def _frames_alone(module: Module) -> int:
    return steady_frames(module.instance.config.cycles) + 1


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


def _layer_run(
    module: Module, inputs: Mapping[str, np.ndarray], run: UnitRun, whole: KernelConfig
) -> LayerRun:
    instance = module.instance
    config = instance.config
    expected = reference_of(instance.operation, instance.config, inputs)
    tally = Tally()
    for port in stream_ports(instance, "out"):
        array = expected[port]
        name = f"{instance.name}.{port}"
        tally += _difference(name, run.outputs[port], array.reshape(len(array), -1))
    intervals, _ = estimate(instance.kernel, [config])
    return LayerRun(
        instance.name,
        tally,
        steady_interval(run, _frames_alone(module) - 1),
        run.latency,
        (intervals[0], first_to_last(schedule_of(instance.kernel, config))),
        {name: size for name, size in config.dims.items() if size != whole.dims[name]},
    )


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
