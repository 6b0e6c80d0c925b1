"""The five stages: the strategy's transforms, each given the model in the form that it takes."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from brainsmith.api.config import TransformConfig
from brainsmith.api.decorators import STAGES, TransformInfo
from brainsmith.compiler.progress import Progress
from brainsmith.compiler.strategy import TransformSpec
from brainsmith.errors import ConfigurationError, PluginError, nearest
from brainsmith.model.model import Model
from brainsmith.model.valuetypes import graph_values
from brainsmith.plugins import PluginRegistry
from brainsmith.plugins.contracts import is_qonnx


@dataclass(frozen=True)
class Step:
    """One transform of one stage, ready to be applied."""

    name: str
    stage: str
    transform: Any
    config: TransformConfig
    compatible_kernels: tuple[str, ...] = ()

    def apply(self, model: Model) -> Model:
        """The transformed model; the transform gets a `Model`, `ModelWrapper` or `ModelProto`."""
        if is_qonnx(type(self.transform)):
            result = model.to_qonnx().transform(self.transform)
        elif (form := _wanted_form(self.transform)) == "ModelWrapper":
            result = self.transform.apply(model.to_qonnx(), self.config)
        elif form == "ModelProto":
            result = self.transform.apply(model.to_proto(), self.config)
        else:
            result = self.transform.apply(model, self.config)
        after = _as_model(result, model, self.name)
        if after is not model:
            _keep_ends(after, model, self.name)
        return after


def plan(specs: Sequence[TransformSpec], registry: PluginRegistry, family: str) -> list[Step]:
    """The steps of a strategy in the order of the stages.

    Raises:
        ConfigurationError: an unknown transform or parameter, or a QONNX one without a stage.
    """
    steps = [_step(spec, registry, family) for spec in specs]
    return sorted(steps, key=lambda step: STAGES.index(step.stage))


def run(model: Model, steps: Sequence[Step], progress: Progress) -> Model:
    """The model after all steps."""
    for step in steps:
        progress.advance(detail=step.name)
        model = step.apply(model)
    return model


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


def _step(spec: TransformSpec, registry: PluginRegistry, family: str) -> Step:
    if ":" in spec.name and spec.name.split(".")[0] == "qonnx":
        return _qonnx_step(spec, _qonnx_class(spec.name), spec.stage, family)
    component = registry.get("transforms", spec.name)
    if is_qonnx(component.cls):
        stage = spec.stage or component.info.stage
        return _qonnx_step(spec, component.cls, stage, family)
    info: TransformInfo = component.info
    params = {name: param.default for name, param in info.params.items()}
    for name, value in spec.params.items():
        if name not in info.params:
            raise ConfigurationError(
                f"the transform has no parameter '{name}'",
                where=spec.name,
                hint=nearest(name, info.params),
            )
        params[name] = info.params[name].check(name, value, spec.name)
    transform = component.cls()
    return Step(
        spec.name,
        spec.stage or info.stage,
        transform,
        TransformConfig(params, family),
        _compatible_kernels(transform, component.full_name),
    )


def _compatible_kernels(transform: Any, where: str) -> tuple[str, ...]:
    names = getattr(transform, "compatible_kernels", ())
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise PluginError("`compatible_kernels` is a list of kernels' names", where=where)
    return tuple(names)


def _qonnx_step(spec: TransformSpec, cls: type, stage: str | None, family: str) -> Step:
    """A step of a QONNX transformation, whose parameters are those of its constructor."""
    if not stage:
        raise ConfigurationError(
            "a QONNX transformation needs a stage, in the strategy or in its plugin's manifest",
            where=spec.name,
            hint=", ".join(STAGES),
        )
    try:
        instance = cls(**spec.params)
    except TypeError as error:
        raise ConfigurationError(str(error), where=spec.name) from error
    return Step(spec.name, stage, instance, TransformConfig(spec.params, family))


def _qonnx_class(name: str) -> type:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"cannot import '{name}': {error}") from error
    if not (isinstance(found, type) and is_qonnx(found)):
        raise ConfigurationError(f"'{name}' is no QONNX Transformation")
    return found


def _wanted_form(transform: Any) -> str:
    """The name of the class with which the transform annotates its model."""
    parameters = list(inspect.signature(transform.apply).parameters)
    annotation = transform.apply.__annotations__.get(parameters[0], "") if parameters else ""
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return name.rsplit(".", 1)[-1]


def _as_model(result: Any, before: Model, name: str) -> Model:
    """What a transform returned, as a Model that still knows where its values come from."""
    if isinstance(result, Model):
        return result
    kind = type(result).__name__
    if kind == "ModelWrapper":
        after = Model.from_qonnx(result, origins=before.origins)
    elif kind == "ModelProto":
        after = Model.from_proto(result, origins=before.origins)
    else:
        raise PluginError(
            f"the transform returned {kind}", where=name, hint="return the transformed model"
        )
    after.notes = list(before.notes)
    return after


def _keep_ends(after: Model, before: Model, name: str) -> None:
    """Gives the inputs and outputs their names back: the user feeds and reads them by these."""
    renamed = []
    for kind in ("inputs", "outputs"):
        old, new = getattr(before.graph, kind), getattr(after.graph, kind)
        if len(old) != len(new):
            raise PluginError(
                f"the transform made {len(new)} {kind} of the model's {len(old)}", where=name
            )
        renamed += [(n, o.name or "") for o, n in zip(old, new, strict=True) if o.name != n.name]
    wanted = {end for _, end in renamed}
    for value in list(graph_values(after.graph)) if wanted else ():
        if (taken := value.name or "") in wanted:  # another one has the name now
            after.rename(value, after.fresh_name(taken))
    for value, end in renamed:
        after.rename(value, end)
