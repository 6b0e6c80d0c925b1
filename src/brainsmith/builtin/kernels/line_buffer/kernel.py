"""Kernels that give the elements of a frame again in another order, out of a line buffer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from brainsmith.api import KernelConfig, RTLOp, Schedule, backend, kernel, param
from brainsmith.builtin.kernels.line_buffer.buffer import Buffer, buffer_of, implement
from brainsmith.builtin.kernels.line_buffer.walk import walk


@kernel(
    name="SlidingWindow",
    operation_type="sliding_window",
    description="The windows of an image out of a line buffer, a beat a cycle without bubbles",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["convolution", "im2col"],
)
class SlidingWindow:
    """Holds the rows of a window, and at the end of a frame those of the next frame's first."""

    ram_style = param(
        "auto",
        choices=("auto", "distributed", "block"),
        description="where beats live: distributed is LUT RAM, or registers on ice40",
    )

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_line_buffer`, whose header describes it."""
        return implement(config, _window_buffer(config))

    def schedule(self, configs: Sequence[KernelConfig]) -> list[Schedule]:
        """Beats are taken ahead; a window waits for its last beat."""
        return [_schedule(_window_buffer(config)) for config in configs]


def _window_buffer(config: KernelConfig) -> Buffer:
    dims, given = config.dims, cast(dict[str, int], config.attributes)
    pixel = dims["C"] // config.simd
    row = dims["W"] * pixel
    return buffer_of(
        config,
        walk(
            trips=[dims["OH"], dims["OW"], dims["KH"], dims["KW"], pixel],
            strides=[
                given["stride_h"] * row,
                given["stride_w"] * pixel,
                given["dilation_h"] * row,
                given["dilation_w"] * pixel,
                1,
            ],
            frame=dims["H"] * row,
        ),
    )


def _schedule(buffer: Buffer) -> Schedule:
    return buffer.walk.schedule(buffer.rows)
