"""What each node becomes with the channels last. A rule returns why it leaves the node alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from brainsmith.api import CHANNELS_LAST, Layout, Model, ModelError, is_standard
from brainsmith.builtin.transforms import elementwise
from brainsmith.builtin.transforms.quantizers import QONNX, is_quantizer
from brainsmith.builtin.transforms.weights import is_constant_like
from brainsmith.builtin.transforms.windows import Window, window_of

if TYPE_CHECKING:
    from brainsmith.builtin.transforms.channels_last import Turning

Rule = Callable[["Turning", ir.Node], str | None]


def is_trigger(node: ir.Node) -> bool:
    """Whether the node is what images are turned for."""
    return node.domain == "" and node.op_type in _TRIGGERS


def rule_of(node: ir.Node) -> Rule | None:
    """The rule for a node; None where there is none."""
    if node.domain == "" and node.op_type in _RULES:
        return _RULES[node.op_type]
    if is_quantizer(node) or elementwise.is_elementwise(node):
        return _elementwise
    return None


def to_last(rank: int) -> tuple[int, ...]:
    """The order that brings the channels, dimension 1, to the end."""
    return (0, *range(2, rank), 1)


# --- convolution and pooling ------------------------------------------------------------------


def _convolution(turning: Turning, node: ir.Node) -> str | None:
    x, w, *rest = node.inputs
    if x is None or w is None or not is_constant_like(turning.model, w):
        return "its weights are not constant"
    group = node.attributes.get_int("group", 1)
    _, inputs, *kernel = turning.model.shape(w)
    channels = turning.model.shape(x)[1]
    if channels != inputs * group:
        raise ModelError(
            f"the Conv reads {channels} channels, and its weights are for {inputs * group}",
            where=f"node '{node.name}'",
            hint="look at what the exporter made of this node",
        )
    turned = _turned_weights(turning, node, w)
    _convolve(turning, node, [turned, *rest[:1]], window_of(turning.model, node, kernel), group)
    return None


def _convolve(
    turning: Turning, node: ir.Node, weights: list[ir.Value | None], window: Window, group: int
) -> None:
    x, output = node.inputs[0], node.outputs[0]
    assert x is not None  # the caller has looked
    y = turning.add(
        node,
        "Conv",
        [turning.twin(x), *weights],
        turning.shape(output),
        domain=CHANNELS_LAST,
        attributes={**window.attributes, "group": group},
    )
    turning.replace(node, y)


def _turned_weights(turning: Turning, node: ir.Node, w: ir.Value) -> ir.Value:
    """[M, I, KH, KW] as [M, KH, KW, I]; what a quantizer makes of a constant stays behind it."""
    shape = turning.model.shape(w)
    order = to_last(len(shape))
    array = turning.model.constant(w)
    if array is not None:
        return turning.constant(w.name or "", np.ascontiguousarray(array.transpose(order)))
    turned = [shape[axis] for axis in order]
    return turning.add(node, "Transpose", [w], turned, attributes={"perm": list(order)})


def _max_pool(turning: Turning, node: ir.Node) -> str | None:
    if any(v.uses() or v.is_graph_output() for v in node.outputs[1:]):
        return "the places of its maxima are read"
    kernel = node.attributes["kernel_shape"].as_ints()
    _pool(turning, node, window_of(turning.model, node, kernel))
    return None


def _pool(turning: Turning, node: ir.Node, window: Window) -> None:
    x, output = node.inputs[0], node.outputs[0]
    assert x is not None  # without one the node is no valid ONNX
    y = turning.add(
        node,
        "MaxPool",
        [turning.twin(x)],
        turning.shape(output),
        domain=CHANNELS_LAST,
        attributes=window.attributes,
    )
    turning.replace(node, y)


def _global_max_pool(turning: Turning, node: ir.Node) -> str | None:
    _pool(turning, node, _whole(turning.model, node))
    return None


def _average_pool(turning: Turning, node: ir.Node) -> str | None:
    window = window_of(turning.model, node, node.attributes["kernel_shape"].as_ints())
    counts_padding = node.attributes.get_int("count_include_pad", 0)
    if any(window.pads) and counts_padding and node.attributes.get_int("ceil_mode", 0):
        return "its last window reaches over the border"
    pixels = {int(np.prod(window.kernel))}
    if any(window.pads) and not counts_padding:
        pixels = _pixels(turning.model, node, window)
    if len(pixels) > 1:
        return "at the borders its mean is over fewer pixels"
    _average(turning, node, window, pixels.pop())
    return None


def _pixels(model: Model, node: ir.Node, window: Window) -> set[int]:
    """How many pixels of the image the windows have, each number once."""
    x = node.inputs[0]
    assert x is not None  # without one the node is no valid ONNX
    counts = {1}
    outputs = model.shape(node.outputs[0])[2:]
    for axis, (size, windows) in enumerate(zip(model.shape(x)[2:], outputs, strict=True)):
        first = np.arange(windows) * window.strides[axis] - window.pads[axis]
        places = first[:, None] + np.arange(window.kernel[axis]) * window.dilations[axis]
        inside = ((places >= 0) & (places < size)).sum(axis=1)
        counts = {count * int(more) for count in counts for more in inside}
    return counts


def _global_average_pool(turning: Turning, node: ir.Node) -> str | None:
    window = _whole(turning.model, node)
    _average(turning, node, window, int(np.prod(window.kernel)))
    return None


def _average(turning: Turning, node: ir.Node, window: Window, pixels: int) -> None:
    """A convolution of each channel with 1 / k, written as the integer 1 with that scale.

    Args:
        pixels: how many each mean is over; where the window reaches over the border it is more.
    """
    x = node.inputs[0]
    assert x is not None  # without one the node is no valid ONNX
    channels = turning.model.shape(x)[1]
    share = np.float32(1.0) / np.float32(pixels)
    ones = turning.constant(
        f"{node.name}_share", np.full((channels, *window.kernel, 1), share, np.float32)
    )
    terms = [np.asarray(share), np.float32(0), np.float32(2)]
    names = ("scale", "zero", "bits")
    weights = turning.add(
        node,
        "Quant",
        [
            ones,
            *(
                turning.constant(f"{node.name}_{n}", np.asarray(t))
                for n, t in zip(names, terms, strict=True)
            ),
        ],
        (channels, *window.kernel, 1),
        domain=QONNX,
        attributes={"signed": 0, "narrow": 0, "rounding_mode": "ROUND"},
    )
    _convolve(turning, node, [weights], window, channels)


def _whole(model: Model, node: ir.Node) -> Window:
    """The window that is the whole image."""
    x = node.inputs[0]
    assert x is not None  # without one the node is no valid ONNX
    image = model.shape(x)[2:]
    ones = (1,) * len(image)
    return Window(image, ones, ones, (0,) * 2 * len(image))


def _reduce_mean(turning: Turning, node: ir.Node) -> str | None:
    x, axes = node.inputs[0], _axes(turning.model, node)
    assert x is not None  # without one the node is no valid ONNX
    rank = len(turning.model.shape(x))
    if sorted(axis % rank for axis in axes) != list(range(2, rank)):
        return "its mean is not over the whole image"
    if not node.attributes.get_int("keepdims", 1):
        return "its mean drops the image's dimensions"
    window = _whole(turning.model, node)
    _average(turning, node, window, int(np.prod(window.kernel)))
    return None


def _axes(model: Model, node: ir.Node) -> list[int]:
    if "axes" in node.attributes:
        return list(node.attributes["axes"].as_ints())
    given = node.inputs[1] if len(node.inputs) > 1 else None
    array = None if given is None else model.constant(given)
    return [] if array is None else [int(axis) for axis in array.reshape(-1)]


# --- element by element -----------------------------------------------------------------------


def _elementwise(turning: Turning, node: ir.Node) -> str | None:
    """The same node on twins; constants are turned with them."""
    model, output = turning.model, node.outputs[0]
    rank = len(model.shape(output))
    inputs: list[ir.Value | None] = []
    for index, value in enumerate(node.inputs):
        if value is None or not is_constant_like(model, value):
            if value is not None and len(model.shape(value)) != rank:
                return "it joins values of different ranks"
            inputs.append(None if value is None else turning.twin(value))
        elif index and _is_along_axis(node):
            inputs.append(value)
        else:
            inputs.append(_parameter(turning, node, value, rank))
    attributes = dict(node.attributes)
    if _is_along_axis(node) and node.op_type != "MultiThreshold":
        attributes["axis"] = ir.AttrInt64("axis", _axis(node, rank))
    if node.op_type == "MultiThreshold":
        attributes["data_layout"] = ir.AttrString("data_layout", {3: "NWC", 4: "NHWC"}[rank])
    y = turning.add(
        node, node.op_type, inputs, turning.shape(output),
        domain=node.domain, attributes=attributes,
    )  # fmt: skip
    turning.replace(node, y)
    return None


def _is_along_axis(node: ir.Node) -> bool:
    return node.op_type in ("QuantizeLinear", "DequantizeLinear", "MultiThreshold")


def _axis(node: ir.Node, rank: int) -> int:
    """Where the dimension of an `axis` attribute lies when the channels are last."""
    return to_last(rank).index(node.attributes.get_int("axis", 1) % rank)


def _parameter(turning: Turning, node: ir.Node, value: ir.Value, rank: int) -> ir.Value:
    """A constant operand, so that it broadcasts to the twin as it did to the value."""
    shape = turning.model.shape(value)
    if int(np.prod(shape)) == 1:
        return value
    padded = (*(1,) * (rank - len(shape)), *shape)
    order = to_last(rank)
    turned = [padded[axis] for axis in order]
    array = turning.model.constant(value)
    if array is not None:
        moved = np.ascontiguousarray(array.reshape(padded).transpose(order))
        return turning.constant(value.name or "", moved)
    target = turning.constant(f"{value.name}_shape", np.array(padded, np.int64))
    value = turning.add(node, "Reshape", [value, target], padded)
    return turning.add(node, "Transpose", [value], turned, attributes={"perm": list(order)})


def _batch_normalization(turning: Turning, node: ir.Node) -> str | None:
    """A product and a sum, with the constants that ONNX Runtime makes of the four vectors."""
    model, x = turning.model, node.inputs[0]
    arrays = [None if v is None else model.constant(v) for v in node.inputs[1:5]]
    if x is None or len(arrays) < 4 or any(a is None for a in arrays):
        return "its parameters are not constant"
    scale, bias, mean, variance = (np.asarray(a, np.float32) for a in arrays)
    epsilon = np.float32(node.attributes.get_float("epsilon", 1e-5))
    factor = scale * (np.float32(1) / np.sqrt(variance + epsilon))
    shape = turning.shape(node.outputs[0])
    factors = turning.constant(f"{node.name}_factor", factor)
    offsets = turning.constant(f"{node.name}_offset", bias - mean * factor)
    scaled = turning.add(node, "Mul", [turning.twin(x), factors], shape)
    turning.replace(node, turning.add(node, "Add", [scaled, offsets], shape))
    return None


# --- moving elements --------------------------------------------------------------------------


def _concat(turning: Turning, node: ir.Node) -> str | None:
    rank = len(turning.model.shape(node.outputs[0]))
    inputs: list[ir.Value | None] = []
    for value in node.inputs:
        if value is None or is_constant_like(turning.model, value):
            return "it joins a constant"
        inputs.append(turning.twin(value))
    attributes = {"axis": to_last(rank).index(node.attributes["axis"].as_int() % rank)}
    shape = turning.shape(node.outputs[0])
    turning.replace(node, turning.add(node, "Concat", inputs, shape, attributes=attributes))
    return None


def _split(turning: Turning, node: ir.Node) -> str | None:
    x, *sizes = node.inputs
    if x is None:
        return "it has no input"
    rank = len(turning.model.shape(x))
    attributes = dict(node.attributes)
    axis = to_last(rank).index(node.attributes.get_int("axis", 0) % rank)
    attributes["axis"] = ir.AttrInt64("axis", axis)
    first, *others = node.outputs
    y = turning.add(
        node, "Split", [turning.twin(x), *sizes], turning.shape(first), attributes=attributes
    )
    turning.replace(node, y)
    for other in others:
        turning.replace_further(other, y)
    return None


def _resize(turning: Turning, node: ir.Node) -> str | None:
    """Scales or sizes in the other order; the region of interest is for no nearest neighbour."""
    x, *rest = node.inputs
    if x is None:
        return "it has no input"
    vectors: list[ir.Value | None] = []
    for value in rest:
        array = None if value is None else turning.model.constant(value)
        if value is None or (array is not None and not array.size):
            vectors.append(value)
        elif array is None:
            return "its scales are not constant"
        else:
            vectors.append(turning.constant(f"{value.name}", _vector(array)))
    y = turning.add(
        node, node.op_type, [turning.twin(x), *vectors], turning.shape(node.outputs[0]),
        attributes=dict(node.attributes),
    )  # fmt: skip
    turning.replace(node, y)
    return None


def _pad(turning: Turning, node: ir.Node) -> str | None:
    x, *rest = node.inputs
    if x is None or len(rest) > 2 or "axes" in node.attributes:
        return "it names its axes"
    attributes = dict(node.attributes)
    inputs: list[ir.Value | None] = [turning.twin(x)]
    if "pads" in attributes:
        pads = np.array(attributes["pads"].as_ints(), np.int64)
        attributes["pads"] = ir.AttrInt64s("pads", [int(p) for p in _vector(pads)])
    else:
        array = None if not rest or rest[0] is None else turning.model.constant(rest[0])
        if array is None:
            return "its pads are not constant"
        inputs += [turning.constant(f"{node.name}_pads", _vector(array)), *rest[1:]]
    shape = turning.shape(node.outputs[0])
    turning.replace(node, turning.add(node, "Pad", inputs, shape, attributes=attributes))
    return None


def _vector(values: np.ndarray) -> np.ndarray:
    """One or two numbers a dimension, in the order of the twin's dimensions."""
    rows = values.reshape(1 if len(values) <= 4 else 2, -1)
    return np.ascontiguousarray(rows[:, list(to_last(rows.shape[1]))].reshape(-1))


