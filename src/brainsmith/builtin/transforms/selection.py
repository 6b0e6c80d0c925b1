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
MAX_FRACTION_BITS = 12
MAX_INTEGER = 1 << 24
"""Integers are carried in float32, which holds all of them up to here."""

# Values of this relative distance are the same to a float32 sum: it is rounded by more than that.
_NOISE = 2.0**-22


@dataclass(frozen=True, eq=False)
class Order:
    """`u = multipliers * q + offsets` is in the order of the real values.

    Attributes:
        multipliers: int64, a scalar or one per element.
        offsets: as `multipliers`.
    """

    multipliers: NDArray[np.int64]
    offsets: NDArray[np.int64]


def order_of(function: ChainFunction, affine: Affine | str, lo: int, hi: int) -> Order | str:
    """Integers in the order of a chain's values on [lo, hi], or why none were found.

    Different u always mean different real values in the same order; equal u mean real values
    that are equal, or closer than float32 tells apart.
    """
    few = (hi - lo + 1) * function.labels <= MAX_POINTS
    if function.labels == 1:
        return _same_for_all(function, lo, hi) if few else _too_many(lo, hi)
    if isinstance(affine, str):
        return f"the channels are scaled differently, and {affine}"
    if not few:
        return _proved_by_spacing(function, affine, lo, hi)
    grid = _grid(affine)
    if isinstance(grid, str):
        return grid
    unit, multipliers = grid
    found: Order | str = ""
    for fraction in range(MAX_FRACTION_BITS + 1):
        offsets = np.rint(to_float64(np.asarray(affine.bias / unit)) * (1 << fraction)).reshape(-1)
        found = _proved(function, multipliers << fraction, offsets.astype(np.int64), lo, hi)
        if isinstance(found, Order):
            return found
    return found


def _too_many(lo: int, hi: int) -> str:
    return f"{hi - lo + 1} integers are too many to try each"


def _proved_by_spacing(function: ChainFunction, affine: Affine, lo: int, hi: int) -> Order | str:
    """For `scale * q + bias` alone: float32 numbers lie closer together than its steps.

    With |u| below 2^22 they are at most half a step apart, so each value is rounded by a quarter
    at most, and an eighth of a step is left for offsets that are not quite on the grid.
    """
    if affine.scale.ndim or affine.scale[()] <= 0 or function.has_nodes:
        return _too_many(lo, hi)
    exact = to_float64(np.asarray(affine.bias / affine.scale[()]))
    offsets = np.rint(exact).astype(np.int64)
    largest = int(max(abs(lo), abs(hi)) + np.abs(offsets).max())
    if largest >= 1 << 22:
        return "the integers are too large for float32 to tell neighbours apart"
    if np.abs(exact - offsets).max() > min(_NOISE * largest, 1 / 8):
        return _too_many(lo, hi)
    return Order(np.array(1), _scalar(offsets))


def _same_for_all(function: ChainFunction, lo: int, hi: int) -> Order | str:
    values = function(np.arange(lo, hi + 1, dtype=np.int64)[:, None])[:, 0]
    zero = np.array(0)
    if (np.diff(values) > 0).all():
        return Order(np.array(1), zero)
    if (np.diff(values) < 0).all():
        return Order(np.array(-1), zero)
    return "two integers give the same real value, or the order changes: a tie would differ"


def _grid(affine: Affine) -> tuple[Fraction, NDArray[np.int64]] | str:
    """A unit of which the scales of all elements are small multiples, and these multiples."""
    scales = list(affine.scale.reshape(-1))
    if any(s == 0 for s in scales):
        return "an element is multiplied by zero"
    least = min(abs(s) for s in scales)
    ratios = [s / least for s in scales]
    common = math.lcm(*(r.denominator for r in ratios))
    if common > MAX_MULTIPLIER or max(abs(r) for r in ratios) * common > MAX_MULTIPLIER:
        return "the scales of the channels have no small common multiple"
    multipliers = np.array([int(r * common) for r in ratios], np.int64)
    return Fraction(least, common), multipliers


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
    if np.abs(u).max() > MAX_INTEGER:
        return "integers in the order of the real values would need more than 24 bits"
    order = np.lexsort((values.reshape(-1), u))
    step = np.diff(values.reshape(-1)[order])
    rises = np.diff(u[order]) > 0
    noise = _NOISE * np.abs(values).max()
    if not (step[rises] > 0).all() or (step[~rises] > noise).any():
        return "no integers of up to 24 bits were found in the order of the real values"
    return Order(_scalar(multipliers), _scalar(offsets))


def _spread(function: ChainFunction, values: NDArray[np.int64]) -> NDArray[np.int64]:
    return values if values.size == 1 else function.of_elements(values)


def _scalar(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(-1)[0] if (values == values.reshape(-1)[0]).all() else values
