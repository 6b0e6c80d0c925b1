"""Writing a plugin: how long one waits for a new one, for a package, for a verdict after a save."""

from __future__ import annotations

import json
import os
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import Figure

COMMAND = [sys.executable, "-m", "brainsmith"]
ROUNDS = 5
LARGE, FILES = 10_000_000, 300
WAIT = 300.0
PYTHON, HARDWARE = "src/timed/kernel.py", "src/timed/hdl/timed.sv"


def run() -> list[Figure]:
    """Creating, packing, and developing a kernel; each command as a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        return [_create(place), _package(place), *_develop(place / "timed")]


def _create(place: Path) -> Figure:
    times = []
    for number in range(ROUNDS):
        name = f"timed{number or ''}"
        words = ["create-plugin", name, "--operation", "matmul", "--defaults"]
        times.append(_seconds(words, place))
    how = f"the whole command, median of {ROUNDS}"
    return Figure("create-plugin", statistics.median(times), "s", 1.0, how)


def _package(place: Path) -> Figure:
    """A plugin of 10 MB: noise that does not pack, and text that does, half of each."""
    plugin = place / "large"
    _seconds(["create-plugin", "large", "--operation", "add", "--defaults"], place)
    rng = np.random.default_rng(0)
    for number in range(FILES):
        size = LARGE // FILES
        data = rng.bytes(size)
        if number % 2:
            data = " ".join(map(str, rng.integers(0, 1000, size // 4))).encode()[:size]
        path = plugin / "src" / "large" / "data" / f"{number}.bin"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    times = [_seconds(["package", str(plugin)], place) for _ in range(ROUNDS)]
    how = f"10 MB in {FILES} files, the whole command, median of {ROUNDS}"
    return Figure("package", statistics.median(times), "s", 1.0, how)


def _develop(plugin: Path) -> list[Figure]:
    """From a save to the verdict, tests that simulate included."""
    process = subprocess.Popen(
        [*COMMAND, "develop", str(plugin), "--watch", "--json"], stdout=subprocess.PIPE, text=True
    )
    try:
        _verdict(process)
        python = [_save(process, plugin / PYTHON, f"\n# {n}\n") for n in range(ROUNDS)]
        hardware = [_save(process, plugin / HARDWARE, f"\n// {n}\n") for n in range(ROUNDS)]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
    how = f"load, lint, and two tests of a matmul kernel at 25 configurations; median of {ROUNDS}"
    return [
        Figure("develop, a change of Python", statistics.median(python), "s", 1.0, how),
        Figure("develop, a change of SystemVerilog", statistics.median(hardware), "s", 10.0, how),
    ]


def _save(process: subprocess.Popen[str], path: Path, more: str) -> float:
    time.sleep(3)  # as long as a person thinks at least
    text = path.read_text() + more
    start = time.perf_counter()
    path.write_text(text)
    verdict = _verdict(process)
    seconds = time.perf_counter() - start
    assert verdict["success"], verdict
    return seconds


def _verdict(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], WAIT)
    assert ready, "no verdict came"
    return json.loads(process.stdout.readline())


def _seconds(words: list[str], cwd: Path) -> float:
    start = time.perf_counter()
    subprocess.run(
        [*COMMAND, *words], cwd=cwd, check=True, capture_output=True, env={**os.environ},
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - start
