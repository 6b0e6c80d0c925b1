"""Streamlining: from a quantized network in floating point to one on integers.

A pass from the inputs to the outputs that knows, for every float value, the integer value that it
depends on and the nodes between the two (a chain). Where a chain ends

1. in a quantizer, both become thresholds on the integer, proved equal on its reachable range;
2. in a product with quantized weights, the product becomes one of integers;
3. in ArgMax or TopK, the choice is made on the integers;
4. in a sum or product with another chain, it becomes one of integers where the scales allow it;
5. in anything else, the value is dequantized and the rest stays as it is, with the reason noted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from brainsmith.api import (
    CHANNELS_LAST,
    Model,
    Note,
    Origin,
    TransformConfig,
    is_view,
    transform,
)
from brainsmith.builtin.transforms import elementwise, moves, products, sums, weights
from brainsmith.builtin.transforms.activations import integer_codes
from brainsmith.builtin.transforms.chain_function import ChainFunction
from brainsmith.builtin.transforms.cleanup_folding import fold
from brainsmith.builtin.transforms.convolutions import integer_convolution
from brainsmith.builtin.transforms.integer_graph import IntegerGraph, limits_of, set_integer
from brainsmith.builtin.transforms.quantizers import is_quantizer
from brainsmith.builtin.transforms.scaled_integer import (
    Anchor,
    Chain,
    along_last,
    combined,
    exact,
    labels_of,
    read_once,
    to_float64,
)
from brainsmith.builtin.transforms.selection import Order, order_of
from brainsmith.builtin.transforms.survivors import rename, settle

MAX_CARRIED_BITS = 25
_ON_HOST = "its input is a real number, which the host quantizes"
_NO_QUANTIZER = "no quantizer follows it, so its result stays a real number"


@transform(
    name="Streamline",
    stage="topology_optimization",
    description="Turns scales, biases, normalizations and activations into integer operations",
    author="Brainsmith",
    version="2.0.0",
    license="Apache-2.0",
    tags=["integer", "thresholds"],
)
class Streamline:
    """Turns a quantized network in floating point into the compiled integer model."""

    def apply(self, model: Model, config: TransformConfig) -> Model:
        """The integer model.

        Integer values carry their datatype, range and origin. What stays in floating point is
        noted with its reason.

        Raises:
            ModelError: an activation that is not monotone ends in a quantizer.
        """
        return _Pass(model.copy()).run()


class _Pass:
    def __init__(self, model: Model) -> None:
        self._model = model
        # Of values in floating point; the integers behind them take these over.
        self._before = {n: o for n, o in model.origins.items() if not _is_integer(model, n)}
        for name in self._before:
            del model.origins[name]
        self._graph = IntegerGraph(model)
        self._chains: dict[ir.Value, Chain] = {}
        self._anchors: dict[ir.Value, Anchor] = {}
        self._names: dict[ir.Value, str] = {}
        self._constants: set[ir.Value] = set()
        self._reasons: dict[ir.Node, str] = {}
        self._handlers: dict[tuple[str, str], Callable[[ir.Node], str | None]] = {
            ("", "MatMul"): self._product,
            ("", "Gemm"): self._product,
            ("", "ArgMax"): self._selection,
            ("", "TopK"): self._selection,
            ("", "Concat"): self._concatenation,
            ("", "DepthToSpace"): partial(self._move, moves.integer_move),
            ("", "Pad"): partial(self._move, moves.integer_pad),
            ("", "Resize"): self._resize,
            ("", "Split"): self._split,
            ("", "Transpose"): partial(self._move, moves.integer_move),
            ("", "Upsample"): self._resize,
            (CHANNELS_LAST, "Conv"): partial(self._move, integer_convolution),
            (CHANNELS_LAST, "MaxPool"): partial(self._move, moves.integer_move),
        }

    def run(self) -> Model:
        nodes = list(self._model.graph)
        for value in list(self._model.graph.inputs):
            self._input(value)
        for node in nodes:
            reason = self._node(node)
            if reason is not None:
                self._reasons[node] = reason
        settle(self._graph, self._anchors)
        staying = self._fold_constants()
        rename(self._graph, {self._original(real): a for real, a in self._anchors.items()})
        self._record(staying)
        return self._model

    def _fold_constants(self) -> list[ir.Node]:
        """Computes quantized constants that nodes in floating point read; what then stays."""
        graph = self._model.graph
        fold(self._model, [n for n in graph if self._constants.issuperset(n.outputs)])
        return [node for node in graph if node not in self._graph.added]

    # --- what a node becomes --------------------------------------------------------------

    def _input(self, value: ir.Value) -> None:
        """An input with an integer datatype is an anchor; integers travel in float32.

        Integers that float32 does not hold (indices in int64, say) stay what they are.
        """
        limits, datatype = self._model.range_of(value), self._model.datatype(value)
        if datatype is None or datatype.bits > MAX_CARRIED_BITS:
            return
        real = value
        first = next(iter(value.consumers()), None)
        if value.dtype not in (None, ir.DataType.FLOAT) and first is not None:
            element = value.dtype
            users = list(value.uses())
            real = self._graph.add(
                "Cast",
                [value],
                old=next(iter(self._model.graph)),
                shape=self._model.shape(value),
                element=element,
                attributes={"to": int(element)},
            )
            for user, index in users:
                user.replace_input_with(index, real)
            value.type = ir.TensorType(ir.DataType.FLOAT)
            assert limits is not None
            set_integer(self._model, value, limits, datatype)
        self._anchor(Anchor(value, real, exact(1), exact(0), on_host=True))

    def _node(self, node: ir.Node) -> str | None:
        """Handles a node; returns the reason if it stays in floating point."""
        streams = [v for v in node.inputs if v is not None and not self._is_constant(v)]
        if not streams:
            if weights.keeps_constant(self._model, node):
                self._constants.update(node.outputs)
            return None
        if is_quantizer(node):
            return self._take(integer_codes(self._graph, node, self._chain_of(node, 0)))
        handler = self._handlers.get((node.domain, node.op_type))
        if handler is not None:
            return handler(node)
        if is_view(node):
            return self._extend(node, None)
        if len(streams) == 2 and node.domain == "" and node.op_type in ("Add", "Sub", "Mul"):
            return self._combination(node)
        if len(streams) == 1 and elementwise.is_elementwise(node):
            return self._elementwise(node, streams[0])
        return _unknown(node)

    def _is_constant(self, value: ir.Value) -> bool:
        if value.is_initializer() or value in self._constants:
            return True
        node = value.producer()
        return node is not None and node.domain == "" and node.op_type == "Constant"

    def _elementwise(self, node: ir.Node, stream: ir.Value) -> str | None:
        chain = self._chains.get(stream)
        if chain is None:
            return None
        shape = self._model.shape(stream)
        if self._model.shape(node.outputs[0]) != shape:
            return "it broadcasts its input to another shape"
        labels = None
        for index, value in enumerate(node.inputs):
            if value is None or value is stream:
                continue
            array = self._materialized(node, index, value)
            if isinstance(array, str):
                return array
            labels = combined(labels, labels_of(elementwise.aligned(node, array, shape), shape))
        return self._extend(node, labels, stream)

    def _materialized(
        self, node: ir.Node, index: int, value: ir.Value
    ) -> NDArray[np.generic] | str:
        """A constant operand; what a quantizer makes of a constant becomes an initializer."""
        array = self._model.constant(value)
        if array is not None:
            return array
        made = weights.array_of(self._model, value)
        if not isinstance(made, str):
            constant = self._model.add_initializer(f"{value.name}_value", made)
            node.replace_input_with(index, constant)
        return made

    def _extend(
        self, node: ir.Node, labels: NDArray[np.int64] | None, stream: ir.Value | None = None
    ) -> str | None:
        stream = stream or node.inputs[0]
        chain = None if stream is None else self._chains.get(stream)
        if chain is None:
            return None
        self._chains[node.outputs[0]] = chain.extended(node, labels)
        return None

    def _product(self, node: ir.Node) -> str | None:
        chain = self._chain_of(node, 0)
        if chain is None:
            return "its input is a real number"
        if node.inputs[1] is None or not self._is_constant(node.inputs[1]):
            return "its second operand is not constant"
        return self._take(products.integer_product(self._graph, node, chain))

    def _move(
        self, make: Callable[[IntegerGraph, ir.Node, Chain], Anchor | str], node: ir.Node
    ) -> str | None:
        chain = self._chain_of(node, 0)
        return (
            "its input is a real number"
            if chain is None
            else self._take(make(self._graph, node, chain))
        )

    def _resize(self, node: ir.Node) -> str | None:
        if not moves.is_nearest(node):
            return "it mixes neighbouring elements"
        return self._move(moves.integer_move, node)

    def _concatenation(self, node: ir.Node) -> str | None:
        chains = [self._chain_of(node, i) for i in range(len(node.inputs))]
        if any(chain is None for chain in chains):
            return "an operand is a real number"
        known = [chain for chain in chains if chain is not None]
        return self._take(moves.integer_concatenation(self._graph, node, known))

    def _split(self, node: ir.Node) -> str | None:
        chain = self._chain_of(node, 0)
        if chain is None:
            return "its input is a real number"
        anchors = moves.integer_split(self._graph, node, chain)
        if isinstance(anchors, str):
            return anchors
        for anchor in anchors:
            self._anchor(anchor)
        return None

    def _combination(self, node: ir.Node) -> str | None:
        a, b = self._chain_of(node, 0), self._chain_of(node, 1)
        if a is None or b is None:
            return "an operand is a real number"
        return self._take(sums.integer_combination(self._graph, node, a, b))

    def _take(self, outcome: Anchor | str) -> str | None:
        if isinstance(outcome, str):
            return outcome
        self._anchor(outcome)
        return _ON_HOST if outcome.on_host else None

    # --- the choice of the greatest -------------------------------------------------------

    def _selection(self, node: ir.Node) -> str | None:
        chain = self._chain_of(node, 0)
        if chain is None:
            return "its input is a real number"
        reason = _not_top_one(self._model, node, self._model.shape(chain.value))
        if reason is not None:
            return reason
        function = ChainFunction(self._model, chain)
        limits = limits_of(self._model, chain.anchor.value)
        affine = elementwise.affine_of(self._model, chain)
        order = order_of(function, affine, *limits)
        if isinstance(order, str):
            return order
        return self._choose(node, chain, order)

    def _choose(self, node: ir.Node, chain: Chain, order: Order) -> str | None:
        model, graph = self._model, self._graph
        shape = model.shape(chain.value)
        value = graph.shaped(chain.anchor.value, shape, node)
        terms = [along_last(t, shape[-1]) for t in (order.multipliers, order.offsets)]
        if terms[0] is None or terms[1] is None:
            return "its elements differ in more than the last dimension"
        value = graph.scaled(value, terms[0], node)
        value = graph.shifted(value, terms[1], node)
        node.replace_input_with(0, value)
        index = node.outputs[-1]
        set_integer(model, index, (0, shape[-1] - 1))
        graph.keep(node)
        return None

    # --- bookkeeping ----------------------------------------------------------------------

    def _chain_of(self, node: ir.Node, index: int) -> Chain | None:
        value = node.inputs[index]
        return None if value is None else self._chains.get(value)

    def _anchor(self, anchor: Anchor) -> None:
        self._anchors[anchor.real] = anchor
        self._names[anchor.real] = anchor.real.name or ""
        exclusive = anchor.weights is not None and read_once(anchor.real)
        labels = None
        shape = self._model.shape(anchor.real)
        for term in (anchor.scale, anchor.bias):
            labels = combined(labels, labels_of(to_float64(term), shape))
        self._chains[anchor.real] = Chain(anchor, anchor.real, exclusive=exclusive, labels=labels)

    def _original(self, real: ir.Value) -> str:
        """The name of a value in the original model."""
        name = self._names[real]
        before = self._before.get(name)
        return name if before is None else before.value

    def _record(self, staying: list[ir.Node]) -> None:
        model = self._model
        here = set(model.graph)
        for anchor in self._anchors.values():
            if anchor.value is anchor.real or anchor.value.producer() not in here:
                continue
            before = self._before.get(self._names[anchor.real])
            layout = None if before is None else before.layout
            terms = to_float64(anchor.scale), to_float64(anchor.bias)
            original = self._original(anchor.real)
            if original:  # a transform may have made a value that the original model has not
                origin = Origin(original, *terms, layout)
                model.origins.setdefault(anchor.value.name or "", origin)
        for node in model.graph:
            if node in self._graph.on_host:
                model.notes.append(Note(node.name or "", self._graph.on_host[node]))
        noted = {note.node for note in model.notes}
        for node in staying:
            reason = self._reasons.get(node)
            if reason is None and not is_view(node):
                reason = _NO_QUANTIZER
            # An earlier transform may know better why there is nothing for a node.
            if reason is not None and not (node.name in noted and reason == _unknown(node)):
                model.notes.append(Note(node.name or "", reason))


def _unknown(node: ir.Node) -> str:
    return f"no integer form of {node.op_type} is known"


def _is_integer(model: Model, name: str) -> bool:
    value = model.find(name)
    return value is not None and model.datatype(value) is not None


def _not_top_one(model: Model, node: ir.Node, shape: tuple[int, ...]) -> str | None:
    """Why an ArgMax or TopK is not the choice of one index in the last dimension."""
    axis = node.attributes.get_int("axis", 0 if node.op_type == "ArgMax" else -1)
    if not shape or axis % len(shape) != len(shape) - 1:
        return "it does not choose along the last dimension"
    if node.op_type == "ArgMax":
        return None
    k = None if node.inputs[1] is None else model.constant(node.inputs[1])
    if k is None or k.reshape(-1)[0] != 1 or not node.attributes.get_int("largest", 1):
        return "it does not choose the one greatest element"
    values = node.outputs[0]
    if values.uses() or values.is_graph_output():
        return "its values are read, not only their index"
    return None
