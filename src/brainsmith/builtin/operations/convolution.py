"""The operation `conv2d`: an integer image, channels last, convolved with constant weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from brainsmith.api import (
    CHANNELS_LAST,
    IntType,
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
from brainsmith.builtin.operations.matching import integers, not_integer, operand

_EXACT_IN_FLOAT64 = 1 << 53


@dataclass(frozen=True)
class Geometry:
    """How a window moves over an image: strides, dilations and padding, rows first.

    `pads` are top, left, bottom, right.
    """

    kernel: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def attributes(self) -> dict[str, object]:
        """As the attributes of a match."""
        names = ("stride_h", "stride_w", "dilation_h", "dilation_w")
        named = dict(zip(names, (*self.strides, *self.dilations), strict=True))
        return {**named, **dict(zip(("top", "left", "bottom", "right"), self.pads, strict=True))}

    @classmethod
    def of(cls, config: KernelConfig) -> Geometry:
        """The geometry of a configuration with dims KH and KW and these attributes."""

        def get(name: str, default: int) -> int:
            return int(str(config.attributes.get(name, default)))

        return cls(
            (config.dims["KH"], config.dims["KW"]),
            (get("stride_h", 1), get("stride_w", 1)),
            (get("dilation_h", 1), get("dilation_w", 1)),
            (get("top", 0), get("left", 0), get("bottom", 0), get("right", 0)),
        )

    def padded(self, height: int, width: int) -> tuple[int, int]:
        """The size of an image with its padding."""
        top, left, bottom, right = self.pads
        return height + top + bottom, width + left + right

    def outputs(self, height: int, width: int) -> tuple[int, int]:
        """How many windows fit below and beside each other; less than 1 where none does."""
        found = []
        sizes = zip(
            self.padded(height, width), self.kernel, self.strides, self.dilations, strict=True
        )
        for size, kernel, stride, dilation in sizes:
            found.append((size - (kernel - 1) * dilation - 1) // stride + 1)
        return found[0], found[1]


def geometry_of(node: NodeView, kernel: Sequence[int]) -> Geometry | str:
    """The geometry of a node over a row or an image, or why no kernel does it."""
    rank = len(kernel)
    if rank not in (1, 2):
        return f"it has {rank} spatial dimensions"
    padding = str(node.attributes.get("auto_pad") or "NOTSET")
    if padding not in ("NOTSET", "VALID"):
        return f"auto_pad is {padding}: the transform ChannelsLast writes it out"
    strides, dilations = (_pair(node, name, rank) for name in ("strides", "dilations"))
    pads = _integers(node, "pads") or [0] * 2 * rank
    if min(pads) < 0:
        return f"its padding {pads} cuts the image"
    top, left = (0, pads[0]) if rank == 1 else (pads[0], pads[1])
    bottom, right = (0, pads[1]) if rank == 1 else (pads[2], pads[3])
    size = (1, kernel[0]) if rank == 1 else (kernel[0], kernel[1])
    return Geometry(size, strides, dilations, (top, left, bottom, right))


def image_of(shape: Sequence[int]) -> tuple[int, int, int] | str:
    """Height, width and channels of one image or row with the channels last, or why not."""
    if len(shape) not in (3, 4):
        return f"a value of {len(shape)} dimensions is no image"
    if shape[0] != 1:
        return f"it has a batch of {shape[0]} images"
    return (1, shape[1], shape[2]) if len(shape) == 3 else (shape[1], shape[2], shape[3])


@operation(
    name="conv2d",
    description="An image convolved with constant weights: any kernel, stride, dilation, padding",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["convolution", "conv1d"],
)
class Conv2D:
    """QONNX's channels-last `Conv` of an integer image, or row, with constant integer weights.

    x: [H, W, C]; w: [M, KH, KW, I] with I = C / group; y: [OH, OW, M], the exact sums. Padding
    is the integer 0. Attributes: stride_h, stride_w, dilation_h, dilation_w, top, left, bottom,
    right, group.
    """

    loops = (Loop("OH"), Loop("OW"), Loop("M"), Loop("KH"), Loop("KW"), Loop("I"))
    ports = (
        stream_in("x", "H", "W", "C", own=("H", "W", "C")),
        static_in("w", "M", "KH", "KW", "I"),
        stream_out("y", "OH", "OW", "M"),
    )

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes a channels-last Conv of integers without bias."""
        if node.op_type != "Conv" or node.domain != CHANNELS_LAST:
            return NoMatch("no channels-last Conv")
        x, w = operand(node, 0), operand(node, 1)
        refusal = not_integer(x, "the input")
        if x is None or w is None or refusal:
            return refusal or NoMatch("an operand is missing", close=True)
        if operand(node, 2) is not None:
            return NoMatch("a bias has to be an Add of its own", close=True)
        return _match(node, x, w)

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The least and the greatest sum of any channel, padding at its worst."""
        low, high = extreme_sums(match.statics["w"], ranges["x"], _pads(match.attributes))
        return {"y": (int(low.min()), int(high.max()))}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, H, W, C) to int64 (frames, OH, OW, M)."""
        geometry, weights = Geometry.of(config), config.static("w")
        group = int(str(config.attributes.get("group", 1)))
        frames = [convolved(frame, weights, geometry, group) for frame in inputs["x"]]
        return {"y": np.stack(frames)}

    def example(self, dims: Mapping[str, int], dtypes: Mapping[str, IntType], seed: int) -> Match:
        """Groups, strides, dilations and padding at random; the image is as large as they need."""
        rng = np.random.default_rng(seed)
        geometry = example_geometry(dims, rng, padded=dtypes["x"].min <= 0 <= dtypes["x"].max)
        group = int(rng.choice([g for g in range(1, dims["M"] + 1) if dims["M"] % g == 0]))
        w = dtypes["w"]
        values = [w.min, w.max] if w.bipolar else range(w.min, w.max + 1)
        shape = tuple(dims[name] for name in ("M", "KH", "KW", "I"))
        return Match(
            dims={**dims, **example_image(dims, geometry, rng), "C": dims["I"] * group},
            ports={"x": "x", "w": "w", "y": "y"},
            statics={"w": rng.choice(np.array(values, np.int64), shape)},
            attributes={**geometry.attributes, "group": group},
        )


