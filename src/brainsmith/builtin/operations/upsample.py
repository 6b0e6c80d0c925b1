"""The operation `upsample`: each pixel several times, as its nearest neighbours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from brainsmith.api import (
    KernelConfig,
    Loop,
    Match,
    NodeView,
    NoMatch,
    operation,
    stream_in,
    stream_out,
)
from brainsmith.builtin.operations.matching import is_standard, not_integer, operand


@operation(
    name="upsample",
    description="y[h * SH + i, w * SW + j, c] = x[h, w, c]: an image enlarged by whole factors",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["resize", "nearest"],
)
class Upsample:
    """ONNX `Resize` and `Upsample` of nearest neighbours, channels last: x [H, W, C]."""

    loops = (Loop("H"), Loop("SH"), Loop("W"), Loop("SW"), Loop("C", fold="SIMD"))
    ports = (stream_in("x", "H", "W", "C"), stream_out("y", "H", "SH", "W", "SW", "C"))

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes one frame [1, H, W, C] of integers to [1, H * SH, W * SW, C]; or [1, W, C]."""
        if not is_standard(node, "Resize", "Upsample"):
            return NoMatch("neither Resize nor Upsample")
        x = operand(node, 0)
        refusal = not_integer(x, "the input") or _refuse_mode(node) or _refuse_scales(node)
        if x is None or refusal:
            return refusal or NoMatch("no input")
        (height, width, channels), after = _image(x.shape), _image(node.outputs[0].shape)
        dims = {"H": height, "SH": after[0] // height, "W": width, "SW": after[1] // width}
        return Match({**dims, "C": channels}, {"x": x.name, "y": node.outputs[0].name})

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The range of the input."""
        return {"y": ranges["x"]}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, H, W, C) to int64 (frames, H, SH, W, SW, C)."""
        x = inputs["x"]
        shape = (len(x), *(config.dims[dim] for dim in ("H", "SH", "W", "SW", "C")))
        return {"y": np.broadcast_to(x[:, :, None, :, None, :], shape)}


def _refuse_mode(node: NodeView) -> NoMatch | None:
    """With whole factors, rounded centres of pixels are the same as floored corners."""
    if node.attributes.get("mode", "nearest") != "nearest":
        return NoMatch("it interpolates", close=True)
    if node.op_type == "Upsample":
        return None
    corners = node.attributes.get("coordinate_transformation_mode", "half_pixel")
    rounding = node.attributes.get("nearest_mode", "round_prefer_floor")
    centres = corners == "half_pixel" and rounding in ("round_prefer_floor", "round_prefer_ceil")
    if not centres and (corners, rounding) != ("asymmetric", "floor"):
        return NoMatch(f"it takes the {rounding} of {corners} coordinates", close=True)
    if "axes" in node.attributes:
        return NoMatch("it names axes", close=True)
    return None


def _refuse_scales(node: NodeView) -> NoMatch | None:
    """The output is as many times as large, and so say the scales."""
    x = operand(node, 0)
    before, after = x.shape if x else (), node.outputs[0].shape
    if len(before) not in (3, 4) or before[0] != 1 or len(after) != len(before):
        return NoMatch(
            f"the input has the shape {before}, not [1, H, W, C] or [1, W, C]", close=True
        )
    if before[-1] != after[-1] or any(b % a for a, b in zip(before, after, strict=True)):
        return NoMatch(f"{before} to {after} is no whole factor of rows and columns", close=True)
    scales = operand(node, 2 if node.op_type == "Resize" else 1)
    if scales is None or scales.name == "":
        return None
    stored = scales.constant
    if stored is None:
        return NoMatch("its scales are no constant", close=True)
    factors = [b // a for a, b in zip(before, after, strict=True)]
    if stored.size and list(stored.reshape(-1)) != factors:
        return NoMatch(f"its scales {stored.reshape(-1).tolist()} are not whole", close=True)
    return None


def _image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Rows, columns and channels; a row is an image of one."""
    return (1, shape[1], shape[2]) if len(shape) == 3 else (shape[1], shape[2], shape[3])
