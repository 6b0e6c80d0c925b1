"""What a compiled model says of itself: where its integers come from, and what was left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Origin:
    """What an integer value of the compiled model stands for in the original model.

    The original model's value is `float32(scale * integer + bias)`, computed in float64: one
    rounding, as in the original model's own `(integer - zero point) * scale`.

    Attributes:
        value: the name of the value in the original model.
        scale: float64, broadcast over the last dimension (a scalar, or one per channel).
        bias: float64, as `scale`.
    """

    value: str
    scale: NDArray[np.float64]
    bias: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("scale", "bias"):
            array = np.asarray(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, array)

    def real(self, integers: NDArray[np.int64]) -> NDArray[np.float32]:
        """The original model's value for these integers, float32 of the same shape."""
        product = integers.astype(np.float64) * self.scale
        return np.asarray(product + self.bias, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Note:
    """Why a transform left a node as it was, for whoever asks why it runs on the host.

    Attributes:
        node: the name of the node.
        reason: one sentence.
    """

    node: str
    reason: str
