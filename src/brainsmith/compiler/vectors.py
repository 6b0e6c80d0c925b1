"""The frames to verify with: those that the user gave, or generated ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from brainsmith.compiler.host import Frames
from brainsmith.compiler.options import CompileOptions
from brainsmith.compiler.quantized_range import quantized_range
from brainsmith.compiler.stimuli import random_integers
from brainsmith.errors import ConfigurationError
from brainsmith.model.arrays import read_frames
from brainsmith.model.datatypes import IntType
from brainsmith.model.model import Model
from brainsmith.model.shapes import infer_shapes

GENERATED_FRAMES = 16
# Beyond each end of a quantizer's range, as a share of it: there it saturates.
_BEYOND = 0.125
_INT64 = np.iinfo(np.int64)


@dataclass(frozen=True, eq=False)
class Vectors:
    """Frames to verify with.

    Attributes:
        inputs: (frames, *shape) by the name of the model's input.
        expected: what the model should give for them, by output; None if nobody said.
        generated: whether the inputs are ours.
        origin: where they come from, in words.
    """

    inputs: Frames
    expected: Frames | None
    generated: bool
    origin: str

    @property
    def frames(self) -> int:
        return len(next(iter(self.inputs.values())))


def vectors_for(model: Model, options: CompileOptions, frames: int = GENERATED_FRAMES) -> Vectors:
    """What the options name, checked against the model, or generated inputs.

    Args:
        model: the model as it was loaded.
        options: `verify_input`, `verify_output` and `seed` count.
        frames: how many are generated.

    Raises:
        ConfigurationError: a file does not fit the model, or the two have different numbers of
            frames.
    """
    if options.verify_input is None:
        return generated_vectors(model, options.seed, frames)
    given = read_frames(options.verify_input, _shapes(model, model.graph.inputs))
    if options.verify_output is None:
        return Vectors(given, None, False, "given")
    inferred = model.copy()
    infer_shapes(inferred)  # exporters leave those of outputs open
    expected = read_frames(options.verify_output, _shapes(inferred, inferred.graph.outputs))
    counts = [len(next(iter(frames.values()))) for frames in (given, expected)]
    if counts[0] != counts[1]:
        raise ConfigurationError(
            f"outputs of {counts[1]} frames for inputs of {counts[0]} frames",
            where=str(options.verify_output),
            hint=f"one output for each frame of {options.verify_input}",
        )
    return Vectors(given, expected, False, "given")


def _shapes(model: Model, values: Sequence[ir.Value]) -> dict[str, tuple[int, ...]]:
    return {value.name or "": model.shape(value) for value in values}


def generated_vectors(model: Model, seed: int, frames: int = GENERATED_FRAMES) -> Vectors:
    """Inputs over the whole range of each, its ends first, in the input's own element type.

    An input without an integer datatype gets reals of the range that its quantizer tells apart
    and some beyond it, or of [0, 1] where none reads it.
    """
    rng = np.random.default_rng(seed)
    inputs, reals = {}, []
    for value in model.graph.inputs:
        name, dtype = value.name or "", model.datatype(value)
        shape = (frames, *model.shape(value))
        if dtype is not None:
            inputs[name] = _integers(model, value, dtype, shape, rng)
            continue
        inputs[name], said = _reals(model, value, shape, rng)
        reals.append(f"{name} {said}")
    origin = f"generated: {'; '.join(reals)}" if reals else "generated over the inputs' whole range"
    return Vectors(inputs, None, True, origin)


def _integers(
    model: Model,
    value: ir.Value,
    dtype: IntType,
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> np.ndarray:
    lo, hi = model.range_of(value) or (dtype.min, dtype.max)
    lo, hi = max(lo, int(_INT64.min)), min(hi, int(_INT64.max))
    array = random_integers(rng, shape, dtype, lo, hi)
    array[:1], array[1:2] = lo, hi
    element = _element(value)
    if element.kind in "iu":
        return array.astype(element)
    return _inside(array.astype(element), lo, hi) if element.kind == "f" else array


def _inside(array: np.ndarray, lo: int, hi: int) -> np.ndarray:
    """Floats that rounding moved out of the range, moved back to the next inside."""
    exact = array.astype(np.longdouble)
    zero = array.dtype.type(0)
    return np.where((exact < lo) | (exact > hi), np.nextafter(array, zero), array)


def _reals(
    model: Model, value: ir.Value, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[np.ndarray, str]:
    """Reals for one input, and what they are in words."""
    ends = quantized_range(model, value)
    lo, hi = ends or (0.0, 1.0)
    margin = _BEYOND * (hi - lo) if ends else 0.0
    array = rng.uniform(lo - margin, hi + margin, shape)
    for frame, end in enumerate((lo, hi, lo - margin, hi + margin)):
        array[frame : frame + 1] = end
    said = f"in [{lo - margin:.4g}, {hi + margin:.4g}]"
    if ends:
        said += ", its quantizer's range and beyond"
    element = _element(value)
    return array.astype(element if element.kind == "f" else np.float32), said


def _element(value: ir.Value) -> np.dtype[np.generic]:
    """The element type of the input's arrays; float32 where the model does not say."""
    return np.dtype((value.dtype or ir.DataType.FLOAT).numpy())
