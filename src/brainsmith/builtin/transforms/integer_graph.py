"""Writing integer nodes: standard QONNX and ONNX nodes on integers carried in float32."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from brainsmith.api import BIPOLAR, CHANNELS_LAST, IntType, Model
from brainsmith.builtin.transforms.quantizers import QONNX, Grid
from brainsmith.builtin.transforms.scaled_integer import Anchor, Rationals, to_float64
from brainsmith.builtin.transforms.thresholds import Staircase
from brainsmith.builtin.transforms.weights import datatype_of

EXACT_IN_FLOAT32 = 1 << 24
_ROUND_SINCE = 11
_SPLIT_READS_SIZES_SINCE = 13
_DEQUANTIZES = "it gives real numbers to a node that stays on the host"
_QUANTIZES = "it gives the codes of a quantizer on the host"
# By rank: the layouts in which QONNX takes the last dimension for the channels.
_CHANNELS_LAST = ("", "", "NC", "NWC", "NHWC", "NDHWC")


class IntegerGraph:
    """Adds integer nodes to a model, in front of the nodes that they replace.

    Attributes:
        model: the model.
        named: new nodes with the name that each shall have once the old nodes are gone.
        added: all nodes that are no longer the original model's.
        on_host: new nodes on real numbers, and why they are there.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.named: dict[ir.Node, str] = {}
        self.added: set[ir.Node] = set()
        self.on_host: dict[ir.Node, str] = {}
        self._dequantized: dict[ir.Value, ir.Value] = {}
        model.ir.opset_imports.setdefault(QONNX, 1)

    def add(
        self,
        op_type: str,
        inputs: Sequence[ir.Value | None],
        *,
        old: ir.Node,
        shape: Sequence[int],
        limits: tuple[int, int] | None = None,
        datatype: IntType | None = None,
        element: ir.DataType = ir.DataType.FLOAT,
        domain: str = "",
        attributes: dict[str, Any] | None = None,
    ) -> ir.Value:
        """A node in place of `old`; its output has the range `limits` if it is an integer."""
        value = self.model.add_node(
            op_type,
            inputs,
            name_hint=f"{old.name}_{op_type}",
            domain=domain,
            attributes=attributes,
            shape=shape,
            element=element,
            before=old,
        )
        self.keep(value.producer(), None if limits is not None else _DEQUANTIZES)
        if limits is not None:
            set_integer(self.model, value, limits, datatype)
        return value

    def keep(self, node: ir.Node | None, on_host: str | None = None) -> None:
        """Counts a node among those that are no longer the original model's."""
        assert node is not None  # it has just been made
        self.added.add(node)
        if on_host is not None:
            self.on_host[node] = on_host

    def shaped(self, value: ir.Value, shape: tuple[int, ...], old: ir.Node) -> ir.Value:
        """The value in another shape; no element moves."""
        if self.model.shape(value) == shape:
            return value
        target = self.model.add_initializer(f"{old.name}_shape", np.array(shape, np.int64))
        limits, datatype = self.model.range_of(value), self.model.datatype(value)
        return self.add(
            "Reshape", [value, target], old=old, shape=shape, limits=limits, datatype=datatype
        )

    def product(
        self,
        x: ir.Value,
        weights: NDArray[np.int64],
        shape: tuple[int, ...],
        old: ir.Node,
        wanted: str,
    ) -> tuple[ir.Value, ir.Value]:
        """`x @ weights`, with the exact range; and the initializer of the weights."""
        w = self.constant(f"{wanted}_weights", weights)
        y = self.add(
            "MatMul", [x, w], old=old, shape=shape, limits=product_range(self.model, x, weights)
        )
        return self._naming(y, wanted), w

    def convolution(
        self,
        x: ir.Value,
        weights: NDArray[np.int64],
        pads: Sequence[int],
        old: ir.Node,
        wanted: str,
    ) -> tuple[ir.Value, ir.Value]:
        """A Conv as the old one, with the exact range; and the initializer of the weights."""
        w = self.constant(f"{wanted}_weights", weights)
        limits = convolution_range(limits_of(self.model, x), weights, any(pads))
        y = self.add(
            "Conv", [x, w], old=old, shape=self.model.shape(old.outputs[0]), limits=limits,
            domain=CHANNELS_LAST, attributes={**old.attributes, "pads": list(pads)},
        )  # fmt: skip
        return self._naming(y, wanted), w

    def padded(self, x: ir.Value, pads: Sequence[int], value: int, old: ir.Node) -> ir.Value:
        """A channels-last image inside a frame of one integer; `pads` are begins, then ends."""
        shape, half = self.model.shape(x), len(pads) // 2
        begins, ends = [0, *pads[:half], 0], [0, *pads[half:], 0]
        wide = tuple(s + b + e for s, b, e in zip(shape, begins, ends, strict=True))
        (lo, hi), datatype = limits_of(self.model, x), self.model.datatype(x)
        assert datatype is not None  # an anchor's value is an integer
        limits = min(lo, value), max(hi, value)
        if datatype.bipolar or not datatype.min <= value <= datatype.max:
            datatype = IntType.covering(min(datatype.min, value), max(datatype.max, value))
        target = self.model.add_initializer(
            f"{old.name}_pads", np.array([*begins, *ends], np.int64)
        )
        constant = self.model.add_initializer(f"{old.name}_padding", np.array(value, np.float32))
        return self.add(
            "Pad", [x, target, constant], old=old, shape=wide, limits=limits, datatype=datatype
        )

    def split(self, x: ir.Value, axis: int, size: int, old: ir.Node) -> tuple[ir.Value, ir.Value]:
        """The first `size` elements along an axis, and the others."""
        model, shape = self.model, list(self.model.shape(x))
        shapes = [[*shape[:axis], n, *shape[axis + 1 :]] for n in (size, shape[axis] - size)]
        sizes = np.array([size, shape[axis] - size], np.int64)
        inputs, attributes = [x], {"axis": axis, "split": sizes.tolist()}
        opset = model.graph.opset_imports.get("", _SPLIT_READS_SIZES_SINCE)
        if opset >= _SPLIT_READS_SIZES_SINCE:
            inputs.append(model.add_initializer(f"{old.name}_sizes", sizes))
            del attributes["split"]
        limits, datatype = limits_of(model, x), model.datatype(x)
        first = self.add(
            "Split", inputs, old=old, shape=shapes[0], limits=limits, datatype=datatype,
            attributes=attributes,
        )  # fmt: skip
        node = first.producer()
        assert node is not None  # it has just been made
        second = model.add_output(node, name_hint=f"{node.name}_rest", shape=shapes[1])
        set_integer(model, second, limits, datatype)
        return first, second

    def same(
        self,
        old: ir.Node,
        inputs: Sequence[ir.Value | None],
        datatype: IntType,
        limits: tuple[int, int],
    ) -> ir.Value:
        """The very node on other inputs, an integer."""
        y = self.add(
            old.op_type, inputs, old=old, shape=self.model.shape(old.outputs[0]), limits=limits,
            datatype=datatype, domain=old.domain, attributes=dict(old.attributes),
        )  # fmt: skip
        return self._naming(y, old.name or "")

    def scaled(
        self, x: ir.Value, factors: NDArray[np.int64], old: ir.Node, *, wanted: str = ""
    ) -> ir.Value:
        """`x * factors`, one factor for all or one per element of the last dimension."""
        if factors.size == 1 and factors.reshape(-1)[0] == 1:
            return x
        return self._with_constant("Mul", x, factors, old, wanted or f"{old.name}_scale")

    def shifted(self, x: ir.Value, offsets: NDArray[np.int64], old: ir.Node) -> ir.Value:
        """`x + offsets`, one offset for all or one per element of the last dimension."""
        if not offsets.any():
            return x
        return self._with_constant("Add", x, offsets, old, f"{old.name}_bias")

    def combined(self, op_type: str, a: ir.Value, b: ir.Value, old: ir.Node) -> ir.Value:
        """The sum or product of two integer streams of one shape."""
        (alo, ahi), (blo, bhi) = limits_of(self.model, a), limits_of(self.model, b)
        if op_type == "Add":
            limits = (alo + blo, ahi + bhi)
        else:
            corners = [alo * blo, alo * bhi, ahi * blo, ahi * bhi]
            limits = (min(corners), max(corners))
        y = self.add(op_type, [a, b], old=old, shape=self.model.shape(a), limits=limits)
        return self._naming(y, old.name or "")

    def thresholds(
        self, x: ir.Value, stairs: Staircase, labels: NDArray[np.int64] | None, old: ir.Node
    ) -> ir.Value | str:
        """A MultiThreshold; `labels` say which row of the staircase an element follows.

        Its output is a matrix where QONNX knows no layout for the shape of `x`.
        """
        shape = self.model.shape(x)
        rows = stairs.thresholds
        if labels is not None:
            per_channel = labels.reshape(-1, shape[-1])
            if (per_channel != per_channel[0]).any():
                return "its elements differ in more than the last dimension"
            rows = rows[per_channel[0]]
        if len(rows) > 1 and bool((rows == rows[0]).all()):
            rows = rows[:1]
        if not 2 <= len(shape) < len(_CHANNELS_LAST):
            x = self.shaped(x, (math.prod(shape[:-1]), shape[-1] if shape else 1), old)
        steps = stairs.thresholds.shape[1]
        limits = (stairs.first, stairs.first + stairs.step * steps)
        datatype = BIPOLAR if stairs.step == 2 else IntType.covering(*limits)
        t = self.constant(f"{old.name}_thresholds", rows)
        y = self.add(
            "MultiThreshold",
            [x, t],
            old=old,
            shape=self.model.shape(x),
            limits=limits,
            datatype=datatype,
            domain=QONNX,
            attributes={
                "out_dtype": datatype.name,
                "out_scale": float(stairs.step),
                "out_bias": float(stairs.first),
                "data_layout": _CHANNELS_LAST[len(self.model.shape(x))],
            },
        )
        return self._naming(y, old.name or "")

    def codes_on_host(self, quantizer: ir.Node, grid: Grid) -> ir.Value:
        """The codes of a quantizer that stays: its output, divided by the scale and rounded."""
        real = quantizer.outputs[0]
        assert grid.datatype is not None  # the caller has looked
        y = real
        if real.dtype not in (None, ir.DataType.FLOAT):
            y = self._behind("Cast", [y], quantizer, {"to": ir.DataType.FLOAT})
        else:
            if np.any(grid.scale != 1):
                y = self._behind("Div", [y, self._float(real, "scale", grid.scale)], quantizer)
            if np.any(grid.zero != 0):
                y = self._behind("Add", [y, self._float(real, "zero", grid.zero)], quantizer)
            if y is not real:
                y = self._rounded(y, quantizer)
        set_integer(self.model, y, (grid.datatype.min, grid.datatype.max), grid.datatype)
        return y

    def _rounded(self, y: ir.Value, quantizer: ir.Node) -> ir.Value:
        """The nearest integers, which are near; operator sets below 11 have no Round."""
        if self.model.graph.opset_imports.get("", _ROUND_SINCE) >= _ROUND_SINCE:
            return self._behind("Round", [y], quantizer)
        half = self.model.add_initializer(f"{quantizer.name}_half", np.array(0.5, np.float32))
        return self._behind("Floor", [self._behind("Add", [y, half], quantizer)], quantizer)

    def _behind(
        self,
        op_type: str,
        inputs: Sequence[ir.Value],
        quantizer: ir.Node,
        attributes: dict[str, Any] | None = None,
    ) -> ir.Value:
        value = self.model.add_node(
            op_type,
            inputs,
            name_hint=f"{quantizer.name}_{op_type}",
            attributes=attributes,
            shape=self.model.shape(quantizer.outputs[0]),
            after=inputs[0].producer(),
        )
        self.keep(value.producer(), _QUANTIZES)
        return value

    def _float(self, real: ir.Value, hint: str, values: Rationals) -> ir.Value:
        array = to_float64(values).astype(np.float32)
        return self.model.add_initializer(f"{real.name}_{hint}", array)

    def dequantized(self, anchor: Anchor) -> ir.Value:
        """`float32(scale * value + bias)` on the host, made once per anchor.

        In double precision where float32 would round more than once.
        """
        if anchor.real in self._dequantized:
            return self._dequantized[anchor.real]
        old = anchor.real.producer()
        assert old is not None  # a graph's input is its own anchor
        shape = self.model.shape(anchor.real)
        x = self.shaped(anchor.value, shape, old)
        element = anchor.real.dtype or ir.DataType.FLOAT
        if anchor.is_trivial:
            y = x
            if element != ir.DataType.FLOAT:
                y = self.add(
                    "Cast", [x], old=old, shape=shape, element=element, attributes={"to": element}
                )
        else:
            y = self._affine(x, anchor, shape, old)
        self._dequantized[anchor.real] = y
        return y

    def again(self, value: ir.Value, anchor: Anchor) -> ir.Value:
        """The same value under another name, for a second output of the graph."""
        old = anchor.real.producer()
        assert old is not None
        return self.add("Identity", [value], old=old, shape=self.model.shape(value))

    def _affine(
        self, x: ir.Value, anchor: Anchor, shape: tuple[int, ...], old: ir.Node
    ) -> ir.Value:
        scale, bias = to_float64(anchor.scale), to_float64(anchor.bias)
        simple = not bias.any() and bool((scale == scale.astype(np.float32)).all())
        if simple:
            s = self.model.add_initializer(f"{anchor.real.name}_scale", scale.astype(np.float32))
            return self.add("Mul", [x, s], old=old, shape=shape)
        double = ir.DataType.DOUBLE
        s = self.model.add_initializer(f"{anchor.real.name}_scale", scale)
        b = self.model.add_initializer(f"{anchor.real.name}_bias", bias)
        to = {"to": double}
        y = self.add("Cast", [x], old=old, shape=shape, element=double, attributes=to)
        y = self.add("Mul", [y, s], old=old, shape=shape, element=double)
        y = self.add("Add", [y, b], old=old, shape=shape, element=double)
        return self.add("Cast", [y], old=old, shape=shape, attributes={"to": ir.DataType.FLOAT})

    def constant(
        self, hint: str, integers: NDArray[np.int64], datatype: IntType | None = None
    ) -> ir.Value:
        """An initializer of integers: float32, or float64 where float32 cannot hold them."""
        large = integers.size and np.abs(integers).max() > EXACT_IN_FLOAT32
        array = integers.astype(np.float64 if large else np.float32)
        return self.model.add_initializer(hint, array, datatype or datatype_of(integers))

    def forget(self, node: ir.Node) -> None:
        """Removes a node that was added and that nothing reads."""
        self.named.pop(node, None)
        self.model.graph.remove(node, safe=True)

    def _with_constant(
        self, op_type: str, x: ir.Value, c: NDArray[np.int64], old: ir.Node, wanted: str
    ) -> ir.Value:
        lo, hi = limits_of(self.model, x)
        ends = np.stack([c * lo, c * hi] if op_type == "Mul" else [c + lo, c + hi])
        constant = self.constant(f"{wanted}_constant", c)
        y = self.add(
            op_type,
            [x, constant],
            old=old,
            shape=self.model.shape(x),
            limits=(int(ends.min()), int(ends.max())),
        )
        return self._naming(y, wanted)

    def _naming(self, value: ir.Value, wanted: str) -> ir.Value:
        node = value.producer()
        assert node is not None
        self.named[node] = wanted
        return value


