"""What stands in front of a computation over windows: padding and the sliding window."""

from __future__ import annotations

from dataclasses import replace

from brainsmith.api import Composition, IntType, KernelConfig, Part
from brainsmith.builtin.operations.convolution import Geometry


def composed(config: KernelConfig, last: Part, padding: int = 0) -> Composition:
    """A computation over windows with what it needs in front.

    Args:
        config: of the node, with dims H, W, C, OH, OW, KH, KW and the attributes of `Geometry`.
        last: the computation, with the port x; its rows N are added here.
        padding: the integer around the image.
    """
    geometry = Geometry.of(config)
    dims, ranges = config.dims, config.ranges["x"]
    dtype, parts = config.dtypes["x"], []
    height, width = dims["H"], dims["W"]
    if any(geometry.pads):
        dtype = _holding(dtype, padding)
        padded = min(ranges[0], padding), max(ranges[1], padding)
        parts.append(_pad(config, geometry, dtype, padding, padded))
        (height, width), ranges = geometry.padded(height, width), padded
    if not _is_whole(geometry, height, width):
        parts.append(_window(config, geometry, (height, width), dtype, ranges))
    rows = dims["OH"] * dims["OW"]
    last = replace(
        last,
        dims={"N": rows, **last.dims},
        dtypes={**last.dtypes, "x": dtype.name},
        ranges={**last.ranges, "x": ranges},
    )
    return _chained([*parts, last])


def _chained(parts: list[Part]) -> Composition:
    """Parts one after the other, each with the ports x and y."""
    ends = [end for part in parts for end in (f"{part.name}.x", f"{part.name}.y")]
    path = ["x", *ends, "y"]
    return Composition(tuple(parts), tuple(zip(path[::2], path[1::2], strict=True)))


def _holding(dtype: IntType, value: int) -> IntType:
    """The datatype, or one that holds the value too."""
    if not dtype.bipolar and dtype.min <= value <= dtype.max:
        return dtype
    return IntType.covering(min(dtype.min, value), max(dtype.max, value))


def _is_whole(geometry: Geometry, height: int, width: int) -> bool:
    """Whether the windows are the image itself: single pixels, or all of it."""
    if geometry.kernel == (1, 1):
        return geometry.strides == (1, 1)
    return geometry.kernel == (height, width) and geometry.dilations == (1, 1)


def _pad(
    config: KernelConfig,
    geometry: Geometry,
    dtype: IntType,
    value: int,
    ranges: tuple[int, int],
) -> Part:
    height, width = config.dims["H"], config.dims["W"]
    rows, columns = geometry.padded(height, width)
    return Part(
        "pad",
        "pad",
        {"OH": rows, "OW": columns, "C": config.dims["C"], "H": height, "W": width},
        {"x": config.dtypes["x"].name, "y": dtype.name},
        {},
        {"top": geometry.pads[0], "left": geometry.pads[1], "value": value},
        {"x": config.ranges["x"], "y": ranges},
    )


def _window(
    config: KernelConfig,
    geometry: Geometry,
    size: tuple[int, int],
    dtype: IntType,
    ranges: tuple[int, int],
) -> Part:
    names = ("OH", "OW", "KH", "KW", "C")
    attributes = geometry.attributes
    return Part(
        "window",
        "sliding_window",
        {**{name: config.dims[name] for name in names}, "H": size[0], "W": size[1]},
        {"x": dtype.name, "y": dtype.name},
        {},
        {name: attributes[name] for name in ("stride_h", "stride_w", "dilation_h", "dilation_w")},
        {"x": ranges, "y": ranges},
    )
