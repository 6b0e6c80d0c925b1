"""Memory images: integers as rows of bits."""

from __future__ import annotations

import numpy as np


def bits_of(values: np.ndarray, bits: int) -> np.ndarray:
    """Two's complement of integers as bits, least significant first.

    Args:
        values: int64 of any shape.
        bits: 1 to 64.

    Returns:
        uint8 of shape (*values.shape, bits).
    """
    shifts = np.arange(bits, dtype=np.int64)
    return ((values[..., None] >> shifts) & 1).astype(np.uint8)


def rows_of(values: np.ndarray, bits: int) -> np.ndarray:
    """Rows of a memory, lane 0 in the lowest bits.

    Args:
        values: int64 of shape (depth, lanes).
        bits: of each lane.

    Returns:
        uint8 of shape (depth, lanes * bits).
    """
    return bits_of(values, bits).reshape(len(values), -1)