def _depth_to_space(turning: Turning, node: ir.Node) -> str | None:
    """The node between a transpose to channels first and one back, which go together."""
    x, output = node.inputs[0], node.outputs[0]
    assert x is not None  # without one the node is no valid ONNX
    first, last = {"perm": [0, 3, 1, 2]}, {"perm": list(to_last(4))}
    image = turning.add(
        node, "Transpose", [turning.twin(x)], turning.model.shape(x), attributes=first
    )
    blocks = turning.add(
        node, "DepthToSpace", [image], turning.model.shape(output),
        attributes=dict(node.attributes),
    )  # fmt: skip
    shape = turning.shape(output)
    turning.replace(node, turning.add(node, "Transpose", [blocks], shape, attributes=last))
    return None


def _target(turning: Turning, node: ir.Node, shape: tuple[int, ...]) -> ir.Value:
    return turning.constant(f"{node.name}_shape", np.array(shape, np.int64))


def _flatten(turning: Turning, node: ir.Node) -> str | None:
    """A view of the turned image, if what reads it can take its elements in another order."""
    x, output = node.inputs[0], node.outputs[0]
    if x is None or output.shape is None:
        return "its shape is not known"
    before, after = turning.model.shape(x), turning.model.shape(output)
    if after[1:] != (int(np.prod(before[1:])),):
        return "it makes no vector of the image"
    products = _products_behind(turning.model, output)
    single = int(np.prod(before[2:])) == 1 or before[1] == 1
    if products is None and not single:
        return "what follows needs the order of its elements"
    shape = turning.shape(x)
    y = turning.add(node, "Reshape", [turning.twin(x), _target(turning, node, after)], after)
    if not single:
        for product in products or []:
            _reorder(turning, product, before)
    layout = Layout(shape, (0, len(shape) - 1, *range(1, len(shape) - 1)))
    _hand_on(turning, node, y, layout)
    return None


