"""A convolution beside FINN's formulas, and whether its kernels keep their ideal pace."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.models import convolution
from brainsmith.compiler import CompilationResult

CHANNELS, SIZE, BITS, PE, SIMD = 64, 10, 4, 8, 8
FOLDING = f"""
Conv.window: {{SIMD: {SIMD}}}
Conv.product: {{PE: {PE}, SIMD: {SIMD}}}
"""


def run() -> list[Figure]:
    """3x3, 64 to 64 channels, 4 bits, PE = SIMD = 8 on xc7: LUTs and cycles."""
    from brainsmith.compiler import CompileOptions, Compiler

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "folding.yaml").write_text(FOLDING)
        options = CompileOptions(
            target="xc7z020", folding=folder / "folding.yaml", output=folder / "build"
        )
        model = convolution(CHANNELS, SIZE, folder / "convolution.onnx")
        result = Compiler().compile(model, "balanced", options)
    return [*_resources(result), *_intervals(result)]


def _resources(result: CompilationResult) -> Iterator[Figure]:
    layers = {layer.node: layer.resources for layer in result.report.layers}
    parts = {"window": finn_window(), "product": finn_product(9 * CHANNELS)}
    for part, formula in parts.items():
        lut = layers[f"Conv.{part}"]["LUT"]
        yield Figure(f"3x3, 64 to 64 channels: LUTs of the {part}", lut, "LUT", formula)
        bram = layers[f"Conv.{part}"]["BRAM"]
        yield Figure(f"3x3, 64 to 64 channels: BRAM of the {part}", bram, "BRAM18")
    total = sum(layers[f"Conv.{part}"]["LUT"] for part in parts)
    yield Figure("3x3, 64 to 64 channels: LUTs of both", total, "LUT", sum(parts.values()))


def _intervals(result: CompilationResult) -> Iterator[Figure]:
    """Cycles between frames in simulation, as a multiple of the loops over the parallelism."""
    measured = {layer.node: layer for layer in result.report.layers}
    for layer in result.design.layers:
        record = measured[layer.config.node]
        ratio = record.cycles / layer.config.cycles
        how = f"{record.cycles_source}: {record.cycles} cycles, ideal {layer.config.cycles}"
        yield Figure(f"interval over the ideal: {record.node}", ratio, "", 1.0, how)
    slowest = max(layer.config.cycles for layer in result.design.layers)
    interval = result.metrics["initiation_interval"].value or math.inf
    yield Figure("interval of all over the slowest kernel's ideal", interval / slowest, "", 1.0)


def finn_window() -> int:
    """LUTs of FINN's sliding window with a buffer in block RAM (rtl, its default mode)."""
    return 300


def finn_product(k: int) -> int:
    """LUTs of FINN's matrix-vector unit (hls) with weights in block RAM, thresholds apart."""
    multipliers = SIMD * (2 * math.ceil(2 * BITS / 6) - 1) * 2 * BITS
    adders = 2 * BITS * (2 * SIMD - 1)
    alpha = math.log2(k) + 2 * BITS
    accumulator = math.ceil(alpha + math.log2(1 + 2**-alpha) + 1)
    return math.floor(300 + 1.1 * PE * (multipliers + adders + accumulator))
