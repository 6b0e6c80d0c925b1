"""Padding: a constant around an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    given_integers,
    integers,
    is_standard,
    not_constant,
    not_integer,
    operand,
)


@operation(
    name="pad",
    description="y = x with the constant `value` around it: rows above and below, columns beside",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["convolution", "pooling"],
)
class Pad:
    """ONNX `Pad` with a constant, of one image with the channels last.

    x: [H, W, C], integers or bipolar; y: [OH, OW, C]. Attributes of a match are `top` and `left`,
    rows and columns before the image (those behind it follow from the dimensions), and `value`.
    """

    loops = (Loop("OH"), Loop("OW"), Loop("C", fold="PE"))
    ports = (stream_in("x", "H", "W", "C", own=("H", "W")), stream_out("y", "OH", "OW", "C"))

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes [1, H, W, C] with padded rows and columns, and [1, W, C] with padded columns."""
        if not is_standard(node, "Pad"):
            return NoMatch("not a Pad")
        x = operand(node, 0)
        refusal = not_integer(x, "the input") or not_constant(node)
        if x is None or refusal:
            return refusal or NoMatch("no input")
        if node.attributes.get("mode", "constant") != "constant":
            return NoMatch(f"it pads in the mode '{node.attributes['mode']}'", close=True)
        pads = _pads(node, x)
        if isinstance(pads, NoMatch):
            return pads
        value = _value(node)
        if isinstance(value, NoMatch):
            return value
        (top, bottom), (left, right) = pads
        H, W, C = x.shape[1:] if len(x.shape) == 4 else (1, *x.shape[1:])
        return Match(
            dims={"OH": top + H + bottom, "OW": left + W + right, "C": C, "H": H, "W": W},
            ports={"x": x.name, "y": node.outputs[0].name},
            attributes={"top": top, "left": left, "value": value},
        )

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The range of the input, and the constant where there is any padding."""
        dims, (low, high) = match.dims, ranges["x"]
        if (dims["OH"], dims["OW"]) == (dims["H"], dims["W"]):
            return {"y": (low, high)}
        value = _attribute(match.attributes, "value")
        return {"y": (min(low, value), max(high, value))}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, H, W, C) to int64 (frames, OH, OW, C)."""
        x, dims = inputs["x"], config.dims
        top, left = (_attribute(config.attributes, name) for name in ("top", "left"))
        shape = (len(x), dims["OH"], dims["OW"], dims["C"])
        y = np.full(shape, _attribute(config.attributes, "value"), np.int64)
        y[:, top : top + dims["H"], left : left + dims["W"]] = x
        return {"y": y}

    def rows(self, config: KernelConfig, start: int, count: int) -> dict[str, tuple[int, int]]:
        """Rows of the image with all of the padding around them, so at least one more than that."""
        around = config.dims["OH"] - config.dims["H"]
        height = max(1, count - around)
        first = min(start, config.dims["H"] - height)
        return {"OH": (start, height + around), "H": (first, height)}

    def example(self, dims: Mapping[str, int], dtypes: Mapping[str, IntType], seed: int) -> Match:
        """An image at a random place of y, in a constant that is seldom out of its datatype."""
        rng = np.random.default_rng(seed)
        H, W = (int(rng.integers(1, dims[name], endpoint=True)) for name in ("OH", "OW"))
        value = int(rng.integers(dtypes["x"].min - 1, dtypes["x"].max + 1, endpoint=True))
        return Match(
            dims={**dims, "H": H, "W": W},
            ports={"x": "x", "y": "y"},
            attributes={
                "top": int(rng.integers(0, dims["OH"] - H, endpoint=True)),
                "left": int(rng.integers(0, dims["OW"] - W, endpoint=True)),
                "value": value,
            },
        )


def _attribute(attributes: Mapping[str, object], name: str) -> int:
    """An attribute of a match, 0 where it is not there."""
    return int(cast(int, attributes.get(name, 0)))


def _pads(node: NodeView, x: ValueView) -> tuple[tuple[int, int], tuple[int, int]] | NoMatch:
    """Rows above and below, and columns before and behind."""
    rank = len(x.shape)
    if rank not in (3, 4) or x.shape[0] != 1:
        return NoMatch(f"a value of shape {x.shape} is no image with its channels last", close=True)
    listed = given_integers(node, "pads", 1)
    axes = given_integers(node, "axes", 3) or tuple(range(rank))
    if listed is None or len(listed) != 2 * len(axes):
        return NoMatch("the pads do not say two numbers an axis", close=True)
    around = _around(rank, axes, listed)
    if min(listed) < 0:
        return NoMatch("it cuts off rows or columns", close=True)
    if around[0] != (0, 0) or around[-1] != (0, 0):
        return NoMatch("it pads other axes than those of rows and columns", close=True)
    return around[1] if rank == 4 else (0, 0), around[-2]


def _around(rank: int, axes: Sequence[int], listed: Sequence[int]) -> list[tuple[int, int]]:
    """The pads before and behind, for each of all axes."""
    around = [(0, 0)] * rank
    for place, axis in enumerate(axes):
        around[axis % rank] = listed[place], listed[place + len(axes)]
    return around


def _value(node: NodeView) -> int | NoMatch:
    """The constant, which has to be a value that y can have."""
    stored = operand(node, 2)
    given = node.attributes.get("value", 0.0) if stored is None else stored.constant
    value = integers(np.asarray(given).reshape(-1))
    if value is None:
        return NoMatch("it pads with what is no integer", close=True)
    constant, dtype = int(value[0]), node.outputs[0].dtype
    if dtype is not None and not dtype.holds(constant, constant):
        return NoMatch(f"it pads with {constant}, which is no {dtype}", close=True)
    return constant
