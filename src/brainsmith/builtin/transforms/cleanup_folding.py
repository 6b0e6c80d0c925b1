"""Constant folding: what does not depend on the inputs is computed once, at compile time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from brainsmith.api import (
    QUANTIZERS,
    captured,
    evaluate,
    infer_shapes,
    is_constant,
    is_qonnx,
    is_standard,
    transform,
)

if TYPE_CHECKING:
    import onnx_ir as ir

    from brainsmith.api import Model, TransformConfig

_RANDOM = frozenset(
    {
        "Bernoulli",
        "Multinomial",
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
    }
)
# A few bytes of ConstantOfShape or Expand can ask for any amount of memory.
_MAX_ELEMENTS = 1 << 24


@transform(
    name="FoldConstants",
    stage="graph_cleanup",
    description="Computes once what does not depend on the inputs; quantized weights stay.",
    author="Brainsmith",
    version="2.0.0",
    license="Apache-2.0",
    tags=["constants"],
)
class FoldConstants:
    """Replaces nodes that compute constants by initializers of the same names.

    1. A Constant node becomes an initializer.
    2. Shape and Size of a value whose shape is known are constants.
    3. A node that reads only constants is executed as in the reference execution: ONNX Runtime
       with its optimizations off, QONNX for its operators.
    4. Quantizers of weights (Quant and its kin, DequantizeLinear) stay, and so does what has
       random results or would be unreasonably large.
    """

    def apply(self, model: Model, config: TransformConfig) -> Model:
        infer_shapes(model)
        shapes: dict[str, np.ndarray] = {}
        computed: list[ir.Node] = []
        folded: dict[ir.Value, ir.Node] = {}
        for node in model.graph:
            shape = _shape_of(node, model)
            if shape is not None:
                shapes[node.outputs[0].name or ""] = shape
            elif _is_foldable(node, folded):
                computed.append(node)
            else:
                continue
            folded.update(dict.fromkeys(node.outputs, node))
        _replace(model, folded, shapes, computed)
        return model


def fold(model: Model, nodes: Sequence[ir.Node]) -> None:
    """Replaces nodes that read only constants and each other, in their order, by initializers.

    What is an output of the graph stays computed.
    """
    folded = {value: node for node in nodes for value in node.outputs}
    _replace(model, folded, {}, nodes)


def _replace(
    model: Model,
    folded: Mapping[ir.Value, ir.Node],
    known: Mapping[str, np.ndarray],
    computed: Sequence[ir.Node],
) -> None:
    wanted = _leaving(folded)
    names = [name for value in wanted if (name := value.name or "") not in known]
    arrays = {**known, **evaluate(model, computed, names, known)}
    for value in wanted:
        model.make_constant(value, arrays[value.name or ""])
    for node in reversed(dict.fromkeys(folded.values())):
        used = any(value.uses() or value.is_graph_output() for value in node.outputs)
        if not used and node.graph is not None:
            model.graph.remove(node, safe=True)


def _leaving(folded: Mapping[ir.Value, ir.Node]) -> list[ir.Value]:
    """The folded values that a node which is not folded reads; outputs of the graph stay."""
    inside = set(folded.values())
    return [
        value
        for value in folded
        if not value.is_graph_output() and any(user not in inside for user in value.consumers())
    ]


def _is_foldable(node: ir.Node, folded: Mapping[ir.Value, ir.Node]) -> bool:
    # Quantized weights stay as they are: streamlining wants integer codes and scales apart.
    if is_standard(node, "DequantizeLinear") or (is_qonnx(node) and node.op_type in QUANTIZERS):
        return False
    if node.op_type in _RANDOM or not (is_standard(node) or is_qonnx(node)):
        return False
    if not all(value in folded or is_constant(value) for value in captured([node])):
        return False
    return all(_size(value) <= _MAX_ELEMENTS for value in node.outputs)


def _size(value: ir.Value) -> int:
    if not value.name:  # an optional output that is left out
        return 0
    if value.shape is None or not value.shape.is_static():
        return _MAX_ELEMENTS + 1
    return math.prod(value.shape.numpy())


def _shape_of(node: ir.Node, model: Model) -> np.ndarray | None:
    """What a Shape or Size node computes, where the shape of its input is known."""
    source = node.inputs[0] if node.inputs else None
    if not is_standard(node, "Shape", "Size") or source is None or source.shape is None:
        return None
    if not source.shape.is_static():
        return None
    shape = model.shape(source)
    if node.op_type == "Size":
        return np.array(math.prod(shape), dtype=np.int64)
    start = node.attributes.get_int("start", 0)
    end = node.attributes.get_int("end", len(shape))
    return np.array(shape[start:end], dtype=np.int64)
