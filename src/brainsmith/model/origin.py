"""What a compiled model says of itself: where its integers come from, and what was left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Layout:
    """How a value's elements lie in the compiled model, where that differs from the original.

    Attributes:
        shape: of the value in the compiled model, a vector's as that of the image that it was.
        order: which of these dimensions come one after the other in the original.
    """

    shape: tuple[int, ...]
    order: tuple[int, ...]

    @property
    def moves(self) -> bool:
        """Whether any element lies elsewhere."""
        moving = [axis for axis in self.order if self.shape[axis] > 1]
        return moving != sorted(moving)

    def restored(self, array: NDArray[Any]) -> NDArray[Any]:
        """The elements in the order of the original, its dimensions not yet joined."""
        return array.reshape(self.shape).transpose(self.order)


@dataclass(frozen=True, eq=False)
class Origin:
    """What an integer value of the compiled model stands for in the original model.

    The original model's value is `float32(scale * integer + bias)`, computed in float64: one
    rounding, as in the original model's own `(integer - zero point) * scale`.

    Attributes:
        value: the name of the value in the original model; "" where it has no such value.
        scale: float64, broadcast over the last dimension (a scalar, or one per channel).
        bias: float64, as `scale`.
        layout: where the elements lie, if not in the order of the original.
    """

    value: str
    scale: NDArray[np.float64]
    bias: NDArray[np.float64]
    layout: Layout | None = None

    def __post_init__(self) -> None:
        for name in ("scale", "bias"):
            array = np.asarray(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, array)

    def real(self, integers: NDArray[np.int64]) -> NDArray[np.float32]:
        """The original model's value for these integers, float32 in the original's order."""
        product = integers.astype(np.float64) * self.scale
        return self.arranged(np.asarray(product + self.bias, dtype=np.float32))

    def arranged(self, array: NDArray[Any]) -> NDArray[Any]:
        """The elements of an array of the compiled model in the order of the original."""
        return array if self.layout is None else self.layout.restored(array)


@dataclass(frozen=True, slots=True)
class Note:
    """Why a transform left a node as it was, for whoever asks why it runs on the host.

    Attributes:
        node: the name of the node.
        reason: one sentence.
    """

    node: str
    reason: str
