"""The operation `transpose`: two neighbouring dimensions change places."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
from brainsmith.builtin.operations.matching import is_standard, not_integer, operand


@operation(
    name="transpose",
    description="y[n, b, a, c] = x[n, a, b, c]",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["layout"],
)
class Transpose:
    """ONNX `Transpose` that swaps two dimensions, or two groups of dimensions side by side.

    What lies before them makes N, what lies behind them C.
    """

    only_moves = True
    loops = (Loop("N"), Loop("B"), Loop("A"), Loop("C", fold="SIMD"))
    ports = (stream_in("x", "N", "A", "B", "C"), stream_out("y", "N", "B", "A", "C"))

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes integers of any shape, if their permutation is a swap of neighbours."""
        if not is_standard(node, "Transpose"):
            return NoMatch("no Transpose")
        x = operand(node, 0)
        refusal = not_integer(x, "the input")
        if x is None or refusal:
            return refusal or NoMatch("no input")
        reverse = tuple(reversed(range(len(x.shape))))
        order = cast(tuple[int, ...], node.attributes.get("perm", reverse))
        dims = swapped(x.shape, order)
        if dims is None:
            return NoMatch(f"the permutation {tuple(order)} swaps no two neighbours", close=True)
        return Match(dims, {"x": x.name, "y": node.outputs[0].name})

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The range of the input."""
        return {"y": ranges["x"]}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, N, A, B, C) to int64 (frames, N, B, A, C)."""
        return {"y": inputs["x"].swapaxes(2, 3)}


def swapped(shape: Sequence[int], order: Sequence[int]) -> dict[str, int] | None:
    """The dimensions N, A, B and C of a permutation, or None if it is no swap of neighbours.

    Dimensions of size 1 move nothing, and neighbours that stay together are one.
    """
    moved = [axis for axis in order if shape[axis] > 1]
    kept = sorted(moved)
    first = next((i for i, axis in enumerate(moved) if axis != kept[i]), None)
    if first is None:  # nothing moves
        sizes = [shape[axis] for axis in kept] or [1]
        return {"N": math.prod(sizes[:-1]), "A": 1, "B": 1, "C": sizes[-1]}
    # moved = kept[:first] + (those from `split` on) + kept[first:split] + kept[end:]
    split = kept.index(moved[first])
    end = split + moved.index(kept[first]) - first
    if moved != [*kept[:first], *kept[split:end], *kept[first:split], *kept[end:]]:
        return None
    groups = {"N": kept[:first], "A": kept[first:split], "B": kept[split:end], "C": kept[end:]}
    return {name: math.prod(shape[axis] for axis in group) for name, group in groups.items()}
