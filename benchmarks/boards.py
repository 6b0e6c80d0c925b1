"""From the digits model to a bitstream for ulx3s-85f, and how busy the line of its board is."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from benchmarks.models import DIGITS

TARGET = "ulx3s-85f"
FPS = 200_000


def run() -> list[Figure]:
    """Cold (an empty build cache) and cached; then 200 images through the simulated board."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cold, fmax = _compile(folder)
        cached, _ = _compile(folder)
        idle, rate = _talk(folder)
    how = "compile without verification"
    return [
        Figure("digits to a bitstream, cold", cold, "s", 150.0, how),
        Figure("digits to a bitstream, cached", cached, "s", 5.0, how),
        Figure("ns of the slowest path on the board", 1e3 / fmax, "ns", 10.0, "nextpnr, seed 0"),
        Figure("share of idle bits on the line", 100 * idle, "%", 5.0, "200 images, simulated"),
        Figure("frames through the simulated board", rate, "frames/s", None, "200 images"),
    ]


def _compile(folder: Path) -> tuple[float, float]:
    from brainsmith.compiler import CompileOptions, Compiler
    from brainsmith.toolchains.cache import BuildCache

    options = CompileOptions(target=TARGET, target_fps=FPS, verify=False, output=folder / "build")
    start = time.perf_counter()
    result = Compiler(cache=BuildCache(folder / "cache")).compile(DIGITS, "balanced", options)
    seconds = time.perf_counter() - start
    fmax = result.metrics["fmax_mhz"].value
    assert fmax is not None
    return seconds, fmax


def _talk(folder: Path) -> tuple[float, float]:
    """The share of the line's bits that were idle, and the frames per second."""
    from brainsmith.compiler.on_board import BoardAccelerator, BoardSimulation

    images, labels = (np.load(DIGITS.parent / f"{name}.npy") for name in ("images", "labels"))
    simulation = BoardSimulation.of(folder / "build")
    with (
        simulation.running() as board,
        BoardAccelerator.open(folder / "build", board.port) as accelerator,
    ):
        board.traffic()
        got = accelerator.run(images)
        use = board.traffic().use
    if not np.array_equal(np.ravel(got), labels.ravel()):
        raise SystemExit("the board reads other digits than the reference")
    return 1 - use, accelerator.frames_per_second
