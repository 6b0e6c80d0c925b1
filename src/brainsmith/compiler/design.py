"""The design: the dataflow graph of kernel instances, with folding, streams and FIFO depths."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from brainsmith.api import KernelConfig
from brainsmith.compiler.mapping import Candidate

EXTERNAL = ""  # the instance that stands for the ends of a partition


@dataclass(frozen=True, slots=True)
class End:
    """One end of a stream: a port of an instance, or of the partition (instance EXTERNAL)."""

    instance: str
    port: str

    @property
    def external(self) -> bool:
        return self.instance == EXTERNAL


@dataclass(frozen=True)
class Instance:
    """A kernel in the design.

    Attributes:
        name: unique in the design, a legal SystemVerilog identifier.
        nodes: the model's nodes that it computes; none for what the compiler inserted.
        role: "layer", "duplicate", "converter" or "fifo".
    """

    name: str
    candidate: Candidate
    config: KernelConfig
    nodes: tuple[str, ...] = ()
    role: str = "layer"

    @property
    def kernel(self) -> Any:
        return self.candidate.kernel.instance

    @property
    def operation(self) -> Any:
        return self.candidate.operation.instance


@dataclass(frozen=True)
class StreamEdge:
    """A stream between two instances, or between one and the outside.

    `value` is the model's value that travels, `depth` that of the FIFO on the stream (0: none).
    """

    source: End
    sink: End
    value: str
    elements: int
    bits: int
    depth: int = 0

    @property
    def width(self) -> int:
        """Bits of tdata."""
        return self.elements * self.bits


@dataclass(frozen=True)
class PartitionPort:
    """A stream that enters or leaves a partition; `size` elements a frame."""

    name: str
    value: str
    elements: int
    size: int
    bits: int
    signed: bool
    bipolar: bool


@dataclass(frozen=True)
class Partition:
    """Neighbouring nodes on one device class: instances in topological order and streams."""

    name: str
    instances: tuple[Instance, ...]
    edges: tuple[StreamEdge, ...]
    inputs: tuple[PartitionPort, ...]
    outputs: tuple[PartitionPort, ...]

    def instance(self, name: str) -> Instance:
        return self._by_name[name]

    @property
    def layers(self) -> tuple[Instance, ...]:
        """The instances that compute nodes of the model."""
        return tuple(i for i in self.instances if i.role == "layer")

    @cached_property
    def _by_name(self) -> Mapping[str, Instance]:
        return {i.name: i for i in self.instances}


@dataclass(frozen=True)
class HostStep:
    """Nodes that run on the host, in topological order."""

    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Design:
    """What is built: partitions and host steps in the order in which a frame passes them."""

    name: str
    steps: Sequence[Partition | HostStep]
    alias: Mapping[str, str] = field(default_factory=dict)

    @property
    def partitions(self) -> tuple[Partition, ...]:
        return tuple(step for step in self.steps if isinstance(step, Partition))

    @property
    def layers(self) -> tuple[Instance, ...]:
        return tuple(layer for partition in self.partitions for layer in partition.layers)


def topological(instances: Sequence[Instance], edges: Sequence[StreamEdge]) -> tuple[Instance, ...]:
    """The instances in an order in which each comes after those that feed it."""
    by_name = {instance.name: instance for instance in instances}
    waiting = dict.fromkeys(by_name, 0)
    after: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        if not edge.source.external and not edge.sink.external:
            waiting[edge.sink.instance] += 1
            after[edge.source.instance].append(edge.sink.instance)
    ready = [name for name, count in waiting.items() if count == 0]
    for name in ready:  # grows while it is walked
        for follower in after[name]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                ready.append(follower)
    return tuple(by_name[name] for name in ready)
