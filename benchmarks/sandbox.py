"""What a confined call costs, beside bubblewrap and a plain subprocess that do the same work."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import Figure
from benchmarks.models import DIGITS, TFC

EMPTY = """\
from brainsmith.api import transform

@transform(name="Empty", stage="graph_cleanup")
class Empty:
    def apply(self, model, config):
        return model
"""
# A fresh process that does what a worker does, with everything that a worker has loaded.
PEER = """\
import sys
sys.path[:0] = [{folder!r}]
import onnxruntime, qonnx.core.modelwrapper
from brainsmith.model.model import Model
from empty_transform import Empty
import onnx
model = Model.from_proto(onnx.ModelProto.FromString(sys.stdin.buffer.read()))
sys.stdout.buffer.write(Empty().apply(model, {{}}).to_proto().SerializeToString())
"""
FIRST = """\
import json, sys, time
sys.path[:0] = [{folder!r}]
from benchmarks.sandbox import small_model
from empty_transform import Empty
from brainsmith.sandbox import PluginSandbox
model = small_model()
start = time.perf_counter()
PluginSandbox().execute_transform(Empty(), model, {{}})
print(json.dumps(time.perf_counter() - start))
"""
CALLS = 300
PAUSE = 0.02  # seconds between calls, as between the steps of a compile
FRESH = 9
LARGE = 100 << 20


def run() -> list[Figure]:
    """Warm and first calls, a large model, the peers, and a compile with all of it confined."""
    with _transform() as (empty, folder):
        figures = [*_warm(empty), *_first(folder), _large(empty), *_peers(folder)]
    model, name = (TFC, "tfc-w1a1") if TFC.exists() else (DIGITS, "digits")
    return figures + _compile(model, name)


def small_model() -> Any:
    """A model of one node."""
    from onnx import TensorProto, helper

    from brainsmith.model.model import Model

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", ends[:1], ends[1:])
    return Model.from_proto(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]))


@contextmanager
def _transform() -> Iterator[tuple[Any, Path]]:
    """A transform that does nothing, in a module that workers can import."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "empty_transform.py").write_text(EMPTY)
        sys.path.insert(0, folder)
        try:
            from empty_transform import Empty  # type: ignore[import-not-found]

            yield Empty(), Path(folder)
        finally:
            sys.path.remove(folder)


def _warm(empty: Any) -> list[Figure]:
    from brainsmith.sandbox import Level, PluginSandbox

    figures = []
    model = small_model()
    for level in (Level.L3, Level.L4):
        sandbox = PluginSandbox(level=level)
        for name, pause in (("", PAUSE), (", one after another", 0.0)):
            times = _milliseconds(lambda s=sandbox: s.execute_transform(empty, model, {}), pause)
            how = f"{CALLS} calls of an empty transform on a model of one node"
            limits = (5.0, 8.0) if level == Level.L3 and pause else (None, None)
            title = f"warm call at {level.name}{name}"
            figures.append(Figure(f"{title}, median", times[len(times) // 2], "ms", limits[0], how))
            late = times[len(times) * 99 // 100]
            figures.append(Figure(f"{title}, 99th percentile", late, "ms", limits[1], how))
    return figures


def _milliseconds(work: Callable[[], object], pause: float) -> list[float]:
    """How long each of many rounds took, ascending, after some that are not counted."""
    for _ in range(5):
        work()
    times = []
    for _ in range(CALLS):
        time.sleep(pause)
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return sorted(times)


def _first(folder: Path) -> list[Figure]:
    code = FIRST.format(folder=str(folder))
    seconds = []
    for _ in range(FRESH):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        seconds.append(json.loads(done.stdout))
    value = 1e3 * statistics.median(seconds)
    return [Figure("first call of a process", value, "ms", 600.0, f"median of {FRESH}")]


def _large(empty: Any) -> Figure:
    from brainsmith.sandbox import PluginSandbox

    model = small_model()
    model.add_initializer("weights", np.zeros(LARGE // 4, np.float32))
    sandbox = PluginSandbox()
    times = []
    for _ in range(FRESH):
        start = time.perf_counter()
        sandbox.execute_transform(empty, model, {})
        times.append(1e3 * (time.perf_counter() - start))
    name = "a model of 100 MiB there and back"
    return Figure(name, statistics.median(times), "ms", 400.0, f"median of {FRESH}")


def _peers(folder: Path) -> list[Figure]:
    """A fresh process, bare and under bubblewrap, for the same call."""
    data = small_model().to_proto().SerializeToString()
    python = [sys.executable, "-c", PEER.format(folder=str(folder))]
    commands = {"a plain subprocess": python}
    if shutil.which("bwrap"):
        confined = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--unshare-all"]
        commands["bubblewrap"] = [*confined, "--die-with-parent", *python]
    figures = []
    for name, command in commands.items():
        times = []
        for _ in range(FRESH):
            start = time.perf_counter()
            subprocess.run(command, input=data, capture_output=True, check=True)
            times.append(1e3 * (time.perf_counter() - start))
        how = f"the same call in a fresh process, median of {FRESH}"
        figures.append(Figure(f"peer: {name}", statistics.median(times), "ms", how=how))
    return figures


def _compile(model: Path, name: str) -> list[Figure]:
    """A compile with every transform confined, and without."""
    from brainsmith.compiler import CompileOptions, Compiler
    from brainsmith.plugins import PluginRegistry
    from brainsmith.plugins.sandboxing import SandboxSettings

    def seconds(confined: bool, folder: str) -> float:
        from brainsmith.toolchains.cache import BuildCache

        options = CompileOptions(output=Path(folder, "build"), synthesize=False, target_fps=100_000)
        registry = PluginRegistry().confined(
            SandboxSettings(confine_builtins=("transforms",) if confined else ())
        )
        start = time.perf_counter()
        Compiler(registry, BuildCache(Path(folder, "cache"))).compile(model, "area", options)
        return time.perf_counter() - start

    pairs = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as plain, tempfile.TemporaryDirectory() as confined:
            pairs.append((seconds(False, plain), seconds(True, confined)))
    ratio = statistics.median(confined / plain for plain, confined in pairs)
    how = "cold, simulated and not synthesised; median of 3 pairs"
    return [
        Figure(f"{name}: all transforms confined, of the time without", ratio, "", 1.10, how),
        Figure(f"{name}: without", statistics.median(p for p, _ in pairs), "s", how=how),
    ]