def set_integer(
    model: Model, value: ir.Value, limits: tuple[int, int], datatype: IntType | None = None
) -> None:
    """Gives a value its range, and the smallest datatype for it unless one is given."""
    model.set_datatype(value, datatype or IntType.covering(*limits))
    model.set_range(value, *limits)


def limits_of(model: Model, value: ir.Value) -> tuple[int, int]:
    """The range of an integer value."""
    limits = model.range_of(value)
    assert limits is not None  # only integer values come here
    return limits


def convolution_range(
    limits: tuple[int, int], weights: NDArray[np.int64], pads: bool
) -> tuple[int, int]:
    """The exact range of a convolution: the worst input of each output channel."""
    low, high = channel_sums(weights, *limits, pads=pads)
    return int(low.min()), int(high.max())


def channel_sums(
    weights: NDArray[np.int64],
    lo: NDArray[np.int64] | int,
    hi: NDArray[np.int64] | int,
    *,
    pads: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Least and greatest sum of each output channel of [M, ..., I]; padding is the integer 0.

    Args:
        lo: least input, one for all or one an input channel.
        hi: greatest input, as `lo`.
    """
    if pads:
        lo, hi = np.minimum(lo, 0), np.maximum(hi, 0)
    axes = tuple(range(1, weights.ndim))
    positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)
    if np.ndim(lo) == np.ndim(hi) == 0:  # sums first: no further copy of the weights
        up, down = positive.sum(axis=axes), negative.sum(axis=axes)
        return up * lo + down * hi, up * hi + down * lo
    low, high = positive * lo + negative * hi, positive * hi + negative * lo
    return low.sum(axis=axes), high.sum(axis=axes)


def product_range(model: Model, x: ir.Value, weights: NDArray[np.int64]) -> tuple[int, int]:
    """The exact range of `x @ weights`: the worst input of each column."""
    low, high = channel_sums(weights.T, *limits_of(model, x), pads=False)
    return int(low.min()), int(high.max())
