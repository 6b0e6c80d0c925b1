"""Thresholding: each channel counts how many of its thresholds a value reaches."""

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
    static_in,
    stream_in,
    stream_out,
)
from brainsmith.builtin.operations.matching import not_integer, operand, rows_and_channels

DOMAINS = ("qonnx.custom_op.general", "finn.custom_op.general")
_LIMIT = 2.0**62


@operation(
    name="thresholding",
    description="y = step * #{i : x >= thresholds[c, i]} + base, per channel",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["activation", "quantization"],
)
class Thresholding:
    """QONNX `MultiThreshold` on integers.

    Attributes of a match are the integers `step` and `base`. Thresholds ascend per channel; a
    threshold that is no integer is rounded up, which changes nothing for integer inputs.
    """

    loops = (Loop("N"), Loop("C", fold="PE"))
    ports = (
        stream_in("x", "N", "C"),
        static_in("thresholds", "C", extra=("T",)),
        stream_out("y", "N", "C"),
    )

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes a MultiThreshold of an integer with the channels last."""
        if node.op_type != "MultiThreshold" or node.domain not in DOMAINS:
            return NoMatch("not a MultiThreshold")
        x, thresholds = operand(node, 0), operand(node, 1)
        refusal = not_integer(x, "the input")
        if x is None or refusal:
            return refusal or NoMatch("no input")
        if thresholds is None or thresholds.constant is None:
            return NoMatch("the thresholds are not constant", close=True)
        dims = rows_and_channels(x.shape)
        table = _table(thresholds.constant, dims["C"])
        if isinstance(table, NoMatch):
            return table
        if len(thresholds.constant) > 1 and not _channels_last(node, x.shape):
            return NoMatch("the channels are not the last dimension", close=True)
        step, base = _integer(node, "out_scale", 1), _integer(node, "out_bias", 0)
        if step is None or base is None:
            return NoMatch("out_scale and out_bias are not integers", close=True)
        return Match(
            dims={**dims, "T": table.shape[1]},
            ports={"x": x.name, "thresholds": thresholds.name, "y": node.outputs[0].name},
            statics={"thresholds": table},
            attributes={"step": step, "base": base},
        )

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The codes that the thresholds give at both ends of the input's range."""
        table = match.statics["thresholds"]
        low, high = ((table <= end).sum(axis=1) for end in ranges["x"])
        step, base = (
            _attribute(match.attributes, "step", 1),
            _attribute(match.attributes, "base", 0),
        )
        codes = (base + step * int(low.min()), base + step * int(high.max()))
        return {"y": (min(codes), max(codes))}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, N, C) to int64 (frames, N, C)."""
        x, table = inputs["x"], config.static("thresholds")
        count = np.empty(x.shape, np.int64)
        for channel, thresholds in enumerate(table):
            count[..., channel] = np.searchsorted(thresholds, x[..., channel], side="right")
        step = _attribute(config.attributes, "step", 1)
        return {"y": _attribute(config.attributes, "base", 0) + step * count}

    def extremes(self, config: KernelConfig) -> dict[str, np.ndarray]:
        """Frames in which every channel stands just below and exactly at each threshold."""
        table = config.static("thresholds")
        dtype = config.dtypes["x"]
        low, high = config.ranges.get("x", (dtype.min, dtype.max))
        at = np.clip(table, low, high).T
        below = np.clip(np.maximum(table, low + 1) - 1, low, high).T
        frames = np.concatenate([at, below])
        if dtype.bipolar:
            frames = np.where(frames > 0, 1, -1)
        shape = (len(frames), config.dims["N"], config.dims["C"])
        return {"x": np.broadcast_to(frames[:, None, :], shape).astype(np.int64)}

    def example(self, dims: Mapping[str, int], dtypes: Mapping[str, IntType], seed: int) -> Match:
        """Ascending thresholds, some of them equal or out of reach."""
        rng = np.random.default_rng(seed)
        low, high = dtypes["x"].min - 2, dtypes["x"].max + 3
        table = np.sort(rng.integers(low, high, (dims["C"], dims["T"])), axis=1)
        step, base = ((1, 0), (1, -1 << (dims["T"].bit_length() - 1)), (2, -1))[seed % 3]
        return Match(
            dims=dims,
            ports={"x": "x", "thresholds": "thresholds", "y": "y"},
            statics={"thresholds": table},
            attributes={"step": step, "base": base},
        )


def _table(constant: np.ndarray, channels: int) -> np.ndarray | NoMatch:
    """Thresholds as int64 (C, T), from QONNX's (C, T) or (1, T) of floats."""
    if constant.ndim != 2 or constant.shape[0] not in (1, channels) or not constant.shape[1]:
        return NoMatch(f"thresholds of shape {constant.shape} for {channels} channels", close=True)
    if np.isnan(constant).any():
        return NoMatch("a threshold is not a number", close=True)
    whole = np.ceil(constant) if constant.dtype.kind == "f" else constant
    table = np.clip(whole, -_LIMIT, _LIMIT).astype(np.int64)
    if (np.diff(table, axis=1) < 0).any():
        return NoMatch("the thresholds of a channel do not ascend", close=True)
    return np.ascontiguousarray(np.broadcast_to(table, (channels, table.shape[1])))


def _channels_last(node: NodeView, shape: tuple[int, ...]) -> bool:
    layout = node.attributes.get("data_layout") or ("NC" if len(shape) < 4 else "NCHW")
    return str(layout).endswith("C")


def _integer(node: NodeView, name: str, default: int) -> int | None:
    value = float(cast(float, node.attributes.get(name, default)))
    return int(value) if value.is_integer() else None


def _attribute(attributes: Mapping[str, object], name: str, default: int) -> int:
    return int(cast(int, attributes.get(name, default)))
