"""A tiny U-Net: an encoder of two levels, a decoder, and skips around what is between."""

from __future__ import annotations

import numpy as np

from brainsmith.api import Model
from tests.builtin.integers import Net


def unet(size: int = 16, channels: int = 4, seed: int = 0) -> Model:
    """Convolutions of 4 bits, two poolings, two upsamplings, each joined with what it came from."""
    rng = np.random.default_rng(seed)
    net = Net((1, 3, size, size), "UINT4")

    def block(x: str, outputs: int, inputs: int) -> str:
        weights = rng.integers(-7, 8, (outputs, inputs, 3, 3)).astype(np.float32) * np.float32(
            0.0625
        )
        w = net.quant(weights, 0.0625, 0, 4, narrow=1)
        y = net.Relu(net.Conv(x, w, kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
        return str(net.quant(y, 0.25, 0, 4, signed=0))

    def down(x: str) -> str:
        return str(net.MaxPool(x, kernel_shape=[2, 2], strides=[2, 2]))

    def up(x: str) -> str:
        scales = np.array([1, 1, 2, 2], np.float32)
        return str(
            net.Resize(
                x, "", scales, mode="nearest",
                coordinate_transformation_mode="asymmetric", nearest_mode="floor",
            )
        )  # fmt: skip

    top = block(net.Mul("x", np.float32(0.0625)), channels, 3)
    middle = block(down(top), 2 * channels, channels)
    bottom = block(down(middle), 2 * channels, 2 * channels)
    joined = block(net.Concat(up(bottom), middle, axis=1), channels, 4 * channels)
    last = block(net.Concat(up(joined), top, axis=1), channels, 2 * channels)
    return net.model(last)
