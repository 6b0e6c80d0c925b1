"""Choosing the greatest of several scaled integers on the integers themselves.

ArgMax and TopK look at real numbers; the chain that leads to them is dropped where integers
`u = multiplier * q + offset` are proved to be in the same order for every reachable q.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsmith.builtin.transforms.chain_function import ChainFunction
from brainsmith.builtin.transforms.scaled_integer import Affine, to_float64

MAX_POINTS = 1 << 22
MAX_MULTIPLIER = 1 << 12
MAX_INTEGER = 1 << 24
"""Integers are carried in float32, which holds all of them up to here."""


@dataclass(frozen=True, eq=False)
class Order:
    """`u = multipliers * q + offsets` is in the order of the real values.

    Attributes:
        multipliers: int64, a scalar or one per element.
        offsets: as `multipliers`.
        ties: whether equal u always means equal real values.
    """

    multipliers: NDArray[np.int64]
    offsets: NDArray[np.int64]
    ties: bool = True


def order_of(function: ChainFunction, affine: Affine | str, lo: int, hi: int) -> Order | str:
    """Integers in the order of a chain's values on [lo, hi], or why none were found."""
    if (hi - lo + 1) * function.labels > MAX_POINTS:
        return f"{hi - lo + 1} integers are too many to try each for {function.labels} elements"
    if function.labels == 1:
        return _same_for_all(function, lo, hi)
    if isinstance(affine, str):
        return f"the channels are scaled differently, and {affine}"
    grid = _grid(affine)
    if isinstance(grid, str):
        return grid
    multipliers, offsets = grid
    return _proved(function, multipliers, offsets, lo, hi)


def _same_for_all(function: ChainFunction, lo: int, hi: int) -> Order | str:
    values = function(np.arange(lo, hi + 1, dtype=np.int64)[:, None])[:, 0]
    zero = np.array(0)
    if (np.diff(values) > 0).all():
        return Order(np.array(1), zero)
    if (np.diff(values) < 0).all():
        return Order(np.array(-1), zero)
    return "two integers give the same real value, or the order changes: a tie would differ"


def _grid(affine: Affine) -> tuple[NDArray[np.int64], NDArray[np.int64]] | str:
    """A common grid of all elements: their scales are small multiples of one unit."""
    scales = list(affine.scale.reshape(-1))
    if any(s == 0 for s in scales):
        return "an element is multiplied by zero"
    ratios = [s / min(abs(s) for s in scales) for s in scales]
    common = math.lcm(*(r.denominator for r in ratios))
    multipliers = np.array([int(r * common) if common < MAX_INTEGER else 0 for r in ratios], object)
    if common > MAX_MULTIPLIER or np.abs(multipliers).max() > MAX_MULTIPLIER:
        return "the scales of the channels have no small common multiple"
    unit = Fraction(min(abs(s) for s in scales), common)
    bias = affine.bias.reshape(-1)
    offsets = np.rint(to_float64(np.asarray(bias / unit)))
    if np.abs(offsets).max() > MAX_INTEGER:
        return "the offsets of the channels are too large for integers"
    return multipliers.astype(np.int64), offsets.astype(np.int64)


def _proved(
    function: ChainFunction,
    multipliers: NDArray[np.int64],
    offsets: NDArray[np.int64],
    lo: int,
    hi: int,
) -> Order | str:
    """Sorts all reachable (u, value) pairs: the value must rise with u."""
    q = np.arange(lo, hi + 1, dtype=np.int64)[:, None]
    values = function(np.broadcast_to(q, (len(q), function.labels))).astype(np.float64)
    m, c = (_spread(function, v) for v in (multipliers, offsets))
    u = (q * m + c).reshape(-1)
    order = np.lexsort((values.reshape(-1), u))
    u, flat = u[order], values.reshape(-1)[order]
    rises = np.diff(u) > 0
    if np.abs(u).max() > MAX_INTEGER:
        return "the integers would need more than 24 bits"
    if not (np.diff(flat)[rises] > 0).all():
        return "no offsets in integers keep the order of the real values"
    ties = bool((np.diff(flat)[~rises] == 0).all())
    return Order(_scalar(multipliers), _scalar(offsets), ties)


def _spread(function: ChainFunction, values: NDArray[np.int64]) -> NDArray[np.int64]:
    return values if values.size == 1 else function.of_elements(values)


def _scalar(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(-1)[0] if (values == values.reshape(-1)[0]).all() else values
