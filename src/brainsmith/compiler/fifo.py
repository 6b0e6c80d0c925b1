"""FIFO depths from the stream model: how many beats wait on each stream at the design's pace.

The model is one frame of many: the input comes evenly at the pace of the slowest layer, and every
kernel runs as early as its beats allow. FIFOs that hold what waits then suffice, whatever the input
does: what fires as early as it can is never later than any schedule that keeps to the same depths,
and this is one. So nothing deadlocks, not in the first frames either, and the pace holds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from brainsmith.api import Runs, Schedule
from brainsmith.compiler import runs
from brainsmith.compiler.assemble import Infrastructure
from brainsmith.compiler.design import EXTERNAL, End, Instance, Partition, StreamEdge, topological
from brainsmith.compiler.folding import prepare
from brainsmith.compiler.identifiers import unique
from brainsmith.compiler.schedule import FAR_APART, Timing, run, schedule_of

MIN_DEPTH = 2
SLACK = 2  # a FIFO that is full refuses a beat even while one leaves; one more is on its way


@dataclass(frozen=True)
class StreamModel:
    """A partition as the stream model sees it.

    Attributes:
        interval: cycles between frames once the pipeline is full.
        latency: cycles from the first input beat of the first frame to its last output beat.
    """

    interval: int
    latency: int


def size_fifos(
    partition: Partition, infrastructure: Infrastructure, names: set[str]
) -> tuple[Partition, StreamModel]:
    """The partition with a FIFO on every stream between instances on which a beat waits.

    Even one: what produced it may have no room for the next while it waits.

    Args:
        partition: without FIFOs.
        infrastructure: has the kernel of FIFOs.
        names: the instances of the whole design; those of the FIFOs are added.
    """
    prepare((i.candidate.kernel, [i.config]) for i in partition.instances)
    schedules = {i.name: _schedule_of(i) for i in partition.instances}
    interval = max(schedule.interval for schedule in schedules.values())
    sizing = _Sizing(partition, infrastructure, names, interval)
    for instance in partition.instances:
        sizing.add(instance, schedules[instance.name])
    sized = sizing.partition()
    return sized, StreamModel(interval, _latency(sized, schedules | sizing.schedules))


@dataclass
class _Sizing:
    """A walk through a partition in the direction of its streams, which leaves FIFOs behind."""

    whole: Partition
    infrastructure: Infrastructure
    names: set[str]
    interval: int
    given: dict[End, Runs] = field(default_factory=dict)
    fifos: dict[StreamEdge, Instance] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.into = {edge.sink: edge for edge in self.whole.edges}
        for port in self.whole.inputs:
            beats = port.size // port.elements
            self.given[End(EXTERNAL, port.name)] = runs.spread(beats, self.interval)

    def add(self, instance: Instance, schedule: Schedule) -> None:
        """Walks through an instance, and sets FIFOs in front of it.

        A FIFO delays its stream, which may let beats wait at another port.
        """
        edges = {port: self.into[End(instance.name, port)] for port in schedule.takes}
        while True:
            arrivals = {port: self._behind_fifo(edge) for port, edge in edges.items()}
            timing = run(schedule, arrivals, self.interval)
            grown = [
                self._grow(edge, most_waiting(arrivals[port], timing.taken[port], self.interval))
                for port, edge in edges.items()
                if not edge.source.external
            ]
            if not any(grown):
                break
        self.given |= _given(instance, timing)

    def _behind_fifo(self, edge: StreamEdge) -> Runs:
        if edge not in self.fifos:
            return self.given[edge.source]
        schedule = self.schedules[self.fifos[edge].name]
        return run(schedule, {"x": self.given[edge.source]}, self.interval).given["y"]

    def _grow(self, edge: StreamEdge, waiting: int) -> bool:
        """Whether the stream needed a FIFO that it had not, or a deeper one."""
        depth = MIN_DEPTH if waiting < MIN_DEPTH else waiting + SLACK
        old = self.fifos.get(edge)
        if not waiting or (old and depth <= int(old.config.params["depth"])):
            return False
        fifo = deepened(old, depth) if old else self._fifo(edge, depth)
        self.fifos[edge] = fifo
        self.schedules[fifo.name] = schedule_of(fifo.kernel, fifo.config)
        return True

    def _fifo(self, edge: StreamEdge, depth: int) -> Instance:
        end, instance = _typed_end(self.whole, edge)
        stream = instance.config.stream(end.port)
        return self.infrastructure.make(
            unique(f"{edge.sink.instance}_{edge.sink.port}_fifo", self.names), "fifo", "fifo",
            elements=stream.elements * stream.beats,
            dtype=instance.config.dtypes[end.port],
            folding={"PE": edge.elements},
            params={"depth": depth},
        )  # fmt: skip

    def partition(self) -> Partition:
        """The partition with its FIFOs."""
        edges: list[StreamEdge] = []
        for edge in self.whole.edges:
            fifo = self.fifos.get(edge)
            if fifo is None:
                edges.append(edge)
                continue
            depth = int(fifo.config.params["depth"])
            edges.append(dataclasses.replace(edge, sink=End(fifo.name, "x")))
            edges.append(dataclasses.replace(edge, source=End(fifo.name, "y"), depth=depth))
        instances = topological([*self.whole.instances, *self.fifos.values()], edges)
        return dataclasses.replace(self.whole, instances=instances, edges=tuple(edges))


def fifos_of(partition: Partition) -> list[Instance]:
    """The FIFOs of a partition."""
    return [instance for instance in partition.instances if instance.role == "fifo"]


def resized(partition: Partition, depths: Mapping[str, int]) -> Partition:
    """A partition whose FIFOs have other depths, by their names."""
    fifos = {fifo.name: fifo for fifo in fifos_of(partition)}
    new = {name: deepened(fifos[name], depth) for name, depth in depths.items()}
    instances = tuple(new.get(instance.name, instance) for instance in partition.instances)
    edges = tuple(
        dataclasses.replace(edge, depth=depths.get(edge.source.instance, edge.depth))
        for edge in partition.edges
    )
    return dataclasses.replace(partition, instances=instances, edges=edges)


def deepened(fifo: Instance, depth: int) -> Instance:
    """A FIFO of another depth."""
    params = {**fifo.config.params, "depth": depth}
    return dataclasses.replace(fifo, config=dataclasses.replace(fifo.config, params=params))


def most_waiting(arrived: Runs, taken: Runs, interval: int) -> int:
    """The most beats that are there at once when one of them is taken; 0 if none ever waits.

    Args:
        arrived: when each beat of a frame was there.
        taken: when each was taken, not before.
        interval: cycles from a frame to the next.
    """
    if runs.same(arrived, taken):
        return 0
    around = int(taken.last[-1] - arrived.first[0]) // interval + 1
    many = runs.tiled(arrived, np.arange(-around, around + 1), interval)
    # Between these beats, the arrivals and the takes go on in equal steps.
    edges = runs.up_to(taken, many.first - 1), runs.up_to(taken, many.last)
    cuts = runs.union(taken.offset, *edges)
    beats = np.clip(np.concatenate([cuts - 1, cuts]), 0, len(taken) - 1)
    present = runs.up_to(many, taken.at(beats))
    return int(np.max(present - beats)) - around * len(arrived)


def _latency(partition: Partition, schedules: Mapping[str, Schedule]) -> int:
    """Cycles of a frame alone, whose inputs come as fast as they can."""
    given = {
        End(EXTERNAL, port.name): runs.ramp(port.size // port.elements) for port in partition.inputs
    }
    into = {edge.sink: edge for edge in partition.edges}
    for instance in partition.instances:
        schedule = schedules[instance.name]
        sources = {port: into[End(instance.name, port)].source for port in schedule.takes}
        arrivals = {port: given[source] for port, source in sources.items()}
        given |= _given(instance, run(schedule, arrivals, FAR_APART))
    return max(int(given[edge.source].last[-1]) for edge in partition.edges if edge.sink.external)


def _schedule_of(instance: Instance) -> Schedule:
    """The schedule of an instance; of what splits beats, for the first part of each."""
    schedule = schedule_of(instance.kernel, instance.config)
    if _parts(instance) == 1:
        return schedule
    return dataclasses.replace(schedule, gives={"y": schedule.takes["x"]})


def _given(instance: Instance, timing: Timing) -> dict[End, Runs]:
    """When an instance gives its beats.

    What splits a beat gives its parts at once, and needs to give them only until the next one: that
    is a schedule too, and a smoother one, which saves room behind it and runs here.
    """
    given, parts = timing.given, _parts(instance)
    if parts > 1:
        given = {"y": runs.split(given["y"], parts)}
    return {End(instance.name, port): cycles for port, cycles in given.items()}


def _parts(instance: Instance) -> int:
    """Into how many beats a converter splits each whole one; 1 for everything else."""
    if instance.role != "converter":
        return 1
    wide, narrow = (instance.config.stream(port).beats for port in ("x", "y"))
    return narrow // wide if narrow % wide == 0 else 1


def _typed_end(partition: Partition, edge: StreamEdge) -> tuple[End, Instance]:
    """An end of the stream that is a port of an instance."""
    end = edge.source if edge.sink.external else edge.sink
    return end, partition.instance(end.instance)
