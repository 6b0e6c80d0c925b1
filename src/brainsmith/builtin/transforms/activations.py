"""A quantizer and the chain in front of it, as thresholds on the integer behind the chain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from brainsmith.api import Model, ModelError, is_view
from brainsmith.builtin.transforms import elementwise
from brainsmith.builtin.transforms.chain_function import ChainFunction
from brainsmith.builtin.transforms.integer_graph import IntegerGraph, limits_of
from brainsmith.builtin.transforms.products import negate
from brainsmith.builtin.transforms.quantizers import Grid, anchor_terms, grid_of
from brainsmith.builtin.transforms.scaled_integer import (
    Anchor,
    Chain,
    combined,
    exact,
    labels_of,
    to_float64,
)
from brainsmith.builtin.transforms.thresholds import (
    Falling,
    NotMonotone,
    NotProved,
    Outcome,
    Staircase,
    staircase,
)

# Negating some channels widens the range of all, and there another one may be seen to fall.
_MAX_FLIPS = 4


def integer_codes(graph: IntegerGraph, node: ir.Node, chain: Chain | None) -> Anchor | str:
    """The codes of a quantizer as a function of the integer behind its chain.

    Args:
        graph: where the integer nodes go.
        node: the quantizer.
        chain: of the value that it quantizes; None for a real number, whose codes are computed
            on the host.

    Returns:
        The anchor of the codes, or the reason why the quantizer stays as it is.

    Raises:
        ModelError: the chain is not monotone for real numbers.
    """
    model = graph.model
    grid = grid_of(model, node)
    if isinstance(grid, str):
        return grid
    if chain is None:
        return _codes_on_host(graph, node, grid)
    link = chain.extended(node, _labels(model, node, model.shape(chain.value)))
    stairs = _stairs(model, link, grid)
    for _ in range(_MAX_FLIPS):
        if not isinstance(stairs, Falling):
            break
        flipped = _flipped(graph, link, stairs.signs)
        if isinstance(flipped, str):
            return flipped
        link = flipped
        stairs = _stairs(model, link, grid)
    if isinstance(stairs, NotMonotone):
        return _not_monotone(model, link, stairs)
    if isinstance(stairs, NotProved):
        return stairs.reason
    if isinstance(stairs, Falling):
        return "it falls however its input is signed"
    return _codes(graph, link, grid, stairs)


def _stairs(model: Model, link: Chain, grid: Grid) -> Outcome:
    function = ChainFunction(model, link)
    scale = function.per_label(to_float64(grid.scale))
    zero = function.per_label(to_float64(grid.zero))
    lo, hi = limits_of(model, link.anchor.value)
    return staircase(
        lambda q: grid.codes(function(q), scale, zero),
        function.labels,
        lo,
        hi,
        function.directions,
    )


def _codes(graph: IntegerGraph, link: Chain, grid: Grid, stairs: Staircase) -> Anchor | str:
    """The anchor of the codes, behind a MultiThreshold unless the codes are the integers."""
    node, model = link.node, graph.model
    assert node is not None  # the quantizer
    shape = model.shape(link.value)
    terms = anchor_terms(grid, shape[-1] if shape else 1)
    if terms is None:
        return "its scale differs in more than the last dimension"
    scale, bias = terms
    source = link.anchor.value
    lo, hi = limits_of(model, source)
    if stairs.step == 1 and _is_identity(stairs, lo, hi):
        shift = np.asarray(scale * (stairs.first - lo))
        return Anchor(source, link.value, scale, np.asarray(bias + shift))
    value = graph.thresholds(graph.shaped(source, shape, node), stairs, link.labels, node)
    return value if isinstance(value, str) else Anchor(value, link.value, scale, bias)


def _is_identity(stairs: Staircase, lo: int, hi: int) -> bool:
    """Whether every integer is a step, so that code and integer differ by a constant."""
    if stairs.thresholds.shape[1] != hi - lo:
        return False
    return bool((stairs.thresholds == np.arange(lo + 1, hi + 1)).all())


def _codes_on_host(graph: IntegerGraph, node: ir.Node, grid: Grid) -> Anchor | str:
    shape = graph.model.shape(node.outputs[0])
    terms = anchor_terms(grid, shape[-1] if shape else 1)
    if terms is None or grid.datatype is None:
        return "its input is a real number, and its codes have no fixed datatype"
    value = graph.codes_on_host(node, grid)
    return Anchor(value, node.outputs[0], terms[0], terms[1], on_host=True)


def _flipped(graph: IntegerGraph, link: Chain, signs: NDArray[np.int64]) -> Chain | str:
    """The chain on the negated integer where the function falls.

    The sign goes into the weights if nothing else reads their product, else into a node.
    """
    anchor, node = link.anchor, link.node
    assert node is not None  # the quantizer
    shape = graph.model.shape(anchor.value)
    if link.labels is not None:
        channels = signs[link.labels].reshape(-1, shape[-1])
        if (channels != channels[0]).any():
            return "it rises and falls within one channel"
        signs = channels[0]
    if anchor.weights is not None and link.exclusive:
        negate(graph, anchor, signs)
        for part in link.links():
            part.forget()
        return link
    value = graph.scaled(anchor.value, signs, node, wanted=f"{node.name}_sign")
    scale = np.asarray(anchor.scale * exact(signs))
    return replace(link, anchor=Anchor(value, anchor.real, scale, anchor.bias))


def _labels(model: Model, node: ir.Node, shape: tuple[int, ...]) -> NDArray[np.int64] | None:
    """Which elements of `shape` a quantizer treats alike."""
    labels = None
    for value in node.inputs[1:]:
        array = None if value is None else model.constant(value)
        if array is None:
            continue
        if node.op_type == "MultiThreshold":
            array = _threshold_rows(node, array, len(shape))
        labels = combined(labels, labels_of(elementwise.aligned(node, array, shape), shape))
    return labels


def _threshold_rows(node: ir.Node, thresholds: NDArray[Any], rank: int) -> NDArray[np.int64]:
    """The number of each channel's distinct row, along the channels' dimension as QONNX has it."""
    rows = np.unique(thresholds, axis=0, return_inverse=True)[1].reshape(-1)
    layout = node.attributes.get_string("data_layout", "") or {3: "NWC"}.get(rank, "")
    axis = layout.index("C") if "C" in layout else 1
    return np.asarray(rows.reshape([-1 if i == axis else 1 for i in range(rank)]), np.int64)


def _not_monotone(model: Model, link: Chain, found: NotMonotone) -> str:
    """The reason why a chain has no thresholds that rises but for the rounding of a curve.

    Raises:
        ModelError: it goes up and down for real numbers; names the first node that does.
    """
    guilty = _first_not_monotone(model, link, found)
    name = guilty.name or guilty.op_type
    points = ", ".join(
        f"{q} gives {code}" for q, code in zip(found.points, found.codes, strict=True)
    )
    assert link.node is not None
    if guilty.domain == "" and guilty.op_type in elementwise.MONOTONE_CURVES:
        return (
            f"'{name}' is not monotone in the last bit of its float32 results (for the integer "
            f"behind '{link.anchor.real.name}', {points}), so no thresholds give the same codes"
        )
    raise ModelError(
        f"the activation in front of the quantizer '{link.node.name}' is not monotone: for the "
        f"integer behind '{link.anchor.real.name}', {points}",
        where=f"node '{name}'",
        hint="thresholds need an activation that only rises or only falls, such as Relu or Clip",
    )


def _first_not_monotone(model: Model, link: Chain, found: NotMonotone) -> ir.Node:
    """The first node behind which the three integers go up and down, else the quantizer."""
    for part in link.links():
        if part.node is None or is_view(part.node):
            continue
        function = ChainFunction(model, replace(part, anchor=link.anchor, labels=link.labels))
        points = np.broadcast_to(np.array(found.points)[:, None], (3, function.labels))
        a, b, c = function(points)[:, found.label].astype(np.float64)
        if (b - a) * (c - b) < 0:
            return part.node
    assert link.node is not None
    return link.node
