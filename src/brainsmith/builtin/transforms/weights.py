"""Weights and other constants: quantized ones as integers times a scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from brainsmith.api import BIPOLAR, ChainEvaluator, IntType, Model, is_view
from brainsmith.builtin.transforms.elementwise import aligned
from brainsmith.builtin.transforms.quantizers import grid_of, is_quantizer
from brainsmith.builtin.transforms.scaled_integer import Rationals, exact, to_float64


@dataclass(frozen=True, eq=False)
class ScaledConstant:
    """A constant `scale * integers`, element by element.

    Attributes:
        integers: int64.
        scale: a scalar, or as many dimensions as the integers have, of their sizes or of 1.
    """

    integers: NDArray[np.int64]
    scale: Rationals

    def transposed(self, order: Sequence[int] | None) -> ScaledConstant:
        """With its dimensions in another order; reversed if None."""
        scale = self.scale if self.scale.ndim == 0 else np.transpose(self.scale, order)
        return ScaledConstant(np.transpose(self.integers, order), scale)

    def reshaped(self, shape: Sequence[int]) -> ScaledConstant:
        """The same elements in another shape."""
        scale = self.scale
        if scale.ndim:
            scale = _reshaped(scale, self.integers.shape, shape)
        return ScaledConstant(self.integers.reshape(shape), scale)

    def reals(self) -> Rationals:
        """The exact values, one entry per element."""
        return np.asarray(self.integers.astype(object) * self.scale)


def _reshaped(scale: Rationals, before: Sequence[int], after: Sequence[int]) -> Rationals:
    """A scale that broadcasts to `before`, so that it broadcasts to `after`.

    Neighbouring dimensions along which it does not change stay of size 1.
    """
    if 0 in before:
        return np.broadcast_to(scale, before).reshape(after)
    spread: list[int] = []
    shape: list[int] = []
    for old, new in _groups(before, after):
        changes = any(size > 1 for size in scale.shape[old])
        spread += before[old] if changes else [1] * (old.stop - old.start)
        shape += after[new] if changes else [1] * (new.stop - new.start)
    return np.broadcast_to(scale, spread).reshape(shape)


def _groups(before: Sequence[int], after: Sequence[int]) -> Iterator[tuple[slice, slice]]:
    """The shortest runs of dimensions of two shapes that have as many elements each."""
    i = j = 0
    while i < len(before) or j < len(after):
        old, new = slice(i, min(i + 1, len(before))), slice(j, min(j + 1, len(after)))
        while (sizes := (math.prod(before[old]), math.prod(after[new])))[0] != sizes[1]:
            if sizes[0] < sizes[1]:
                old = slice(i, old.stop + 1)
            else:
                new = slice(j, new.stop + 1)
        yield old, new
        i, j = old.stop, new.stop


def column_scale(constant: ScaledConstant) -> Rationals | None:
    """The scale of each column of a matrix `(K, N)`: a scalar or N of them; None if rows differ."""
    scale = constant.scale
    if scale.ndim == 0:
        return scale
    same = all((scale[k] == scale[0]).all() for k in range(1, scale.shape[0]))
    return scale[0] if same else None


def row_scale(constant: ScaledConstant) -> Rationals | None:
    """The scale along the first dimension: a scalar or one each; None if it differs inside."""
    scale = constant.scale
    if scale.ndim == 0:
        return scale
    rows = scale.reshape(len(scale), -1)
    same = all((rows[:, k] == rows[:, 0]).all() for k in range(1, rows.shape[1]))
    return rows[:, 0] if same else None


def datatype_of(integers: NDArray[np.int64]) -> IntType:
    """The smallest datatype of a constant; bipolar for -1 and 1 and nothing else."""
    lo, hi = int(integers.min()), int(integers.max())
    if (lo, hi) == (-1, 1) and not (integers == 0).any():
        return BIPOLAR
    return IntType.covering(lo, hi)


def keeps_constant(model: Model, node: ir.Node) -> bool:
    """Whether the output is constant where the first input is: a quantizer, or a move."""
    return (_quantizes(node) or _moves(node)) and all(
        v is None or model.constant(v) is not None for v in node.inputs[1:]
    )


def is_constant_like(model: Model, value: ir.Value) -> bool:
    """Whether a value is constant, or made of a constant by quantizers and moves."""
    if model.constant(value) is not None:
        return True
    node = value.producer()
    source = None if node is None or not node.inputs else node.inputs[0]
    if node is None or source is None:
        return False
    return keeps_constant(model, node) and is_constant_like(model, source)


def integers_of(model: Model, value: ir.Value) -> ScaledConstant | str:
    """A constant as integers times a scale, or why it is none."""
    array = model.constant(value)
    if array is not None:
        return _plain(value, array)
    node = value.producer()
    source = None if node is None else node.inputs[0]
    if node is None or source is None:
        return f"'{value.name}' is not constant"
    if _moves(node):
        inner = integers_of(model, source)
        return inner if isinstance(inner, str) else _moved(model, node, inner)
    if node.op_type == "DequantizeLinear":
        inner = integers_of(model, source)
        return inner if isinstance(inner, str) else _dequantized(model, node, inner)
    if is_quantizer(node):
        return _quantized(model, node, source)
    return f"'{value.name}' is not made by a quantizer"


def reals_of(model: Model, value: ir.Value) -> Rationals | str:
    """The exact values of a constant, quantized or not, one entry per element."""
    array = model.constant(value)
    if array is not None:
        reals = exact(array)
        return reals if reals.ndim else np.broadcast_to(reals, array.shape)
    scaled = integers_of(model, value)
    return scaled if isinstance(scaled, str) else scaled.reals()


def array_of(model: Model, value: ir.Value) -> NDArray[np.float32] | str:
    """The float32 values of a constant, quantized or not."""
    array = model.constant(value)
    if array is not None:
        return np.asarray(array, np.float32)
    reals = reals_of(model, value)
    return reals if isinstance(reals, str) else to_float64(reals).astype(np.float32)


def _plain(value: ir.Value, array: NDArray[Any]) -> ScaledConstant | str:
    integers = np.rint(array).astype(np.int64)
    if not np.array_equal(integers, array):
        return f"the constant '{value.name}' holds fractions and no quantizer made it"
    return ScaledConstant(integers, exact(1))


def _quantizes(node: ir.Node) -> bool:
    return is_quantizer(node) or (node.domain == "" and node.op_type == "DequantizeLinear")


def _moves(node: ir.Node) -> bool:
    return is_view(node) or (node.domain == "" and node.op_type == "Transpose")


def _moved(model: Model, node: ir.Node, constant: ScaledConstant) -> ScaledConstant:
    if node.op_type == "Transpose":
        order = node.attributes.get("perm")
        return constant.transposed(None if order is None else order.as_ints())
    return constant.reshaped(model.shape(node.outputs[0]))


def _quantized(model: Model, node: ir.Node, source: ir.Value) -> ScaledConstant | str:
    grid = grid_of(model, node)
    array = model.constant(source)
    if isinstance(grid, str) or array is None:
        return grid if isinstance(grid, str) else f"'{source.name}' is not constant"
    real = ChainEvaluator(model, [node], source, node.outputs[0])(array[None])[0]
    zero = to_float64(grid.zero)
    codes = grid.codes(real, to_float64(grid.scale), zero)
    offset = np.rint(zero).astype(np.int64)
    if not np.array_equal(offset, zero):
        return f"the zero point of '{node.name}' is not an integer"
    return _scaled(codes - offset, grid.scale)


def _scaled(integers: NDArray[np.int64], scale: Rationals) -> ScaledConstant:
    """The constant of a scale that broadcasts to the integers."""
    if scale.ndim:
        scale = scale.reshape((1,) * (integers.ndim - scale.ndim) + scale.shape)
    return ScaledConstant(integers, scale)


def _dequantized(model: Model, node: ir.Node, inner: ScaledConstant) -> ScaledConstant | str:
    shape = inner.integers.shape
    params = [None if v is None else model.constant(v) for v in node.inputs[1:]]
    if params[0] is None or inner.scale.ndim or inner.scale[()] != 1:
        return f"the scale of '{node.name}' is not constant"
    zero = params[1] if len(params) > 1 and params[1] is not None else np.zeros((), np.int64)
    integers = inner.integers - aligned(node, zero.astype(np.int64), shape)
    return _scaled(integers, exact(aligned(node, params[0], shape)))