def _products_behind(model: Model, value: ir.Value) -> list[ir.Node] | None:
    """The products that a vector ends in, if it ends in nothing else on any way."""
    if value.is_graph_output():
        return None
    found: list[ir.Node] = []
    for use in value.uses():
        if is_standard(use.node, "MatMul", "Gemm"):
            if use.idx or not _has_constant_weights(model, use.node):
                return None
            found.append(use.node)
            continue
        behind = None
        if _is_uniform(model, use.node, use.idx):
            behind = _products_behind(model, use.node.outputs[0])
        if behind is None:
            return None
        found += behind
    return found


def _has_constant_weights(model: Model, node: ir.Node) -> bool:
    w = node.inputs[1]
    turned = node.op_type == "Gemm" and node.attributes.get_int("transA", 0) == 1
    return w is not None and is_constant_like(model, w) and not turned


def _is_uniform(model: Model, node: ir.Node, index: int) -> bool:
    """Whether a node treats all elements of what it reads there alike."""
    if index or not (is_quantizer(node) or elementwise.is_elementwise(node)):
        return False
    others = [v for v in node.inputs[1:] if v is not None]
    return all(is_constant_like(model, v) and int(np.prod(model.shape(v))) == 1 for v in others)


def _reorder(turning: Turning, node: ir.Node, image: tuple[int, ...]) -> None:
    """Puts the rows of a product's weights into the order of a vector with the channels last."""
    w = node.inputs[1]
    assert w is not None  # _has_constant_weights
    shape = turning.model.shape(w)
    axis = int(node.op_type == "Gemm" and node.attributes.get_int("transB", 0) == 1)
    split = (*shape[:axis], *image[1:], *shape[axis + 1 :])
    inner = range(axis, axis + len(image) - 1)
    order = [*range(axis), *inner[1:], inner[0], *range(axis + len(image) - 1, len(split))]
    array = turning.model.constant(w)
    if array is not None:
        moved = array.reshape(split).transpose(order).reshape(shape)
        node.replace_input_with(1, turning.constant(w.name or "", np.ascontiguousarray(moved)))
        return
    view = turning.add(node, "Reshape", [w, _target(turning, node, split)], split)
    turned = [split[a] for a in order]
    view = turning.add(node, "Transpose", [view], turned, attributes={"perm": order})
    view = turning.add(node, "Reshape", [view, _target(turning, node, shape)], shape)
    node.replace_input_with(1, view)


def _hand_on(turning: Turning, node: ir.Node, vector: ir.Value, layout: Layout) -> None:
    """Lets the readers of a vector have it in the other order, up to the products."""
    output = node.outputs[0]
    for use in list(output.uses()):
        use.node.replace_input_with(use.idx, vector)
    turning.replace(node, vector, layout)
    waiting = [use.node for use in vector.uses()] if layout.moves else []
    while waiting:
        reader = waiting.pop()
        if is_standard(reader, "MatMul", "Gemm", "Reshape"):
            continue
        turning.reordered(reader.outputs[0], layout)
        waiting.extend(use.node for use in reader.outputs[0].uses())


_TRIGGERS = frozenset({"Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"})
_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "AveragePool": _average_pool,
        "BatchNormalization": _batch_normalization,
        "Concat": _concat,
        "Conv": _convolution,
        "DepthToSpace": _depth_to_space,
        "Flatten": _flatten,
        "GlobalAveragePool": _global_average_pool,
        "GlobalMaxPool": _global_max_pool,
        "MaxPool": _max_pool,
        "Pad": _pad,
        "ReduceMean": _reduce_mean,
        "Reshape": _flatten,
        "Resize": _resize,
        "Split": _split,
        "Upsample": _resize,
    }
)
