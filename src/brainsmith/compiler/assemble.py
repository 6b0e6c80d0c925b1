"""From mapped nodes to a design: streams, duplicates where a value has several readers, and
converters where two neighbours disagree on the width of a beat."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from brainsmith.api import IntType, KernelConfig
from brainsmith.compiler.design import (
    EXTERNAL,
    Design,
    End,
    HostStep,
    Instance,
    Partition,
    PartitionPort,
    StreamEdge,
    topological,
)
from brainsmith.compiler.identifiers import unique
from brainsmith.compiler.mapping import Candidate, Mapped, NodeMapping, resolve
from brainsmith.compiler.partition import Group
from brainsmith.errors import PluginError


@dataclass(frozen=True)
class Infrastructure:
    """The kernels that the compiler inserts, by operation: duplicate, fifo, width_converter."""

    kernels: Mapping[str, Candidate]
    family: str

    @classmethod
    def of(cls, options: Sequence[Candidate], family: str) -> Infrastructure:
        """The first candidate of each operation that the compiler inserts."""
        found: dict[str, Candidate] = {}
        for option in options:
            found.setdefault(option.info.operation_type, option)
        return cls(found, family)

    def make(
        self,
        name: str,
        operation: str,
        role: str,
        *,
        elements: int,
        dtype: IntType,
        folding: Mapping[str, int],
        params: Mapping[str, int | str] | None = None,
    ) -> Instance:
        """An instance of `operation` for a stream of `elements` a frame, all ports `dtype`."""
        if operation not in self.kernels:
            raise PluginError(f"no kernel computes '{operation}', which the design needs")
        candidate = self.kernels[operation]
        nest = candidate.operation.info.nest
        dims = {loop.name: 1 for loop in nest.loops} | {nest.loops[-1].name: elements}
        config = KernelConfig(
            node=name,
            nest=nest,
            dims=dims,
            dtypes={port.name: dtype for port in nest.ports},
            ranges={port.name: (dtype.min, dtype.max) for port in nest.ports},
            folding=folding,
            params={**candidate.params, **(params or {})},
            family=self.family,
        )
        return Instance(name, candidate, config, role=role)


@dataclass
class _Stream:
    """A value on its way: where it comes from, in beats of how many elements."""

    source: End
    elements: int
    size: int
    dtype: IntType


@dataclass
class _Builder:
    """One partition while it grows."""

    infrastructure: Infrastructure
    names: set[str]  # of the whole design
    instances: list[Instance] = field(default_factory=list)
    edges: list[StreamEdge] = field(default_factory=list)

    def connect(self, stream: _Stream, sink: End, elements: int, value: str) -> None:
        """Leads a stream to a sink that takes `elements` a beat, converting where they differ."""
        if stream.elements != elements:
            stream = self._convert(stream, elements, value)
        self.edges.append(StreamEdge(stream.source, sink, value, elements, stream.dtype.bits))

    def split(self, stream: _Stream, ways: int, value: str) -> list[_Stream]:
        """`ways` copies of a stream, through a chain of duplicates."""
        copies = []
        for _ in range(ways - 1):
            name = unique(f"{value}_duplicate", self.names)
            instance = self.infrastructure.make(
                name, "duplicate", "duplicate",
                elements=stream.size, dtype=stream.dtype, folding={"PE": stream.elements},
            )  # fmt: skip
            self.instances.append(instance)
            self.connect(stream, End(name, "x"), stream.elements, value)
            copies.append(dataclasses.replace(stream, source=End(name, "y0")))
            stream = dataclasses.replace(stream, source=End(name, "y1"))
        return [*copies, stream]

    def _convert(self, stream: _Stream, elements: int, value: str) -> _Stream:
        name = unique(f"{value}_converter", self.names)
        instance = self.infrastructure.make(
            name, "width_converter", "converter",
            elements=stream.size, dtype=stream.dtype,
            folding={"IN": stream.elements, "OUT": elements},
        )  # fmt: skip
        self.instances.append(instance)
        self.edges.append(
            StreamEdge(stream.source, End(name, "x"), value, stream.elements, stream.dtype.bits)
        )
        return _Stream(End(name, "y"), elements, stream.size, stream.dtype)


def assemble(
    name: str,
    groups: Sequence[Group],
    folded: Mapping[str, Mapped],
    mapping: NodeMapping,
    graph_outputs: Sequence[str],
    host_reads: set[str],
    infrastructure: Infrastructure,
) -> Design:
    """The design of all groups.

    Args:
        name: the design.
        groups: from `partition`, in order.
        folded: the mapped nodes with their folding, by node.
        mapping: for the views.
        graph_outputs: the model's outputs.
        host_reads: values that nodes on the host read, views resolved.
        infrastructure: the kernels for what is inserted.
    """
    wanted = {resolve(mapping.alias, output) for output in graph_outputs} | host_reads
    readers: dict[str, set[int]] = defaultdict(set)
    for index, group in enumerate(groups):
        for node in group.mapped:
            for value in node.inputs.values():
                readers[resolve(mapping.alias, value)].add(index)
    steps: list[Partition | HostStep] = []
    taken: set[str] = set()
    for index, group in enumerate(groups):
        if group.device == "host":
            steps.append(HostStep(group.nodes))
            continue
        leaves = wanted | {v for v, groups_ in readers.items() if groups_ - {index}}
        nodes = [folded[node.node] for node in group.mapped]
        number = sum(isinstance(step, Partition) for step in steps)
        steps.append(_partition(f"{name}_p{number}", nodes, mapping, leaves, infrastructure, taken))
    if sum(isinstance(step, Partition) for step in steps) == 1:
        steps = [
            dataclasses.replace(step, name=name) if isinstance(step, Partition) else step
            for step in steps
        ]
    return Design(name, tuple(steps), mapping.alias)


def _partition(
    name: str,
    nodes: Sequence[Mapped],
    mapping: NodeMapping,
    leaves: set[str],
    infrastructure: Infrastructure,
    taken: set[str],
) -> Partition:
    builder = _Builder(infrastructure, taken)
    names = {node.node: unique(node.node, taken) for node in nodes}
    sinks: dict[str, list[tuple[Mapped, str]]] = defaultdict(list)
    for node in nodes:
        for port, value in node.inputs.items():
            sinks[resolve(mapping.alias, value)].append((node, port))
    made = {v: (node, port) for node in nodes for port, v in node.outputs.items()}
    inputs = [
        _port(f"x{i}", value, *sinks[value][0])
        for i, value in enumerate(v for v in sinks if v not in made)
    ]
    outgoing = [value for value in made if value in leaves]
    outputs = [_port(f"y{i}", value, *made[value]) for i, value in enumerate(outgoing)]
    builder.instances = [
        Instance(names[n.node], n.candidate, n.config, nodes=n.nodes) for n in nodes
    ]
    for entry in inputs:
        stream = _stream(End(EXTERNAL, entry.name), *sinks[entry.value][0])
        _fan_out(builder, stream, entry.value, sinks[entry.value], None, names)
    for value, (node, source) in made.items():
        stream = _stream(End(names[node.node], source), node, source)
        exit_ = next((End(EXTERNAL, p.name) for p in outputs if p.value == value), None)
        _fan_out(builder, stream, value, sinks[value], exit_, names)
    ordered = topological(builder.instances, builder.edges)
    return Partition(name, ordered, tuple(builder.edges), tuple(inputs), tuple(outputs))


def _fan_out(
    builder: _Builder,
    stream: _Stream,
    value: str,
    sinks: Sequence[tuple[Mapped, str]],
    leaving: End | None,
    names: Mapping[str, str],
) -> None:
    """Leads a value to all its readers inside the partition and, maybe, out of it."""
    ends = [(End(names[n.node], port), n.config.stream(port).elements) for n, port in sinks]
    if leaving is not None:
        ends.append((leaving, stream.elements))
    if not ends:
        raise PluginError(
            f"nothing reads the value '{value}'", hint="RemoveUnused removes its node"
        )
    for copy, (end, elements) in zip(builder.split(stream, len(ends), value), ends, strict=True):
        builder.connect(copy, end, elements, value)


def _stream(source: End, node: Mapped, port: str) -> _Stream:
    stream = node.config.stream(port)
    return _Stream(
        source, stream.elements, stream.elements * stream.beats, node.config.dtypes[port]
    )


def _port(name: str, value: str, node: Mapped, port: str) -> PartitionPort:
    stream, dtype = node.config.stream(port), node.config.dtypes[port]
    return PartitionPort(
        name=name,
        value=value,
        elements=stream.elements,
        size=stream.elements * stream.beats,
        bits=stream.bits,
        signed=dtype.signed,
        bipolar=dtype.bipolar,
    )
