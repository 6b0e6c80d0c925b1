"""`python -m benchmarks.sweep_kernels [KERNEL ...]`: measures the small kernels (see `sweeps`)."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks import sweeps
from brainsmith.api import IntType, KernelConfig, LoopNest
from brainsmith.compiler.design import Instance
from brainsmith.compiler.mapping import Candidate
from brainsmith.plugins import PluginRegistry

FOLDERS = {
    "FIFO": "fifo",
    "WidthConverter": "width_converter",
    "Duplicate": "duplicate",
    "Thresholding": "thresholding",
    "LabelSelect": "label_select",
    "Add": "elementwise",
    "Mul": "elementwise",
    "Pad": "pad",
    "Pool": "pool",
    "Depthwise": "depthwise",
    "Concat": "concat",
    "Split": "concat",
    "SlidingWindow": "line_buffer",
    "Upsample": "line_buffer",
    "DepthToSpace": "line_buffer",
    "Transpose": "line_buffer",
}


@dataclass(frozen=True)
class Point:
    """A configuration to measure.

    `random` describes the constant operand: its port, least and greatest value, and whether all
    channels share it; the values are drawn with a fixed seed.
    """

    kernel: str
    family: str
    dims: Mapping[str, int]
    dtypes: Mapping[str, str]
    folding: Mapping[str, int]
    params: Mapping[str, int | str] = field(default_factory=dict)
    attributes: Mapping[str, int | str] = field(default_factory=dict)
    random: Mapping[str, Any] = field(default_factory=dict)

    def statics(self) -> dict[str, np.ndarray]:
        """The constant operand: weights, or one by channel that ascends where it has several."""
        if not self.random:
            return {}
        channels, count = self.dims["C"], self.dims.get("T")
        if "K" in self.dims:
            low, high, shape = self.random["low"], self.random["high"], (self.dims["K"], channels)
            weights = np.random.default_rng(0).integers(low, high, shape, endpoint=True)
            return {self.random["port"]: weights}
        rows = 1 if self.random["shared"] else channels
        shape = (rows,) if count is None else (rows, count)
        rng = np.random.default_rng(0)
        drawn = rng.integers(self.random["low"], self.random["high"], shape, endpoint=True)
        table = np.sort(drawn, axis=-1) if count else drawn
        return {self.random["port"]: np.repeat(table, channels // rows, axis=0)}


def instance_of(point: Point, registry: PluginRegistry) -> Instance:
    """The kernel at a point."""
    kernel = registry.get("kernels", point.kernel)
    operation = registry.get("operations", kernel.info.operation_type)
    params = {key: param.default for key, param in kernel.info.params.items()}
    candidate = Candidate(kernel, operation, kernel.info.default_backend, params)
    nest: LoopNest = operation.info.nest
    config = KernelConfig(
        node="point",
        nest=nest,
        dims=point.dims,
        dtypes={port: IntType.parse(dtype) for port, dtype in point.dtypes.items()},
        statics=point.statics(),
        attributes=point.attributes,
        folding=point.folding,
        params={**params, **point.params},
        family=point.family,
    )
    nest.check(config.dims, config.folding, "point")
    return Instance("point", candidate, config)


def read(kernel: str) -> list[tuple[Point, sweeps.Figures]]:
    """The points of a kernel that were measured, with the figures."""
    return [
        (Point(**point), figures)
        for point, figures in sweeps.read(FOLDERS[kernel])
        if point["kernel"] == kernel
    ]


def points_of(kernel: str) -> list[Point]:
    """The sweep of a kernel, on each family."""
    sweep = {
        "FIFO": _fifos,
        "WidthConverter": _converters,
        "Duplicate": _duplicates,
        "Thresholding": _thresholds,
        "LabelSelect": _labels,
        "Add": _sums,
        "Mul": _products,
        "Pad": _pads,
        "Pool": _pools,
        "Depthwise": _depthwise,
        "Concat": _concats,
        "Split": _splits,
        "SlidingWindow": _windows,
        "Upsample": _enlarged,
        "DepthToSpace": _blocks,
        "Transpose": _transposed,
    }[kernel]
    return [dataclasses.replace(p, family=family) for family in sweeps.FAMILIES for p in sweep()]


def _fifos() -> Iterator[Point]:
    for depth, pe, bits in (
        (2, 1, 1), (2, 4, 4), (2, 16, 4), (4, 4, 4), (9, 8, 2), (16, 16, 1), (17, 4, 8),
        (33, 4, 4), (33, 16, 4), (65, 8, 4), (65, 4, 1), (129, 4, 8), (200, 16, 4),
        (300, 4, 8), (513, 8, 8), (1000, 4, 4), (3000, 8, 4),
    ):  # fmt: skip
        dtype = f"UINT{bits}"
        yield Point(
            "FIFO", "", {"N": 1, "C": 4 * pe}, {"x": dtype, "y": dtype}, {"PE": pe},
            {"depth": depth},
        )  # fmt: skip


def _converters() -> Iterator[Point]:
    for into, out, bits in (
        (4, 1, 4), (8, 1, 8), (16, 4, 4), (49, 7, 1), (64, 8, 2), (1, 4, 4), (1, 16, 2),
        (4, 16, 4), (8, 64, 1), (2, 4, 16), (4, 6, 4), (6, 4, 4), (8, 10, 1), (3, 4, 8),
        (16, 10, 2), (2, 3, 12),
    ):  # fmt: skip
        dtype = f"UINT{bits}"
        yield Point(
            "WidthConverter", "", {"N": math.lcm(into, out)}, {"x": dtype, "y": dtype},
            {"IN": into, "OUT": out},
        )  # fmt: skip


def _duplicates() -> Iterator[Point]:
    for pe, bits in ((1, 1), (16, 8)):
        dtypes = dict.fromkeys(("x", "y0", "y1"), f"UINT{bits}")
        yield Point("Duplicate", "", {"N": 1, "C": pe}, dtypes, {"PE": pe})


def _thresholds() -> Iterator[Point]:
    for channels, pe, bits, count, shared, style in (
        (64, 16, 11, 1, False, "auto"), (64, 8, 8, 1, False, "auto"), (64, 1, 8, 1, False, "auto"),
        (64, 64, 8, 1, False, "auto"), (49, 49, 9, 1, True, "auto"), (256, 4, 16, 1, False, "auto"),
        (64, 8, 12, 3, False, "auto"), (32, 32, 10, 3, False, "auto"), (64, 4, 12, 3, True, "auto"),
        (64, 16, 12, 7, False, "auto"), (128, 2, 14, 7, False, "auto"),
        (64, 8, 12, 15, False, "auto"), (64, 1, 12, 15, False, "auto"),
        (16, 16, 12, 15, False, "auto"), (32, 8, 16, 15, True, "auto"),
        (64, 4, 18, 15, False, "auto"), (128, 8, 20, 15, False, "auto"),
        (64, 2, 12, 63, False, "auto"), (16, 4, 16, 63, True, "auto"),
        (32, 1, 16, 255, False, "distributed"), (8, 2, 16, 255, True, "auto"),
        (128, 1, 16, 63, False, "block"), (512, 2, 16, 15, False, "auto"),
    ):  # fmt: skip
        code = {"base": -1, "step": 2} if count == 1 else {"base": 0, "step": 1}
        half = 1 << (bits - 1)
        yield Point(
            "Thresholding", "", {"N": 1, "C": channels, "T": count},
            {
                "x": f"INT{bits}", "thresholds": "INT64",
                "y": "BIPOLAR" if count == 1 else f"UINT{count.bit_length()}",
            },
            {"PE": pe}, {"ram_style": style}, code,
            {"port": "thresholds", "low": 1 - half, "high": half - 1, "shared": shared},
        )  # fmt: skip


def _labels() -> Iterator[Point]:
    for channels, pe, bits in (
        (10, 1, 8), (10, 2, 8), (10, 5, 12), (10, 10, 8), (10, 10, 16), (100, 1, 16),
        (100, 10, 16), (64, 8, 4), (64, 64, 6), (1000, 8, 20), (1000, 1, 12), (32, 16, 10),
    ):  # fmt: skip
        dtypes = {"x": f"INT{bits}", "y": IntType.covering(0, channels - 1).name}
        yield Point("LabelSelect", "", {"N": 1, "C": channels}, dtypes, {"PE": pe})


def _sums() -> Iterator[Point]:
    for channels, pe, a, b, constant in (
        (8, 8, 8, 8, None), (16, 16, 4, 6, None), (1, 1, 24, 16, None), (4, 4, 16, 16, None),
        (8, 8, 8, 8, "channel"), (64, 8, 8, 8, "channel"), (64, 1, 16, 16, "channel"),
        (64, 16, 12, 6, "channel"), (16, 16, 12, 10, "channel"), (64, 4, 12, 12, "tensor"),
        (1024, 1, 16, 16, "channel"), (256, 4, 10, 8, "channel"),
    ):  # fmt: skip
        yield _pair("Add", channels, pe, a, b, max(a, b) + 1, constant)


def _products() -> Iterator[Point]:
    for channels, pe, a, b, constant in (
        (8, 8, 4, 4, None), (8, 8, 8, 3, None), (8, 8, 8, 8, None), (4, 4, 5, 5, None),
        (2, 2, 16, 12, None), (64, 8, 8, 2, "channel"), (64, 8, 8, 4, "channel"),
        (64, 16, 12, 2, "channel"), (8, 8, 8, 8, "channel"), (16, 16, 6, 2, None),
        (128, 4, 16, 5, "channel"), (64, 4, 16, 8, "channel"),
    ):  # fmt: skip
        yield _pair("Mul", channels, pe, a, b, a + b, constant)


def _windows() -> Iterator[Point]:
    for out, taps, stride, channels, simd, bits, style in (
        (30, 3, 1, 64, 8, 4, "auto"), (12, 5, 1, 1, 1, 8, "auto"), (16, 3, 2, 32, 4, 4, "auto"),
        (8, 3, 1, 128, 16, 2, "auto"), (32, 3, 1, 3, 3, 8, "auto"), (14, 1, 2, 64, 4, 4, "auto"),
        (7, 3, 1, 256, 8, 4, "auto"), (10, 3, 1, 16, 16, 1, "auto"), (56, 3, 1, 32, 4, 4, "auto"),
        (24, 2, 2, 8, 2, 4, "auto"), (4, 7, 1, 4, 1, 6, "auto"), (13, 3, 2, 8, 8, 8, "auto"),
        (5, 2, 3, 6, 2, 3, "auto"), (14, 3, 1, 8, 4, 4, "block"), (28, 5, 1, 6, 6, 4, "auto"),
        (20, 3, 1, 12, 12, 2, "distributed"), (110, 3, 2, 16, 16, 8, "auto"),
    ):  # fmt: skip
        size = (out - 1) * stride + taps
        dims = {"OH": out, "OW": out, "KH": taps, "KW": taps, "C": channels, "H": size, "W": size}
        steps = {"stride_h": stride, "stride_w": stride, "dilation_h": 1, "dilation_w": 1}
        yield _moved("SlidingWindow", dims, simd, bits, style, steps)


def _enlarged() -> Iterator[Point]:
    for size, factor, channels, simd, bits in (
        (8, 2, 32, 4, 4),
        (20, 3, 8, 8, 8),
        (32, 2, 4, 1, 2),
    ):
        dims = {"H": size, "SH": factor, "W": size, "SW": factor, "C": channels}
        yield _moved("Upsample", dims, simd, bits)


def _blocks() -> Iterator[Point]:
    for size, block, channels, simd, bits, mode in (
        (8, 2, 16, 4, 4, "DCR"), (12, 4, 8, 8, 2, "DCR"), (16, 2, 3, 1, 8, "CRD"),
    ):  # fmt: skip
        lanes = channels if mode == "DCR" else 1
        dims = {
            "H": size, "BH": block, "W": size, "BW": block, "C": channels // lanes, "L": lanes,
            "D": block * block * channels,
        }  # fmt: skip
        yield _moved("DepthToSpace", dims, simd, bits, attributes={"mode": mode})


def _transposed() -> Iterator[Point]:
    for n, a, b, c, simd, bits in (
        (1, 8, 8, 16, 4, 4), (1, 64, 32, 1, 1, 8), (4, 16, 10, 6, 2, 2), (12, 4, 64, 8, 8, 4),
    ):  # fmt: skip
        yield _moved("Transpose", {"N": n, "B": b, "A": a, "C": c}, simd, bits)


def _moved(
    kernel: str, dims: Mapping[str, int], simd: int, bits: int, style: str = "auto",
    attributes: Mapping[str, int | str] | None = None,
) -> Point:  # fmt: skip
    dtypes = dict.fromkeys("xy", f"UINT{bits}")
    return Point(
        kernel, "", dims, dtypes, {"SIMD": simd}, {"ram_style": style}, attributes or {}
    )  # fmt: skip


def _pair(
    kernel: str, channels: int, pe: int, a: int, b: int, y: int, constant: str | None
) -> Point:
    half = 1 << (b - 1)
    random = {"port": "b", "low": -half, "high": half - 1, "shared": constant == "tensor"}
    return Point(
        kernel, "", {"N": 1, "C": channels}, {"a": f"INT{a}", "b": f"INT{b}", "y": f"INT{y}"},
        {"PE": pe}, attributes={"subtract": 0}, random=random if constant else {},
    )  # fmt: skip


def _pads() -> Iterator[Point]:
    for height, width, channels, pe, bits, (top, left, bottom, right), value, y in (
        (28, 28, 1, 1, 8, (1, 1, 1, 1), 0, 8), (32, 32, 3, 3, 8, (1, 1, 1, 1), 0, 8),
        (32, 32, 64, 8, 4, (1, 1, 1, 1), 0, 4), (16, 16, 64, 64, 1, (1, 1, 1, 1), 0, 1),
        (8, 8, 128, 4, 4, (0, 0, 1, 1), 0, 4), (14, 14, 16, 1, 8, (2, 2, 2, 2), 0, 8),
        (1, 100, 8, 8, 8, (0, 3, 0, 3), 0, 8), (224, 224, 3, 1, 8, (3, 3, 3, 3), 0, 8),
        (7, 7, 256, 2, 2, (1, 1, 1, 1), 3, 2), (32, 32, 16, 16, 4, (0, 0, 1, 1), -3, 5),
        (12, 12, 32, 8, 8, (1, 1, 1, 1), -128, 9), (56, 56, 64, 4, 16, (1, 1, 1, 1), 0, 16),
    ):  # fmt: skip
        kind = "INT" if value < 0 else "UINT"
        yield Point(
            "Pad", "",
            {
                "OH": top + height + bottom, "OW": left + width + right, "C": channels,
                "H": height, "W": width,
            },
            {"x": f"UINT{bits}", "y": f"{kind}{y}"}, {"PE": pe},
            attributes={"top": top, "left": left, "value": value},
        )  # fmt: skip


def _pools() -> Iterator[Point]:
    for mode, count, channels, pe, dtype, style in (
        ("max", 4, 16, 16, "UINT4", "auto"), ("max", 4, 64, 8, "UINT4", "auto"),
        ("max", 4, 64, 1, "INT8", "auto"), ("max", 9, 32, 32, "UINT2", "auto"),
        ("max", 4, 64, 64, "BIPOLAR", "auto"), ("max", 4, 128, 4, "INT8", "auto"),
        ("max", 16, 256, 2, "UINT8", "auto"), ("max", 4, 1024, 1, "INT8", "auto"),
        ("max", 4, 64, 16, "INT12", "block"), ("max", 4, 16, 4, "UINT3", "distributed"),
        ("max", 49, 8, 8, "INT16", "auto"),
        ("sum", 49, 16, 16, "UINT8", "auto"), ("sum", 49, 64, 8, "UINT4", "auto"),
        ("sum", 64, 64, 1, "INT8", "auto"), ("sum", 196, 256, 4, "UINT4", "auto"),
        ("sum", 16, 512, 2, "INT8", "auto"), ("sum", 9, 32, 16, "BIPOLAR", "auto"),
        ("sum", 49, 10, 10, "INT4", "auto"), ("sum", 16, 64, 8, "UINT8", "block"),
        ("sum", 64, 16, 4, "UINT2", "distributed"), ("sum", 9, 64, 32, "UINT1", "auto"),
    ):  # fmt: skip
        x = IntType.parse(dtype)
        scale = count if mode == "sum" else 1
        y = IntType.covering(scale * x.min, scale * x.max)
        dtypes = {"x": dtype, "y": dtype if mode == "max" else y.name}
        yield Point(
            "Pool", "", {"N": 1, "K": count, "C": channels}, dtypes, {"PE": pe},
            {"ram_style": style}, {"mode": mode},
        )  # fmt: skip


def _depthwise() -> Iterator[Point]:
    for count, channels, pe, x, w, style in (
        (9, 16, 16, 4, 4, "auto"), (9, 64, 8, 4, 4, "auto"), (9, 64, 1, 8, 8, "auto"),
        (9, 32, 4, 8, 8, "distributed"), (25, 32, 2, 8, 4, "auto"), (9, 256, 4, 8, 8, "block"),
        (9, 16, 16, 4, 2, "auto"), (9, 8, 8, 8, 8, "auto"), (9, 128, 16, 4, 4, "block"),
        (49, 64, 4, 4, 3, "auto"), (9, 32, 32, 8, 2, "auto"), (9, 24, 2, 16, 8, "block"),
        (9, 48, 3, 6, 5, "auto"), (9, 512, 2, 4, 4, "auto"),
    ):  # fmt: skip
        half = 1 << (w - 1)
        y = IntType.covering(-count * half * ((1 << x) - 1), count * half * ((1 << x) - 1))
        yield Point(
            "Depthwise", "", {"N": 1, "K": count, "C": channels},
            {"x": f"UINT{x}", "w": f"INT{w}", "y": y.name}, {"PE": pe}, {"ram_style": style},
            random={"port": "w", "low": -half, "high": half - 1},
        )  # fmt: skip


_PARTS = (
    (4, 4, 1, 8, 8), (16, 16, 4, 4, 4), (64, 32, 32, 4, 4), (64, 64, 64, 2, 2), (3, 5, 1, 16, 16),
    (24, 8, 8, 4, 8), (512, 256, 2, 8, 8), (96, 160, 16, 6, 3), (10, 2, 2, 12, 12),
)  # fmt: skip


def _concats() -> Iterator[Point]:
    for first, second, pe, a, b in _PARTS:
        dtypes = {"a": f"INT{a}", "b": f"INT{b}", "y": f"INT{max(a, b)}"}
        yield Point("Concat", "", _parted(first, second), dtypes, {"PE": pe})


def _splits() -> Iterator[Point]:
    for first, second, pe, a, b in _PARTS:
        dtypes = {"x": f"INT{a}", "y0": f"INT{a}", "y1": f"INT{max(a, b)}"}
        yield Point("Split", "", _parted(first, second), dtypes, {"PE": pe})


def _parted(first: int, second: int) -> dict[str, int]:
    return {"N": 1, "C": first + second, "CA": first, "CB": second}


def main(names: Sequence[str]) -> None:
    """Measures all points of the kernels and writes the tables of their folders."""
    registry = PluginRegistry()
    for folder in dict.fromkeys(FOLDERS[name] for name in names or FOLDERS):
        kernels = [name for name in FOLDERS if FOLDERS[name] == folder]
        points = [point for kernel in kernels for point in points_of(kernel)]
        figures = sweeps.measure([instance_of(point, registry) for point in points])
        sweeps.write(folder, points, figures)


if __name__ == "__main__":
    main(sys.argv[1:])
