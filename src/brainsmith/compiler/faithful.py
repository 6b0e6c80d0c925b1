"""The faithful half of verification: the compiled integer model against the original.

The original runs in its reference execution, and at the end of each layer the compiled model's
integers take the place of what it computed, so that no difference is carried on. Float32 leaves
the sum of a product open: its terms are rounded, and added in an order that nobody promises. With
n roundings the sum may lie `n * 2^-24 * sum|terms|` from the exact one (Higham, Accuracy and
Stability of Numerical Algorithms, section 3.1, to first order). So

- a sum must lie within this bound of the compiled model's;
- a code must be equal, or differ by one step where the exact sum is within the bound of the
  boundary between the two codes (or lie on the other side of a jump there, behind a Ceil, say):
  then both are right, and it is counted as ambiguous;
- anything else is an error.

Whether a boundary is that near is asked of the original's own nodes, not of the thresholds that
were made from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from brainsmith.compiler.agreement import (
    FaithfulReport,
    LayerAgreement,
    Mismatch,
    OutputAgreement,
)
from brainsmith.compiler.rounding import UNIT, SumBound, unsigned_source
from brainsmith.errors import ConfigurationError, nearest
from brainsmith.model.execution import Executor, Override
from brainsmith.model.model import Model
from brainsmith.model.origin import Origin
from brainsmith.model.shapes import infer_shapes
from brainsmith.model.views import is_view

Arrays = Mapping[str, np.ndarray]
Rerun = Callable[[str, np.ndarray], Arrays]
# Relative distance of two outputs that a few roundings of float32 explain.
ROUNDING = 1e-5


def check_faithful(
    original: Model,
    compiled: Model,
    frames: Arrays,
    integer_values: Arrays,
    *,
    given: bool = True,
) -> FaithfulReport:
    """Compares the compiled integer model with the original, layer by layer.

    Args:
        original: the model as it was loaded; the names of its values count.
        compiled: the integer model, with the origins of its values.
        frames: `(n, ...)` for each input of the graph, by name.
        integer_values: integers `(n, ...)` by the name of the compiled model's value, as its
            reference computes them for the frames. Outputs that are missing are computed from
            these by the nodes that run on the host.
        given: whether the frames are a user's data, on which every label must be the same.

    Raises:
        ConfigurationError: an input is missing, or the numbers of frames differ.
        ModelError: the original cannot be executed.
    """
    original = _with_shapes(original)
    count = _frame_count(frames, integer_values)
    inputs = _inputs(original, frames)
    layers = [
        _Layer(original, compiled, name, origin)
        for name, origin in compiled.origins.items()
        if name in integer_values and origin.value not in inputs
    ]
    keep = {name for layer in layers for name in layer.reads}
    executor = Executor(original, keep=keep)
    outputs = _Outputs(original, compiled)
    for frame in range(count):
        feeds = {name: array[frame] for name, array in inputs.items()}
        integers = {name: _wide(array[frame]) for name, array in integer_values.items()}
        reals = {layer.origin.value: layer.real(integers) for layer in layers if layer.is_code}
        seen = executor.run(feeds, reals)
        fed = {**seen, **reals}
        rerun = _rerun(executor, feeds, reals)
        for layer in layers:
            layer.compare(frame, integers, seen, fed, rerun)
        outputs.compare(frame, feeds, integers)
    return FaithfulReport(
        frames=count,
        layers=tuple(layer.agreement() for layer in layers),
        outputs=outputs.agreements(),
        given=given,
        unchecked=tuple(name for name in compiled.origins if name not in integer_values),
    )


def _wide(array: np.ndarray) -> np.ndarray:
    """Integers in 64 bits, in whatever type they are kept; an output that is real as it is."""
    return array.astype(np.int64) if np.issubdtype(array.dtype, np.integer) else array


def _rerun(executor: Executor, feeds: Arrays, reals: Arrays) -> Rerun:
    return lambda name, array: executor.run(feeds, {**reals, name: array})


@dataclass
class _Count:
    """What has been compared so far."""

    elements: int = 0
    equal: int = 0
    ambiguous: int = 0
    first_error: Mismatch | None = None

    def add(
        self, frame: int, mine: np.ndarray, other: np.ndarray, allowed: np.ndarray | bool
    ) -> None:
        """Counts one frame; `allowed` says which elements may differ."""
        mine, other = mine.reshape(-1), other.reshape(-1)
        same = mine == other
        excused = ~same & np.asarray(allowed).reshape(-1)
        self.elements += mine.size
        self.equal += int(same.sum())
        self.ambiguous += int(excused.sum())
        wrong = np.flatnonzero(~same & ~excused)
        if wrong.size and self.first_error is None:
            i = int(wrong[0])
            self.first_error = Mismatch(frame, i, float(mine[i]), float(other[i]))


class _Layer:
    """One integer value of the compiled model beside the value that it stands for."""

    def __init__(self, original: Model, compiled: Model, name: str, origin: Origin) -> None:
        self.name = name
        self.origin = origin
        value = original.value(origin.value)
        self._shape = original.shape(value)
        self._bound = SumBound.of(original, value)
        self.is_code = self._bound is None
        self._sum = _sum_behind(original, compiled, name) if self.is_code else None
        self._count = _Count()

    @property
    def reads(self) -> set[str]:
        """The original values that the comparison needs."""
        bounds = [self._bound, self._sum.bound if self._sum else None]
        return {self.origin.value} | {n for b in bounds if b is not None for n in b.reads}

    def real(self, integers: Arrays) -> np.ndarray:
        """The compiled model's value as the original has it."""
        return self.origin.real(integers[self.name]).reshape(self._shape)

    def compare(
        self, frame: int, integers: Arrays, seen: Arrays, fed: Arrays, rerun: Rerun
    ) -> None:
        """Compares one frame.

        Args:
            frame: its number.
            integers: the compiled model's values.
            seen: the original's values as it computed them.
            fed: the original's values as their readers saw them.
            rerun: the original's values, with one of them replaced.
        """
        mine, other = self.real(integers), seen[self.origin.value]
        allowed: np.ndarray | bool = False
        if self.is_code:
            other = np.where(self._same_code(integers[self.name], mine, other), mine, other)
        if np.array_equal(mine, other):
            allowed = False
        elif self._bound is not None:
            exact = _exact(self.origin, integers[self.name]).reshape(self._shape)
            allowed = np.abs(other.astype(np.float64) - exact) <= self._bound(fed)
        elif self._sum is not None and self._sum.name in integers:
            low, high = self._sum.codes_within(self.origin.value, integers, fed, rerun)
            allowed = self._at_boundary(mine, other, low, high)
        self._count.add(frame, mine, other, allowed)

    def _same_code(self, codes: np.ndarray, mine: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Where both stand for one code: a quantizer may round scaling and offset one by one."""
        scale = np.abs(self.origin.scale)
        rounding = 4 * UNIT * (scale * np.abs(codes) + np.abs(self.origin.bias))
        bound = self.origin.arranged(np.minimum(rounding, scale / 4)).reshape(self._shape)
        return np.asarray(np.abs(mine.astype(np.float64) - other) <= bound)

    def _at_boundary(
        self, mine: np.ndarray, other: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> np.ndarray:
        """Where the values are neighbours, or lie on the two sides of a jump (behind a Ceil)."""
        assert self._sum is not None  # the caller has looked
        below, above = np.minimum(mine, other), np.maximum(mine, other)
        distance = above.astype(np.float64) - below
        layout = self.origin.layout
        step = np.abs(self.origin.scale) * self._sum.step
        step = np.broadcast_to(step, layout.shape if layout is not None else self._shape)
        step = self.origin.arranged(step).reshape(self._shape)
        near = (low <= below) & (above <= high) & (distance <= step * (1 + 2**-20))
        return np.asarray(near | ((low == below) & (above == high)))

    def agreement(self) -> LayerAgreement:
        """What was found in all frames."""
        count = self._count
        return LayerAgreement(
            self.name,
            self.origin.value,
            "codes" if self.is_code else "sums",
            count.elements,
            count.equal,
            count.ambiguous,
            count.elements - count.equal - count.ambiguous,
            count.first_error,
        )


@dataclass(frozen=True, eq=False)
class _SumBehind:
    """The sum from which some codes are made, `step` integers apart."""

    name: str
    step: int
    origin: Origin
    shape: tuple[int, ...]
    bound: SumBound

    def codes_within(
        self, codes: str, integers: Arrays, fed: Arrays, rerun: Rerun
    ) -> tuple[np.ndarray, np.ndarray]:
        """The least and greatest value of `codes` for sums within the bound of the exact one."""
        exact = _exact(self.origin, integers[self.name]).reshape(self.shape)
        bound = self.bound(fed)
        ends = []
        for end, outside in ((exact - bound, -np.inf), (exact + bound, np.inf)):
            # Outwards, so that rounding to float32 narrows nothing.
            wide = np.nextafter(end.astype(np.float32), np.float32(outside))
            ends.append(rerun(self.origin.value, wide)[codes])
        return np.minimum(*ends), np.maximum(*ends)


def _sum_behind(original: Model, compiled: Model, name: str) -> _SumBehind | None:
    """The sum behind the thresholds that make the codes `name`, perhaps in another order."""
    node = compiled.value(name).producer()
    while node is not None and (is_view(node) or node.op_type == "Transpose"):
        node = None if node.inputs[0] is None else node.inputs[0].producer()
    if node is None or node.op_type != "MultiThreshold" or node.inputs[0] is None:
        return None
    source = unsigned_source(compiled, node.inputs[0])
    origin = compiled.origins.get(source)
    if origin is None:
        return None
    value = original.value(origin.value)
    bound = SumBound.of(original, value)
    if bound is None:
        return None
    step = int(node.attributes.get_float("out_scale", 1.0))
    return _SumBehind(source, step, origin, original.shape(value), bound)


def _exact(origin: Origin, integers: np.ndarray) -> np.ndarray:
    """The value before it is rounded to float32: float64 is 2^29 times as fine."""
    return origin.arranged(integers.astype(np.float64) * origin.scale + origin.bias)


class _Outputs:
    """The outputs of the two models, each computing on its own."""

    def __init__(self, original: Model, compiled: Model) -> None:
        self._names = [value.name or "" for value in original.graph.outputs]
        self._labels = {v.name for v in original.graph.outputs if _holds_integers(v)}
        self._original = Executor(original)
        self._compiled = Executor(compiled)
        made = {v.name for node in compiled.graph for v in node.outputs}
        self._cuts = {name for name in compiled.origins if name in made}
        self._counts = {name: _Count() for name in self._names}
        self._largest = dict.fromkeys(self._names, 0.0)
        self._close = dict.fromkeys(self._names, 0)

    def compare(self, frame: int, feeds: Arrays, integers: Arrays) -> None:
        """Compares one frame."""
        theirs = self._original.run(feeds)
        ours = dict(integers)
        if any(name not in ours for name in self._names):
            cuts = {name: integers[name] for name in self._cuts if name in integers}
            ours |= self._compiled.run(feeds, self._shaped(cuts))
        for name in self._names:
            mine = np.asarray(ours[name]).astype(theirs[name].dtype).reshape(-1)
            other = theirs[name].reshape(-1)
            self._counts[name].add(frame, mine, other, False)
            distance = np.abs(mine.astype(np.float64) - other.astype(np.float64))
            self._close[name] += int(_within_rounding(mine, other).sum())
            self._largest[name] = max(self._largest[name], float(distance.max(initial=0)))

    def agreements(self) -> tuple[OutputAgreement, ...]:
        """What was found in all frames."""
        return tuple(
            OutputAgreement(
                name,
                name in self._labels,
                count.elements,
                count.equal,
                self._largest[name],
                self._close[name],
                count.first_error,
            )
            for name, count in self._counts.items()
        )

    def _shaped(self, cuts: Arrays) -> dict[str, Override]:
        return {name: _Reshaped(array) for name, array in cuts.items()}


@dataclass(frozen=True, eq=False)
class _Reshaped:
    """An override of any shape: it takes that of what was computed."""

    array: np.ndarray

    def __call__(self, computed: np.ndarray) -> np.ndarray:
        return self.array.reshape(computed.shape)


def _within_rounding(mine: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which elements are the same number, or floats that only rounding tells apart."""
    if not np.issubdtype(other.dtype, np.floating):
        return np.asarray(mine == other)
    close: np.ndarray = np.isclose(mine, other, rtol=ROUNDING, atol=ROUNDING / 10)
    return close


def _holds_integers(value: ir.Value) -> bool:
    return value.dtype in (ir.DataType.INT64, ir.DataType.INT32)


def _with_shapes(model: Model) -> Model:
    """The model, or a copy in which the shapes of intermediate values are known."""
    values = (value for node in model.graph for value in node.outputs)
    if all(value.shape is not None and value.shape.is_static() for value in values):
        return model
    shaped = model.copy()
    infer_shapes(shaped)
    return shaped


def _inputs(model: Model, frames: Arrays) -> dict[str, np.ndarray]:
    """The frames of each input, in its shape."""
    names = [value.name or "" for value in model.graph.inputs]
    for name in frames:
        if name not in names:
            raise ConfigurationError(f"there is no input '{name}'", hint=nearest(name, names))
    for name in names:
        if name not in frames:
            raise ConfigurationError(f"no frames are given for the input '{name}'")
    shapes = {v.name or "": model.shape(v) for v in model.graph.inputs}
    return {name: a.reshape(len(a), *shapes[name]) for name, a in frames.items()}


def _frame_count(frames: Arrays, integers: Arrays) -> int:
    counts = {len(array) for array in (*frames.values(), *integers.values())}
    if len(counts) != 1:
        raise ConfigurationError(f"the numbers of frames differ: {sorted(counts)}")
    return counts.pop()
