"""A small kernel of a plugin beside the built-in one: cold, and when nothing has changed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.models import DIGITS, ROOT, chain
from brainsmith.toolchains.cache import user_cache

COMMAND = [sys.executable, "-m", "brainsmith", "test-plugin", "tiny", "--model"]
ROUNDS = 3


def run() -> list[Figure]:
    """CONTRIBUTING's matrix-vector unit on one product, and on the four of the digits model."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _write(place)
        small = chain(3, place, width=16)
        return [
            *_figures("a product of 16 x 16", small, place, 30.0),
            *_figures("digits", DIGITS, place, None),
        ]


def _figures(name: str, model: Path, place: Path, cold: float | None) -> list[Figure]:
    first = _seconds(model, place)
    second = min(_seconds(model, place) for _ in range(ROUNDS))
    how = "simulated and synthesised beside the built-in kernel, the whole command"
    return [
        Figure(f"{name}, cold", first, "s", cold, f"{how}; empty build cache"),
        Figure(f"{name}, unchanged", second, "s", 5.0, f"{how}; best of {ROUNDS}"),
    ]


def _write(place: Path) -> None:
    """The plugin of the page, with a manifest that lists its kernel."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for name, text in re.findall(r"```\w+ file=(brainsmith_plugins/\S+)\n(.*?)```", page, re.S):
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "brainsmith", "manifest", "sync", "brainsmith_plugins/tiny"]
    subprocess.run(command, cwd=place, check=True, capture_output=True)


def _seconds(model: Path, place: Path) -> float:
    env = {
        **os.environ,
        "XDG_CACHE_HOME": str(place / f"cache-{model.stem}"),
        # The tools are compiled once for a machine, as they are installed once.
        "YOWASP_CACHE_DIR": str(user_cache() / "yowasp"),
    }
    start = time.perf_counter()
    subprocess.run([*COMMAND, str(model)], cwd=place, env=env, check=True, capture_output=True)
    return time.perf_counter() - start
