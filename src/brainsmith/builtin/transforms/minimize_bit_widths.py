"""The smallest datatypes: exact ranges through the integer nodes, channel by channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from brainsmith.api import (
    BIPOLAR,
    CHANNELS_LAST,
    IntType,
    Model,
    TransformConfig,
    is_view,
    transform,
)
from brainsmith.builtin.transforms.integer_graph import channel_sums, set_integer
from brainsmith.builtin.transforms.quantizers import QONNX

Array = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Reach:
    """Least and greatest integer of a value: scalars, or one per element of the last dimension."""

    lo: Array
    hi: Array

    @property
    def limits(self) -> tuple[int, int]:
        return int(self.lo.min()), int(self.hi.max())


@transform(
    name="MinimizeBitWidths",
    stage="topology_optimization",
    description="Gives each integer value the smallest datatype, and drops needless thresholds",
    author="Brainsmith",
    version="2.0.0",
    license="Apache-2.0",
    tags=["integer", "area"],
)
class MinimizeBitWidths:
    """Recomputes the exact range of every integer from the inputs on.

    1. A product with constant weights reaches, in each column, what its worst input gives.
    2. Thresholds that every channel always or never reaches are dropped; the rest is moved
       into the range, which changes no result and needs fewer bits.
    3. Each value gets the smallest datatype for its range. Bipolar values stay bipolar.
    """

    def apply(self, model: Model, config: TransformConfig) -> Model:
        reach: dict[ir.Value, Reach] = {}
        for node in list(model.graph):
            source = None if not node.inputs else node.inputs[0]
            if source is None or model.datatype(source) is None:
                continue
            step = _STEPS.get((node.domain, node.op_type))
            result: Reach | None = None
            if is_view(node):
                result = _view(model, node, _of(model, source, reach))
            elif step is not None:
                result = step(model, node, reach)
            if result is not None:
                output = node.outputs[0]
                reach[output] = result
                _set(model, output, result)
        return model


def _of(model: Model, value: ir.Value, reach: dict[ir.Value, Reach]) -> Reach:
    known = reach.get(value)
    if known is not None:
        return known
    limits = model.range_of(value)
    assert limits is not None  # only integer values come here
    return Reach(np.array(limits[0]), np.array(limits[1]))


def _set(model: Model, value: ir.Value, reach: Reach) -> None:
    bipolar = model.datatype(value) == BIPOLAR
    set_integer(model, value, reach.limits, BIPOLAR if bipolar else None)


def _view(model: Model, node: ir.Node, x: Reach) -> Reach:
    """Channels stay channels where the last dimension does."""
    source = node.inputs[0]
    assert source is not None
    before, after = model.shape(source), model.shape(node.outputs[0])
    if before and after and before[-1] == after[-1]:
        return x
    return Reach(x.lo.min(), x.hi.max())


def _product(model: Model, node: ir.Node, reach: dict[ir.Value, Reach]) -> Reach | None:
    source, operand = node.inputs[0], node.inputs[1]
    weights = _integers(model, operand)
    if source is None or weights is None or weights.ndim != 2:
        return None
    x = _of(model, source, reach)
    return Reach(*channel_sums(weights.T, x.lo, x.hi, pads=False))


def _elementwise(model: Model, node: ir.Node, reach: dict[ir.Value, Reach]) -> Reach | None:
    terms = [_operand(model, value, reach) for value in node.inputs]
    if any(t is None for t in terms):
        return None
    a, b = (t for t in terms if t is not None)
    if node.op_type == "Add":
        return Reach(a.lo + b.lo, a.hi + b.hi)
    if node.op_type == "Sub":
        return Reach(a.lo - b.hi, a.hi - b.lo)
    corners = np.broadcast_arrays(a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi)
    return Reach(np.min(corners, axis=0), np.max(corners, axis=0))


def _operand(model: Model, value: ir.Value | None, reach: dict[ir.Value, Reach]) -> Reach | None:
    if value is None:
        return None
    constant = _integers(model, value)
    if constant is not None:
        per_channel = constant.size in (1, constant.shape[-1] if constant.ndim else 1)
        flat = constant.reshape(-1) if per_channel else constant
        return Reach(flat, flat) if per_channel else Reach(flat.min(), flat.max())
    return _of(model, value, reach) if model.datatype(value) is not None else None


def _convolution(model: Model, node: ir.Node, reach: dict[ir.Value, Reach]) -> Reach | None:
    source, weights = node.inputs[0], _integers(model, node.inputs[1])
    if source is None or weights is None:
        return None
    x, pads = _of(model, source, reach), any(node.attributes["pads"].as_ints())
    group = node.attributes.get_int("group", 1)
    ends = [np.broadcast_to(end, (weights.shape[-1] * group,)) for end in (x.lo, x.hi)]
    found = [
        channel_sums(kernels, lo, hi, pads=pads)
        for kernels, lo, hi in zip(
            np.split(weights, group), *(np.split(end, group) for end in ends), strict=True
        )
    ]
    return Reach(np.concatenate([lo for lo, _ in found]), np.concatenate([hi for _, hi in found]))


def _same(model: Model, node: ir.Node, reach: dict[ir.Value, Reach]) -> Reach | None:
    source = node.inputs[0]
    return None if source is None else _of(model, source, reach)


def _everywhere(model: Model, node: ir.Node, reach: dict[ir.Value, Reach]) -> Reach | None:
    """Of all channels together."""
    x = _same(model, node, reach)
    return None if x is None else Reach(x.lo.min(), x.hi.max())


def _transpose(model: Model, node: ir.Node, reach: dict[ir.Value, Reach]) -> Reach | None:
    x, order = _same(model, node, reach), node.attributes["perm"].as_ints()
    if x is None or order[-1] == len(order) - 1:
        return x
    return Reach(x.lo.min(), x.hi.max())


def _pad(model: Model, node: ir.Node, reach: dict[ir.Value, Reach]) -> Reach | None:
    x = _same(model, node, reach)
    value = _integers(model, node.inputs[2]) if len(node.inputs) > 2 else np.zeros((), np.int64)
    if x is None or value is None:
        return None
    return Reach(np.minimum(x.lo, value), np.maximum(x.hi, value))


def _concatenation(model: Model, node: ir.Node, reach: dict[ir.Value, Reach]) -> Reach | None:
    parts = []
    for value in node.inputs:
        part = _operand(model, value, reach)
        if value is None or part is None:
            return None
        channels = model.shape(value)[-1:]
        ends = (np.broadcast_to(end, channels) for end in (part.lo, part.hi))
        parts.append(Reach(*ends))
    if (
        node.attributes["axis"].as_int() % len(model.shape(node.outputs[0]))
        != len(model.shape(node.outputs[0])) - 1
    ):
        return Reach(np.min([p.lo for p in parts], axis=0), np.max([p.hi for p in parts], axis=0))
    return Reach(np.concatenate([p.lo for p in parts]), np.concatenate([p.hi for p in parts]))


def _thresholds(model: Model, node: ir.Node, reach: dict[ir.Value, Reach]) -> Reach | None:
    source, operand = node.inputs[0], node.inputs[1]
    table = None if operand is None else model.constant(operand)
    step, base = (node.attributes.get_float(f"out_{n}", d) for n, d in (("scale", 1), ("bias", 0)))
    if source is None or table is None or step % 1 or base % 1 or step < 1:
        return None
    if not _channels_last(node, len(model.shape(source))):
        return None
    x = _of(model, source, reach)
    lo, hi = np.broadcast_arrays(x.lo.reshape(-1, 1), x.hi.reshape(-1, 1))
    # Integers reach a threshold between two of them when they reach the upper one.
    ceiled = np.sort(np.ceil(table), axis=1).astype(np.int64)
    always = (ceiled <= lo).sum(axis=1)
    reached = (ceiled <= hi).sum(axis=1)
    first, last = int(always.min()), max(int(reached.max()), int(always.min()) + 1)
    if model.datatype(node.outputs[0]) == BIPOLAR:
        first, last = 0, ceiled.shape[1]
    last = min(last, ceiled.shape[1])
    first = min(first, last - 1)
    kept = ceiled[:, first:last]
    floor, ceiling = (lo, hi) if len(kept) == len(lo) else (lo.min(), hi.max())
    _write(model, node, np.clip(kept, floor, ceiling + 1), int(step), int(base) + int(step) * first)
    return Reach(int(base) + int(step) * always, int(base) + int(step) * reached)


def _channels_last(node: ir.Node, rank: int) -> bool:
    layout = node.attributes.get_string("data_layout", "")
    return layout.endswith("C") if layout else rank in (2, 3)


def _write(model: Model, node: ir.Node, table: Array, step: int, base: int) -> None:
    old = node.inputs[1]
    assert old is not None
    if len(table) > 1 and bool((table == table[0]).all()):
        table = table[:1]
    before = model.constant(old)
    if before is not None and np.array_equal(before, table):
        return
    large = np.abs(table).max() > 1 << 24
    limits = IntType.covering(int(table.min()), int(table.max()))
    new = model.add_initializer(
        f"{node.name}_thresholds", table.astype(np.float64 if large else np.float32), limits
    )
    node.replace_input_with(1, new)
    node.attributes["out_bias"] = ir.AttrFloat32("out_bias", float(base))
    if not old.uses():
        del model.graph.initializers[old.name or ""]


def _integers(model: Model, value: ir.Value | None) -> Array | None:
    array: NDArray[Any] | None = None if value is None else model.constant(value)
    if array is None:
        return None
    integers = np.rint(array).astype(np.int64)
    return integers if np.array_equal(integers, array) else None


_STEPS: dict[tuple[str, str], Callable[[Model, ir.Node, dict[ir.Value, Reach]], Reach | None]] = {
    ("", "MatMul"): _product,
    ("", "Concat"): _concatenation,
    ("", "DepthToSpace"): _everywhere,
    ("", "Pad"): _pad,
    ("", "Resize"): _same,
    ("", "Transpose"): _transpose,
    ("", "Upsample"): _same,
    (CHANNELS_LAST, "Conv"): _convolution,
    (CHANNELS_LAST, "MaxPool"): _same,
    ("", "Add"): _elementwise,
    ("", "Sub"): _elementwise,
    ("", "Mul"): _elementwise,
    (QONNX, "MultiThreshold"): _thresholds,
}
