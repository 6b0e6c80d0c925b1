"""A convolution beside FINN's formulas, and whether its kernels keep their ideal pace."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.models import convolution
from brainsmith.compiler import CompilationResult

CHANNELS, SIZE, BITS, PE, SIMD = 64, 10, 4, 8, 8
STYLES = ("distributed", "block")


def run() -> list[Figure]:
    """3x3, 64 to 64 channels, 4 bits, PE = SIMD = 8 on xc7: LUTs and cycles."""
    results = {style: _compiled(style) for style in STYLES}
    figures = [figure for style in STYLES for figure in _resources(results[style], style)]
    return [*figures, *_intervals(results[STYLES[0]])]


def _compiled(style: str) -> CompilationResult:
    """The convolution with its weights in LUTs or in block RAM."""
    from brainsmith.compiler import CompileOptions, Compiler

    folding = {
        "Conv.window": {"SIMD": SIMD},
        "Conv.product": {"PE": PE, "SIMD": SIMD, "ram_style": style},
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "folding.json").write_text(json.dumps(folding))
        options = CompileOptions(
            target="xc7z020",
            folding=folder / "folding.json",
            verify=style == STYLES[0],
            output=folder / "build",
        )
        model = convolution(CHANNELS, SIZE, folder / "convolution.onnx")
        return Compiler().compile(model, "balanced", options)


def _resources(result: CompilationResult, style: str) -> Iterator[Figure]:
    layers = {layer.node: layer.resources for layer in result.report.layers}
    parts = {"window": finn_window(), "product": finn_product(9 * CHANNELS, style)}
    total = sum(layers[f"Conv.{part}"]["LUT"] for part in parts)
    brams = sum(layers[f"Conv.{part}"]["BRAM"] for part in parts)
    name = f"3x3, 64 to 64 channels, weights {style}"
    how = ", ".join(
        f"{part} {layers[f'Conv.{part}']['LUT']:g}, FINN's formula {formula}"
        for part, formula in parts.items()
    )
    yield Figure(f"{name}: LUT", total, "LUT", sum(parts.values()), how)
    yield Figure(f"{name}: BRAM", brams, "BRAM18", how=f"FINN's formula {finn_memory(style)}")


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


def finn_product(k: int, style: str) -> int:
    """LUTs of FINN's matrix-vector unit (hls) with its weights, thresholds apart."""
    multipliers = SIMD * (2 * math.ceil(2 * BITS / 6) - 1) * 2 * BITS
    adders = 2 * BITS * (2 * SIMD - 1)
    alpha = math.log2(k) + 2 * BITS
    accumulator = math.ceil(alpha + math.log2(1 + 2**-alpha) + 1)
    words = k * CHANNELS // (PE * SIMD)
    memory = PE * SIMD * BITS * math.ceil(words / 64) if style == "distributed" else 0
    return math.floor(300 + 1.1 * PE * (multipliers + adders + accumulator) + memory)


def finn_memory(style: str) -> int:
    """BRAM18 of FINN's sliding window and of its weights, 256 bits by 576 words."""
    return 2 + (15 if style == "block" else 0)
