"""FIFO depths from the stream model: how many beats wait on each stream at the design's pace."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from brainsmith.api import Schedule
from brainsmith.compiler.assemble import Infrastructure
from brainsmith.compiler.design import (
    EXTERNAL,
    End,
    Instance,
    Partition,
    StreamEdge,
    topological,
)
from brainsmith.compiler.folding import prepare
from brainsmith.compiler.identifiers import unique
from brainsmith.compiler.schedule import run, run_full, schedule_of

FRAMES = 4
MIN_DEPTH = 2
SLACK = 2  # a FIFO that is full refuses a beat even while one leaves; one more is on its way
MAX_ROUNDS = 8


@dataclass(frozen=True)
class StreamModel:
    """A partition as the stream model sees it.

    Attributes:
        interval: cycles between frames once the pipeline is full.
        latency: cycles from the first input beat of a frame to its last output beat.
        waiting: for each stream, the most beats that are there when one of them is taken; 0 where
            each is taken in the cycle in which it comes.
    """

    interval: int
    latency: int
    waiting: Mapping[StreamEdge, int]


def analyse(partition: Partition) -> StreamModel:
    """The stream model of a partition whose input is driven at the pace of its slowest layer.

    The first frames, which meet an empty pipeline, and a frame of the full one: a deep pipeline
    takes as many frames to fill as it holds, and none of those between is looked at.
    """
    prepare((i.candidate.kernel, [i.config]) for i in partition.instances)
    schedules = {i.name: schedule_of(i.kernel, i.config) for i in partition.instances}
    interval = max(schedule.interval for schedule in schedules.values())
    filling = _walk(partition, schedules, interval, FRAMES)
    full = _walk(partition, schedules, interval, None)
    waiting = {edge: max(count, filling.waiting[edge]) for edge, count in full.waiting.items()}
    return dataclasses.replace(full, waiting=waiting)


def _walk(
    partition: Partition, schedules: Mapping[str, Schedule], interval: int, frames: int | None
) -> StreamModel:
    """The first `frames` frames; without a number, one of those that all look alike."""
    into = {edge.sink: edge for edge in partition.edges}
    given: dict[End, np.ndarray] = {}
    waiting: dict[StreamEdge, int] = {}
    for entry in partition.inputs:
        beats = entry.size // entry.elements
        start = interval * np.arange(frames or 1)[:, None] + np.arange(beats)[None, :]
        given[End(EXTERNAL, entry.name)] = start.ravel()
    for instance in partition.instances:
        schedule = schedules[instance.name]
        edges = {port: into[End(instance.name, port)] for port in schedule.takes}
        arrivals = {port: given[edge.source] for port, edge in edges.items()}
        if frames:
            timing = run(schedule, arrivals, frames)
        else:
            timing = run_full(schedule, arrivals, interval)
        for port, edge in edges.items():
            period = None if frames else interval
            waiting[edge] = _most_waiting(arrivals[port], timing.taken[port], period)
        for port, cycles in timing.given.items():
            given[End(instance.name, port)] = cycles
    last = [given[e.source] for e in partition.edges if e.sink.external]
    latency = max(int(cycles[len(cycles) // (frames or 1) - 1]) for cycles in last)
    return StreamModel(interval, latency, waiting)


def size_fifos(
    partition: Partition, infrastructure: Infrastructure, names: set[str]
) -> tuple[Partition, StreamModel]:
    """The partition with a FIFO on every stream between instances on which a beat waits.

    `names` has the instances of the whole design; those of the FIFOs are added.

    Even one: what produced it may have no room for the next while it waits. A FIFO delays its
    stream, which may let beats wait elsewhere, so this goes on until nothing changes.
    """
    for _ in range(MAX_ROUNDS):
        model = analyse(partition)
        sized = _resized(partition, model, infrastructure, names)
        if sized is partition:
            return partition, model
        partition = sized
    return partition, analyse(partition)


def _resized(
    partition: Partition, model: StreamModel, infrastructure: Infrastructure, names: set[str]
) -> Partition:
    """The partition with new and deeper FIFOs, or the very same if it needs none."""
    instances = {instance.name: instance for instance in partition.instances}
    edges: list[StreamEdge] = []
    changed = False
    for edge in partition.edges:
        waiting = model.waiting.get(edge, 0)
        source = instances.get(edge.source.instance)
        if source is None or not waiting or _depth(waiting) <= edge.depth:
            edges.append(edge)
            continue
        changed = True
        if source.role == "fifo":
            params = {**source.config.params, "depth": _depth(waiting)}
            config = dataclasses.replace(source.config, params=params)
            instances[source.name] = dataclasses.replace(source, config=config)
            edges.append(dataclasses.replace(edge, depth=_depth(waiting)))
            continue
        depth = _depth(waiting)
        fifo = _fifo(partition, edge, depth, infrastructure, names)
        instances[fifo.name] = fifo
        edges.append(dataclasses.replace(edge, sink=End(fifo.name, "x")))
        edges.append(dataclasses.replace(edge, source=End(fifo.name, "y"), depth=depth))
    if not changed:
        return partition
    ordered = topological(list(instances.values()), edges)
    return dataclasses.replace(partition, instances=ordered, edges=tuple(edges))


def _depth(waiting: int) -> int:
    return MIN_DEPTH if waiting < MIN_DEPTH else waiting + SLACK


def _fifo(
    partition: Partition,
    edge: StreamEdge,
    depth: int,
    infrastructure: Infrastructure,
    names: set[str],
) -> Instance:
    end, instance = _typed_end(partition, edge)
    name = unique(f"{edge.sink.instance or edge.source.instance}_{end.port}_fifo", names)
    stream = instance.config.stream(end.port)
    return infrastructure.make(
        name, "fifo", "fifo",
        elements=stream.elements * stream.beats,
        dtype=instance.config.dtypes[end.port],
        folding={"PE": edge.elements},
        params={"depth": depth},
    )  # fmt: skip


def _typed_end(partition: Partition, edge: StreamEdge) -> tuple[End, Instance]:
    """An end of the stream that is a port of an instance."""
    end = edge.source if edge.sink.external else edge.sink
    return end, partition.instance(end.instance)


def _most_waiting(arrived: np.ndarray, taken: np.ndarray, period: int | None) -> int:
    """The most beats that are there at once when one of them is taken; 0 if none ever waits.

    With a period, the cycles are those of one frame of many, each that much after the one before.
    """
    if np.array_equal(arrived, taken):
        return 0
    before = 0
    if period:
        around = int(taken[-1] - arrived[0]) // period + 1
        before = around * len(arrived)
        frames = period * np.arange(-around, around + 1)
        arrived = np.sort((arrived[None, :] + frames[:, None]).ravel())
    present = np.searchsorted(arrived, taken, side="right")
    return int(np.max(present - before - np.arange(len(taken))))
