"""Room for large arrays."""

from __future__ import annotations

import numpy as np
import pytest

from brainsmith import room as rooms
from brainsmith.room import room, smallest_type


def test_a_large_array_is_mapped_from_a_file_and_a_small_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rooms, "IN_MEMORY", 1000)
    small, large = room((10, 100), np.dtype("int8")), room((11, 100), np.dtype("int8"))
    assert not isinstance(small, np.memmap) and isinstance(large, np.memmap)
    large[:] = 7
    assert large.shape == (11, 100) and int(large.sum()) == 7700


def test_the_smallest_type_holds_both_ends() -> None:
    assert smallest_type(-128, 127) == np.int8
    assert smallest_type(0, 128) == np.int16
    assert smallest_type(-(1 << 31), 0) == np.int32
    assert smallest_type(0, 1 << 31) == np.int64
