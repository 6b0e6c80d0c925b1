"""The operation `matmul`: a stream of integer vectors times a constant integer matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from brainsmith.api import (
    KernelConfig,
    Loop,
    Match,
    NodeView,
    NoMatch,
    ValueView,
    operation,
    static_in,
    stream_in,
    stream_out,
)
from brainsmith.builtin.operations.matching import integers, is_standard, operand

_EXACT_IN_FLOAT64 = 1 << 53


@operation(
    name="matmul",
    description="Vectors times a constant matrix: y[n, m] = sum over k of x[n, k] * w[k, m]",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["gemm", "linear", "fully-connected"],
)
class MatMul:
    """ONNX `MatMul` of an integer stream and a constant, and `Gemm` without bias and scaling.

    x: [N, K], integers or bipolar; w: [K, M], constant; y: [N, M], the exact sums. All dimensions
    of x before the last one are rows and together make N.
    """

    loops = (Loop("N"), Loop("M", fold="PE"), Loop("K", fold="SIMD"))
    ports = (stream_in("x", "N", "K"), static_in("w", "K", "M"), stream_out("y", "N", "M"))

    def match(self, node: NodeView) -> Match | NoMatch:
        if not is_standard(node, "MatMul", "Gemm"):
            return NoMatch("neither MatMul nor Gemm")
        x, w = operand(node, 0), operand(node, 1)
        if x is None or w is None:
            return NoMatch("an operand is missing", close=True)
        reason = _operands_reason(x, w) or _gemm_reason(node)
        if reason:
            return NoMatch(reason, close=True)
        weights = _weights(node, w)
        if isinstance(weights, NoMatch):
            return weights
        K, M = weights.shape
        if not x.shape or x.shape[-1] != K:
            return NoMatch(f"x has the shape {x.shape}, the weights {weights.shape}", close=True)
        return Match(
            dims={"N": math.prod(x.shape[:-1]), "M": M, "K": K},
            ports={"x": x.name, "w": w.name, "y": node.outputs[0].name},
            statics={"w": weights},
        )

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The range of y, exact for x that ranges over a box: the extremes of each column."""
        low, high = _column_extremes(match.statics["w"], ranges["x"])
        return {"y": (int(low.min()), int(high.max()))}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """y of shape (frames, N, M) from x of shape (frames, N, K), int64."""
        x, w = inputs["x"].astype(np.int64), config.static("w").astype(np.int64)
        bound = w.shape[0] * _magnitude(x) * _magnitude(w)
        if bound < _EXACT_IN_FLOAT64:  # the same integers, by BLAS
            return {"y": (x.astype(np.float64) @ w.astype(np.float64)).astype(np.int64)}
        return {"y": np.einsum("fnk,km->fnm", x, w)}

    def extremes(self, config: KernelConfig) -> dict[str, np.ndarray]:
        """Frames (4, N, K) that drive the extreme columns to their least and greatest sums."""
        w = config.static("w")
        bounds = config.ranges.get("x") or (config.dtypes["x"].min, config.dtypes["x"].max)
        low, high = _column_extremes(w, bounds)
        vectors = []
        for column in (w[:, int(low.argmin())], w[:, int(high.argmax())]):
            vectors.append(np.where(column > 0, bounds[0], bounds[1]))
            vectors.append(np.where(column > 0, bounds[1], bounds[0]))
        frames = np.stack(vectors).astype(np.int64)
        return {"x": np.repeat(frames[:, np.newaxis, :], config.dims["N"], axis=1)}


def _operands_reason(x: ValueView, w: ValueView) -> str | None:
    """Why the operands cannot be x and w, or None."""
    if w.constant is None:
        if x.constant is not None:
            return "the constant is the first operand, and has to be the second"
        return "both operands are streams: the second one has to be constant"
    if x.constant is not None:
        return "both operands are constant: the node can be folded away"
    if x.dtype is None:
        return f"the input '{x.name}' is a float, not an integer"
    return None


def _gemm_reason(node: NodeView) -> str | None:
    """What a `Gemm` has beyond a matrix product, or None."""
    if node.op_type != "Gemm":
        return None
    attributes = node.attributes
    if attributes.get("alpha", 1.0) != 1.0:
        return f"Gemm scales its product by alpha={attributes['alpha']}"
    if attributes.get("transA", 0):
        return "Gemm transposes its stream (transA)"
    bias = operand(node, 2)
    if bias is None or (bias.constant is not None and not np.any(bias.constant)):
        return None
    return "Gemm has a bias: it has to be an Add of its own"


def _weights(node: NodeView, w: ValueView) -> np.ndarray | NoMatch:
    """The weights as int64 of shape [K, M]."""
    stored = np.asarray(w.constant)
    if stored.ndim != 2 or 0 in stored.shape:
        return NoMatch(f"the weights '{w.name}' have the shape {stored.shape}", close=True)
    weights = integers(stored)
    if weights is None:
        return NoMatch(f"the weights '{w.name}' are not integers", close=True)
    return weights.T if node.attributes.get("transB", 0) else weights


def _column_extremes(w: np.ndarray, bounds: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest sum of each column of w [K, M] for x in [lo, hi]."""
    positive = np.maximum(w, 0).sum(axis=0, dtype=np.int64)
    negative = np.minimum(w, 0).sum(axis=0, dtype=np.int64)
    lo, hi = bounds
    return positive * lo + negative * hi, positive * hi + negative * lo


def _magnitude(array: np.ndarray) -> int:
    return max(int(array.max(initial=0)), -int(array.min(initial=0)))
