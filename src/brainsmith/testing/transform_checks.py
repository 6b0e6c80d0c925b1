"""`check_transform`: a model before and after a transform, on given and on generated inputs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from brainsmith.api import TransformConfig
from brainsmith.compiler.vectors import generated_vectors
from brainsmith.errors import ConfigurationError, nearest
from brainsmith.model.execution import Executor
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
    tolerance: float = 0.0,
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
        tolerance: the largest absolute difference of an output element that is right.
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
    largest = max(_compare(before, after, some, tolerance, component.name) for some in given)
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
    one, other = Executor(before), Executor(after)
    largest = 0.0
    for frame in range(len(next(iter(inputs.values())))):
        feed = {key: array[frame] for key, array in inputs.items()}
        wanted, found = one.run(feed), other.run(feed)
        for output, array in wanted.items():
            got = _real(after, output, found[output])
            difference = _difference(_real(before, output, array), got)
            worst = float(difference.max(initial=0.0))
            largest = max(largest, worst)
            if not worst <= tolerance:
                raise AssertionError(_message(name, output, frame, difference, array, got))
    return largest


def _real(model: Model, output: str, array: np.ndarray) -> np.ndarray:
    """The numbers that the elements of an output stand for."""
    origin = model.origins.get(output)
    return array if origin is None else origin.real(array.astype(np.int64))


def _difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Absolute, by element; nothing where both are the same infinity or no number."""
    with np.errstate(invalid="ignore"):
        difference = np.abs(one.astype(np.float64) - other.astype(np.float64))
    same = (one == other) | ((one != one) & (other != other))
    return np.where(same, 0.0, np.where(np.isnan(difference), np.inf, difference))


def _message(
    name: str, output: str, frame: int, difference: np.ndarray, want: np.ndarray, got: np.ndarray
) -> str:
    worst = np.unravel_index(int(difference.argmax()), difference.shape)
    wrong = int((difference > 0).sum())
    place = [int(i) for i in worst]
    return (
        f"after {name} the model computes something else: output '{output}', frame {frame}: "
        f"{wrong} of {difference.size} elements differ, most at {place}: "
        f"{got[worst]} instead of {want[worst]}"
    )