def windows(image: np.ndarray, geometry: Geometry) -> np.ndarray:
    """A view of [H, W, C], already padded, as [OH, OW, KH, KW, C]."""
    (kh, kw), (sh, sw), (dh, dw) = geometry.kernel, geometry.strides, geometry.dilations
    span = ((kh - 1) * dh + 1, (kw - 1) * dw + 1)
    every = np.lib.stride_tricks.sliding_window_view(image, span, axis=(0, 1))
    return every[::sh, ::sw, :, ::dh, ::dw].transpose(0, 1, 3, 4, 2)


def padded(image: np.ndarray, geometry: Geometry, value: int = 0) -> np.ndarray:
    """[H, W, C] with the geometry's padding of one value."""
    top, left, bottom, right = geometry.pads
    return np.pad(image, ((top, bottom), (left, right), (0, 0)), constant_values=value)


def convolved(image: np.ndarray, weights: np.ndarray, geometry: Geometry, group: int) -> np.ndarray:
    """int64 [H, W, C] and [M, KH, KW, C / group] to the exact sums [OH, OW, M], int64."""
    found = windows(padded(image, geometry), geometry)
    bound = int(np.abs(image).max(initial=1)) * int(np.abs(weights).max(initial=1))
    exact = np.float64 if bound * weights[0].size < _EXACT_IN_FLOAT64 else np.int64
    rows, columns = found.shape[:2]
    parts = []
    for inputs, kernels in zip(
        np.split(found, group, axis=-1), np.split(weights, group), strict=True
    ):
        matrix = kernels.reshape(len(kernels), -1).T.astype(exact)
        sums = inputs.reshape(rows * columns, -1).astype(exact) @ matrix
        parts.append(sums.reshape(rows, columns, -1))
    return np.concatenate(parts, axis=-1).astype(np.int64)


