"""Elementwise nodes: what a chain may consist of, and what each does to a scaled integer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from brainsmith.api import Model, is_view
from brainsmith.builtin.transforms.scaled_integer import (
    MAX_RATIONAL_BITS,
    Affine,
    Chain,
    Rationals,
    bits,
    exact,
    uniform,
)

BROADCAST = frozenset({"Add", "Sub", "Mul", "Div", "Min", "Max", "Pow", "PRelu", "Clip"})
ALONG_AXIS = frozenset({"BatchNormalization", "DequantizeLinear"})
CURVES = frozenset({"Erf", "Exp", "Log", "Sigmoid", "Softplus", "Softsign", "Sqrt", "Tanh"})
RECTIFIERS = frozenset(
    {"Celu", "Elu", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Relu", "Selu"}
)
UNARY = CURVES | RECTIFIERS | {"Abs", "Cast", "Ceil", "Dropout", "Floor", "Neg", "Reciprocal"}
ELEMENTWISE = BROADCAST | ALONG_AXIS | UNARY | {"Round", "ThresholdedRelu"}

# Monotone for real numbers, which their approximations in float32 need not be to the last bit.
MONOTONE_CURVES = CURVES | {"Elu", "HardSigmoid", "Selu"}

# Monotone whatever rounding does: a correctly rounded operation never swaps two operands.
_RISING = frozenset({"Relu", "Clip", "Ceil", "Floor", "Round", "Min", "Max", "Dropout"})
_QUANTIZERS = frozenset({"Quant", "IntQuant", "BipolarQuant", "MultiThreshold", "QuantizeLinear"})

Constants = Sequence[NDArray[Any] | None]
"""The array of each operand of a node; None for the one that is no constant."""


def is_elementwise(node: ir.Node) -> bool:
    """Whether each element of the output depends on the same element of one operand alone."""
    if node.domain or node.op_type not in ELEMENTWISE:
        return False
    if node.op_type == "Cast":  # to integers it would round
        return node.outputs[0].dtype == ir.DataType.FLOAT
    return all(not v.uses() and not v.is_graph_output() for v in node.outputs[1:])


def operands(model: Model, node: ir.Node) -> list[NDArray[Any] | None]:
    """The constant operands of a node; None where one is missing or a stream."""
    return [None if v is None else model.constant(v) for v in node.inputs]


def aligned(node: ir.Node, parameter: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """A parameter in a form that broadcasts to `shape`: along the node's axis if it has one."""
    if node.domain == "" and node.op_type in {*ALONG_AXIS, "QuantizeLinear"} and parameter.ndim:
        axis = node.attributes.get_int("axis", 1) % max(len(shape), 1)
        return parameter.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return parameter


def affine_of(model: Model, chain: Chain) -> Affine | str:
    """The chain as an affine function in exact rationals, or why it is none.

    The roundings of float32 between the nodes are left out: this says what the network means.
    """
    known: Affine | None = None
    for link in chain.links():
        if link._affine is None:
            link._affine = _first(model, chain) if known is None else _next(model, link, known)
        if link._affine is None:
            name = link.node.name if link.node is not None else chain.anchor.real.name
            return f"'{name}' is not a scaling or an offset"
        known = link._affine
    assert known is not None  # a chain has a link
    return Affine(uniform(known.scale), uniform(known.bias))


def uniform_affine_of(model: Model, chain: Chain) -> Affine | str:
    """The chain as one scale, which is not 0, and one offset for all elements, or why not."""
    affine = affine_of(model, chain)
    if isinstance(affine, str):
        return f"its input is no scaled integer: {affine}"
    if affine.scale.ndim or affine.bias.ndim:
        return "the scale or offset of its input differs from element to element"
    return affine if affine.scale.item() else "its input is multiplied by zero"


def _first(model: Model, chain: Chain) -> Affine:
    shape = model.shape(chain.anchor.real)
    return Affine(spread(chain.anchor.scale, shape), spread(chain.anchor.bias, shape))


def spread(values: Rationals, shape: tuple[int, ...]) -> Rationals:
    """A scalar as it is; anything else with one entry per element of `shape`, flattened."""
    return values if values.ndim == 0 else np.broadcast_to(values, shape).reshape(-1)


