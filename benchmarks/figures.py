"""Figures, the machine that they came from, and the file that keeps them."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Args:
        wanted: the most that it should be, or None where it only informs.
        how: what was measured, and how often.
    """

    name: str
    value: float
    unit: str
    wanted: float | None = None
    how: str = ""


def median_seconds(work: Callable[[], object], rounds: int = 5) -> float:
    """The median time of some rounds, after one that is not counted."""
    work()
    return statistics.median(_seconds(work) for _ in range(rounds))


def process_milliseconds(code: str, rounds: int = 21) -> float:
    """The median time of a fresh interpreter that runs `code`."""
    command = [sys.executable, "-c", code]

    def work() -> None:
        subprocess.run(command, check=True, capture_output=True)

    return 1000 * median_seconds(work, rounds)


def machine() -> dict[str, str | int]:
    """What the figures depend on."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else ""
    return {
        "processor": model or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def keep(figures: dict[str, list[Figure]]) -> None:
    """Puts the figures of some benchmarks into the file; those of others stay."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name, list_ in figures.items():
        known[name] = {
            "date": time.strftime("%Y-%m-%d"),
            "machine": machine(),
            "figures": [asdict(figure) for figure in list_],
        }
    RESULTS.write_text(json.dumps(known, indent=2) + "\n")


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
