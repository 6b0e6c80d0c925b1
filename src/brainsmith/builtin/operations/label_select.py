"""Top-1: the index of the greatest of C values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

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
from brainsmith.builtin.operations.matching import (
    is_standard,
    not_integer,
    operand,
    rows_and_channels,
)


@operation(
    name="label_select",
    description="y = index of the greatest of C values, the lowest index on a tie",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["classification", "argmax"],
)
class LabelSelect:
    """ONNX `ArgMax`, and `TopK` with k = 1 of which only the indices are read."""

    loops = (Loop("N"), Loop("C", fold="PE"))
    ports = (stream_in("x", "N", "C"), stream_out("y", "N"))

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes the top-1 of an integer over the last dimension."""
        if is_standard(node, "TopK"):
            refusal, output, axis = _refuse_top_k(node), 1, -1
        elif is_standard(node, "ArgMax"):
            refusal, output, axis = _refuse_arg_max(node), 0, 0
        else:
            return NoMatch("neither TopK nor ArgMax")
        x = operand(node, 0)
        refusal = refusal or not_integer(x, "the input")
        if x is None or refusal:
            return refusal or NoMatch("no input")
        axis = _attribute(node, "axis", axis)
        if axis not in (-1, len(x.shape) - 1):
            return NoMatch(f"axis {axis} is not the last of {len(x.shape)}", close=True)
        return Match(
            dims=rows_and_channels(x.shape),
            ports={"x": x.name, "y": node.outputs[output].name},
        )

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """Any index may come, whatever the values."""
        return {"y": (0, match.dims["C"] - 1)}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, N, C) to int64 (frames, N)."""
        return {"y": inputs["x"].argmax(axis=-1).astype(np.int64)}

    def extremes(self, config: KernelConfig) -> dict[str, np.ndarray]:
        """The greatest value at each place alone, and at each place and all that follow."""
        dtype = config.dtypes["x"]
        low, high = config.ranges.get("x", (dtype.min, dtype.max))
        channels = config.dims["C"]
        places = np.unique(np.linspace(0, channels - 1, min(channels, 32)).astype(np.int64))
        index = np.arange(channels)
        frames = np.concatenate(
            [np.where(index == places[:, None], high, low),
             np.where(index >= places[:, None], high, low)]
        )  # fmt: skip
        shape = (len(frames), config.dims["N"], channels)
        return {"x": np.broadcast_to(frames[:, None, :], shape).astype(np.int64)}


def _refuse_top_k(node: NodeView) -> NoMatch | None:
    count = operand(node, 1)
    k = None if count is None else count.constant
    if k is None or k.size != 1 or int(k.reshape(-1)[0]) != 1:
        return NoMatch("k is not the constant 1", close=True)
    if _attribute(node, "largest", 1) != 1:
        return NoMatch("it selects the smallest value", close=True)
    if node.outputs[0].consumers:
        return NoMatch("the values are read, not only the indices", close=True)
    return None


def _refuse_arg_max(node: NodeView) -> NoMatch | None:
    if _attribute(node, "select_last_index", 0) != 0:
        return NoMatch("it selects the last index on a tie", close=True)
    return None


def _attribute(node: NodeView, name: str, default: int) -> int:
    return int(cast(int, node.attributes.get(name, default)))
