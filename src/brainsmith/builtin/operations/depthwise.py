"""Weighted sums of K values of each channel alone: the arithmetic of a depthwise convolution."""

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
    static_in,
    stream_in,
    stream_out,
)


@operation(
    name="depthwise",
    description="y[n, c] = sum over k of w[k, c] * x[n, k, c]",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["convolution"],
)
class Depthwise:
    """A part of a depthwise convolution, behind the windows of its image.

    x: [N, K, C], integers or bipolar; w: [K, C], constant; y: [N, C], the exact sums.
    """

    loops = (Loop("N"), Loop("K"), Loop("C", fold="PE"))
    ports = (stream_in("x", "N", "K", "C"), static_in("w", "K", "C"), stream_out("y", "N", "C"))

    def match(self, node: NodeView) -> Match | NoMatch:
        """Matches no node."""
        return NoMatch("no node of a graph: a part of a convolution")

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The least and the greatest sum, exact per channel."""
        w, (low, high) = match.statics["w"], ranges["x"]
        ends = np.sort([w * low, w * high], axis=0).sum(axis=1)
        return {"y": (int(ends[0].min()), int(ends[1].max()))}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, N, K, C) to int64 (frames, N, C)."""
        return {"y": np.einsum("fnkc,kc->fnc", inputs["x"], config.static("w"))}

    def extremes(self, config: KernelConfig) -> dict[str, np.ndarray]:
        """Frames that drive every channel to its least, its greatest and its least sum again."""
        w, dtype = config.static("w"), config.dtypes["x"]
        low, high = config.ranges.get("x", (dtype.min, dtype.max))
        least, greatest = np.where(w > 0, low, high), np.where(w > 0, high, low)
        frames = np.stack([least, greatest, least])
        shape = (len(frames), config.dims["N"], *w.shape)
        return {"x": np.broadcast_to(frames[:, None], shape).astype(np.int64)}
