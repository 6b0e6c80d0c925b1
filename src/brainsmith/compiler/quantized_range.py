"""The range of a real input: what the quantizer that reads it tells apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from brainsmith.model.model import Model
from brainsmith.model.valuetypes import element_datatype
from brainsmith.model.views import is_view

_AFFINE = ("Add", "Sub", "Mul", "Div")
Range = tuple[float, float]


def quantized_range(model: Model, value: ir.Value) -> Range | None:
    """The least and the greatest real that the quantizers behind `value` represent.

    Views, and sums and products with constants, may lie between. Where channels have ranges of
    their own it is from the least to the greatest of all; None where no quantizer reads `value`.
    """
    found = list(_ranges(model, value))
    if not found:
        return None
    lo, hi = min(lo for lo, _ in found), max(hi for _, hi in found)
    return (lo, hi) if np.isfinite([lo, hi]).all() and lo < hi else None


def _ranges(model: Model, value: ir.Value) -> Iterator[Range]:
    for use in value.uses():
        node = use.node
        if is_view(node):
            yield from _ranges(model, node.outputs[0])
        elif node.op_type in _AFFINE:
            yield from _before(model, node, use.idx)
        elif use.idx == 0 and (ends := _ends(model, node)) is not None:
            yield float(np.min(ends)), float(np.max(ends))


def _before(model: Model, node: ir.Node, index: int) -> Iterator[Range]:
    """The ranges behind a sum or product with a constant, carried back through it."""
    other = node.inputs[1 - index]
    constant = None if other is None else model.constant(other)
    if constant is None:
        return
    c = constant.astype(np.float64)
    for ends in _ranges(model, node.outputs[0]):
        y = np.asarray(ends).reshape((2,) + (1,) * c.ndim)
        with np.errstate(all="ignore"):  # a division by zero is left out below
            x = _inverse(node.op_type, index, y, c)
        x = x[np.isfinite(x)]
        if x.size:
            yield float(x.min()), float(x.max())


def _inverse(op_type: str, index: int, y: np.ndarray, c: np.ndarray) -> np.ndarray:
    """x of y = x op c (index 0) or y = c op x (index 1)."""
    if op_type == "Add":
        return np.asarray(y - c)
    if op_type == "Mul":
        return np.asarray(y / c)
    if op_type == "Sub":
        return np.asarray(y + c if index == 0 else c - y)
    return np.asarray(y * c if index == 0 else c / y)


def _ends(model: Model, node: ir.Node) -> np.ndarray | None:
    """The least and greatest real that a quantizer represents; None for any other node."""
    operands = [None if v is None else model.constant(v) for v in node.inputs[1:]]
    known = [np.asarray(o, dtype=np.float64) for o in operands if o is not None]
    if len(known) != len(operands) or not known:
        return None
    if node.op_type == "BipolarQuant":
        return np.stack([-known[0], known[0]])
    if node.op_type == "MultiThreshold":
        return np.stack([known[0].min(), known[0].max()])
    if node.op_type == "Quant":
        scale, zero, bits = known
        lo, hi = _integers(node, float(bits.max()))
        return np.stack(np.broadcast_arrays((lo - zero) * scale, (hi - zero) * scale))
    if node.op_type == "QuantizeLinear":
        codes = node.inputs[2] if len(known) > 1 else node.outputs[0]
        dtype = None if codes is None else element_datatype(codes)
        zero = known[1] if len(known) > 1 else np.zeros(())
        if dtype is not None:
            ends = [(end - zero) * known[0] for end in (dtype.min, dtype.max)]
            return np.stack(np.broadcast_arrays(*ends))
    return None


def _integers(node: ir.Node, bits: float) -> Range:
    """The least and greatest integer of a QONNX Quant."""
    signed = node.attributes.get_int("signed", 1)
    narrow = node.attributes.get_int("narrow", 0)
    if signed:
        return -(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1
    return 0.0, 2**bits - 1 - narrow
