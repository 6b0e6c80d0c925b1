"""Finding plugins and searching them: cold, warm, many, few, and beside others that do the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figures import Figure

MANY, SOME, FEW = 10_000, 1_000, 20
WORDS = (
    *("attention", "conv", "pooling", "softmax", "norm", "quantize", "winograd", "sparse"),
    *("systolic", "tensor", "stream", "fold", "transformer", "vision", "audio", "lstm"),
    *("gru", "embedding", "hash", "sort", "search", "cordic", "fft", "fir"),
)
MANIFEST = """\
name: {name}
version: 1.0.{patch}
author: author-{author}
license: Apache-2.0
description: An implementation of {a} and {b} for small devices

kernels:
  - {{name: {A}{i}, module: {module}.kernel, class: Kernel, operation: {a}, backends: [rtl]}}
  - {{name: {B}Fast{i}, module: {module}.fast, class: Fast, datatypes: [INT4, INT8]}}

transforms:
  - {{name: Optimize{A}{i}, module: {module}.transform, class: Optimize}}

dependencies: [numpy>=1.20]
compatibility: {{brainsmith: ">=2.0"}}
tags: [{b}]
"""
# Each lists all contributions of all plugins, by name.
PEERS = {
    "importlib.metadata": (
        "from importlib.metadata import entry_points\n"
        "names = [e.name for e in entry_points(group='bench.contributions')]"
    ),
    "stevedore": (
        "from stevedore import _cache\n"
        "names = [e.name for e in _cache.get_group_all('bench.contributions')]"
    ),
    "npe2": (
        "from npe2 import PluginManager\n"
        "manager = PluginManager()\n"
        "manager.discover()\n"
        "names = [c.id for m in manager.iter_manifests() for c in m.contributions.commands or ()]"
    ),
}
OURS = (
    "from brainsmith.plugins import PluginRegistry\n"
    "registry = PluginRegistry([])\n"
    "names = [name for kind in ('kernels', 'transforms') for name in registry.names(kind)]"
)
_TIMED = "import time; t = time.perf_counter()\n{code}\nprint(len(names), time.perf_counter() - t)"
_MEASURE = """
import json, resource, statistics, sys, time
from brainsmith.plugins import PluginRegistry
def ms(work):
    start = time.perf_counter(); work(); return 1000 * (time.perf_counter() - start)
registry = PluginRegistry([sys.argv[1]], distributions=False)
found = {"discovery": ms(lambda: registry.catalog)}
found["cached"] = registry.from_cache
words = sys.argv[2:]
found["search"] = statistics.median(ms(lambda: registry.search(w)) for w in words)
found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(found))
"""


def run() -> list[Figure]:
    """10 000 and 20 folders, and 1 000 distributions beside the peers that are installed."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        env = {**os.environ, "XDG_CACHE_HOME": str(root / "cache"), "HOME": str(root)}
        return [*_many(root, env), *_few(root, env), *_peers(root, env)]


def write_plugins(folder: Path, count: int) -> None:
    """Folders with a manifest of three components each."""
    for i in range(count):
        plugin = folder / f"plugin-{i:05}"
        plugin.mkdir(parents=True)
        (plugin / "brainsmith.yaml").write_text(_manifest(plugin.name, f"plugin_{i}", i))


