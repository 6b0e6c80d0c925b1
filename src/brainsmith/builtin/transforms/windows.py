"""Windows over images: what convolution and pooling nodes say of them, padding in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import onnx_ir as ir

from brainsmith.api import Model


@dataclass(frozen=True)
class Window:
    """Kernel, strides and dilations, one a dimension; `pads` are all begins, then all ends."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]

    @property
    def spans(self) -> tuple[int, ...]:
        """Pixels from the first of a window to its last, both included."""
        return tuple(
            (k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations, strict=True)
        )  # fmt: skip

    @property
    def attributes(self) -> dict[str, object]:
        """As the nodes have them; early opsets have no dilations for pooling."""
        found: dict[str, object] = {
            "kernel_shape": list(self.kernel),
            "strides": list(self.strides),
            "pads": list(self.pads),
        }
        if any(d != 1 for d in self.dilations):
            found["dilations"] = list(self.dilations)
        return found


def window_of(model: Model, node: ir.Node, kernel: Sequence[int]) -> Window:
    """The window of a Conv, MaxPool or AveragePool, `auto_pad` and `ceil_mode` written out."""
    image = model.shape(_image(node))[2:]
    rank = len(image)
    found = Window(
        tuple(kernel),
        _ints(node, "strides", (1,) * rank),
        _ints(node, "dilations", (1,) * rank),
        _ints(node, "pads", (0,) * 2 * rank),
    )
    padding = node.attributes.get_string("auto_pad", "NOTSET")
    if padding == "VALID":
        return replace(found, pads=(0,) * 2 * rank)
    outputs = model.shape(node.outputs[0])[2:]
    if padding in ("SAME_UPPER", "SAME_LOWER"):
        return replace(found, pads=_same(found, image, outputs, padding == "SAME_LOWER"))
    if node.attributes.get_int("ceil_mode", 0):
        return replace(found, pads=_reaching(found, image, outputs))
    return found


def _image(node: ir.Node) -> ir.Value:
    image = node.inputs[0]
    assert image is not None  # without one the node is no valid ONNX
    return image


def _ints(node: ir.Node, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
    found = node.attributes.get(name)
    return default if found is None else tuple(found.as_ints())


def _totals(window: Window, image: Sequence[int], outputs: Sequence[int]) -> list[int]:
    """Padding that the windows need along each dimension, both sides together."""
    sizes = zip(outputs, window.strides, window.spans, image, strict=True)
    return [max(0, (out - 1) * stride + span - size) for out, stride, span, size in sizes]


def _same(
    window: Window, image: Sequence[int], outputs: Sequence[int], more_before: bool
) -> tuple[int, ...]:
    totals = _totals(window, image, outputs)
    less, more = [t // 2 for t in totals], [t - t // 2 for t in totals]
    return (*more, *less) if more_before else (*less, *more)


def _reaching(window: Window, image: Sequence[int], outputs: Sequence[int]) -> tuple[int, ...]:
    """The pads with more at the end, so that the last window of `ceil_mode` is a whole one."""
    rank = len(image)
    begins, ends = window.pads[:rank], window.pads[rank:]
    needed = _totals(window, image, outputs)
    return (*begins, *(max(e, n - b) for e, n, b in zip(ends, needed, begins, strict=True)))
