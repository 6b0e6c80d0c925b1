"""The seed that code of transforms finds in the global generators, wherever it runs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

SEED = 20


@contextmanager
def seeded() -> Iterator[None]:
    """While it lasts, `random` and NumPy's generator start from `SEED`; then they go on as before.

    So a transform that uses them gives one result for one model, and in a worker the same as here.
    """
    plain, arrays = random.getstate(), np.random.get_state()
    random.seed(SEED)
    np.random.seed(SEED)
    try:
        yield
    finally:
        random.setstate(plain)
        np.random.set_state(arrays)
