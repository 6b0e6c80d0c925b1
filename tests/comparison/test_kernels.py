"""`test-plugin`: a plugin's kernel beside the built-in one, at the same folding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
SAVE = "import runpy, sys; runpy.run_path(sys.argv[1])['network']().save('small.onnx')"
FOLDING = "layer: {PE: 2, SIMD: 4}\n"
SIGN = ("{X_SIGNED & a[X_BITS-1], a}", "{1'b1, a}")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `brainsmith` in a project whose one plugin is a matrix-vector unit."""
    env = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data")}

    def run(*words: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=env, capture_output=True, text=True,
            timeout=500, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == expect, f"{words}\n{done.stdout}{done.stderr}"
        return done

    create(run, "my-matmul", "matmul")
    run("-c", SAVE, "brainsmith_plugins/my-matmul/examples/example_usage.py")
    (tmp_path / "folding.yaml").write_text(FOLDING)
    return run


def create(run: Run, name: str, operation: str) -> None:
    words = ("create-plugin", name, "--operation", operation, "--defaults")
    run("-m", "brainsmith", *words, "--output", f"brainsmith_plugins/{name}")


def compare(run: Run, name: str, *options: str, expect: int = 0) -> dict[str, Any]:
    words = ("test-plugin", name, "--model", "small.onnx", "--folding", "folding.yaml")
    done = run("-m", "brainsmith", *words, "--json", *options, expect=expect)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_both_are_measured_at_the_same_folding(run: Run) -> None:
    found = compare(run, "my-matmul")
    (kernel,) = found["kernels"]
    (node,) = kernel["compared"]
    assert found["success"] and node["nodes"] == ["layer"]
    assert node["folding"] == {"PE": 2, "SIMD": 4}
    for side, name in (("own", "my-matmul:MyMatmul"), ("rival", "brainsmith:MatMul")):
        assert node[side]["kernel"] == name and node[side]["mismatches"] == 0
        assert node[side]["interval"]["value"] == 16
        measured = [node[side]["interval"], *node[side]["resources"].values()]
        assert all(figure["source"] == "measured" for figure in measured)
    assert node["own"]["resources"]["DSP"]["value"] == 8  # as Yosys makes of eight products
    text = "\n".join(found["summary"])
    assert "✓ Performance: as fast as MatMul (16 against 16 cycles a frame, measured)" in text
    assert "✓ Compatibility: 1 of 1 node of 'matmul': bit-exact" in text


@pytest.mark.slow
def test_a_clock_is_measured_where_it_is_asked_for(run: Run) -> None:
    (node,) = compare(run, "my-matmul", "--place")["kernels"][0]["compared"]
    for side in ("own", "rival"):
        assert node[side]["clock"]["source"] == "measured" and node[side]["clock"]["value"] > 20


@pytest.mark.slow
def test_a_wrong_sign_is_an_error_that_leads_to_it(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "brainsmith_plugins/my-matmul/src/my_matmul/hdl/my_matmul.sv"
    assert SIGN[0] in source.read_text()
    source.write_text(source.read_text().replace(*SIGN))
    found = compare(run, "my-matmul", expect=8)
    assert not found["success"] and found["exit_code"] == 8
    (problem,) = found["problems"]
    assert "elements are wrong; the first: y, frame 0" in problem["what"]
    assert "my-matmul:MyMatmul at layer" in problem["where"]


def test_a_model_without_such_a_node_says_what_is_nearest(run: Run) -> None:
    create(run, "my-add", "add")
    done = run(
        "-m", "brainsmith", "test-plugin", "my-add", "--model", "small.onnx", expect=4
    )  # fmt: skip
    assert "the plugin 'my-add' takes no node of small.onnx" in done.stderr
    assert "MyAdd computes 'add', of which the model has no node" in done.stderr


def test_a_plugin_that_is_not_there_is_told(run: Run) -> None:
    done = run("-m", "brainsmith", "test-plugin", "my-matmull", "--model", "small.onnx", expect=4)
    assert "my-matmul" in done.stderr
