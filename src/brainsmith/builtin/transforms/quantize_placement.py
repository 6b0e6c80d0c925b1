"""Where a float model gets quantizers: which values become codes, and which of them share a grid.

1. What a convolution, a product, an average or a sum of two streams reads becomes codes, and so do
   the inputs of the model.
2. Operators that only move or choose elements (MaxPool, Reshape, Concat ...) hand codes on: the
   quantizer stands in front of them. One that follows a normalization or an activation stands
   behind it, so that the whole chain becomes thresholds.
3. The operands of a sum have one scale, those of a Concat one grid.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import onnx_ir as ir

from brainsmith.api import Model, is_standard, quantizes, streams_of

T = TypeVar("T", bound=Hashable)

PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
SUMS = ("Add", "Sub", "Sum")
AVERAGES = ("AveragePool", "GlobalAveragePool", "ReduceMean")
CHOICES = ("MaxPool", "GlobalMaxPool")
MOVES = (
    *("DepthToSpace", "Dropout", "Expand", "Flatten", "Gather", "Identity", "Reshape", "Slice"),
    *("SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze"),
)


class Classes(Generic[T]):
    """Disjoint sets that grow together (union-find)."""

    def __init__(self) -> None:
        self._parent: dict[T, T] = {}

    def root(self, item: T) -> T:
        """The representative of an item's set; an unknown item is a set of its own."""
        parent = self._parent.setdefault(item, item)
        if parent != item:
            parent = self._parent[item] = self.root(parent)
        return parent

    def join(self, items: list[T]) -> None:
        """Makes one set of those of the items; its representative is that of the first."""
        for item in items[1:]:
            self._parent[self.root(item)] = self.root(items[0])


@dataclass(frozen=True)
class Weights:
    """A constant operand of a product; `axis` is that of its output channels, None if mixed."""

    value: ir.Value
    axis: int | None


@dataclass
class Placement:
    """What is quantized.

    Attributes:
        activations: the values behind which quantizers stand, in the order of the graph.
        weights: the constants, each with the operands that read it: (node, index).
        scales: activations of one set have one scale.
        grids: activations of one set have one grid.
        kept: the quantizers that the model has already.
    """

    activations: dict[ir.Value, None] = field(default_factory=dict)
    weights: dict[Weights, list[tuple[ir.Node, int]]] = field(default_factory=dict)
    scales: Classes[ir.Value] = field(default_factory=Classes)
    grids: Classes[ir.Value] = field(default_factory=Classes)
    kept: list[ir.Node] = field(default_factory=list)


def place(model: Model) -> Placement:
    """The quantizers that a model needs. Shapes and element types are known."""
    return _Placing(model).run()


class _Placing:
    def __init__(self, model: Model) -> None:
        self._model = model
        self._streams = streams_of(model.graph)
        self._sources: dict[ir.Value, list[ir.Value]] = {}
        self._found = Placement()

    def run(self) -> Placement:
        for value in self._model.graph.inputs:
            self._demand([value])
        for node in self._model.graph:
            if quantizes(node):
                self._found.kept.append(node)
            else:
                self._node(node)
        found, order = self._found, {value: i for i, value in enumerate(_values(self._model))}
        found.activations = dict.fromkeys(sorted(found.activations, key=order.__getitem__))
        return found

    def _node(self, node: ir.Node) -> None:
        streams = [v for v in node.inputs if v is not None and v in self._streams]
        if not streams:
            return
        if is_standard(node, *PRODUCTS):
            self._product(node)
        elif is_standard(node, *AVERAGES):
            self._demand(streams[:1])
            self._demand(node.outputs[:1])
        elif is_standard(node, *CHOICES):
            self._demand(streams)
        elif is_standard(node, "Concat", "Mul", *SUMS) and len(streams) > 1:
            members = self._demand(streams)
            if node.op_type != "Mul":
                self._found.scales.join(members)
            if node.op_type == "Concat":
                self._found.grids.join(members)

    def _product(self, node: ir.Node) -> None:
        for index, value in enumerate(node.inputs[:2]):
            if value is None:
                continue
            if value in self._streams:
                self._demand([value])
            elif _is_float(value) and not _is_quantized(value):
                weights = Weights(value, _channels(node, index, value))
                self._found.weights.setdefault(weights, []).append((node, index))

    def _demand(self, values: Sequence[ir.Value]) -> list[ir.Value]:
        """Has the values quantized where they come from; returns where."""
        sources = [source for value in values for source in self._sources_of(value)]
        wanted = [source for source in sources if self._can_be_quantized(source)]
        self._found.activations.update(dict.fromkeys(wanted))
        return wanted

    def _can_be_quantized(self, value: ir.Value) -> bool:
        if not _is_float(value) or _is_quantized(value) or self._model.datatype(value) is not None:
            return False
        return not all(map(quantizes, value.consumers()))

    def _sources_of(self, value: ir.Value) -> list[ir.Value]:
        """The values whose elements these are, moved or chosen."""
        if value not in self._sources:
            self._sources[value] = self._look_back(value)
        return self._sources[value]

    def _look_back(self, value: ir.Value) -> list[ir.Value]:
        node = value.producer()
        if node is None:
            return [value]
        if self._hands_on(node) and node.inputs[0] is not None:
            return self._sources_of(node.inputs[0])
        if is_standard(node, "Concat") and all(v in self._streams for v in node.inputs):
            return [s for v in node.inputs if v is not None for s in self._sources_of(v)]
        return [value]

    def _hands_on(self, node: ir.Node) -> bool:
        if node.inputs[0] not in self._streams:
            return False
        if is_standard(node, "Resize", "Upsample"):
            return node.attributes.get_string("mode", "nearest") == "nearest"
        if is_standard(node, "Pad"):
            return self._pads_with_zero(node)
        return is_standard(node, *CHOICES, *MOVES)

    def _pads_with_zero(self, node: ir.Node) -> bool:
        fill = node.inputs[2] if len(node.inputs) > 2 else None
        array = np.zeros(1) if fill is None else self._model.constant(fill)
        plain = not node.attributes.get_float("value", 0.0)
        return plain and array is not None and not np.any(array)


def _values(model: Model) -> Iterator[ir.Value]:
    yield from model.graph.inputs
    for node in model.graph:
        yield from node.outputs


def _is_float(value: ir.Value) -> bool:
    return value.dtype == ir.DataType.FLOAT


def _is_quantized(value: ir.Value) -> bool:
    node = value.producer()
    return node is not None and quantizes(node)


def _channels(node: ir.Node, index: int, value: ir.Value) -> int | None:
    """The axis of the output channels in the weights of a product."""
    rank = 0 if value.shape is None else len(value.shape)
    if node.op_type == "Conv":
        return 0
    if node.op_type == "ConvTranspose":
        return 1 if node.attributes.get_int("group", 1) == 1 else None
    if rank < 2:
        return None
    transposed = node.attributes.get_int("transB" if index == 1 else "transA", 0)
    return rank - 1 if (index == 1) != bool(transposed) else rank - 2
