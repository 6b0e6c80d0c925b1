"""Multiplication of integers, element by element."""

from __future__ import annotations

import operator
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
from brainsmith.builtin.operations.elementwise import (
    compute_pair,
    corners,
    example_pair,
    infer_pair,
    match_pair,
)
from brainsmith.builtin.operations.matching import is_standard


@operation(
    name="mul",
    description="y = a * b; b a stream or constant",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["elementwise"],
)
class Mul:
    """ONNX `Mul`. The port b is a stream, or a constant of shape (C,)."""

    loops = (Loop("N"), Loop("C", fold="PE"))
    ports = (stream_in("a", "N", "C"), stream_in("b", "N", "C"), stream_out("y", "N", "C"))

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes two integers of one shape, or one and a constant along the last dimension."""
        if not is_standard(node, "Mul"):
            return NoMatch("not a Mul")
        return match_pair(node, commutes=True)

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The least and the greatest product, exact per channel for a constant."""
        return infer_pair(match, ranges, operator.mul)

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, N, C), twice or once and a constant, to int64 (frames, N, C)."""
        return compute_pair(config, inputs, operator.mul)

    def extremes(self, config: KernelConfig) -> dict[str, np.ndarray]:
        """Frames with both operands at their ends."""
        return corners(config)

    def example(self, dims: Mapping[str, int], dtypes: Mapping[str, IntType], seed: int) -> Match:
        """Two streams, or a stream and a constant."""
        return example_pair(dims, dtypes, seed, {})
