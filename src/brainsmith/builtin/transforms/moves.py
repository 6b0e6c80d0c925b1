"""Nodes that move, repeat or choose elements: the same node on the integers behind its inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import onnx_ir as ir

from brainsmith.api import IntType
from brainsmith.builtin.transforms.elementwise import uniform_affine_of
from brainsmith.builtin.transforms.integer_graph import IntegerGraph, limits_of
from brainsmith.builtin.transforms.scaled_integer import Anchor, Chain


def integer_move(graph: IntegerGraph, node: ir.Node, chain: Chain) -> Anchor | str:
    """A node that hands elements on (Transpose, Resize, MaxPool), and its anchor, or why not.

    One that chooses the greatest element does so on the integers if the scale is positive.
    """
    affine = uniform_affine_of(graph.model, chain)
    if isinstance(affine, str):
        return affine
    if node.op_type == "MaxPool" and affine.scale.item() <= 0:
        return "the scale of its input is not positive"
    value = graph.shaped(chain.anchor.value, graph.model.shape(chain.value), node)
    y = graph.same(
        node, [value, *node.inputs[1:]], _type_of(graph, value), limits_of(graph.model, value)
    )
    return Anchor(y, node.outputs[0], affine.scale, affine.bias)


def integer_concatenation(
    graph: IntegerGraph, node: ir.Node, chains: Sequence[Chain]
) -> Anchor | str:
    """A Concat of chains of one scale and offset, two at a time, and its anchor, or why not."""
    found = [uniform_affine_of(graph.model, chain) for chain in chains]
    affines = []
    for affine in found:
        if isinstance(affine, str):
            return affine
        affines.append(affine)
    first = affines[0]
    if any(a.scale.item() != first.scale.item() for a in affines):
        return "the scales of its operands differ"
    if any(a.bias.item() != first.bias.item() for a in affines):
        return "the offsets of its operands differ"
    values = [
        graph.shaped(chain.anchor.value, graph.model.shape(chain.value), node) for chain in chains
    ]
    joined = values[0]
    for value in values[1:]:
        joined = _joined(graph, node, joined, value)
    return Anchor(joined, node.outputs[0], first.scale, first.bias)


def _joined(graph: IntegerGraph, node: ir.Node, a: ir.Value, b: ir.Value) -> ir.Value:
    model = graph.model
    axis = node.attributes["axis"].as_int() % len(model.shape(a))
    shape = list(model.shape(a))
    shape[axis] += model.shape(b)[axis]
    (alo, ahi), (blo, bhi) = limits_of(model, a), limits_of(model, b)
    limits = min(alo, blo), max(ahi, bhi)
    types = {_type_of(graph, a), _type_of(graph, b)}
    datatype = types.pop() if len(types) == 1 else IntType.covering(*limits)
    return graph.add(
        "Concat", [a, b], old=node, shape=tuple(shape), limits=limits, datatype=datatype,
        attributes={"axis": axis},
    )  # fmt: skip


def integer_split(graph: IntegerGraph, node: ir.Node, chain: Chain) -> list[Anchor] | str:
    """A Split, two parts at a time, and the anchors of its outputs, or why not."""
    model = graph.model
    affine = uniform_affine_of(model, chain)
    if isinstance(affine, str):
        return affine
    rest = graph.shaped(chain.anchor.value, model.shape(chain.value), node)
    axis = node.attributes.get_int("axis", 0) % len(model.shape(rest))
    parts = []
    for output in node.outputs[:-1]:
        part, rest = graph.split(rest, axis, model.shape(output)[axis], node)
        parts.append(part)
    return [
        Anchor(part, output, affine.scale, affine.bias)
        for part, output in zip([*parts, rest], node.outputs, strict=True)
    ]


def integer_pad(graph: IntegerGraph, node: ir.Node, chain: Chain) -> Anchor | str:
    """A Pad with a constant that is a code of its input, and its anchor, or why not."""
    model = graph.model
    affine = uniform_affine_of(graph.model, chain)
    if isinstance(affine, str):
        return affine
    if node.attributes.get_string("mode", "constant") != "constant":
        return "it does not pad with a constant"
    if len(node.inputs) > 3 and node.inputs[3] is not None:
        return "it names its axes"
    pads, real = _pads(graph, node), _constant(graph, node)
    if pads is None or real is None:
        return "its padding is not constant"
    if not math.isfinite(real):
        return "its padding is no number"
    code = (Fraction(real) - affine.bias.item()) / affine.scale.item()
    if code.denominator != 1:
        return "its padding is no code of its input"
    value = graph.shaped(chain.anchor.value, model.shape(chain.value), node)
    rank = len(model.shape(value))
    if any(pads[i] or pads[i + rank] for i in (0, rank - 1)) or min(pads) < 0:
        return "it pads the batch or the channels, or cuts"
    inner = [*pads[1 : rank - 1], *pads[rank + 1 : 2 * rank - 1]]
    y = graph.padded(value, inner, int(code), node)
    return Anchor(y, node.outputs[0], affine.scale, affine.bias)


def _pads(graph: IntegerGraph, node: ir.Node) -> list[int] | None:
    if "pads" in node.attributes:
        return list(node.attributes["pads"].as_ints())
    given = node.inputs[1] if len(node.inputs) > 1 else None
    array = None if given is None else graph.model.constant(given)
    return None if array is None else [int(p) for p in array.reshape(-1)]


def _constant(graph: IntegerGraph, node: ir.Node) -> float | None:
    if len(node.inputs) < 3 or node.inputs[2] is None:
        return node.attributes.get_float("value", 0.0)
    array = graph.model.constant(node.inputs[2])
    return None if array is None else float(array.reshape(-1)[0])


def _type_of(graph: IntegerGraph, value: ir.Value) -> IntType:
    datatype = graph.model.datatype(value)
    assert datatype is not None  # an anchor's value is an integer
    return datatype


def is_nearest(node: ir.Node) -> bool:
    """Whether a Resize or Upsample repeats elements and mixes none."""
    return node.attributes.get_string("mode", "nearest") == "nearest"
