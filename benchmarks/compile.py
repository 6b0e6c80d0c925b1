"""tfc-w1a1 (or, where it is not there, the digits model) to verified RTL with resources."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.models import DIGITS, TFC

FOLDING = {
    "MatMul_0": {"PE": 16, "SIMD": 49},
    "MatMul_1": {"PE": 8, "SIMD": 8},
    "MatMul_2": {"PE": 8, "SIMD": 8},
    "MatMul_3": {"PE": 10, "SIMD": 8},
}


def run() -> list[Figure]:
    """Cold (an empty build cache), cached, and with one layer folded in another way."""
    name, path, target = (
        ("tfc-w1a1", TFC, "xc7z020") if TFC.exists() else ("digits", DIGITS, "ecp5-85k")
    )
    with tempfile.TemporaryDirectory() as folder:
        cold = _compile(path, target, Path(folder), {})
        cached = min(_compile(path, target, Path(folder), {}) for _ in range(3))
        changed = _compile(path, target, Path(folder), {"MatMul_2": {"PE": 4, "SIMD": 8}})
    return [
        Figure(f"{name} for {target}, cold", cold, "s", 60.0, "empty build cache, --no-place"),
        Figure(f"{name} for {target}, cached", cached, "s", 3.0, "best of 3, --no-place"),
        Figure(f"{name} for {target}, one layer changed", changed, "s", None, "--no-place"),
    ]


def _compile(path: Path, target: str, folder: Path, change: dict[str, dict[str, int]]) -> float:
    from brainsmith.compiler import CompileOptions, Compiler
    from brainsmith.toolchains.cache import BuildCache

    folding = folder / "folding.json"
    folding.write_text(json.dumps({**FOLDING, **change}))
    options = CompileOptions(
        target=target,
        output=folder / "build",
        place=False,
        folding=folding if path == TFC else None,
    )
    start = time.perf_counter()
    result = Compiler(cache=BuildCache(folder / "cache")).compile(path, "balanced", options)
    seconds = time.perf_counter() - start
    if not result.success:
        raise SystemExit(f"the compile of {path} failed: {result.diagnostics}")
    return seconds
