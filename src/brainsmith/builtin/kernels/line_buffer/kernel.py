"""Kernels that give the elements of a frame again in another order, out of a line buffer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from brainsmith.api import KernelConfig, Resources, RTLOp, Schedule, backend, kernel, param
from brainsmith.builtin.kernels.line_buffer.buffer import Buffer, buffer_of, implement
from brainsmith.builtin.kernels.line_buffer.costs import resources_of
from brainsmith.builtin.kernels.line_buffer.walk import Walk, walk


class LineBuffer:
    """What these kernels share; each says how its loops walk through the beats of a frame."""

    ram_style = param(
        "auto",
        choices=("auto", "distributed", "block"),
        description="where beats live: distributed is LUT RAM, or registers on ice40",
    )

    def walk(self, config: KernelConfig) -> Walk:
        """Trips and strides, in beats of SIMD elements."""
        raise NotImplementedError

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_line_buffer`, whose header describes it."""
        return implement(config, self._buffer(config))

    def schedule(self, configs: Sequence[KernelConfig]) -> list[Schedule]:
        """Beats are taken ahead; a window waits for its last one."""
        buffers = map(self._buffer, configs)
        return [buffer.walk.schedule(buffer.rows) for buffer in buffers]

    def resources(self, configs: Sequence[KernelConfig]) -> list[Resources]:
        """Fitted to `measured.json`; xcup is taken for xc7."""
        return [resources_of(self._buffer(config)) for config in configs]

    def _buffer(self, config: KernelConfig) -> Buffer:
        return buffer_of(config, self.walk(config))


@kernel(
    name="SlidingWindow",
    operation_type="sliding_window",
    description="The windows of an image out of a line buffer, a beat a cycle without bubbles",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["convolution", "im2col"],
)
class SlidingWindow(LineBuffer):
    """Holds the rows of a window, and at the end of a frame the first rows of the next one."""

    def walk(self, config: KernelConfig) -> Walk:
        """A window is one place of the kernel."""
        dims, given = config.dims, cast(Mapping[str, int], config.attributes)
        pixel = dims["C"] // config.simd
        row = dims["W"] * pixel
        loops = (
            (dims["OH"], given["stride_h"] * row),
            (dims["OW"], given["stride_w"] * pixel),
            (dims["KH"], given["dilation_h"] * row),
            (dims["KW"], given["dilation_w"] * pixel),
            (pixel, 1),
        )
        return walk(loops, frame=dims["H"] * row)


@kernel(
    name="Upsample",
    operation_type="upsample",
    description="An image enlarged by whole factors: nearest neighbours",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["resize", "nearest"],
)
class Upsample(LineBuffer):
    """Holds two rows."""

    def walk(self, config: KernelConfig) -> Walk:
        """A window is a row, read SH times."""
        dims = config.dims
        pixel = dims["C"] // config.simd
        row = dims["W"] * pixel
        loops = ((dims["H"], row), (dims["SH"], 0), (dims["W"], pixel), (dims["SW"], 0), (pixel, 1))
        return walk(loops, frame=dims["H"] * row)


@kernel(
    name="DepthToSpace",
    operation_type="depth_to_space",
    description="Channels become blocks of pixels, of either order of channels",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["pixel shuffle", "super resolution"],
)
class DepthToSpace(LineBuffer):
    """Holds two rows."""

    def walk(self, config: KernelConfig) -> Walk:
        """A window is a row of one row of its blocks."""
        dims = config.dims
        if config.attributes["mode"] == "DCR":
            channels, channel, pixel = dims["L"] // config.simd, 1, dims["L"] // config.simd
        else:
            channels, channel, pixel = dims["C"], dims["BH"] * dims["BW"], 1
        depth = dims["D"] // config.simd
        row = dims["W"] * depth
        loops = (
            (dims["H"], row),
            (dims["BH"], dims["BW"] * pixel),
            (dims["W"], depth),
            (dims["BW"], pixel),
            (channels, channel),
        )
        return walk(loops, frame=dims["H"] * row)


@kernel(
    name="Transpose",
    operation_type="transpose",
    description="Two neighbouring dimensions change places",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["layout"],
)
class Transpose(LineBuffer):
    """Holds nearly two of the N slices that are transposed."""

    def walk(self, config: KernelConfig) -> Walk:
        """A window is a row of the result."""
        dims = config.dims
        element = dims["C"] // config.simd
        row = dims["B"] * element
        loops = (
            (dims["N"], dims["A"] * row),
            (dims["B"], element),
            (dims["A"], row),
            (element, 1),
        )
        return walk(loops, frame=dims["N"] * dims["A"] * row)
