"""The grids of a quantized model: scales, zero points and signs, from ranges and from weights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from brainsmith.builtin.transforms.quantize_placement import Placement

Range = tuple[float, float]
# Clipped ends of a weight's range that are tried, as shares of it, below 8 bits.
_SHARES = np.linspace(1.0, 0.3, 36)
_CHUNK = 1 << 22


@dataclass(frozen=True, eq=False)
class Grid:
    """`real = scale * (code - zero)` for codes of `bits`.

    Attributes:
        scale: float32, a scalar or broadcast to the value; never 0.
        zero: a code, so that the real number 0, with which a convolution pads, is one.
        signed: whether codes start at -2^(bits - 1) rather than at 0.
        narrow: whether the least code is left out, so that codes are symmetric.
    """

    scale: NDArray[np.float32]
    zero: int
    bits: int
    signed: bool
    narrow: bool = False


def activation_grids(
    placement: Placement, ranges: Mapping[ir.Value, Range], bits: int, *, symmetric: bool
) -> dict[ir.Value, Grid]:
    """The grid of each activation.

    What is never negative has codes without a sign. Anything else has signed codes around 0, or,
    where grids need not be symmetric, unsigned ones with a zero point.

    Args:
        placement: which activations share a scale or a grid.
        ranges: least and greatest value of each.
        bits: of a code.
        symmetric: whether 0 has the code 0.
    """
    merged: dict[ir.Value, Range] = defaultdict(lambda: (0.0, 0.0))
    for value, (lo, hi) in ranges.items():
        root = placement.grids.root(value)
        merged[root] = (min(lo, merged[root][0]), max(hi, merged[root][1]))
    scales: dict[ir.Value, float] = defaultdict(float)
    for value in ranges:
        of_grid = merged[placement.grids.root(value)]
        root = placement.scales.root(value)
        scales[root] = max(scales[root], _scale(*of_grid, bits, symmetric))
    return {
        value: _grid(
            scales[placement.scales.root(value)] or 1.0,
            *merged[placement.grids.root(value)],
            bits,
            symmetric,
        )
        for value in ranges
    }


def weight_grid(array: NDArray[np.float32], axis: int | None, bits: int) -> Grid:
    """The grid of weights: symmetric, narrow, one scale for each index of `axis` if there is one.

    At 8 bits the largest weight is the greatest code. Below, ends of the range that are clipped
    may cost less than they gain, so the scale with the least square error is taken.
    """
    rows = array.reshape(1, -1) if axis is None else np.moveaxis(array, axis, 0)
    rows = rows.reshape(len(rows), -1)
    most = 2 ** (bits - 1) - 1
    scale = np.abs(rows).max(axis=1, initial=0.0).astype(np.float64) / most
    scale[scale == 0] = 1.0
    if bits < 8:
        scale = _least_error(rows, scale, most)
    shape = [1] * array.ndim
    if axis is not None:
        shape[axis] = len(rows)
    return Grid(
        scale.astype(np.float32).reshape(shape if axis is not None else ()), 0, bits, True, True
    )


def _scale(lo: float, hi: float, bits: int, symmetric: bool) -> float:
    if lo >= 0 or not symmetric:
        return (hi - min(lo, 0.0)) / ((1 << bits) - 1)
    half = 1 << (bits - 1)
    return max(hi / (half - 1), -lo / half)


def _grid(scale: float, lo: float, hi: float, bits: int, symmetric: bool) -> Grid:
    rounded = np.asarray(scale, np.float32)
    if lo >= 0 or symmetric:
        return Grid(rounded, 0, bits, signed=lo < 0)
    zero = min(max(round(-lo / scale), 0), 2**bits - 1)
    return Grid(rounded, zero, bits, signed=False)


def _least_error(
    rows: NDArray[np.float32], widest: NDArray[np.float64], most: int
) -> NDArray[np.float64]:
    """Of some shares of the widest scale, for each row, the one with the least square error."""
    step = max(1, _CHUNK // max(1, rows.shape[1]))
    parts = [
        _least_error_of(rows[i : i + step], widest[i : i + step], most)
        for i in range(0, len(rows), step)
    ]
    return np.concatenate(parts)


def _least_error_of(
    rows: NDArray[np.float32], widest: NDArray[np.float64], most: int
) -> NDArray[np.float64]:
    best, least = widest, np.full(len(rows), np.inf)
    for share in _SHARES:
        scale = (share * widest)[:, None]
        codes = np.clip(np.rint(rows / scale), -most, most)
        error = ((codes * scale - rows) ** 2).sum(axis=1)
        best = np.where(error < least, scale[:, 0], best)
        least = np.minimum(error, least)
    return best
