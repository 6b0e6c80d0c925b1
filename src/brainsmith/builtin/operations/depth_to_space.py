"""The operation `depth_to_space`: channels become blocks of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

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
from brainsmith.builtin.operations.matching import is_standard, not_integer, operand

_TO_FIRST, _TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


@operation(
    name="depth_to_space",
    description="y[h * BH + i, w * BW + j, c] = x[h, w, channel of i, j and c]",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["pixel shuffle", "super resolution"],
)
class DepthToSpace:
    """ONNX `DepthToSpace` on channels last: x [H, W, D], y [H, BH, W, BW, C, L].

    The attribute `mode` says in which order the D channels are stored. DCR: (BH, BW, L) with C = 1,
    so that L can be folded. CRD: (C, BH, BW) with L = 1.
    """

    loops = (
        Loop("H"), Loop("BH"), Loop("W"), Loop("BW"), Loop("C"), Loop("L", fold="SIMD"),
    )  # fmt: skip
    ports = (
        stream_in("x", "H", "W", "D", own=("D",), fold="SIMD"),
        stream_out("y", "H", "BH", "W", "BW", "C", "L"),
    )

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes the node between a transposition to channels first and one back, all three.

        It is asked of the first of them.
        """
        middle = _only_reader(node)
        if _permutation(node) != _TO_FIRST or middle is None:
            return NoMatch("no transposition to channels first with one reader")
        last = _only_reader(middle)
        if not is_standard(middle, "DepthToSpace") or last is None:
            return NoMatch("no DepthToSpace with one reader")
        x = operand(node, 0)
        refusal = not_integer(x, "the input")
        if x is None or refusal:
            return refusal or NoMatch("no input")
        if _permutation(last) != _TO_LAST or x.shape[0] != 1:
            return NoMatch("its frames are not transposed back to [1, H, W, C]", close=True)
        block = cast(int, middle.attributes["blocksize"])
        mode = str(middle.attributes.get("mode", "DCR"))
        _, height, width, depth = x.shape
        channels = depth // block**2
        return Match(
            dims=_dims(height, width, block, block, channels, mode),
            ports={"x": x.name, "y": last.outputs[0].name},
            attributes={"mode": mode},
            nodes=(node.name, middle.name, last.name),
        )

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The range of the input."""
        return {"y": ranges["x"]}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, H, W, D) to int64 (frames, H, BH, W, BW, C, L)."""
        dims, x = config.dims, inputs["x"]
        stored = ("BH", "BW", "C", "L") if config.attributes["mode"] == "DCR" else ("C", "BH", "BW")
        blocks = x.reshape(*x.shape[:3], *(dims[dim] for dim in stored))
        if config.attributes["mode"] == "DCR":
            return {"y": blocks.transpose(0, 1, 3, 2, 4, 5, 6)}
        return {"y": blocks.transpose(0, 1, 4, 2, 5, 3)[..., None]}

    def example(self, dims: Mapping[str, int], dtypes: Mapping[str, IntType], seed: int) -> Match:
        """CRD where L is 1 already, DCR with C = 1 otherwise."""
        mode = "CRD" if dims["L"] == 1 else "DCR"
        channels = dims["C"] if mode == "CRD" else dims["L"]
        sizes = _dims(dims["H"], dims["W"], dims["BH"], dims["BW"], channels, mode)
        return Match(sizes, {"x": "x", "y": "y"}, attributes={"mode": mode})


def _dims(
    height: int, width: int, block_h: int, block_w: int, channels: int, mode: str
) -> dict[str, int]:
    together = mode == "DCR"
    return {
        "H": height,
        "W": width,
        "D": block_h * block_w * channels,
        "BH": block_h,
        "BW": block_w,
        "C": 1 if together else channels,
        "L": channels if together else 1,
    }


def _permutation(node: NodeView) -> tuple[int, ...] | None:
    """Of a Transpose; None for any other node."""
    if not is_standard(node, "Transpose"):
        return None
    return tuple(cast(tuple[int, ...], node.attributes.get("perm", ())))


def _only_reader(node: NodeView) -> NodeView | None:
    readers = node.outputs[0].consumers
    return readers[0] if len(readers) == 1 else None
