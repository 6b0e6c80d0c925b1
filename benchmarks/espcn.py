"""Super-resolution (ESPCN) on a crop of its image: simulated, and placed."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from benchmarks.models import crop, espcn, reading_codes
from brainsmith.compiler.result import CompilationResult

SIZE = 10
FPS = 400
FRAMES = 8


def run() -> list[Figure]:
    """The subpixel variant from 8-bit codes on, folded for 400 frames a second at 100 MHz."""
    from brainsmith.compiler import CompileOptions, Compiler

    image = np.rint(crop(SIZE) * 255).astype(np.uint8)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = reading_codes(espcn("subpixel", SIZE, folder / "espcn.onnx"))
        np.save(folder / "image.npy", image)
        options = CompileOptions(
            target_fps=FPS,
            verify_input=folder / "image.npy",
            verify_netlist=False,
            output=folder / "build",
        )
        result = Compiler().compile(model, "balanced", options)
        assert result.accelerator is not None
        start = time.perf_counter()
        result.accelerator.run(np.repeat(image, FRAMES, axis=0))
        seconds = time.perf_counter() - start
    interval, clock, fps, luts = (
        _known(result, name)
        for name in ("initiation_interval", "fmax_mhz", "throughput_fps", "LUT")
    )
    how = f"{SIZE}x{SIZE} pixels, ecp5-85k, interval {interval:.0f}"
    return [
        Figure("ESPCN, simulated frames", FRAMES / seconds, "frames/s", how=how),
        Figure("ESPCN, simulated cycles", FRAMES * interval / seconds / 1e6, "Mcycles/s", how=how),
        Figure("ESPCN, clock", clock, "MHz", how=how),
        Figure("ESPCN, at that clock", fps, "frames/s", how=how),
        Figure("ESPCN, LUT", luts, "LUT", how=how),
    ]


def _known(result: CompilationResult, name: str) -> float:
    """A figure of the result; where it was not found there is no benchmark."""
    value = result.metrics[name].value
    if value is None:
        raise RuntimeError(f"{name} was not measured: see the build's log")
    return float(value)
