"""What addition and multiplication of integers share: matching, ranges, worst cases."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import numpy as np

from brainsmith.api import IntType, KernelConfig, Match, NodeView, NoMatch, ValueView
from brainsmith.builtin.operations.matching import (
    integers,
    not_integer,
    operand,
    rows_and_channels,
)

Compute = Callable[[np.ndarray, np.ndarray], np.ndarray]


def match_pair(node: NodeView, *, commutes: bool) -> Match | NoMatch:
    """Two integer streams of one shape, or one and a constant per channel or per tensor.

    Args:
        node: a node with two operands.
        commutes: the constant may come first.
    """
    a, b = operand(node, 0), operand(node, 1)
    if a is None or b is None:
        return NoMatch("an operand is missing", close=True)
    if a.constant is not None:
        if not commutes:
            return NoMatch("the first operand is a constant", close=True)
        a, b = b, a
    refusal = not_integer(a, "the operand")
    if refusal:
        return refusal
    if b.constant is None:
        return _match_streams(node, a, b)
    return _match_constant(node, a, b, b.constant)


def _match_streams(node: NodeView, a: ValueView, b: ValueView) -> Match | NoMatch:
    refusal = not_integer(b, "the operand")
    if refusal:
        return refusal
    if a.shape != b.shape:
        return NoMatch(f"the operands' shapes {a.shape} and {b.shape} differ", close=True)
    ports = {"a": a.name, "b": b.name, "y": node.outputs[0].name}
    return Match(dims=rows_and_channels(a.shape), ports=ports)


def _match_constant(
    node: NodeView, a: ValueView, b: ValueView, stored: np.ndarray
) -> Match | NoMatch:
    constant = integers(stored)
    if constant is None:
        return NoMatch(f"the constant '{b.name}' holds what is no integer", close=True)
    dims = rows_and_channels(a.shape)
    if constant.ndim > len(a.shape) or constant.size not in (1, dims["C"]):
        return NoMatch(f"a constant of shape {stored.shape} for {a.shape}", close=True)
    if constant.size > 1 and constant.shape[-1] != constant.size:
        return NoMatch("the constant does not lie along the last dimension", close=True)
    return Match(
        dims=dims,
        ports={"a": a.name, "b": b.name, "y": node.outputs[0].name},
        statics={"b": np.broadcast_to(constant.reshape(-1), (dims["C"],)).copy()},
    )


def example_pair(
    dims: Mapping[str, int],
    dtypes: Mapping[str, IntType],
    seed: int,
    attributes: Mapping[str, object],
) -> Match:
    """Two streams, or for every second seed a stream and a constant."""
    rng = np.random.default_rng(seed)
    b = dtypes["b"]
    constant = rng.integers(b.min, b.max, dims["C"], endpoint=True)
    if b.bipolar:
        constant = np.where(constant > 0, 1, -1)
    return Match(
        dims=dims,
        ports={"a": "a", "b": "b", "y": "y"},
        statics={"b": constant} if seed % 2 else {},
        attributes=attributes,
    )


def infer_pair(
    match: Match, ranges: Mapping[str, tuple[int, int]], compute: Compute
) -> dict[str, tuple[int, int]]:
    """The range of `compute` over both ranges, exact per channel for a constant.

    It is monotone in each operand, so that its ends lie at the operands' ends.
    """
    others = match.statics.get("b")
    ends = ranges["b"] if others is None else {int(v) for v in others}
    corners = [compute(_exact(x), _exact(y)) for x in ranges["a"] for y in ends]
    return {"y": (int(min(corners)), int(max(corners)))}


def compute_pair(
    config: KernelConfig, inputs: Mapping[str, np.ndarray], compute: Compute
) -> dict[str, np.ndarray]:
    """int64 (frames, N, C), twice or once and a constant (C,), to int64 (frames, N, C)."""
    b = inputs["b"] if "b" in inputs else config.static("b")
    return {"y": compute(inputs["a"], b)}


def corners(config: KernelConfig) -> dict[str, np.ndarray]:
    """Frames with both operands at their ends, in all combinations."""
    ports = [port for port in ("a", "b") if port not in config.statics]
    ends = []
    for port in ports:
        dtype = config.dtypes[port]
        ends.append(config.ranges.get(port, (dtype.min, dtype.max)))
    shape = (config.dims["N"], config.dims["C"])
    frames = np.array(list(itertools.product(*ends)), dtype=np.int64)
    return {
        port: np.broadcast_to(frames[:, i, None, None], (len(frames), *shape)).copy()
        for i, port in enumerate(ports)
    }


def _exact(value: int) -> np.ndarray:
    """A Python integer as an array, so that no result overflows."""
    return np.array(value, dtype=object)
