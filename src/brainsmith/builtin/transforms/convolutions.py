"""A convolution of a scaled integer with quantized weights, as one of integers."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from brainsmith.api import Model
from brainsmith.builtin.transforms.elementwise import uniform_affine_of
from brainsmith.builtin.transforms.integer_graph import IntegerGraph
from brainsmith.builtin.transforms.scaled_integer import (
    Affine,
    Anchor,
    Chain,
    Rationals,
    exact,
    uniform,
)
from brainsmith.builtin.transforms.weights import (
    integers_of,
    reals_of,
    row_scale,
)


def integer_convolution(graph: IntegerGraph, node: ir.Node, chain: Chain) -> Anchor | str:
    """A channels-last Conv whose input is a chain, as an integer Conv and its anchor.

    The scale of the weights may differ from one output channel to the next. Where the input has an
    offset, the real number 0 of the padding is the integer `-bias / scale`, which is padded first.

    Returns:
        The anchor, or the reason why the node stays in floating point.
    """
    model = graph.model
    x = uniform_affine_of(model, chain)
    if isinstance(x, str):
        return x
    weights = None if node.inputs[1] is None else integers_of(model, node.inputs[1])
    if weights is None or isinstance(weights, str):
        return f"its weights are no integers times a scale: {weights}"
    rows = row_scale(weights)
    if rows is None:
        return "the scale of its weights differs inside an output channel"
    bias = _bias(model, node)
    if isinstance(bias, str):
        return bias
    value = _padded(graph, node, chain, x)
    if isinstance(value, str):
        return value
    image, pads = value
    y, w = graph.convolution(image, weights.integers, pads, node, node.name or "")
    sums = weights.integers.reshape(len(weights.integers), -1).sum(axis=1).astype(object)
    scale = np.asarray(rows * x.scale)
    offset = np.asarray(rows * x.bias * sums + bias)
    return Anchor(y, node.outputs[0], uniform(scale), uniform(offset), weights=w)


def _bias(model: Model, node: ir.Node) -> Rationals | str:
    c = node.inputs[2] if len(node.inputs) > 2 else None
    if c is None:
        return exact(0)
    reals = reals_of(model, c)
    return f"its bias is not constant: {reals}" if isinstance(reals, str) else uniform(reals)


def _padded(
    graph: IntegerGraph, node: ir.Node, chain: Chain, x: Affine
) -> tuple[ir.Value, list[int]] | str:
    """The integer image, padded if its padding is not 0, and what is left to pad with 0."""
    model = graph.model
    image = graph.shaped(chain.anchor.value, model.shape(chain.value), node)
    pads = list(node.attributes["pads"].as_ints())
    if not any(pads):
        return image, pads
    zero = -x.bias.item() / x.scale.item()
    if zero.denominator != 1:
        return "the real number 0 of its padding is no code of its input"
    if zero == 0:
        return image, pads
    return graph.padded(image, pads, int(zero), node), [0] * len(pads)
