"""`compare`: a plugin on a model, every component beside what is built in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from brainsmith.comparison.building import Builder
from brainsmith.comparison.front import Setting, check_params
from brainsmith.comparison.kernels import Workshop, check_folding, compare_kernel, find
from brainsmith.comparison.options import ComparisonOptions
from brainsmith.comparison.records import Comparison, KernelComparison
from brainsmith.comparison.refusal import nothing_taken, nothing_to_compare
from brainsmith.comparison.rivals import named
from brainsmith.comparison.simulating import Simulator
from brainsmith.comparison.stimulate import Frames
from brainsmith.comparison.strategies import compare_strategies
from brainsmith.comparison.subject import subject
from brainsmith.comparison.transforms import compare_transform, specs
from brainsmith.compiler.folding_file import read_folding
from brainsmith.compiler.options import CompileOptions
from brainsmith.compiler.plugin_calls import sandbox_record
from brainsmith.compiler.preflight import check_tools
from brainsmith.compiler.progress import Progress, Silent
from brainsmith.compiler.slices import Bounds
from brainsmith.compiler.strategy import load_strategy
from brainsmith.compiler.targets import get_target
from brainsmith.compiler.vectors import generated_vectors, vectors_for
from brainsmith.errors import ConfigurationError
from brainsmith.model.model import Model
from brainsmith.plugins import Component, PluginRegistry
from brainsmith.plugins.sandboxing import settings_from
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog


def compare(
    plugin: str,
    model: str | Path,
    options: ComparisonOptions | None = None,
    *,
    registry: PluginRegistry | None = None,
    cache: BuildCache | None = None,
    progress: Progress | None = None,
    bounds: Bounds | None = None,
) -> Comparison:
    """Compares every component of a plugin with what is built in, on one model.

    Args:
        plugin: its name, or its folder.
        model: an ONNX or QONNX file.
        options: target, what to compare with, whether to place.
        registry: where plugins are found; as usual if None.
        cache: results of tools; the user's cache if None.
        progress: who watches.
        bounds: what the simulation of one node may take; above, a slice of it is simulated.

    Returns:
        What was found; its `exit_code` is not 0 where something is wrong.

    Raises:
        ConfigurationError: there is no such plugin, kernel, strategy or parameter, an option
            concerns nothing in the plugin, or the plugin has kernels alone and these take no node
            of the model: then it says what is nearest.
        ModelError: the model cannot be read.
        PluginError: the plugin is broken.
        PluginSecurityError: the plugin did what its sandbox does not allow.
        TargetError: the target is unknown.
        ToolError: a tool is missing.
        StorageError: the disk is full.
    """
    options = options or ComparisonOptions()
    watcher = progress or Silent()
    setting = _setting(plugin, Path(model), options, registry or PluginRegistry(), watcher)
    try:
        return _compared(setting, options, cache or BuildCache(), bounds or Bounds())
    finally:
        watcher.done()


def _compared(
    setting: Setting, options: ComparisonOptions, cache: BuildCache, bounds: Bounds
) -> Comparison:
    of_kind = {
        kind: [component for component in setting.plugin.components if component.kind == kind]
        for kind in ("kernels", "transforms", "strategies")
    }
    check_params(setting.plugin, options.params, [*of_kind["kernels"], *of_kind["transforms"]])
    if not any(of_kind.values()):
        raise nothing_to_compare(setting, setting.run(setting.original, setting.steps()))
    _check_options(setting, options, [kind for kind, components in of_kind.items() if components])
    asked = _asked(options)
    check_tools(asked, setting.target)
    vectors = _vectors(setting, asked)
    kernels, notes = _kernels(
        setting, of_kind["kernels"], options, vectors, _shop(setting, options, cache, bounds)
    )
    found = Comparison(
        plugin=setting.plugin.name,
        version=setting.plugin.version,
        path=str(setting.plugin.root),
        model=setting.path.name,
        target=setting.target.name,
        strategy=setting.strategy.name,
        kernels=kernels,
        transforms=tuple(
            compare_transform(setting, one, options, vectors) for one in of_kind["transforms"]
        ),
        strategies=compare_strategies(setting, of_kind["strategies"], asked, cache),
        notes=(*notes, *setting.notes),
    )
    record = sandbox_record(setting.sandbox)
    if record is not None and record.lowered:
        lowered = f"plugins were confined at {record.level} only; {record.required} is usual"
        found = replace(found, notes=(*found.notes, lowered))
    return replace(found, sandbox=record)


def _check_options(setting: Setting, options: ComparisonOptions, kinds: Sequence[str]) -> None:
    """Raises ConfigurationError for an option that none of the plugin's components is subject to.

    Also where `against` is no kernel.
    """
    for option, is_given, kind in (
        ("--against", options.against is not None, "kernels"),
        ("--folding", options.folding is not None, "kernels"),
        ("--place", options.place, "kernels"),
        ("--stage", options.stage is not None, "transforms"),
    ):
        if is_given and kind not in kinds:
            raise ConfigurationError(
                f"the plugin '{setting.plugin.name}' has no {kind}, which this option is for",
                where=option,
                hint="leave it out",
            )
    if options.against is not None:
        named(setting, options.against)


def _setting(
    name: str, path: Path, options: ComparisonOptions, known: PluginRegistry, progress: Progress
) -> Setting:
    _, known = subject(name, known)
    settings = settings_from(known, options.sandbox, options.grants)
    registry = known.confined(settings)
    plugin, _ = subject(name, registry)
    progress.step("load")
    return Setting(
        plugin=plugin,
        registry=registry,
        path=path,
        original=Model.load(path, shapes=options.shapes),
        target=get_target(options.target, registry),
        strategy=load_strategy(options.strategy, registry).resolved(registry),
        usual=options.strategy,
        pinned=read_folding(options.folding) if options.folding else {},
        sandbox=settings,
        progress=progress,
    )


def _asked(options: ComparisonOptions) -> CompileOptions:
    """The options of a compile that says the same."""
    return CompileOptions(
        target=options.target,
        place=options.place,
        verify_input=options.verify_input,
        shapes=options.shapes,
        seed=options.seed,
        sandbox=options.sandbox,
        grants=options.grants,
    )


def _shop(
    setting: Setting, options: ComparisonOptions, cache: BuildCache, bounds: Bounds
) -> Workshop:
    log = BuildLog()
    return Workshop(
        Simulator(cache, log, options.seed),
        Builder(setting.target, cache, log, options.seed),
        bounds,
        options.place,
    )


def _vectors(setting: Setting, asked: CompileOptions) -> list[Frames]:
    """Generated frames, and those that were given."""
    generated = generated_vectors(setting.original, asked.seed)
    given = [vectors_for(setting.original, asked)] if asked.verify_input is not None else []
    return [vectors.inputs for vectors in (generated, *given)]


def _kernels(
    setting: Setting,
    components: Sequence[Component],
    options: ComparisonOptions,
    vectors: Sequence[Frames],
    shop: Workshop,
) -> tuple[tuple[KernelComparison, ...], tuple[str, ...]]:
    """Every kernel on the model; those that take nothing, on the model after the plugin's own
    transforms, which may make the nodes that they are for."""
    if not components:
        return (), ()
    model = setting.run(setting.original, setting.steps())
    found = find(setting, components, model, options)
    notes = []
    own = specs(setting, options)
    if own and not all(one.taken.mapped for one in found):
        changed = setting.run(setting.original, setting.steps(own))
        again = find(setting, components, changed, options)
        for index, (one, other) in enumerate(zip(found, again, strict=True)):
            if other.taken.mapped and not one.taken.mapped:
                found[index] = other
                notes.append(
                    f"{one.own.kernel.name} takes nodes after the plugin's transforms only"
                )
    if not any(one.taken.mapped for one in found):
        nothing = nothing_taken(setting, found)
        if {one.kind for one in setting.plugin.components}.isdisjoint(("transforms", "strategies")):
            raise nothing
        notes.append(f"{nothing.what}: {' '.join((nothing.hint or '').split())}")
    check_folding(setting, found)
    compared = [compare_kernel(setting, one, options, vectors[0], shop) for one in found]
    return tuple(compared), tuple(notes)
