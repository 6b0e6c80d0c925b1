"""How fast the RTL simulation of a network runs."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from benchmarks.models import DIGITS


def run() -> list[Figure]:
    """The digits model, 5 000 frames back to back, as `accelerator.run` does it."""
    from brainsmith.compiler import CompileOptions, Compiler

    with tempfile.TemporaryDirectory() as folder:
        options = CompileOptions(output=Path(folder) / "build", synthesize=False, place=False)
        result = Compiler().compile(DIGITS, "balanced", options)
        frames = np.random.default_rng(0).integers(0, 17, (5_000, 64)).astype(np.float32)
        start = time.perf_counter()
        result.accelerator.run(frames)
        seconds = time.perf_counter() - start
    cycles = len(frames) * result.metrics["initiation_interval"].value
    return [
        Figure("digits, simulated frames", len(frames) / seconds, "frames/s"),
        Figure("digits, simulated cycles", cycles / seconds / 1e6, "Mcycles/s"),
    ]
