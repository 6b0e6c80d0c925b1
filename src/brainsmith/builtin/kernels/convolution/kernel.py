"""Convolutions and pooling over windows, composed of other operations.

    image --> [pad] --> [sliding_window] --> matmul, depthwise or pool --> image

The padding and the window are left out where they would change nothing.
"""

from __future__ import annotations

import numpy as np

from brainsmith.api import Composition, IntType, KernelConfig, Part, backend, kernel
from brainsmith.builtin.kernels.convolution.windows import composed
from brainsmith.builtin.operations.convolution import Geometry


@kernel(
    name="DepthwiseConv2D",
    operation_type="depthwise_conv2d",
    description="Convolution of each channel by itself: sliding window, multiply-accumulate",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["convolution", "depthwise"],
)
class DepthwiseConv2D:
    """A window whose sums stay inside a channel; plain sums where all weights are 1."""

    @backend("rtl", default=True, composition=True)
    def compose(self, config: KernelConfig) -> Composition:
        """[pad] -> [sliding_window] -> depthwise, or pool with mode sum."""
        weights = config.static("w").transpose(1, 2, 0).reshape(-1, config.dims["C"])
        sums = bool((weights == 1).all())
        dims = {"K": len(weights), "C": config.dims["C"]}
        statics = {} if sums else {"w": weights}
        return composed(
            config,
            Part(
                "sum" if sums else "multiply",
                "pool" if sums else "depthwise",
                dims,
                _dtypes(config, weights=not sums),
                statics,
                {"mode": "sum"} if sums else {},
                {"y": config.ranges["y"]},
            ),
        )


@kernel(
    name="Conv2D",
    operation_type="conv2d",
    description="Convolution: padding, sliding window, matrix-vector unit",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["convolution", "conv1d"],
)
class Conv2D:
    """Each window is a vector that is multiplied with the matrix of all weights.

    Weights of several groups become one matrix with zeros between the groups.
    """

    @backend("rtl", default=True, composition=True)
    def compose(self, config: KernelConfig) -> Composition:
        """[pad] -> [sliding_window] -> matmul."""
        weights = _matrix(config)
        return composed(
            config,
            Part(
                "product",
                "matmul",
                {"K": len(weights), "M": config.dims["M"]},
                _dtypes(config, weights=True, covering=weights),
                {"w": weights},
                {},
                {"y": config.ranges["y"]},
            ),
        )


@kernel(
    name="MaxPool2D",
    operation_type="max_pool2d",
    description="The greatest value of each window, channel by channel",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["pooling"],
)
class MaxPool2D:
    """A window and a running maximum. Padding is the least value of the input's range."""

    @backend("rtl", default=True, composition=True)
    def compose(self, config: KernelConfig) -> Composition:
        """[pad] -> [sliding_window] -> pool with mode max."""
        dims = {"K": config.dims["KH"] * config.dims["KW"], "C": config.dims["C"]}
        part = Part(
            "maximum",
            "pool",
            dims,
            _dtypes(config, weights=False),
            {},
            {"mode": "max"},
            {"y": config.ranges["y"]},
        )
        return composed(config, part, padding=config.ranges["x"][0])


def _dtypes(
    config: KernelConfig, *, weights: bool, covering: np.ndarray | None = None
) -> dict[str, str]:
    """Names of the datatypes; `covering` are weights that the node's own do not hold."""
    dtypes = {"x": config.dtypes["x"].name, "y": config.dtypes["y"].name}
    if not weights:
        return dtypes
    w = config.dtypes["w"]
    if covering is not None and w.bipolar and not covering.all():
        w = IntType.covering(int(covering.min()), int(covering.max()))
    return {**dtypes, "w": w.name}


def _matrix(config: KernelConfig) -> np.ndarray:
    """The weights [M, KH, KW, I] as [K, M], K in the order in which a window's elements come."""
    weights = config.static("w")
    group = int(str(config.attributes.get("group", 1)))
    count, inputs = len(weights), weights.shape[-1]
    height, width = Geometry.of(config).kernel
    dense = np.zeros((height, width, inputs * group, count), np.int64)
    per_group = count // group
    for g in range(group):
        rows, columns = (
            slice(g * inputs, (g + 1) * inputs),
            slice(g * per_group, (g + 1) * per_group),
        )
        dense[:, :, rows, columns] = weights[columns].transpose(1, 2, 3, 0)
    return dense.reshape(-1, count)
