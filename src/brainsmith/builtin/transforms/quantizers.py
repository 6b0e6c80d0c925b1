"""Quantizers: nodes that turn real numbers into codes on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from brainsmith.api import BIPOLAR, IntType, Model
from brainsmith.builtin.transforms.scaled_integer import Rationals, exact, to_float64

QONNX = "qonnx.custom_op.general"
_QONNX_OPS = frozenset({"Quant", "IntQuant", "BipolarQuant", "MultiThreshold", "Trunc"})


@dataclass(frozen=True, eq=False)
class Grid:
    """The grid of a quantizer: `real = scale * (code - zero)`.

    Attributes:
        scale: a scalar, or an array that broadcasts to the quantizer's output.
        zero: the code of the real number 0 (it may lie between two codes); as `scale`.
        datatype: that of the codes as the node declares it; None if only its input tells.
    """

    scale: Rationals
    zero: Rationals
    datatype: IntType | None

    def codes(self, real: NDArray[Any], scale: NDArray[Any], zero: NDArray[Any]) -> NDArray[Any]:
        """The codes, int64, of values on the grid; `scale` and `zero` broadcast to `real`."""
        return np.asarray(np.rint(real.astype(np.float64) / scale + zero), np.int64)


def is_quantizer(node: ir.Node) -> bool:
    """Whether the node turns real numbers into codes."""
    if node.domain == QONNX:
        return node.op_type in _QONNX_OPS
    return node.domain == "" and node.op_type in ("QuantizeLinear", "Sign")


def grid_of(model: Model, node: ir.Node) -> Grid | str:
    """The grid of a quantizer, or why it has no fixed one."""
    constants = [None if v is None else model.constant(v) for v in node.inputs[1:]]
    needed = 1 if node.op_type == "QuantizeLinear" else len(constants)
    if any(c is None for c in constants[:needed]):
        return f"the scale or another parameter of the {node.op_type} is computed from the input"
    params = [c for c in constants if c is not None]
    if node.op_type in ("Quant", "IntQuant"):
        return _quant(node, params)
    if node.op_type == "BipolarQuant":
        return _on_zero(params[0], BIPOLAR)
    if node.op_type == "MultiThreshold":
        return _multi_threshold(node, params[0])
    if node.op_type == "Trunc":
        return _trunc(params)
    if node.op_type == "Sign":
        return Grid(exact(1), exact(0), IntType(2, signed=True))
    return Grid(exact(1), exact(0), model.datatype(node.outputs[0]))


def _on_zero(scale: NDArray[Any], datatype: IntType | None) -> Grid | str:
    if not np.isfinite(scale).all() or (scale == 0).any():
        return "the scale is zero"
    return Grid(exact(scale), exact(0), datatype)


def _quant(node: ir.Node, params: list[NDArray[Any]]) -> Grid | str:
    scale, zero, bits = params
    if (scale == 0).any():
        return "the scale is zero"
    if bits.size != 1 or float(bits.reshape(-1)[0]) % 1 or not 1 <= bits.reshape(-1)[0] <= 32:
        return "the width is not one whole number of bits up to 32"
    width = int(bits.reshape(-1)[0])
    signed = bool(node.attributes.get_int("signed", 1))
    datatype = BIPOLAR if signed and width == 1 else IntType(width, signed=signed)
    return Grid(exact(scale), exact(zero), datatype)


def _multi_threshold(node: ir.Node, thresholds: NDArray[Any]) -> Grid | str:
    scale = Fraction(node.attributes.get_float("out_scale", 1.0))
    bias = Fraction(node.attributes.get_float("out_bias", 0.0))
    if scale == 0:
        return "out_scale is zero"
    steps = thresholds.shape[-1]
    if steps == 1 and 2 * bias == -scale:
        return Grid(exact(scale / 2), exact(0), BIPOLAR)
    lowest = bias / scale
    if lowest.denominator != 1:
        return Grid(exact(scale), exact(-lowest), IntType.covering(0, steps))
    first = int(lowest)
    return Grid(exact(scale), exact(0), IntType.covering(first, first + steps))


def _trunc(params: list[NDArray[Any]]) -> Grid | str:
    """Trunc of QONNX: version 1 has five inputs and keeps the scale, version 2 has six."""
    if len(params) < 5:
        return _on_zero(params[0], None)
    ratio = exact(2.0 ** np.round(np.log2(params[3] / params[0])))
    zero = np.asarray(exact(params[1]) / ratio)
    return Grid(exact(params[3]), zero, None)


def anchor_terms(grid: Grid, channels: int) -> tuple[Rationals, Rationals] | None:
    """Scale and bias of the codes, scalars or one per channel of the last dimension.

    None where they differ along another dimension.
    """
    terms = []
    for values in (grid.scale, np.asarray(-grid.scale * grid.zero)):
        if values.ndim and values.size != 1 and values.size != values.shape[-1]:
            return None
        if values.ndim and values.size not in (1, channels):
            return None
        flat = values.reshape(-1)
        terms.append(exact(to_float64(values)) if flat.size == 0 else _collapsed(values))
    return terms[0], terms[1]


def _collapsed(values: Rationals) -> Rationals:
    flat = values.reshape(-1)
    if all(v == flat[0] for v in flat[1:]):
        return exact(flat[0])
    return flat
