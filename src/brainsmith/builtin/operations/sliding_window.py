"""The operation `sliding_window`: the windows of an image, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from brainsmith.api import (
    IntType,
    KernelConfig,
    Loop,
    Match,
    NodeView,
    NoMatch,
    operation,
    stream_in,
    stream_out,
)
from brainsmith.builtin.operations.matching import not_integer, operand

_QONNX = "qonnx.custom_op.general"


@operation(
    name="sliding_window",
    description="y[oh, ow, kh, kw, c] = x[oh * stride_h + kh * dilation_h, ow * ..., c]",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["convolution", "im2col"],
)
class SlidingWindow:
    """QONNX `Im2Col` without padding: x [H, W, C], y [OH, OW, KH, KW, C], channels last.

    Attributes: stride_h, stride_w, dilation_h, dilation_w. Rows and columns of x that no window
    includes are allowed.
    """

    loops = (Loop("OH"), Loop("OW"), Loop("KH"), Loop("KW"), Loop("C", fold="SIMD"))
    ports = (
        stream_in("x", "H", "W", "C", own=("H", "W")),
        stream_out("y", "OH", "OW", "KH", "KW", "C"),
    )

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes one frame [1, H, W, C] of integers to [1, OH, OW, KH * KW * C]."""
        if (node.domain, node.op_type) != (_QONNX, "Im2Col"):
            return NoMatch("no Im2Col")
        x = operand(node, 0)
        refusal = not_integer(x, "the input") or _refuse(node)
        if x is None or refusal:
            return refusal or NoMatch("no input")
        if len(x.shape) != 4 or x.shape[0] != 1:
            return NoMatch(f"the input has the shape {x.shape}, not [1, H, W, C]", close=True)
        _, height, width, channels = x.shape
        stride_h, stride_w = _pair(node, "stride", (1, 1))
        dilation_h, dilation_w = _pair(node, "dilations", (1, 1))
        kernel_h, kernel_w = _pair(node, "kernel_size", (1, 1))
        dims = {
            "H": height,
            "W": width,
            "OH": (height - dilation_h * (kernel_h - 1) - 1) // stride_h + 1,
            "OW": (width - dilation_w * (kernel_w - 1) - 1) // stride_w + 1,
            "KH": kernel_h,
            "KW": kernel_w,
            "C": channels,
        }
        return Match(
            dims=dims,
            ports={"x": x.name, "y": node.outputs[0].name},
            attributes=_attributes(stride_h, stride_w, dilation_h, dilation_w),
        )

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The range of the input."""
        return {"y": ranges["x"]}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, H, W, C) to int64 (frames, OH, OW, KH, KW, C)."""
        dims, given = config.dims, cast(Mapping[str, int], config.attributes)
        reach_h = (dims["KH"] - 1) * given["dilation_h"] + 1
        reach_w = (dims["KW"] - 1) * given["dilation_w"] + 1
        windows = sliding_window_view(inputs["x"], (reach_h, reach_w), axis=(1, 2))
        chosen = windows[
            :,
            :: given["stride_h"],
            :: given["stride_w"],
            :,
            :: given["dilation_h"],
            :: given["dilation_w"],
        ]
        return {"y": np.moveaxis(chosen, 3, 5)[:, : dims["OH"], : dims["OW"]]}

    def rows(self, config: KernelConfig, start: int, count: int) -> dict[str, tuple[int, int]]:
        """The rows of windows and those of the image that they lie in."""
        dims, given = config.dims, cast(Mapping[str, int], config.attributes)
        stride, reach = given["stride_h"], (dims["KH"] - 1) * given["dilation_h"] + 1
        return {"OH": (start, count), "H": (start * stride, (count - 1) * stride + reach)}

    def example(self, dims: Mapping[str, int], dtypes: Mapping[str, IntType], seed: int) -> Match:
        """Strides and dilations up to 3, and in some rows and columns that no window includes."""
        rng = np.random.default_rng(seed)
        strides, dilations = rng.integers(1, 4, 2), rng.integers(1, 4, 2)
        spare = rng.integers(0, strides)
        outputs = np.array([dims["OH"], dims["OW"]])
        taps = np.array([dims["KH"], dims["KW"]])
        size = (outputs - 1) * strides + (taps - 1) * dilations + 1 + spare
        return Match(
            dims={**dims, "H": int(size[0]), "W": int(size[1])},
            ports={"x": "x", "y": "y"},
            attributes=_attributes(*map(int, strides), *map(int, dilations)),
        )


def _attributes(
    stride_h: int, stride_w: int, dilation_h: int, dilation_w: int
) -> dict[str, object]:
    return {
        "stride_h": stride_h,
        "stride_w": stride_w,
        "dilation_h": dilation_h,
        "dilation_w": dilation_w,
    }


def _refuse(node: NodeView) -> NoMatch | None:
    if any(cast(tuple[int, ...], node.attributes.get("pad_amount", ()))):
        return NoMatch("it pads the image: a pad has to stand before it", close=True)
    if node.attributes.get("depthwise", 0):
        return NoMatch("its channels are apart (depthwise)", close=True)
    return None


def _pair(node: NodeView, name: str, default: tuple[int, int]) -> tuple[int, int]:
    """An attribute of two numbers, height first."""
    first, second = cast(tuple[int, int], node.attributes.get(name, default))
    return first, second
