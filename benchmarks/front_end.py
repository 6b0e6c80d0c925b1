"""The front end alone: from the model's file to the design, no tools, imports apart."""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path

from benchmarks.figures import Figure, median_seconds
from benchmarks.models import DIGITS, TFC, chain


def run() -> list[Figure]:
    """tfc-w1a1 (where it is there), the digits model, and chains of 100, 1 000, 10 000 nodes."""
    figures = []
    for name, path in (("tfc-w1a1", TFC), ("digits", DIGITS)):
        if path.exists():
            seconds = median_seconds(lambda path=path: _front_end(path))  # type: ignore[misc]
            figures.append(Figure(f"{name}, load to design", seconds, "s", 1.0, "median of 5"))
    with tempfile.TemporaryDirectory() as folder:
        for nodes in (100, 1_000, 10_000):
            path = chain(nodes, Path(folder))
            seconds = median_seconds(lambda path=path: _front_end(path), 1)  # type: ignore[misc]
            figures.append(Figure(f"chain of {nodes} nodes", seconds, "s", how="second of two"))
            figures.append(Figure(f"chain of {nodes} nodes, a node", 1e6 * seconds / nodes, "us"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    figures.append(Figure("peak memory of the process, all of the above", peak, "GB", 1.0))
    return figures


def _front_end(path: Path) -> object:
    from brainsmith.compiler.frontend import front_end
    from brainsmith.compiler.options import CompileOptions
    from brainsmith.compiler.progress import Silent
    from brainsmith.compiler.strategy import load_strategy
    from brainsmith.compiler.targets import get_target
    from brainsmith.plugins import PluginRegistry

    registry = PluginRegistry()
    strategy = load_strategy("balanced", registry).resolved(registry)
    target = get_target("ecp5-85k", registry)
    return front_end(path, strategy, target, registry, CompileOptions(), Silent())
