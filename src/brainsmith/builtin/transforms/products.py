"""A matrix product of a scaled integer with quantized weights, as one of integers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from brainsmith.api import Model
from brainsmith.builtin.transforms.elementwise import affine_of
from brainsmith.builtin.transforms.integer_graph import IntegerGraph
from brainsmith.builtin.transforms.scaled_integer import (
    Affine,
    Anchor,
    Chain,
    Rationals,
    along_last,
    exact,
    uniform,
)
from brainsmith.builtin.transforms.weights import (
    ScaledConstant,
    column_scale,
    integers_of,
    reals_of,
)


@dataclass(frozen=True, eq=False)
class _Operands:
    """`y = alpha * x @ weights + bias`, the weights as a matrix `(K, N)`."""

    weights: ScaledConstant
    alpha: Fraction
    bias: Rationals


def integer_product(graph: IntegerGraph, node: ir.Node, chain: Chain) -> Anchor | str:
    """A MatMul or Gemm whose first operand is a chain, as an integer MatMul and its anchor.

    The scale of the weights may differ from column to column; a bias of the input becomes, times
    the sums of the columns, part of the bias of the product.

    Returns:
        The anchor, or the reason why the node stays in floating point.
    """
    model = graph.model
    x = affine_of(model, chain)
    if isinstance(x, str):
        return f"its input is no scaled integer: {x}"
    if x.scale.ndim:
        return "the scale of its input differs from element to element"
    operands = _operands(model, node)
    if isinstance(operands, str):
        return operands
    columns = column_scale(operands.weights)
    if columns is None:
        return "the scale of its weights differs inside a column"
    integers = operands.weights.integers
    offset = _column_offsets(x, integers)
    if offset is None:
        return "the bias of its input differs from row to row"
    scale = np.asarray(columns * (x.scale * operands.alpha))
    bias = np.asarray(columns * operands.alpha * offset + operands.bias)
    value = graph.shaped(chain.anchor.value, model.shape(chain.value), node)
    shape = model.shape(node.outputs[0])
    y, w = graph.product(value, integers, shape, node, node.name or "")
    return Anchor(y, node.outputs[0], uniform(scale), uniform(bias), weights=w)


def negate(graph: IntegerGraph, anchor: Anchor, signs: NDArray[np.int64]) -> None:
    """Negates columns of the weights of an integer product, or output channels of a convolution.

    Args:
        signs: -1 for those, one for each.
    """
    assert anchor.weights is not None  # the caller has looked
    node = anchor.value.producer()
    array = graph.model.constant(anchor.weights)
    assert node is not None and array is not None and node.inputs[0] is not None
    weights = np.rint(array).astype(np.int64)
    wanted = graph.named[node]
    if node.op_type == "Conv":
        flipped = (weights.T * signs).T
        pads = node.attributes["pads"].as_ints()
        y, w = graph.convolution(node.inputs[0], flipped, pads, node, wanted)
    else:
        shape = graph.model.shape(anchor.value)
        y, w = graph.product(node.inputs[0], weights * signs, shape, node, wanted)
    graph.forget(node)
    anchor.value, anchor.weights = y, w
    anchor.scale = uniform(np.asarray(anchor.scale * exact(signs)))


def _operands(model: Model, node: ir.Node) -> _Operands | str:
    if node.inputs[1] is None:
        return "it has no weights"
    weights = integers_of(model, node.inputs[1])
    if isinstance(weights, str):
        return f"its weights are no integers times a scale: {weights}"
    if weights.integers.ndim != 2:
        return f"its weights have {weights.integers.ndim} dimensions"
    if node.op_type == "MatMul":
        return _Operands(weights, Fraction(1), exact(0))
    if node.attributes.get_int("transA", 0):
        return "it transposes its input"
    if node.attributes.get_int("transB", 0):
        weights = weights.transposed(None)
    bias = _gemm_bias(model, node, weights.integers.shape[1])
    if isinstance(bias, str):
        return bias
    return _Operands(weights, Fraction(node.attributes.get_float("alpha", 1.0)), bias)


def _gemm_bias(model: Model, node: ir.Node, columns: int) -> Rationals | str:
    c = node.inputs[2] if len(node.inputs) > 2 else None
    if c is None:
        return exact(0)
    reals = reals_of(model, c)
    if isinstance(reals, str):
        return f"its bias is not constant: {reals}"
    if reals.size not in (1, columns):
        return "its bias differs from row to row"
    beta = Fraction(node.attributes.get_float("beta", 1.0))
    return uniform(np.asarray(reals.reshape(-1) * beta))


def _column_offsets(x: Affine, weights: NDArray[np.int64]) -> Rationals | None:
    """What the bias of the input adds to each column: `sum_k bias[k] * weights[k, n]`."""
    if x.bias.ndim == 0:
        if x.bias[()] == 0:
            return exact(0)
        return np.asarray(weights.sum(axis=0).astype(object) * x.bias)
    bias = along_last(x.bias, len(weights))
    return None if bias is None else np.asarray(bias @ weights.astype(object))
