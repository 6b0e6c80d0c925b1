"""The front end: from the model's file to the design, without any tool."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brainsmith.api import Resources
from brainsmith.compiler import stages
from brainsmith.compiler.assemble import Infrastructure, assemble
from brainsmith.compiler.design import Design, HostStep, Partition
from brainsmith.compiler.fifo import StreamModel, size_fifos
from brainsmith.compiler.folding import choose, estimate, prepare
from brainsmith.compiler.folding_file import FoldingFile, read_folding
from brainsmith.compiler.identifiers import identifier
from brainsmith.compiler.mapping import Mapped, NodeMapping, candidates, map_model, resolve, usable
from brainsmith.compiler.options import CompileOptions
from brainsmith.compiler.partition import partition
from brainsmith.compiler.progress import Progress, Silent
from brainsmith.compiler.strategy import CompilationStrategy, ResolvedStrategy
from brainsmith.compiler.targets import Target
from brainsmith.errors import ModelError
from brainsmith.model.dialects import quantizes
from brainsmith.model.model import Model
from brainsmith.plugins import PluginRegistry


@dataclass(frozen=True)
class MappedModel:
    """A model whose nodes have found their kernels.

    Attributes:
        loaded: the model as it was loaded.
        original: what the accelerator is held to: the loaded model, or what the last transform
            that redefines it made of it.
        compiled: the compiled integer model.
        mapping: which kernel takes which node, and what stays on the host.
        redefined_by: that transform, if there is one.
    """

    loaded: Model
    original: Model
    compiled: Model
    mapping: NodeMapping
    redefined_by: stages.Step | None = None


@dataclass(frozen=True)
class FrontEnd:
    """What the front end made.

    Attributes:
        loaded: the model as it was loaded.
        original: what the accelerator is held to; see `MappedModel`.
        compiled: the compiled integer model.
        mapping: which kernel takes which node, and what stays on the host.
        design: the instances and streams.
        models: the stream model of each partition, by its name.
        estimates: the estimated resources of each instance, by its name.
        redefined_by: the transform that made `original` of `loaded`, if there is one.
        modelled_depths: what the stream model found for each FIFO, if the design has others.
    """

    loaded: Model
    original: Model
    compiled: Model
    mapping: NodeMapping
    design: Design
    models: Mapping[str, StreamModel]
    estimates: Mapping[str, Resources]
    redefined_by: stages.Step | None = None
    modelled_depths: Mapping[str, int] = field(default_factory=dict)


def load_and_map(
    path: Path,
    strategy: CompilationStrategy,
    registry: PluginRegistry,
    family: str,
    options: CompileOptions,
    progress: Progress,
) -> MappedModel:
    """The model before and after the transforms, and which kernel takes which of its nodes.

    Raises:
        ModelError: the model cannot be read.
    """
    progress.step("load")
    loaded = Model.load(path, shapes=options.shapes)
    steps = stages.plan(strategy.transforms, registry, family)
    progress.step("transform", len(steps))
    staged = stages.run(loaded.copy(), steps, progress)
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
        *_already_quantized(loaded, staged.redefinition),
    )
    mapping = dataclasses.replace(mapping, warnings=warnings)
    if staged.redefinition is None:
        return MappedModel(loaded, loaded, compiled, mapping)
    redefinition = staged.redefinition
    return MappedModel(loaded, redefinition.model, compiled, mapping, redefinition.step)


def _already_quantized(
    loaded: Model, redefinition: stages.Redefinition | None
) -> list[tuple[str, str]]:
    """(sentence, transform) where a model that is redefined had quantizers of its own."""
    count = sum(map(quantizes, loaded.graph))
    if redefinition is None or not count:
        return []
    return [(f"the model has {count} quantizers of its own, which stay", redefinition.step.name)]


def front_end(
    path: Path,
    strategy: ResolvedStrategy,
    target: Target,
    registry: PluginRegistry,
    options: CompileOptions,
    progress: Progress,
) -> FrontEnd:
    """The design of a model, at the folding that the strategy and the options ask for.

    Raises:
        ModelError: the model cannot be read, or no kernel takes any of its nodes.
        ConfigurationError: the strategy or the folding names what does not exist.
        TargetError: `target_fps` cannot be reached.
    """
    found = mapped_to_hardware(path, strategy, target, registry, options, progress)
    progress.step("fold")
    folded = fold(found, strategy, target, options)
    progress.step("design")
    return design_of(found, folded, path, strategy, registry, target.family, progress)


def mapped_to_hardware(
    path: Path,
    strategy: ResolvedStrategy,
    target: Target,
    registry: PluginRegistry,
    options: CompileOptions,
    progress: Progress,
) -> MappedModel:
    """A model of which the hardware computes something.

    Raises:
        ModelError: the model cannot be read, or no kernel takes any of its nodes.
        ConfigurationError: the strategy names what does not exist.
    """
    found = load_and_map(path, strategy, registry, target.family, options, progress)
    if not found.mapping.mapped:
        raise ModelError(
            "no kernel takes any node of the model",
            where=str(path),
            hint=_why_nothing_is_mapped(found, strategy),
        )
    return found


def fold(
    found: MappedModel, strategy: ResolvedStrategy, target: Target, options: CompileOptions
) -> list[Mapped]:
    """The mapped nodes with the folding that the strategy and the options ask for.

    Raises:
        ConfigurationError: the folding file names what does not exist.
        TargetError: `target_fps` cannot be reached.
    """
    return choose(
        found.mapping.mapped,
        target,
        objective=strategy.objective,
        budget=strategy.budget,
        clock_mhz=options.clock_mhz or target.clock_mhz,
        target_fps=options.target_fps,
        pinned=pinned_by(options),
    )


def pinned_by(options: CompileOptions) -> FoldingFile:
    """What the folding file says, if there is one."""
    return read_folding(options.folding) if options.folding else {}


def design_of(
    found: MappedModel,
    folded: Sequence[Mapped],
    path: Path,
    strategy: ResolvedStrategy,
    registry: PluginRegistry,
    family: str,
    progress: Progress | None = None,
) -> FrontEnd:
    """The design of a mapped model whose nodes have a folding each."""
    compiled, mapping = found.compiled, found.mapping
    infrastructure = Infrastructure.of(candidates(strategy, registry), family)
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
    (progress or Silent()).step("size FIFOs")
    design, models = _with_fifos(design, infrastructure)
    return FrontEnd(
        found.loaded,
        found.original,
        compiled,
        mapping,
        design,
        models,
        _estimates(design),
        found.redefined_by,
    )


def _why_nothing_is_mapped(found: MappedModel, strategy: ResolvedStrategy) -> str:
    reasons = "; ".join(f"{node.node}: {node.reason}" for node in found.mapping.host[:3])
    hint = f"the first: {reasons}"
    if not strategy.transforms:  # nothing makes the model's numbers integers
        return f"the strategy has no transforms: add `extends: balanced` to it; {hint}"
    original = found.original
    integer_inputs = any(original.datatype(value) for value in original.graph.inputs)
    if not integer_inputs and not any(map(quantizes, original.graph)):
        return (
            "the model is in floating point: quantize it with --quantize 8 --calibrate FRAMES.npy, "
            f"where FRAMES are typical inputs; {hint}"
        )
    return hint


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


def with_partitions(front: FrontEnd, others: Mapping[str, Partition]) -> FrontEnd:
    """The same with other partitions in the place of some, by their names."""
    steps = tuple(
        others.get(step.name, step) if isinstance(step, Partition) else step
        for step in front.design.steps
    )
    design = dataclasses.replace(front.design, steps=steps)
    return dataclasses.replace(front, design=design, estimates=_estimates(design))


def _estimates(design: Design) -> dict[str, Resources]:
    instances = [i for partition in design.partitions for i in partition.instances]
    prepare((instance.candidate.kernel, [instance.config]) for instance in instances)
    return {
        instance.name: estimate(instance.kernel, [instance.config])[1][0] for instance in instances
    }