def extreme_sums(
    weights: np.ndarray, bounds: tuple[int, int], pads: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest sum of each output channel, [M]; where there are pads, with zeros too."""
    rows = weights.reshape(len(weights), -1)
    ends = [rows * bounds[0], rows * bounds[1], *([0 * rows] if pads else [])]
    return np.min(ends, axis=0).sum(axis=1), np.max(ends, axis=0).sum(axis=1)


def example_geometry(
    dims: Mapping[str, int], rng: np.random.Generator, *, padded: bool
) -> Geometry:
    """Strides, dilations and, if wanted, padding at random."""
    strides, dilations = rng.integers(1, 4, 2), rng.integers(1, 3, 2)
    pads = rng.integers(0, 3, 4) if padded else np.zeros(4, int)
    return Geometry(
        (dims["KH"], dims["KW"]),
        (int(strides[0]), int(strides[1])),
        (int(dilations[0]), int(dilations[1])),
        (int(pads[0]), int(pads[1]), int(pads[2]), int(pads[3])),
    )


def example_image(
    dims: Mapping[str, int], geometry: Geometry, rng: np.random.Generator
) -> dict[str, int]:
    """H and W of an image with rows and columns to spare, and the OH and OW that fit.

    As many windows as asked for, or more where the padding alone holds as many.
    """
    sizes = []
    for axis, name in enumerate(("OH", "OW")):
        span = (geometry.kernel[axis] - 1) * geometry.dilations[axis] + 1
        needed = (dims[name] - 1) * geometry.strides[axis] + span
        spare = int(rng.integers(0, geometry.strides[axis]))
        sizes.append(max(1, needed + spare - geometry.pads[axis] - geometry.pads[axis + 2]))
    rows, columns = geometry.outputs(sizes[0], sizes[1])
    return {"H": sizes[0], "W": sizes[1], "OH": rows, "OW": columns}


def _match(node: NodeView, x: ValueView, w: ValueView) -> Match | NoMatch:
    image = image_of(x.shape)
    stored = None if w.constant is None else integers(w.constant)
    if isinstance(image, str):
        return NoMatch(image, close=True)
    if stored is None:
        return NoMatch("its weights are no constant integers", close=True)
    geometry = geometry_of(node, stored.shape[1:-1])
    if isinstance(geometry, str):
        return NoMatch(geometry, close=True)
    height, width, channels = image
    weights = stored.reshape(len(stored), *geometry.kernel, stored.shape[-1])
    group = int(str(node.attributes.get("group", 1)))
    if weights.shape[-1] * group != channels or len(weights) % group:
        return NoMatch(f"weights of shape {stored.shape} for {channels} channels", close=True)
    rows, columns = geometry.outputs(height, width)
    if min(rows, columns) < 1:
        return NoMatch("its window is larger than the image", close=True)
    if any(geometry.pads) and x.dtype is not None and x.dtype.bipolar:
        return NoMatch("its padding is 0, which a bipolar value is not", close=True)
    return Match(
        dims={
            **{"H": height, "W": width, "C": channels, "OH": rows, "OW": columns},
            **{"M": len(weights), "I": weights.shape[-1]},
            **dict(zip(("KH", "KW"), geometry.kernel, strict=True)),
        },
        ports={"x": x.name, "w": w.name, "y": node.outputs[0].name},
        statics={"w": weights},
        attributes={**geometry.attributes, "group": group},
    )


def _pads(attributes: Mapping[str, object]) -> bool:
    return any(attributes.get(side) for side in ("top", "left", "bottom", "right"))


def _pair(node: NodeView, name: str, rank: int) -> tuple[int, int]:
    """An attribute with a value a dimension; a row is one line of an image."""
    values = _integers(node, name) or [1] * rank
    return (1, values[0]) if rank == 1 else (values[0], values[1])


def _integers(node: NodeView, name: str) -> list[int]:
    found = node.attributes.get(name)
    return [int(v) for v in found] if isinstance(found, Sequence) else []