def _manifest(name: str, module: str, i: int) -> str:
    a, b = WORDS[i % len(WORDS)], WORDS[i // len(WORDS) % len(WORDS)]
    return MANIFEST.format(
        name=name, module=module, i=i, patch=i % 7, author=i % 900,
        a=a, b=b, A=a.title(), B=b.title(),
    )  # fmt: skip


def _many(root: Path, env: dict[str, str]) -> list[Figure]:
    write_plugins(root / "many", MANY)
    cold = _measured(root / "many", env)
    warm = [_measured(root / "many", env) for _ in range(5)]
    assert all(one["cached"] for one in warm) and not cold["cached"]
    told = f"{MANY} manifests"
    seconds, wanted = cold["discovery"] / 1000, 6.0
    return [
        Figure(f"{told}, cold", seconds, "s", wanted, "once, manifests just written"),
        Figure(f"{told}, cold: peak memory", cold["memory"], "MB", 150.0),
        Figure(f"{told}, warm", _median(warm, "discovery"), "ms", 60.0, "median of 5 processes"),
        Figure(f"{told}, warm: peak memory", _median(warm, "memory"), "MB", 150.0),
        Figure(
            f"search over {3 * MANY} components", _median(warm, "search"), "ms", 10.0,
            f"median over {len(WORDS)} words, each in about {3 * MANY // len(WORDS)} components",
        ),
    ]  # fmt: skip


def _few(root: Path, env: dict[str, str]) -> list[Figure]:
    """What 20 plugins add to a command that looks for plugins at all."""
    write_plugins(root / "few", FEW)
    (root / "none").mkdir()
    _measured(root / "few", env), _measured(root / "none", env)
    rounds = [(_measured(root / "few", env), _measured(root / "none", env)) for _ in range(7)]
    return [
        Figure(
            f"{FEW} plugins, warm", _median([few for few, _ in rounds], "discovery"), "ms", 10.0,
            "what discovery takes of a command, median of 7 processes",
        ),
        Figure(
            f"{FEW} plugins, warm, above none",
            median(few["discovery"] - none["discovery"] for few, none in rounds), "ms",
        ),
    ]  # fmt: skip


def _peers(root: Path, env: dict[str, str]) -> list[Figure]:
    """The same contributions of installed distributions, listed by each, in fresh processes."""
    site = root / "site"
    write_distributions(site, SOME)
    path = os.pathsep.join([str(site), env.get("PYTHONPATH", "")])
    codes = {"brainsmith": OURS}
    codes |= {peer: code for peer, code in PEERS.items() if find_spec(peer) is not None}
    figures = []
    for peer, code in codes.items():
        listed = [_listed(code, {**env, "PYTHONPATH": path}) for _ in range(6)]
        assert {count for count, _ in listed} == {3 * SOME}, (peer, listed)
        figures.append(
            Figure(
                f"{SOME} distributions, all contributions: {peer}",
                1000 * median(seconds for _, seconds in listed[1:]),
                "ms",
                how="import and listing, median of 5 processes after one that fills caches",
            )
        )
    return figures


def write_distributions(site: Path, count: int) -> None:
    """Distributions with the same three contributions for each of the tools."""
    for i in range(count):
        package, project = site / f"plugin_{i}", f"plugin-{i}"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "brainsmith.yaml").write_text(_manifest(project, package.name, i))
        commands = "".join(
            f"    - {{id: {project}.c{n}, title: c{n},"
            f" python_name: '{package.name}.module:c{n}'}}\n"
            for n in range(3)
        )
        (package / "napari.yaml").write_text(
            f"name: {project}\ndisplay_name: Plugin {i}\ncontributions:\n  commands:\n{commands}"
        )
        info = site / f"plugin_{i}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n")
        points = "".join(f"c{i}_{n} = {package.name}.module:c{n}\n" for n in range(3))
        (info / "entry_points.txt").write_text(
            f"[bench.contributions]\n{points}"
            f"[brainsmith.plugins]\nx = {package.name}:brainsmith.yaml\n"
            f"[napari.manifest]\n{project} = {package.name}:napari.yaml\n"
        )


def _measured(folder: Path, env: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-c", _MEASURE, str(folder), *WORDS]
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _listed(code: str, env: dict[str, str]) -> tuple[int, float]:
    command = [sys.executable, "-c", _TIMED.format(code=code)]
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    count, seconds = done.stdout.split()[-2:]
    return int(count), float(seconds)


def _median(measured: list[dict[str, Any]], key: str) -> float:
    return float(median(one[key] for one in measured))
