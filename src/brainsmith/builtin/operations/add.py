"""Addition and subtraction of integers, element by element."""

from __future__ import annotations

import dataclasses
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
    Compute,
    compute_pair,
    corners,
    example_pair,
    infer_pair,
    match_pair,
)
from brainsmith.builtin.operations.matching import is_standard


@operation(
    name="add",
    description="y = a + b, or a - b with the attribute subtract; b a stream or constant",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["elementwise"],
)
class Add:
    """ONNX `Add` and `Sub`. The port b is a stream, or a constant of shape (C,)."""

    loops = (Loop("N"), Loop("C", fold="PE"))
    ports = (stream_in("a", "N", "C"), stream_in("b", "N", "C"), stream_out("y", "N", "C"))

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes two integers of one shape, or one and a constant along the last dimension."""
        if not is_standard(node, "Add", "Sub"):
            return NoMatch("neither Add nor Sub")
        subtract = node.op_type == "Sub"
        match = match_pair(node, commutes=not subtract)
        if isinstance(match, NoMatch):
            return match
        return dataclasses.replace(match, attributes={"subtract": int(subtract)})

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The least and the greatest sum, exact per channel for a constant."""
        return infer_pair(match, ranges, _compute(match.attributes))

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, N, C), twice or once and a constant, to int64 (frames, N, C)."""
        return compute_pair(config, inputs, _compute(config.attributes))

    def extremes(self, config: KernelConfig) -> dict[str, np.ndarray]:
        """Frames with both operands at their ends."""
        return corners(config)

    def example(self, dims: Mapping[str, int], dtypes: Mapping[str, IntType], seed: int) -> Match:
        """Two streams, or a stream and a constant."""
        return example_pair(dims, dtypes, seed, {"subtract": seed // 2 % 2})


def _compute(attributes: Mapping[str, object]) -> Compute:
    return operator.sub if attributes.get("subtract") else operator.add
