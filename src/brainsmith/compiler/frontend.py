"""The front end: from the model's file to the design, without any tool."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from brainsmith.api import Resources
from brainsmith.compiler import stages
from brainsmith.compiler.assemble import Infrastructure, assemble
from brainsmith.compiler.design import Design, HostStep, Partition
from brainsmith.compiler.fifo import StreamModel, size_fifos
from brainsmith.compiler.folding import choose, estimate, prepare
from brainsmith.compiler.folding_file import read_folding
from brainsmith.compiler.identifiers import identifier
from brainsmith.compiler.mapping import NodeMapping, candidates, map_model, resolve, usable
from brainsmith.compiler.options import CompileOptions
from brainsmith.compiler.partition import partition
from brainsmith.compiler.progress import Progress
from brainsmith.compiler.strategy import CompilationStrategy, ResolvedStrategy
from brainsmith.compiler.targets import Target
from brainsmith.errors import ModelError
from brainsmith.model.model import Model
from brainsmith.plugins import PluginRegistry


@dataclass(frozen=True)
class FrontEnd:
    """What the front end made.

    Attributes:
        original: the model as it was loaded.
        compiled: the compiled integer model.
        mapping: which kernel takes which node, and what stays on the host.
        design: the instances and streams.
        models: the stream model of each partition, by its name.
        estimates: the estimated resources of each instance, by its name.
    """

    original: Model
    compiled: Model
    mapping: NodeMapping
    design: Design
    models: Mapping[str, StreamModel]
    estimates: Mapping[str, Resources]


def load_and_map(
    path: Path,
    strategy: CompilationStrategy,
    registry: PluginRegistry,
    family: str,
    options: CompileOptions,
    progress: Progress,
) -> tuple[Model, Model, NodeMapping]:
    """The original model, the compiled one, and which kernel takes which of its nodes."""
    progress.step("load")
    original = Model.load(path, shapes=options.shapes)
    steps = stages.plan(strategy.transforms, registry, family)
    progress.step("transform", len(steps))
    staged = stages.run(original.copy(), steps, progress)
    compiled = staged.model
    compiled.graph.sort()
    progress.step("map")
    kernels, unusable = usable(strategy, registry)
    notes = {note.node: note.reason for note in compiled.notes}
    mapping = map_model(compiled, kernels, family, notes)
    warnings = (
        *((f"not tried: {one.error.what}", one.kernel.full_name) for one in unusable),
        *((f"left out, since it failed: {one.reason}", one.transform) for one in staged.skipped),
        *stages.mismatches(steps, {m.taker.kernel.full_name for m in mapping.mapped}),
    )
    return original, compiled, dataclasses.replace(mapping, warnings=warnings)


def front_end(
    path: Path,
    strategy: ResolvedStrategy,
    target: Target,
    registry: PluginRegistry,
    options: CompileOptions,
    progress: Progress,
) -> FrontEnd:
    """The design of a model.

    Raises:
        ModelError: the model cannot be read, or no kernel takes any of its nodes.
        ConfigurationError: the strategy or the folding names what does not exist.
        TargetError: `target_fps` cannot be reached.
    """
    original, compiled, mapping = load_and_map(
        path, strategy, registry, target.family, options, progress
    )
    if not mapping.mapped:
        reasons = "; ".join(f"{node.node}: {node.reason}" for node in mapping.host[:3])
        hint = f"the first: {reasons}"
        if not strategy.transforms:  # nothing makes the model's numbers integers
            hint = f"the strategy has no transforms: add `extends: balanced` to it; {hint}"
        raise ModelError("no kernel takes any node of the model", where=str(path), hint=hint)
    progress.step("fold")
    folded = choose(
        mapping.mapped,
        target,
        objective=strategy.objective,
        budget=strategy.budget,
        clock_mhz=options.clock_mhz or target.clock_mhz,
        target_fps=options.target_fps,
        pinned=read_folding(options.folding) if options.folding else {},
    )
    progress.step("design")
    infrastructure = Infrastructure.of(candidates(strategy, registry), target.family)
    groups = partition(compiled, mapping)
    design = assemble(
        identifier(path.stem),
        groups,
        {node.node: node for node in folded},
        mapping,
        [value.name or "" for value in compiled.graph.outputs],
        _host_reads(compiled, mapping, {n for g in groups for n in g.nodes}),
        infrastructure,
    )
    design, models = _with_fifos(design, infrastructure)
    return FrontEnd(original, compiled, mapping, design, models, _estimates(design))


def _host_reads(model: Model, mapping: NodeMapping, host: set[str]) -> set[str]:
    return {
        resolve(mapping.alias, value.name or "")
        for node in model.graph
        if node.name in host
        for value in node.inputs
        if value is not None
    }


def _with_fifos(
    design: Design, infrastructure: Infrastructure
) -> tuple[Design, dict[str, StreamModel]]:
    """The design with its FIFOs, and the stream model of what results."""
    steps: list[Partition | HostStep] = []
    models: dict[str, StreamModel] = {}
    names = {i.name for partition in design.partitions for i in partition.instances}
    for step in design.steps:
        if isinstance(step, Partition):
            step, models[step.name] = size_fifos(step, infrastructure, names)
        steps.append(step)
    return dataclasses.replace(design, steps=tuple(steps)), models


def _estimates(design: Design) -> dict[str, Resources]:
    instances = [i for partition in design.partitions for i in partition.instances]
    prepare((instance.candidate.kernel, [instance.config]) for instance in instances)
    return {
        instance.name: estimate(instance.kernel, [instance.config])[1][0] for instance in instances
    }
