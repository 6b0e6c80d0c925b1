"""How far a float32 sum of products may lie from the exact one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from brainsmith.model.model import Model
from brainsmith.model.operators import Operator
from brainsmith.model.views import is_view

UNIT = 2.0**-24
"""The unit roundoff of float32."""

# The two operands of a term and the result are rounded as well.
_OTHER_ROUNDINGS = 3


_WINDOWS = ("AveragePool", "Conv", "GlobalAveragePool", "ReduceMean")
# They hand elements on; of the greatest of several sums the bound is the greatest of theirs.
_MOVES = (
    *("DepthToSpace", "Flatten", "MaxPool", "Reshape", "Resize", "Squeeze", "Transpose"),
    *("Unsqueeze", "Upsample"),
)


@dataclass(frozen=True, eq=False)
class SumBound:
    """`n * 2^-24 * sum|terms|` for every element of a sum in the original model.

    Sums are the results of MatMul, Gemm, convolution and mean pooling, and of Add, Sub and Mul of
    two values that both depend on the inputs; and what only moves such sums or chooses among them.

    Attributes:
        source: the bound of what the node hands on, if it only does that.
    """

    model: Model
    node: ir.Node
    source: SumBound | None = None

    @classmethod
    def of(cls, model: Model, value: ir.Value) -> SumBound | None:
        """The bound of `value`; None if it is no sum."""
        node = value.producer()
        if node is None or node.domain != "":
            return None
        if node.op_type in _MOVES and node.inputs[0] is not None:
            source = cls.of(model, node.inputs[0])
            return None if source is None else cls(model, node, source)
        if node.op_type in ("MatMul", "Gemm", *_WINDOWS):
            return cls(model, node)
        if node.op_type in ("Add", "Sub", "Mul"):
            streams = [v for v in node.inputs if v is not None and model.constant(v) is None]
            return cls(model, node) if len(streams) == 2 else None
        return None

    @property
    def reads(self) -> set[str]:
        """The values that the bound depends on, constants left out."""
        if self.source is not None:
            return self.source.reads
        operands = (v for v in self.node.inputs if v is not None)
        return {v.name or "" for v in operands if not v.is_initializer()}

    def __call__(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """The bound of every element, float64, from the values that the sum reads."""
        if self.source is not None:
            return self._moved(self.source(values))
        operands = [np.abs(self._array(v, values).astype(np.float64)) for v in self._operands]
        if self.node.op_type in _WINDOWS:
            return self._window(operands)
        if self.node.op_type == "Mul":
            return np.asarray(_OTHER_ROUNDINGS * UNIT * operands[0] * operands[1])
        if self.node.op_type in ("Add", "Sub"):
            return np.asarray(_OTHER_ROUNDINGS * UNIT * (operands[0] + operands[1]))
        if self.node.op_type == "MatMul":
            count = operands[0].shape[-1] + _OTHER_ROUNDINGS
            return np.asarray(count * UNIT * (operands[0] @ operands[1]))
        return self._gemm(operands)

    def _moved(self, bound: np.ndarray) -> np.ndarray:
        """The node itself on the bound, in float32 and so with a rounding of its own."""
        others = [None if v is None else self.model.constant(v) for v in self.node.inputs[1:]]
        moved = Operator(self.node, self.model.ir)([bound.astype(np.float32), *others])
        return np.asarray(moved.astype(np.float64) * (1 + 2 * UNIT))

    def _window(self, operands: list[np.ndarray]) -> np.ndarray:
        """The node itself on the magnitudes; its own roundings are far smaller than the bound."""
        magnitudes = [operand.astype(np.float32) for operand in operands]
        if self.node.op_type == "ReduceMean":  # newer operator sets give it its axes as an input
            magnitudes[1:] = [self._array(v, {}) for v in self._operands[1:]]
        terms = Operator(self.node, self.model.ir)(magnitudes)
        if self.node.op_type == "Conv":
            count = operands[1][0].size
        elif self.node.op_type == "AveragePool":
            count = int(np.prod(self.node.attributes["kernel_shape"].as_ints()))
        else:
            count = operands[0][0, 0].size
        return np.asarray((count + _OTHER_ROUNDINGS + 1) * UNIT * terms.astype(np.float64))

    def _gemm(self, operands: list[np.ndarray]) -> np.ndarray:
        attributes = self.node.attributes
        a = operands[0].T if attributes.get_int("transA", 0) else operands[0]
        b = operands[1].T if attributes.get_int("transB", 0) else operands[1]
        terms = abs(attributes.get_float("alpha", 1.0)) * (a @ b)
        if len(operands) > 2:
            terms = terms + abs(attributes.get_float("beta", 1.0)) * operands[2]
        # A bias, and alpha and beta, are one rounding more each.
        return np.asarray((a.shape[-1] + _OTHER_ROUNDINGS + 3) * UNIT * terms)

    @property
    def _operands(self) -> list[ir.Value]:
        return [v for v in self.node.inputs if v is not None]

    def _array(self, value: ir.Value, values: Mapping[str, np.ndarray]) -> np.ndarray:
        constant = self.model.constant(value)
        return values[value.name or ""] if constant is None else constant


def unsigned_source(model: Model, value: ir.Value) -> str:
    """The name of the value behind views, and behind a product with signs."""
    while value.name not in model.origins:
        node = value.producer()
        if node is None or not (is_view(node) or node.op_type == "Mul") or node.inputs[0] is None:
            break
        value = node.inputs[0]
    return value.name or ""