def _next(model: Model, link: Chain, known: Affine) -> Affine | None:
    node = link.node
    assert node is not None and link.parent is not None  # only the first link has neither
    if is_view(node):
        return known
    shape = model.shape(link.parent.value)
    constants = [
        None if c is None or not _is_number(c) else aligned(node, c, shape)
        for c in operands(model, node)
    ]
    step = _AFFINE.get(node.op_type) if node.domain == "" else None
    if step is None:
        return _identity_on_range(model, link, known)
    result = step(node, known, [None if c is None else spread(exact(c), shape) for c in constants])
    if result is None or max(bits(result.scale), bits(result.bias)) > MAX_RATIONAL_BITS:
        return None
    return result


def _is_number(array: NDArray[Any]) -> bool:
    # NumPy does not count integers of 4 bits among its kinds of numbers.
    return array.dtype.kind in "fiu" or ir.DataType.from_numpy(array.dtype).is_integer()


def _add(node: ir.Node, x: Affine, c: Sequence[Rationals | None]) -> Affine:
    offset = next(v for v in c if v is not None)
    return x.plus(offset)


def _sub(node: ir.Node, x: Affine, c: Sequence[Rationals | None]) -> Affine:
    if c[0] is None:
        assert c[1] is not None
        return x.plus(np.asarray(-c[1]))
    return x.times(exact(-1)).plus(c[0])


def _mul(node: ir.Node, x: Affine, c: Sequence[Rationals | None]) -> Affine:
    return x.times(next(v for v in c if v is not None))


def _div(node: ir.Node, x: Affine, c: Sequence[Rationals | None]) -> Affine | None:
    divisor = c[1]
    if divisor is None or any(v == 0 for v in divisor.reshape(-1)):
        return None
    return x.times(np.asarray(Fraction(1) / divisor))


def _neg(node: ir.Node, x: Affine, c: Sequence[Rationals | None]) -> Affine:
    return x.times(exact(-1))


def _same(node: ir.Node, x: Affine, c: Sequence[Rationals | None]) -> Affine:
    return x


def _dequantize(node: ir.Node, x: Affine, c: Sequence[Rationals | None]) -> Affine | None:
    if c[1] is None:
        return None
    zero = c[2] if len(c) > 2 and c[2] is not None else exact(0)
    return x.plus(np.asarray(-zero)).times(c[1])


_AFFINE: Mapping[str, Callable[[ir.Node, Affine, Sequence[Rationals | None]], Affine | None]] = (
    MappingProxyType(
        {
            "Add": _add,
            "Sub": _sub,
            "Mul": _mul,
            "Div": _div,
            "Neg": _neg,
            "Cast": _same,
            "Dropout": _same,
            "DequantizeLinear": _dequantize,
        }
    )
)


def _identity_on_range(model: Model, link: Chain, known: Affine) -> Affine | None:
    """`known` where a Relu changes nothing because no reachable value is negative."""
    limits = model.range_of(link.anchor.value)
    assert link.node is not None
    if link.node.op_type != "Relu" or limits is None:
        return None
    ends = [np.asarray(known.scale * end + known.bias).reshape(-1) for end in limits]
    return known if all(v >= 0 for values in ends for v in values) else None


def directions(model: Model, node: ir.Node, shape: tuple[int, ...]) -> NDArray[Any] | str:
    """Whether a node is monotone in float32: +1 rising, -1 falling, 0 constant.

    Args:
        shape: of the value that the node reads.

    Returns:
        An array that broadcasts to `shape`, or the reason why this cannot be proved by looking
        at the node.
    """
    op = node.op_type
    rising = np.array(1)
    constants = operands(model, node)
    if is_view(node) or op in _RISING:
        return rising
    if op in _QUANTIZERS:
        return _quantizer_direction(node, constants, shape)
    if op == "Neg":
        return -rising
    if op == "Cast":
        return rising
    if op == "Add":
        return rising
    if op == "Sub":
        return rising if constants[0] is None else -rising
    if op == "Mul" or (op == "Div" and constants[0] is None):
        return np.asarray(np.sign(next(c for c in constants if c is not None)))
    if op in ("BatchNormalization", "DequantizeLinear") and constants[1] is not None:
        return np.asarray(np.sign(aligned(node, constants[1], shape)))
    if op == "LeakyRelu" and node.attributes.get_float("alpha", 0.01) >= 0:
        return rising
    return f"{op} is not proved monotone in float32"


def _quantizer_direction(
    node: ir.Node, constants: Constants, shape: tuple[int, ...]
) -> NDArray[Any] | str:
    """The direction of the quantizer's codes, which a negative scale turns round."""
    if node.op_type in ("MultiThreshold", "BipolarQuant"):
        return np.array(1)
    if constants[1] is None:
        return "the scale is not constant"
    return np.asarray(np.sign(aligned(node, constants[1], shape)))
