"""Room for large arrays: in memory, or in a file that is gone when nobody uses it any more."""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from brainsmith.storage import storage_errors

IN_MEMORY = 64 << 20  # bytes of an array up to which it stays in memory
_ELSEWHERE = "point TMPDIR at a folder with more room"


def room(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    """An array of this shape and type to be filled; a large one is mapped from a file.

    The system writes pages of a file back and lets go of them where memory is short, so that what
    is in use at a time is what counts, not the size of all that is kept.

    Raises:
        StorageError: there is no room in the folder for temporary files.
    """
    size = math.prod(shape) * dtype.itemsize
    if size <= IN_MEMORY:
        return np.empty(shape, dtype)
    with (
        storage_errors(Path(tempfile.gettempdir()), _ELSEWHERE),
        tempfile.TemporaryFile(prefix="brainsmith-") as file,
    ):
        os.posix_fallocate(file.fileno(), 0, size)
        return np.memmap(file, dtype, "r+", shape=shape)


def smallest_type(lo: int, hi: int) -> np.dtype[Any]:
    """The smallest signed type that holds both."""
    kinds = (np.dtype(name) for name in ("int8", "int16", "int32"))
    fits = (kind for kind in kinds if np.iinfo(kind).min <= lo and hi <= np.iinfo(kind).max)
    return next(fits, np.dtype("int64"))
