"""`python -m benchmarks.sweep_matmul`: measures the matrix-vector unit (see `sweeps`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from benchmarks import sweeps
from brainsmith.api import IntType, KernelConfig
from brainsmith.compiler.design import Instance
from brainsmith.compiler.mapping import Candidate
from brainsmith.plugins import PluginRegistry

FOLDER = "matmul"


@dataclass(frozen=True)
class Point:
    """A configuration to measure: K inputs, M outputs, random weights of the type's whole range."""

    family: str
    K: int
    M: int
    PE: int
    SIMD: int
    x: str = "INT4"
    w: str = "INT4"
    params: Mapping[str, int | str] = field(default_factory=dict)

    def weights(self) -> np.ndarray:
        """The same for every call, int64 of shape [K, M]."""
        dtype, rng = IntType.parse(self.w), np.random.default_rng(0)
        if dtype.bipolar:
            return rng.integers(0, 2, (self.K, self.M)) * 2 - 1
        return rng.integers(dtype.min, dtype.max, (self.K, self.M), endpoint=True)


def instance_of(point: Point, registry: PluginRegistry) -> Instance:
    """The kernel at a point; y as narrow as the sums allow."""
    kernel = registry.get("kernels", "MatMul")
    operation = registry.get("operations", "matmul")
    defaults = {key: param.default for key, param in kernel.info.params.items()}
    x, w, weights = IntType.parse(point.x), IntType.parse(point.w), point.weights()
    bounds = np.array([x.min, x.max])
    extremes = np.maximum(weights, 0).sum(0)[:, None] * bounds
    extremes = extremes + np.minimum(weights, 0).sum(0)[:, None] * bounds[::-1]
    low, high = int(extremes.min()), int(extremes.max())
    config = KernelConfig(
        node="point",
        nest=operation.info.nest,
        dims={"N": 1, "K": point.K, "M": point.M},
        dtypes={"x": x, "w": w, "y": IntType.covering(low, high)},
        ranges={
            "x": (x.min, x.max),
            "w": (int(weights.min()), int(weights.max())),
            "y": (low, high),
        },
        statics={"w": weights},
        folding={"PE": point.PE, "SIMD": point.SIMD},
        params={**defaults, **point.params},
        family=point.family,
    )
    config.nest.check(config.dims, config.folding, "point")
    return Instance("point", Candidate(kernel, operation, "rtl", defaults), config)


def read() -> list[tuple[Point, sweeps.Figures]]:
    """The points that were measured, with the figures."""
    return [(Point(**point), figures) for point, figures in sweeps.read(FOLDER)]


def points() -> list[Point]:
    """The sweep, on each family."""
    return [dataclasses.replace(p, family=family) for family in sweeps.FAMILIES for p in _points()]


def _points() -> Iterator[Point]:
    block, lut = {"ram_style": "block"}, {"ram_style": "distributed"}
    # foldings of one layer
    for pe, simd in ((1, 1), (1, 8), (2, 4), (4, 4), (8, 8), (16, 2), (2, 16), (4, 32)):
        yield Point("", 64, 64, pe, simd, params=block)
    for pe, simd in ((2, 4), (4, 8), (8, 8), (16, 4), (4, 16)):
        yield Point("", 64, 64, pe, simd, params=lut)
    # datatypes
    for x, w in (
        ("INT2", "INT2"), ("UINT2", "INT2"), ("UINT4", "INT2"), ("UINT4", "INT3"),
        ("UINT4", "INT4"), ("INT3", "INT3"), ("INT5", "INT4"), ("INT6", "INT4"), ("UINT8", "INT2"),
        ("UINT8", "BIPOLAR"), ("UINT4", "BIPOLAR"), ("BIPOLAR", "INT4"), ("BIPOLAR", "INT2"),
        ("UINT1", "INT2"), ("UINT1", "UINT1"), ("UINT3", "INT8"), ("INT8", "INT3"),
    ):  # fmt: skip
        yield Point("", 64, 32, 4, 8, x, w, block)
    for x, w in (("INT8", "INT8"), ("UINT8", "INT5"), ("INT6", "INT6")):
        yield Point("", 32, 16, 2, 8, x, w, {**block, "multiplier": "lut"})
        yield Point("", 32, 16, 2, 8, x, w, {**block, "multiplier": "dsp"})
    yield Point("", 32, 16, 2, 4, "INT16", "INT16", block)
    yield Point("", 30, 10, 5, 3, "INT8", "INT8", block)
    yield Point("", 32, 16, 2, 4, "INT8", "UINT6", lut)
    yield Point("", 64, 32, 2, 8, "INT9", "INT6", {**block, "levels_per_stage": 2})
    yield Point("", 16, 8, 1, 2, "INT20", "INT12", block)
    yield Point("", 16, 8, 1, 2, "INT26", "UINT20", block)
    # sizes that are no powers of two
    yield Point("", 60, 30, 5, 6, "INT4", "INT4", block)
    yield Point("", 60, 30, 3, 12, "UINT4", "INT3", lut)
    yield Point("", 90, 14, 7, 10, "BIPOLAR", "BIPOLAR", block)
    # popcounts
    for pe, simd in ((1, 4), (4, 8), (8, 16), (4, 32), (8, 64)):
        yield Point("", 192, 32, pe, simd, "BIPOLAR", "BIPOLAR", block)
    yield Point("", 784, 64, 8, 49, "BIPOLAR", "BIPOLAR", lut)
    yield Point("", 64, 64, 8, 8, "BIPOLAR", "BIPOLAR", lut)
    yield Point("", 64, 10, 10, 8, "BIPOLAR", "BIPOLAR", lut)
    # shapes of the control: one beat, one pass, deep memories, deep buffers
    yield Point("", 16, 32, 4, 16, params=block)
    yield Point("", 64, 8, 8, 8, params=lut)
    yield Point("", 256, 8, 2, 4, params=lut)
    yield Point("", 256, 16, 2, 4, params=lut)
    yield Point("", 256, 32, 2, 2, params=lut)
    yield Point("", 32, 8, 4, 8, params=lut)
    yield Point("", 400, 16, 2, 4, "UINT8", "INT2", block)
    # unfolded: constant weights
    yield Point("", 16, 8, 8, 16)
    yield Point("", 32, 4, 4, 32, "UINT2", "INT2")
    yield Point("", 32, 8, 8, 32, "UINT4", "INT2")
    yield Point("", 24, 6, 6, 24, "INT3", "INT3")
    yield Point("", 16, 4, 4, 16, "UINT8", "INT2")
    yield Point("", 64, 10, 10, 64, "BIPOLAR", "BIPOLAR")
    yield Point("", 8, 4, 4, 8, "INT8", "INT8")
    # registers
    for levels in (2, 3):
        yield Point("", 64, 32, 4, 16, params={**block, "levels_per_stage": levels})


def main() -> None:
    """Measures all points and writes the table."""
    registry, sweep = PluginRegistry(), points()
    figures = sweeps.measure([instance_of(point, registry) for point in sweep])
    sweeps.write(FOLDER, sweep, figures)


if __name__ == "__main__":
    main()
