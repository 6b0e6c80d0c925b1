"""The five stages: the strategy's transforms, applied one after the other."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from brainsmith.api.config import TransformConfig
from brainsmith.api.decorators import STAGES, TransformInfo
from brainsmith.compiler.progress import Progress
from brainsmith.compiler.strategy import OnError, TransformSpec
from brainsmith.errors import BrainsmithError, ConfigurationError, nearest
from brainsmith.model.model import Model
from brainsmith.plugins import Component, Plugin, PluginRegistry
from brainsmith.plugins.code import Use
from brainsmith.plugins.library import is_library_name, library_transform
from brainsmith.sandbox.record import Skipped


@dataclass(frozen=True)
class Step:
    """One transform of one stage, ready to be applied."""

    name: str
    stage: str
    component: Component
    config: TransformConfig
    compatible_kernels: tuple[str, ...] = ()
    on_error: OnError = "stop"

    @property
    def use(self) -> Use:
        return Use(self.component, self.config, self.name)


@dataclass(frozen=True)
class Redefinition:
    """What a transform that redefines the model made of it.

    Attributes:
        model: the model right after it, which the accelerator is held to.
        step: the transform.
    """

    model: Model
    step: Step


@dataclass(frozen=True)
class Staged:
    """The model after all steps.

    Attributes:
        model: the model.
        skipped: the transforms that were left out because they failed.
        redefinition: the last of those that redefine the model; None where none does.
    """

    model: Model
    skipped: tuple[Skipped, ...] = ()
    redefinition: Redefinition | None = None


def plan(specs: Sequence[TransformSpec], registry: PluginRegistry, family: str) -> list[Step]:
    """The steps of a strategy in the order of the stages.

    Raises:
        ConfigurationError: an unknown transform or parameter, or a QONNX one without a stage.
    """
    steps = [_step(spec, registry, family) for spec in specs]
    return sorted(steps, key=lambda step: STAGES.index(step.stage))


def run(model: Model, steps: Sequence[Step], progress: Progress) -> Staged:
    """The model after all steps.

    Steps of one plugin that follow each other are one call where its code runs in a worker. What
    comes out of workers is checked once more before code in this process goes on with it.
    """
    skipped: list[Skipped] = []
    unchecked: list[Plugin] = []
    redefinition = None
    watch, left = _Watch(progress), len(steps)
    for chain in _chains(steps):
        watch.back("transform", left)
        progress.advance(len(chain), detail=", ".join(step.name for step in chain))
        left -= len(chain)
        first = chain[0]
        if unchecked and first.component.code.place is None:
            _vet(model, unchecked)
            unchecked = []
        if first.on_error == "skip":
            # A transform may have changed the model before it failed.
            kept = model.copy() if first.component.code.place is None else model
            try:
                model = _apply(model, chain, watch)
            except Exception as error:
                model = kept
                skipped.append(_skip(first, error))
                continue
        else:
            model = _apply(model, chain, watch)
        if first.component.code.place is not None:
            unchecked.append(first.component.plugin)
        if first.component.info.redefines:
            if unchecked:
                _vet(model, unchecked)
                unchecked = []
            redefinition = Redefinition(model.copy(), first)
    if unchecked:
        _vet(model, unchecked)
    return Staged(model, tuple(skipped), redefinition)


def mismatches(steps: Sequence[Step], kernels: Iterable[str]) -> list[tuple[str, str]]:
    """(sentence, transform) for each transform that does not name a kernel that is used.

    Args:
        kernels: full names of the kernels that the model is mapped to.
    """
    used = sorted(set(kernels))
    found = []
    for step in steps:
        names = set(step.compatible_kernels)
        others = [full for full in used if not {full, full.partition(":")[2]} & names]
        if names and others:
            found.append(
                (
                    f"the transform works well with {', '.join(step.compatible_kernels)}; "
                    f"the model also uses {', '.join(others)}",
                    step.name,
                )
            )
    return found


def _chains(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Steps that can be applied in one call; one that may fail or redefines is by itself."""
    numbered = list(enumerate(steps))

    def place(numbered_step: tuple[int, Step]) -> object:
        number, step = numbered_step
        where = step.component.code.place
        joins = where is not None and step.on_error == "stop" and not step.component.info.redefines
        return (where, -1) if joins else (where, number)

    for _, group in itertools.groupby(numbered, place):
        yield [step for _, step in group]


def _apply(model: Model, chain: Sequence[Step], watch: _Watch) -> Model:
    uses = [step.use for step in chain]
    watched = [
        replace(use, config=_WatchedConfig(use.config.params, use.config.family, watch))
        for use in uses
    ]
    return chain[0].component.code.apply(model, watched)


class _Watch:
    """Tells a progress of the parts of a transform, and knows whether there were any."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._is_inside = False

    def step(self, name: str, total: int | None) -> None:
        self._is_inside = True
        self.progress.step(name, total)

    def back(self, name: str, total: int) -> None:
        """Goes on with the step around the transforms, if one of them had its own."""
        if self._is_inside:
            self._is_inside = False
            self.progress.step(name, total)


@dataclass(frozen=True)
class _WatchedConfig(TransformConfig):
    """A configuration in this process; what goes to a worker is its params and family alone."""

    watch: _Watch | None = None

    def step(self, name: str, total: int | None = None) -> None:
        if self.watch is not None:
            self.watch.step(name, total)

    def advance(self, n: int = 1) -> None:
        if self.watch is not None:
            self.watch.progress.advance(n)


def _vet(model: Model, plugins: Sequence[Plugin]) -> None:
    from brainsmith.plugins.confined import vet

    vet(model, plugins)


def _skip(step: Step, error: Exception) -> Skipped:
    """Notes that a step was left out, and why."""
    reason = (
        error.what if isinstance(error, BrainsmithError) else f"{type(error).__name__}: {error}"
    )
    plugin = step.component.plugin
    skipped = Skipped(plugin.name, step.name, reason)
    if plugin.sandbox is not None:
        plugin.sandbox.ledger.skip(skipped)
    return skipped


def _step(spec: TransformSpec, registry: PluginRegistry, family: str) -> Step:
    if is_library_name(spec.name):
        component = library_transform(spec.name, registry.sandbox)
    else:
        component = registry.get("transforms", spec.name)
    description = component.description
    if description.is_qonnx:
        stage, params = _qonnx(spec, component), dict(spec.params)
    else:
        stage, params = spec.stage or component.info.stage, _params(spec, component.info)
    return Step(
        spec.name,
        stage,
        component,
        TransformConfig(params, family),
        description.compatible_kernels,
        spec.on_error,
    )


def _params(spec: TransformSpec, info: TransformInfo) -> dict[str, int | str]:
    params = {name: param.default for name, param in info.params.items()}
    for name, value in spec.params.items():
        if name not in info.params:
            raise ConfigurationError(
                f"the transform has no parameter '{name}'",
                where=spec.name,
                hint=nearest(name, info.params),
            )
        params[name] = info.params[name].check(name, value, spec.name)
    return params


def _qonnx(spec: TransformSpec, component: Component) -> str:
    """The stage of a QONNX transformation, whose parameters are those of its constructor."""
    stage: str = spec.stage or component.info.stage
    if not stage:
        raise ConfigurationError(
            "a QONNX transformation needs a stage, in the strategy or in its plugin's manifest",
            where=spec.name,
            hint=", ".join(STAGES),
        )
    try:
        component.description.check_parameters(spec.params)
    except TypeError as error:
        raise ConfigurationError(str(error), where=spec.name) from error
    return stage
