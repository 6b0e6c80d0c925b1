"""What several operations ask of the nodes that they match."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import numpy as np

from brainsmith.api import NodeView, NoMatch, ValueView

STANDARD = ("", "ai.onnx")


def is_standard(node: NodeView, *op_types: str) -> bool:
    """Whether the node is one of the named operators of ONNX itself."""
    return node.op_type in op_types and node.domain in STANDARD


def operand(node: NodeView, index: int) -> ValueView | None:
    """The input at `index`, or None where it is absent."""
    return node.inputs[index] if index < len(node.inputs) else None


def given_integers(node: NodeView, name: str, index: int) -> tuple[int, ...] | None:
    """What newer versions of an operator take as the input `index`, and older ones as an attribute.

    None where it is neither there nor constant; see `not_constant`.
    """
    stored = operand(node, index)
    if stored is not None and stored.constant is not None:
        return tuple(int(value) for value in stored.constant.reshape(-1))
    listed = node.attributes.get(name)
    if listed is None:
        return None
    return tuple(int(value) for value in cast(Sequence[int], listed))


def not_constant(node: NodeView) -> NoMatch | None:
    """The refusal of a node that has a stream beyond its first input; None where it has not."""
    for value in node.inputs[1:]:
        if value is not None and value.constant is None:
            return NoMatch(f"the input '{value.name}' is not constant", close=True)
    return None


def rows_and_channels(shape: Sequence[int]) -> dict[str, int]:
    """The dimensions N, all but the last together, and C, the last one."""
    if not shape:
        return {"N": 1, "C": 1}
    return {"N": math.prod(shape[:-1]), "C": shape[-1]}


def not_integer(value: ValueView | None, what: str) -> NoMatch | None:
    """The refusal of a value that is absent or a float; None for an integer."""
    if value is None:
        return NoMatch(f"{what} is missing", close=True)
    if value.dtype is None:
        return NoMatch(f"{what} '{value.name}' is a float, not an integer", close=True)
    return None


def integers(array: np.ndarray) -> np.ndarray | None:
    """The array as int64, or None where it holds what is no integer of 64 bits."""
    if array.dtype.kind in "iub":
        fits = array.dtype.kind != "u" or not array.size or int(array.max()) < 1 << 63
        return array.astype(np.int64) if fits else None
    if not np.isfinite(array).all() or (np.abs(array) >= 2.0**63).any():
        return None
    whole = array.astype(np.int64)
    return whole if (whole == array).all() else None
