"""Sums and products of two scaled integers, element by element, on the integers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import onnx_ir as ir

from brainsmith.builtin.transforms.elementwise import affine_of
from brainsmith.builtin.transforms.integer_graph import IntegerGraph
from brainsmith.builtin.transforms.scaled_integer import (
    Affine,
    Anchor,
    Chain,
    along_last,
    exact,
)

MAX_FACTOR = 1 << 8


def integer_combination(graph: IntegerGraph, node: ir.Node, a: Chain, b: Chain) -> Anchor | str:
    """An Add, Sub or Mul of two chains as integer nodes and their anchor, or why not."""
    model = graph.model
    shape = model.shape(node.outputs[0])
    if model.shape(a.value) != shape or model.shape(b.value) != shape:
        return "one operand is broadcast to the other"
    terms = []
    for chain in (a, b):
        affine = affine_of(model, chain)
        if isinstance(affine, str):
            return f"an operand is no scaled integer: {affine}"
        if affine.scale.ndim:
            return "the scale of an operand differs from element to element"
        terms.append(affine)
    values = [graph.shaped(c.anchor.value, shape, node) for c in (a, b)]
    if node.op_type == "Mul":
        return _product(graph, node, values, terms)
    return _sum(graph, node, values, terms)


def _product(
    graph: IntegerGraph, node: ir.Node, values: list[ir.Value], terms: list[Affine]
) -> Anchor | str:
    if any(np.any(t.bias != 0) for t in terms):
        return "an operand has an offset"
    scale = np.asarray(terms[0].scale * terms[1].scale)
    y = graph.combined("Mul", values[0], values[1], node)
    return Anchor(y, node.outputs[0], exact(scale[()]), exact(0))


def _sum(
    graph: IntegerGraph, node: ir.Node, values: list[ir.Value], terms: list[Affine]
) -> Anchor | str:
    shape = graph.model.shape(node.outputs[0])
    sign = -1 if node.op_type == "Sub" else 1
    s0, s1 = (Fraction(t.scale.item()) for t in terms)
    s1 *= sign
    if s0 == 0 or s1 == 0:
        return "an operand is multiplied by zero"
    offsets = np.asarray(terms[0].bias + sign * terms[1].bias)
    bias = along_last(offsets, shape[-1] if shape else 1)
    if bias is None:
        return "the offsets of its operands differ in more than the last dimension"
    ratio = s1 / s0
    if max(abs(ratio.numerator), ratio.denominator) > MAX_FACTOR:
        return "the scales of its operands have no small common multiple"
    factors = (ratio.denominator, ratio.numerator)
    scaled = [
        graph.scaled(value, np.array(factor), node, wanted=f"{node.name}_scale_{i}")
        for i, (value, factor) in enumerate(zip(values, factors, strict=True))
    ]
    y = graph.combined("Add", scaled[0], scaled[1], node)
    return Anchor(y, node.outputs[0], exact(s0 / ratio.denominator), bias)
