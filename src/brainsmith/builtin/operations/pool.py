"""Pooling: the greatest, or the sum, of K values of each channel."""

from __future__ import annotations

import math
from collections.abc import Mapping

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
from brainsmith.builtin.operations.matching import (
    given_integers,
    is_standard,
    not_constant,
    not_integer,
    operand,
)

MODES = {"ReduceMax": "max", "ReduceSum": "sum"}


@operation(
    name="pool",
    description="y[n, c] = greatest or sum over k of x[n, k, c]",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["pooling", "reduction"],
)
class Pool:
    """ONNX `ReduceMax` and `ReduceSum` over all axes between the first and the channels.

    x: [N, K, C], integers or bipolar; y: [N, C]. The attribute of a match is `mode`, "max" or
    "sum".
    """

    loops = (Loop("N"), Loop("K"), Loop("C", fold="PE"))
    ports = (stream_in("x", "N", "K", "C"), stream_out("y", "N", "C"))

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes the reduction of an integer [N, ..., C] to [N, C] or [N, 1, ..., C]."""
        if not is_standard(node, *MODES):
            return NoMatch("neither ReduceMax nor ReduceSum")
        x = operand(node, 0)
        refusal = not_integer(x, "the input") or not_constant(node)
        if x is None or refusal:
            return refusal or NoMatch("no input")
        rank = len(x.shape)
        axes = given_integers(node, "axes", 1) or ()
        if rank < 3 or sorted(axis % rank for axis in axes) != list(range(1, rank - 1)):
            between = "those between the first and the last"
            return NoMatch(f"it reduces the axes {list(axes)} of {rank}, not {between}", close=True)
        return Match(
            dims={"N": x.shape[0], "K": math.prod(x.shape[1:-1]), "C": x.shape[-1]},
            ports={"x": x.name, "y": node.outputs[0].name},
            attributes={"mode": MODES[node.op_type]},
        )

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The range of the input, K times for sums."""
        low, high = ranges["x"]
        count = 1 if is_max(match.attributes) else match.dims["K"]
        return {"y": (count * low, count * high)}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, N, K, C) to int64 (frames, N, C)."""
        x = inputs["x"]
        return {"y": x.max(axis=2) if is_max(config.attributes) else x.sum(axis=2)}

    def extremes(self, config: KernelConfig) -> dict[str, np.ndarray]:
        """The greatest value at the first, a middle and the last of the K places alone."""
        dtype, dims = config.dtypes["x"], config.dims
        low, high = config.ranges.get("x", (dtype.min, dtype.max))
        places = np.unique([0, dims["K"] // 2, dims["K"] - 1])
        frames = np.where(np.arange(dims["K"]) == places[:, None], high, low)
        shape = (len(places), dims["N"], dims["K"], dims["C"])
        return {"x": np.broadcast_to(frames[:, None, :, None], shape).astype(np.int64)}

    def example(self, dims: Mapping[str, int], dtypes: Mapping[str, IntType], seed: int) -> Match:
        """Maxima, or sums for every second seed."""
        mode = "sum" if seed % 2 else "max"
        return Match(dims=dims, ports={"x": "x", "y": "y"}, attributes={"mode": mode})


def is_max(attributes: Mapping[str, object]) -> bool:
    """Whether the attributes of a match ask for maxima, not for sums."""
    return attributes.get("mode", "max") == "max"
