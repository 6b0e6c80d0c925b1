"""`check_transform`: a model before and after a transform, on given and on generated inputs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from brainsmith.api import TransformConfig
from brainsmith.compiler.outputs import differences
from brainsmith.compiler.vectors import generated_vectors
from brainsmith.errors import ConfigurationError, nearest
from brainsmith.model.model import Model
from brainsmith.plugins import Component, PluginRegistry
from brainsmith.plugins.code import Use
from brainsmith.testing.finding import find

FRAMES = 16


@dataclass(frozen=True)
class TransformResult:
    """What a transform did.

    Attributes:
        model: the model after it.
        nodes_before: nodes of the graph before it.
        nodes_after: nodes of the graph after it.
        frames: that were compared.
        largest_difference: of any output element, absolute.
    """

    model: Model
    nodes_before: int
    nodes_after: int
    frames: int
    largest_difference: float


def check_transform(
    transform: str | type,
    model: Model | onnx.ModelProto | str | os.PathLike[str],
    *,
    params: Mapping[str, int | str] | None = None,
    inputs: Mapping[str, np.ndarray] | None = None,
    frames: int = FRAMES,
    tolerance: float | None = None,
    registry: PluginRegistry | None = None,
    seed: int = 0,
) -> TransformResult:
    """Applies a transform and compares what the model computes before and after.

    Inputs and outputs have to keep their names and shapes, and the given model has to stay as it
    is. Outputs that have become integers are compared as the numbers that they stand for.

    Args:
        transform: its class, or its name in the registry.
        model: the model, or its file.
        params: parameters of the transform; its defaults for those that are left out.
        inputs: real frames, (frames, *shape) by the name of the input; compared besides.
        frames: how many frames are generated over the whole range of the inputs, ends first.
        tolerance: the largest absolute difference of an output element that is right; the one
            that the transform declares if None.
        registry: where the transform is found; as for `check_kernel` if None.
        seed: for the generated frames.

    Raises:
        AssertionError: an output differs; its text says where.
        BrainsmithError: the transform is unknown or fails, or the model cannot be executed.
    """
    component, _ = find("transforms", transform, registry)
    before = _model(model)
    kept = before.to_proto().SerializeToString(deterministic=True)
    use = Use(component, TransformConfig(_params(component, params or {})), component.name)
    after = component.code.apply(before.copy(), [use])
    if before.to_proto().SerializeToString(deterministic=True) != kept:
        raise AssertionError(
            f"{component.name} changed constants of the model that it was given: "
            "make new ones in their place"
        )
    given = [generated_vectors(before, seed, frames).inputs]
    if inputs is not None:
        given.append({name: np.asarray(array) for name, array in inputs.items()})
    allowed = component.info.allowed_difference if tolerance is None else tolerance
    largest = max(_compare(before, after, some, allowed, component.name) for some in given)
    count = sum(len(next(iter(some.values()))) for some in given)
    return TransformResult(after, len(before.graph), len(after.graph), count, largest)


def _model(model: Model | onnx.ModelProto | str | os.PathLike[str]) -> Model:
    if isinstance(model, Model):
        return model
    if isinstance(model, onnx.ModelProto):
        return Model.from_proto(model)
    return Model.load(Path(model))


def _params(component: Component, given: Mapping[str, int | str]) -> dict[str, int | str]:
    if component.description.is_qonnx:
        return dict(given)
    known = component.info.params
    for name in given:
        if name not in known:
            raise ConfigurationError(
                f"the transform has no parameter '{name}'",
                where=component.full_name,
                hint=nearest(name, known),
            )
    return {name: given.get(name, param.default) for name, param in known.items()}


def _compare(
    before: Model, after: Model, inputs: Mapping[str, np.ndarray], tolerance: float, name: str
) -> float:
    """The largest difference of the outputs over all frames."""
    largest = 0.0
    for found in differences(before, after, inputs):
        largest = max(largest, found.largest)
        if not found.largest <= tolerance:
            raise AssertionError(f"after {name} the model computes something else: {found}")
    return largest
