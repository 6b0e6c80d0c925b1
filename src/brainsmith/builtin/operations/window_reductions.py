"""Computations over windows inside each channel: `depthwise_conv2d` and `max_pool2d`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from brainsmith.api import (
    CHANNELS_LAST,
    IntType,
    KernelConfig,
    Loop,
    Match,
    NodeView,
    NoMatch,
    operation,
    static_in,
    stream_in,
    stream_out,
)
from brainsmith.builtin.operations.convolution import (
    Conv2D,
    Geometry,
    convolved,
    example_geometry,
    example_image,
    extreme_sums,
    geometry_of,
    image_of,
    padded,
    windows,
)
from brainsmith.builtin.operations.matching import not_integer, operand

_LOOPS = (Loop("OH"), Loop("OW"), Loop("KH"), Loop("KW"), Loop("C"))


@operation(
    name="depthwise_conv2d",
    description="Each channel of an image convolved with weights of its own",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["convolution", "depthwise"],
)
class DepthwiseConv2D:
    """QONNX's channels-last `Conv` with as many groups as inputs and outputs.

    x: [H, W, C]; w: [C, KH, KW]; y: [OH, OW, C], the exact sums. Attributes as `conv2d`.
    """

    loops = _LOOPS
    ports = (
        stream_in("x", "H", "W", "C", own=("H", "W")),
        static_in("w", "C", "KH", "KW"),
        stream_out("y", "OH", "OW", "C"),
    )

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes what `conv2d` takes if each channel is a group."""
        found = Conv2D().match(node)
        if isinstance(found, NoMatch):
            return NoMatch(found.reason)
        dims = {name: size for name, size in found.dims.items() if name not in ("M", "I")}
        if not found.attributes["group"] == found.dims["C"] == found.dims["M"]:
            return NoMatch("a channel depends on others")
        attributes = {name: value for name, value in found.attributes.items() if name != "group"}
        return Match(dims, found.ports, {"w": found.statics["w"][..., 0]}, attributes)

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The least and the greatest sum of any channel, padding at its worst."""
        pads = any(match.attributes.get(side) for side in ("top", "left", "bottom", "right"))
        low, high = extreme_sums(match.statics["w"], ranges["x"], pads)
        return {"y": (int(low.min()), int(high.max()))}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, H, W, C) to int64 (frames, OH, OW, C)."""
        geometry, weights = Geometry.of(config), config.static("w")[..., None]
        group = config.dims["C"]
        return {"y": np.stack([convolved(f, weights, geometry, group) for f in inputs["x"]])}

    def example(self, dims: Mapping[str, int], dtypes: Mapping[str, IntType], seed: int) -> Match:
        """Strides, dilations and padding at random."""
        rng = np.random.default_rng(seed)
        geometry = example_geometry(dims, rng, padded=dtypes["x"].min <= 0 <= dtypes["x"].max)
        w = dtypes["w"]
        values = [w.min, w.max] if w.bipolar else range(w.min, w.max + 1)
        shape = (dims["C"], dims["KH"], dims["KW"])
        return Match(
            dims={**dims, **example_image(dims, geometry, rng)},
            ports={"x": "x", "w": "w", "y": "y"},
            statics={"w": rng.choice(np.array(values, np.int64), shape)},
            attributes=geometry.attributes,
        )


@operation(
    name="max_pool2d",
    description="The greatest value of each window, channel by channel",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["pooling"],
)
class MaxPool2D:
    """QONNX's channels-last `MaxPool` of an integer image or row.

    x: [H, W, C]; y: [OH, OW, C]. Padding never is the greatest. Attributes as `conv2d`.
    """

    loops = _LOOPS
    ports = (
        stream_in("x", "H", "W", "C", own=("H", "W")),
        stream_out("y", "OH", "OW", "C"),
    )

    def match(self, node: NodeView) -> Match | NoMatch:
        """Takes a channels-last MaxPool of integers whose windows all touch the image."""
        if node.op_type != "MaxPool" or node.domain != CHANNELS_LAST:
            return NoMatch("no channels-last MaxPool")
        x = operand(node, 0)
        refusal = not_integer(x, "the input")
        if x is None or refusal:
            return refusal or NoMatch("no input", close=True)
        image = image_of(x.shape)
        kernel = node.attributes.get("kernel_shape")
        if isinstance(image, str) or not isinstance(kernel, list | tuple):
            return NoMatch(image if isinstance(image, str) else "no kernel_shape", close=True)
        geometry = geometry_of(node, [int(k) for k in kernel])
        if isinstance(geometry, str):
            return NoMatch(geometry, close=True)
        if node.attributes.get("ceil_mode"):
            return NoMatch("ceil_mode is set: ChannelsLast writes it out as padding", close=True)
        height, width, channels = image
        rows, columns = geometry.outputs(height, width)
        if min(rows, columns) < 1:
            return NoMatch("its window is larger than the image", close=True)
        sizes = {"H": height, "W": width, "C": channels, "OH": rows, "OW": columns}
        return Match(
            dims={**sizes, **dict(zip(("KH", "KW"), geometry.kernel, strict=True))},
            ports={"x": x.name, "y": node.outputs[0].name},
            attributes=geometry.attributes,
        )

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """That of the input."""
        return {"y": ranges["x"]}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, H, W, C) to int64 (frames, OH, OW, C)."""
        geometry, least = Geometry.of(config), config.ranges["x"][0]
        images = (windows(padded(frame, geometry, least), geometry) for frame in inputs["x"])
        return {"y": np.stack([image.max(axis=(2, 3)) for image in images])}

    def example(self, dims: Mapping[str, int], dtypes: Mapping[str, IntType], seed: int) -> Match:
        """Strides, dilations and padding at random."""
        rng = np.random.default_rng(seed)
        geometry = example_geometry(dims, rng, padded=not dtypes["x"].bipolar)
        return Match(
            dims={**dims, **example_image(dims, geometry, rng)},
            ports={"x": "x", "y": "y"},
            attributes=geometry.attributes,
        )
