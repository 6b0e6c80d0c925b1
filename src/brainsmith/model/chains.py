"""Evaluating a chain of nodes on many arrays at once, to the bit as the model computes it.

Every node is run by what runs it in the reference: ONNX Runtime with optimizations off, QONNX for
its operators. Frames are stacked along a new first axis where that provably changes no bit, and
run one by one elsewhere (a vectorized exponential may round differently at the end of an array).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx_ir as ir

from brainsmith.errors import ModelError
from brainsmith.model.constants import array_of
from brainsmith.model.dialects import QUANTIZERS, is_qonnx, is_standard
from brainsmith.model.model import Model
from brainsmith.model.operators import Operator
from brainsmith.model.views import is_view

# Each element depends on its own operands only, and rounds alike at every place of an array.
# Measured on ONNX Runtime 1.32; Softplus, Elu, Selu, Celu, Log, Sin, Mish and Atan do not.
_UNARY = (
    "Abs Cast Ceil Clip Erf Exp Floor Gelu HardSigmoid HardSwish Identity LeakyRelu Neg Not "
    "Reciprocal Relu Round Sigmoid Sign Softsign Sqrt Tanh ThresholdedRelu"
)
_BROADCAST = "Add Div Equal Greater GreaterOrEqual Less LessOrEqual Max Min Mul PRelu Sub Where"
ELEMENTWISE = frozenset(f"{_UNARY} {_BROADCAST}".split())
_ACROSS_CHANNELS = frozenset({"BatchNormalization", "QuantizeLinear", "DequantizeLinear"})
_COMPARISONS = 1 << 24

Operand = str | np.ndarray | None


class ChainEvaluator:
    """Nodes between two values, as a function of the first one alone.

    Args:
        model: the model that the nodes belong to.
        nodes: the nodes in their order. What they read besides `input_value` and each other's
            outputs is constant.
        input_value: the value that is given.
        output_value: the value that is returned.

    Raises:
        ModelError: a node reads something else that is not constant.
    """

    def __init__(
        self,
        model: Model,
        nodes: Sequence[ir.Node],
        input_value: ir.Value,
        output_value: ir.Value,
    ) -> None:
        self._input = input_value.name or ""
        self._output = output_value.name or ""
        known = {self._input}
        self._steps = []
        for node in nodes:
            self._steps.append(_Step(model, node, known))
            known.update(value.name or "" for value in node.outputs)

    @property
    def is_elementwise(self) -> bool:
        """Whether each element depends on its own alone, and rounds alike at every place."""
        return all(step.is_elementwise() for step in self._steps)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Evaluates the chain.

        Args:
            x: `(n, *shape)` where `shape` is that of the input value, its batch included; of the
                input value's element type (float32).

        Returns:
            `(n, *shape)` of the output value.
        """
        values = {self._input: np.ascontiguousarray(x)}
        for step in self._steps:
            values[step.output] = step(values)
        return values[self._output]


class _Step:
    """One node on stacked values."""

    def __init__(self, model: Model, node: ir.Node, known: set[str]) -> None:
        self._model = model
        self._node = node
        self._operator = Operator(node, model.ir)
        self._where = node.name or node.op_type
        self.output = node.outputs[0].name or ""
        self._operands = [self._operand(value, known) for value in node.inputs]

    def _operand(self, value: ir.Value | None, known: set[str]) -> Operand:
        if value is None:
            return None
        if value.name in known:
            return value.name
        array = array_of(value)
        if array is None:
            raise ModelError(
                f"the chain depends on '{value.name}', which is not constant",
                where=f"node '{self._where}'",
            )
        return array

    def __call__(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        operands = [values[o] if isinstance(o, str) else o for o in self._operands]
        stacked = [isinstance(o, str) for o in self._operands]
        frames = len(values[next(o for o in self._operands if isinstance(o, str))])
        if is_view(self._node):
            return self._reshaped(operands[0], frames)
        if self.is_elementwise():
            return self._broadcast(operands, stacked)
        if self._is_channelwise(operands, stacked):
            return self._merged(operands, frames)
        runs = [self._operator(_frame(operands, stacked, i)) for i in range(frames)]
        return np.stack(runs)

    def is_elementwise(self) -> bool:
        """Whether stacked values may be one array."""
        if is_qonnx(self._node):
            return self._node.op_type in QUANTIZERS
        if not is_standard(self._node):
            return False
        if self._node.op_type in ELEMENTWISE:
            return True
        if self._node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            return False
        scale = self._operands[1]
        return isinstance(scale, np.ndarray) and scale.ndim == 0

    def _is_channelwise(self, operands: Sequence[np.ndarray | None], stacked: list[bool]) -> bool:
        """Whether only the first operand is stacked, and its first dimension is a mere batch."""
        first = operands[0]
        if first is None or first.ndim < 3 or stacked != [True] + [False] * (len(stacked) - 1):
            return False
        if is_qonnx(self._node):
            return self._node.op_type == "MultiThreshold"
        axis = self._node.attributes.get_int("axis", 1) % (first.ndim - 1)
        return is_standard(self._node, *_ACROSS_CHANNELS) and axis != 0

    def _reshaped(self, x: np.ndarray | None, frames: int) -> np.ndarray:
        assert x is not None  # a view has a first input
        if self._node.outputs[0].shape is None:
            return np.stack([self._operator([frame, *self._constants()]) for frame in x])
        return x.reshape(frames, *self._model.shape(self._node.outputs[0]))

    def _constants(self) -> list[np.ndarray | None]:
        return [o if isinstance(o, np.ndarray) else None for o in self._operands[1:]]

    def _broadcast(
        self, operands: Sequence[np.ndarray | None], stacked: Sequence[bool]
    ) -> np.ndarray:
        ranks = [o.ndim - int(s) for o, s in zip(operands, stacked, strict=True) if o is not None]
        padded = [
            _padded(o, max(ranks)) if s and o is not None else o
            for o, s in zip(operands, stacked, strict=True)
        ]
        return self._operator(padded)

    def _merged(self, operands: Sequence[np.ndarray | None], frames: int) -> np.ndarray:
        x = operands[0]
        assert x is not None  # _is_channelwise
        batch = x.reshape(frames * x.shape[1], *x.shape[2:])
        rows = len(batch)
        if self._node.op_type == "MultiThreshold" and operands[1] is not None:
            # QONNX compares every element with every threshold at once.
            rows = max(1, _COMPARISONS // (batch[0].size * operands[1].shape[-1]))
        parts = [
            self._operator([batch[i : i + rows], *operands[1:]]) for i in range(0, len(batch), rows)
        ]
        y = np.concatenate(parts)
        return y.reshape(frames, x.shape[1], *y.shape[1:])


def _frame(
    operands: Sequence[np.ndarray | None], stacked: Sequence[bool], i: int
) -> list[np.ndarray | None]:
    return [o[i] if s and o is not None else o for o, s in zip(operands, stacked, strict=True)]


def _padded(x: np.ndarray, rank: int) -> np.ndarray:
    return x.reshape(x.shape[0], *[1] * (rank - x.ndim + 1), *x.shape[1:])
