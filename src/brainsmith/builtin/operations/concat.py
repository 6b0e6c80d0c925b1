"""Channels of two streams together, and those of one stream in two."""

from __future__ import annotations

import math
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
    ValueView,
    operation,
    stream_in,
    stream_out,
)
from brainsmith.builtin.operations.matching import (
    is_standard,
    not_constant,
    not_integer,
    operand,
)

_LOOPS = (Loop("N"), Loop("C", fold="PE"))


@operation(
    name="concat",
    description="y[n] = a[n] followed by b[n]",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["channels"],
)
class Concat:
    """ONNX `Concat` of two integer streams along the last dimension.

    a: [N, CA], b: [N, CB], integers or both bipolar; y: [N, C] with C = CA + CB.
    """

    loops = _LOOPS
    ports = (
        stream_in("a", "N", "CA", own=("CA",), fold="PE"),
        stream_in("b", "N", "CB", own=("CB",), fold="PE"),
        stream_out("y", "N", "C"),
    )

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes two integers that differ in nothing but their last dimension."""
        if not is_standard(node, "Concat"):
            return NoMatch("not a Concat")
        if len(node.inputs) != 2:
            return NoMatch(f"it joins {len(node.inputs)} values, not two", close=True)
        a, b = operand(node, 0), operand(node, 1)
        refusal = not_integer(a, "the first value") or not_integer(b, "the second value")
        if a is None or b is None or refusal:
            return refusal or NoMatch("no input")
        reason = _operands_reason(a, b) or _axis_reason(node, a)
        if reason:
            return NoMatch(reason, close=True)
        CA, CB = a.shape[-1], b.shape[-1]
        return Match(
            dims={"N": math.prod(a.shape[:-1]), "C": CA + CB, "CA": CA, "CB": CB},
            ports={"a": a.name, "b": b.name, "y": node.outputs[0].name},
        )

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """From the lesser of both least values to the greater of both greatest."""
        (a_low, a_high), (b_low, b_high) = ranges["a"], ranges["b"]
        return {"y": (min(a_low, b_low), max(a_high, b_high))}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, N, CA) and (frames, N, CB) to int64 (frames, N, C)."""
        return {"y": np.concatenate([inputs["a"], inputs["b"]], axis=-1)}

    def example(self, dims: Mapping[str, int], dtypes: Mapping[str, IntType], seed: int) -> Match:
        """Two parts of random sizes that have a divisor in common."""
        return Match(dims=_parted(dims, seed), ports={"a": "a", "b": "b", "y": "y"})


@operation(
    name="split",
    description="y0[n] and y1[n] = the first and the other channels of x[n]",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["channels"],
)
class Split:
    """ONNX `Split` of an integer stream in two along the last dimension.

    x: [N, C], integers or bipolar; y0: [N, CA], y1: [N, CB] with CA + CB = C.
    """

    loops = _LOOPS
    ports = (
        stream_in("x", "N", "C"),
        stream_out("y0", "N", "CA", own=("CA",), fold="PE"),
        stream_out("y1", "N", "CB", own=("CB",), fold="PE"),
    )

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes two outputs along the last dimension, of any sizes."""
        if not is_standard(node, "Split"):
            return NoMatch("not a Split")
        if len(node.outputs) != 2:
            return NoMatch(f"it has {len(node.outputs)} outputs, not two", close=True)
        x = operand(node, 0)
        refusal = not_integer(x, "the input") or not_constant(node)
        if x is None or refusal:
            return refusal or NoMatch("no input")
        reason = _axis_reason(node, x)
        if reason:
            return NoMatch(reason, close=True)
        y0, y1 = node.outputs
        N, C = math.prod(x.shape[:-1]), x.shape[-1]
        return Match(
            dims={"N": N, "C": C, "CA": y0.shape[-1], "CB": C - y0.shape[-1]},
            ports={"x": x.name, "y0": y0.name, "y1": y1.name},
        )

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The range of the input, twice."""
        return {"y0": ranges["x"], "y1": ranges["x"]}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, N, C) to int64 (frames, N, CA) and (frames, N, CB)."""
        x, first = inputs["x"], config.dims["CA"]
        return {"y0": x[..., :first], "y1": x[..., first:]}

    def example(self, dims: Mapping[str, int], dtypes: Mapping[str, IntType], seed: int) -> Match:
        """Two parts of random sizes that have a divisor in common."""
        return Match(dims=_parted(dims, seed), ports={"x": "x", "y0": "y0", "y1": "y1"})


def _operands_reason(a: ValueView, b: ValueView) -> str | None:
    """Why two integers cannot be joined, or None."""
    for value in (a, b):
        if value.constant is not None:
            return f"'{value.name}' is a constant, not a stream"
    if not a.shape or a.shape[:-1] != b.shape[:-1]:
        return f"the shapes {a.shape} and {b.shape} differ in more than the last dimension"
    if a.dtype and b.dtype and a.dtype.bipolar != b.dtype.bipolar:
        return "one of both is bipolar, the other is not"
    return None


def _axis_reason(node: NodeView, x: ValueView) -> str | None:
    axis, rank = int(cast(int, node.attributes.get("axis", 0))), len(x.shape)
    return None if axis in (-1, rank - 1) else f"axis {axis} is not the last of {rank}"


def _parted(dims: Mapping[str, int], seed: int) -> dict[str, int]:
    """The dimensions with C, at least 2, in two parts that have a divisor in common."""
    channels, rng = max(2, dims["C"]), np.random.default_rng(seed)
    units = [unit for unit in range(1, channels // 2 + 1) if channels % unit == 0]
    unit = int(rng.choice(units))
    first = unit * int(rng.integers(1, channels // unit))
    return {**dims, "C": channels, "CA": first, "CB": channels - first}
