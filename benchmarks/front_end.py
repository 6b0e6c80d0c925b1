"""The front end alone: from the model's file to the design, no tools, imports apart."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, median_seconds
from benchmarks.models import DIGITS, ESPCN, TFC, chain, quantized, resnet50


def run() -> list[Figure]:
    """tfc-w1a1 (where it is there), the digits model, chains of 100, 1 000, 10 000 nodes, ESPCN
    and ResNet-50."""
    figures = []
    for name, path in (("tfc-w1a1", TFC), ("digits", DIGITS)):
        if path.exists():
            seconds = median_seconds(lambda path=path: _front_end(path))  # type: ignore[misc]
            figures.append(Figure(f"{name}, load to design", seconds, "s", 1.0, "median of 5"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for nodes in (100, 1_000, 10_000):
            path = chain(nodes, folder)
            seconds = median_seconds(lambda path=path: _front_end(path), 1)  # type: ignore[misc]
            figures.append(Figure(f"chain of {nodes} nodes", seconds, "s", how="second of two"))
            figures.append(Figure(f"chain of {nodes} nodes, a node", 1e6 * seconds / nodes, "us"))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        figures.append(Figure("peak memory of the process, all of the above", peak, "GB", 1.0))
        figures += _alone("ESPCN at 128 x 128", ESPCN)
        start = time.perf_counter()
        path = quantized(resnet50(folder))
        seconds = time.perf_counter() - start
        figures.append(Figure("ResNet-50, quantized by calibration", seconds, "s", how="2 frames"))
        figures += _alone("ResNet-50", path, limits=(20.0, 5.0, 2.0))
    return figures


def _alone(
    name: str,
    path: Path,
    limits: tuple[float | None, float | None, float | None] = (None, 2.0, None),
) -> list[Figure]:
    """A model in a process of its own: seconds, those of the FIFO depths, and peak memory."""
    command = [sys.executable, "-m", "benchmarks.front_end", str(path)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    all_, depths, peak = limits
    return [
        Figure(f"{name}, load to design", found["seconds"], "s", all_, "one run"),
        Figure(f"{name}, its FIFO depths", found["size FIFOs"], "s", depths, "one run"),
        Figure(f"{name}, peak memory of the process", found["peak"], "GB", peak),
    ]


class _Steps:
    """Seconds of each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._name, self._start = "", 0.0

    def step(self, name: str, total: int | None = None) -> None:
        self.done()
        self._name, self._start = name, time.perf_counter()

    def advance(self, n: int = 1, detail: str = "") -> None:
        pass

    def done(self) -> None:
        if self._name:
            self.seconds[self._name] = time.perf_counter() - self._start


def _front_end(path: Path, target: str = "ecp5-85k") -> dict[str, float]:
    from brainsmith.compiler.frontend import front_end
    from brainsmith.compiler.options import CompileOptions
    from brainsmith.compiler.strategy import load_strategy
    from brainsmith.compiler.targets import get_target
    from brainsmith.plugins import PluginRegistry

    registry = PluginRegistry()
    strategy = load_strategy("balanced", registry).resolved(registry)
    options, steps = CompileOptions(), _Steps()
    front_end(path, strategy, get_target(target, registry), registry, options, steps)
    steps.done()
    return steps.seconds


if __name__ == "__main__":
    seconds = _front_end(Path(sys.argv[1]), "xc7z020")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({**seconds, "seconds": sum(seconds.values()), "peak": peak}))
