"""Strategies: which kernels, backends and transforms to use, with which parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brainsmith.api.decorators import BACKENDS, STAGES
from brainsmith.errors import ConfigurationError, PluginError, nearest
from brainsmith.plugins import PluginRegistry
from brainsmith.plugins.complaints import complaints
from brainsmith.plugins.safe_yaml import Document, read_document

Objective = Literal["throughput", "area"]
OBJECTIVES = get_args(Objective)
OnError = Literal["stop", "skip"]
ON_ERROR = get_args(OnError)
ParamValue = int | str


@dataclass(frozen=True)
class KernelSpec:
    """A kernel to prefer: its name, its backend (its default one if None) and parameters."""

    name: str
    backend: str | None = None
    params: Mapping[str, ParamValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.backend is not None and self.backend not in BACKENDS:
            raise ConfigurationError(
                f"unknown backend '{self.backend}'",
                where=self.name,
                hint=nearest(self.backend, BACKENDS),
            )


@dataclass(frozen=True)
class TransformSpec:
    """A transform to apply.

    Args:
        name: its name, or `qonnx.module:Class`.
        params: its parameters.
        stage: for a QONNX transformation, the stage at which it runs.
        on_error: "stop" ends the compile where it fails; "skip" goes on with the model as it was
            before it, and the result says so.
    """

    name: str
    params: Mapping[str, ParamValue] = field(default_factory=dict)
    stage: str | None = None
    on_error: OnError = "stop"

    def __post_init__(self) -> None:
        if self.on_error not in ON_ERROR:
            raise ConfigurationError(
                f"unknown on_error '{self.on_error}'",
                where=self.name,
                hint=nearest(str(self.on_error), ON_ERROR),
            )
        if self.stage is not None and self.stage not in STAGES:
            raise ConfigurationError(
                f"unknown stage '{self.stage}'", where=self.name, hint=nearest(self.stage, STAGES)
            )


@dataclass(frozen=True)
class CompilationStrategy:
    """What to compile with.

    Kernels are tried in this order before the built-in ones. Transforms are added to those of
    the strategy that this one extends; one that is named in both keeps its place and takes the
    new parameters. One that is named several times runs as often: the first here takes the place
    of the first there, and so on.

    Args:
        objective: "throughput": the best inside `budget`; "area": the smallest.
        budget: the share of the device's LUTs, flip-flops, DSPs and block RAMs that may be spent,
            more than 0 and at most 1.
        extends: the strategy that this one builds on, or None for none.

    Raises:
        ConfigurationError: an unknown objective, a budget that is no share, or something else than
            a KernelSpec or TransformSpec in the lists.
    """

    name: str
    kernels: Sequence[KernelSpec] = ()
    transforms: Sequence[TransformSpec] = ()
    objective: Objective | None = None
    budget: float | None = None
    extends: str | None = "balanced"
    description: str = ""

    def __post_init__(self) -> None:
        if self.objective is not None and self.objective not in OBJECTIVES:
            raise ConfigurationError(
                f"unknown objective '{self.objective}'",
                where=self.name,
                hint=nearest(str(self.objective), OBJECTIVES),
            )
        if self.budget is not None and not 0 < self.budget <= 1:
            raise ConfigurationError(
                f"the budget {self.budget:g} is no share of the device",
                where=self.name,
                hint="more than 0 and at most 1: 0.7 is 70 %",
            )
        _check_items(self.name, "kernels", self.kernels, KernelSpec)
        _check_items(self.name, "transforms", self.transforms, TransformSpec)

    def resolved(self, registry: PluginRegistry) -> ResolvedStrategy:
        """This strategy with everything that it inherits, and no `extends`."""
        return self._resolve(registry, (self.name,))

    def _resolve(self, registry: PluginRegistry, seen: tuple[str, ...]) -> ResolvedStrategy:
        if self.extends in seen:
            raise ConfigurationError(
                f"the strategies extend each other: {' > '.join((*seen, self.extends))}"
            )
        base = ResolvedStrategy("defaults")
        if self.extends is not None:
            base = load_strategy(self.extends, registry)._resolve(registry, (*seen, self.extends))
        return ResolvedStrategy(
            name=self.name,
            description=self.description,
            kernels=(*self.kernels, *base.kernels),
            transforms=_merge(base.transforms, self.transforms),
            objective=self.objective or base.objective,
            budget=base.budget if self.budget is None else self.budget,
        )


@dataclass(frozen=True)
class ResolvedStrategy(CompilationStrategy):
    """A strategy that inherits nothing more, so that nothing is left open."""

    objective: Objective = "throughput"
    budget: float = 0.7
    extends: None = None


def _check_items(where: str, name: str, items: Sequence[object], kind: type) -> None:
    for item in items:
        if not isinstance(item, kind):
            raise ConfigurationError(
                f"{name} holds {item!r}, which is no {kind.__name__}",
                where=where,
                hint=f"such as {kind.__name__}({str(item)!r})",
            )


class _KernelFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    backend: str | None = None
    params: dict[str, ParamValue] = {}


class _TransformFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    params: dict[str, ParamValue] = {}
    stage: str | None = None
    on_error: OnError = "stop"


class _StrategyFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    description: str = ""
    extends: str | None = None
    objective: Objective | None = None
    budget: float | None = Field(default=None, gt=0, le=1)
    kernels: list[_KernelFile] = []
    transforms: list[_TransformFile] = []


def load_strategy(
    source: str | Path | CompilationStrategy, registry: PluginRegistry
) -> CompilationStrategy:
    """The strategy of a name, a YAML file or an object.

    A source that ends in .yaml or .yml, or a path, is a file; anything else is a name.

    Raises:
        ConfigurationError: no such strategy or file, or an unknown field in it.
    """
    if isinstance(source, CompilationStrategy):
        return source
    if isinstance(source, Path) or source.endswith((".yaml", ".yml")):
        return _read_file(Path(source))
    component = registry.get("strategies", source)
    return _parse(component.data, component.full_name)


def _read_file(path: Path) -> CompilationStrategy:
    try:
        document = read_document(path)
    except PluginError as error:
        raise ConfigurationError(error.what, where=error.where, hint=error.hint) from error
    return _parse(document.data, str(path), document)


def _parse(data: Any, where: str, document: Document | None = None) -> CompilationStrategy:
    try:
        parsed = _StrategyFile.model_validate(data)
    except ValidationError as error:
        first = complaints(error, _StrategyFile)[0]
        where = document.place(first.field) if document else where
        raise ConfigurationError(first.what, where=where, hint=first.hint) from error
    return CompilationStrategy(
        name=parsed.name,
        description=parsed.description,
        extends=parsed.extends,
        objective=parsed.objective,
        budget=parsed.budget,
        kernels=tuple(KernelSpec(k.name, k.backend, k.params) for k in parsed.kernels),
        transforms=tuple(
            TransformSpec(t.name, t.params, t.stage, t.on_error) for t in parsed.transforms
        ),
    )


def _merge(
    base: Sequence[TransformSpec], own: Sequence[TransformSpec]
) -> tuple[TransformSpec, ...]:
    named = Counter(spec.name for spec in base)
    changed: dict[str, list[TransformSpec]] = {}
    added = []
    for spec in own:
        if named[spec.name] > 0:
            named[spec.name] -= 1
            changed.setdefault(spec.name, []).append(spec)
        else:
            added.append(spec)
    kept = [changed[spec.name].pop(0) if changed.get(spec.name) else spec for spec in base]
    return (*kept, *added)
