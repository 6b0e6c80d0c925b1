"""Components of plugins in whole compiles: operations, kernels, transforms, targets, strategies."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainsmith.compiler import (
    CompilationResult,
    CompilationStrategy,
    CompileOptions,
    Compiler,
    KernelSpec,
    TransformSpec,
)
from brainsmith.errors import PluginError
from brainsmith.plugins import PackageFacts, PluginRegistry
from brainsmith.plugins.lockfile import LOCK_NAME, lock_of, used_plugins, write_lock
from brainsmith.plugins.packing import write_archive
from brainsmith.plugins.places import builtin_folder
from brainsmith.testing import KernelCase, check_kernel
from tests.compiler.integer_models import Builder, mlp

DATA = Path(__file__).parent.parent / "plugins" / "data"


class Shelf:
    """A source of packages that are files in a folder; it knows one of them well."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, name: str, version: str, folder: Path) -> Path:
        return Path(shutil.copy(self._folder / f"{name}-{version}.bspkg", folder))

    def facts(self, names: Iterable[str]) -> dict[str, PackageFacts]:
        known = {"flash-attention-plugin": PackageFacts(5000, "gold")}
        return {name: known[name] for name in names if name in known}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project of a user who has no plugin yet."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "BRAINSMITH_PLUGIN_PATH"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def plugin(name: str, project: Path) -> Path:
    """A plugin of the tests' data in the project's folder of plugins; returns its own."""
    copied = shutil.copytree(DATA / name, project / "brainsmith_plugins" / name)
    return Path(copied)


def exact(result: CompilationResult) -> bool:
    verdict = result.verification
    return bool(result.success and verdict.bit_exact and verdict.vectors and not verdict.mismatches)


@pytest.mark.slow
def test_the_specification_s_user_code(project: Path) -> None:
    """Section 8, with the backend `rtl` and a plugin that comes from a file."""
    write_archive(DATA / "flash_attention", project / "flash-attention-2.0.bspkg")
    mlp(project / "model.onnx")
    gold = project / "brainsmith_plugins/gold"
    gold.mkdir(parents=True)
    shutil.copy(DATA / "specified/section4.yaml", gold / "brainsmith.yaml")
    # Two plugins have a kernel of this name: the project says which one it means.
    decided = '[components]\nFlashAttention = "flash-attention:FlashAttention"\n'
    (project / "brainsmith.toml").write_text(decided)
    code = (DATA / "specified/section8.py").read_text()
    for specified, here in (
        ("PluginRegistry()", "PluginRegistry(source=shelf)"),
        ('backend="hls"', 'backend="rtl"'),
        ('backend="cuda"', 'backend="rtl"'),
        # The plugin's kernel first: the built-in one would take all of the model.
        ('        # Built-in kernel\n        KernelSpec("MatMul", backend="rtl"),\n', ""),
        ('"rtl"),\n    ],', '"rtl"),\n        KernelSpec("MatMul", backend="rtl"),\n    ],'),
        ("strategy)", "strategy, options)"),
    ):
        assert specified in code
        code = code.replace(specified, here)
    names: dict[str, Any] = {
        "CompilationStrategy": CompilationStrategy,
        "KernelSpec": KernelSpec,
        "TransformSpec": TransformSpec,
        "shelf": Shelf(project),
        "options": CompileOptions(target="ecp5-25k", place=False, target_fps=2e6),
    }
    exec(code, names)
    assert {found.name for found in names["attention_kernels"]} == {
        "FlashAttention", "OptimizeFlashAttention",
    }  # fmt: skip
    result = names["result"]
    assert exact(result)
    layers = {layer.kernel: layer for layer in result.layers}
    assert {"flash-attention:FlashAttention", "brainsmith:MatMul"} <= layers.keys()
    for layer in layers.values():
        assert layer.resources_source == "measured" and layer.resources["LUT"] > 0
    report = (project / "build/model/report.html").read_text()
    assert "FlashAttention" in report and "MatMul" in report
    (warning,) = [d for d in result.diagnostics if d.where == "QuantizeAttention"]
    assert warning.severity == "warning" and "brainsmith:MatMul" in warning.message


@pytest.mark.slow
def test_everything_of_a_plugin_is_used_by_its_name(project: Path) -> None:
    """Operation, kernel, target, strategy of one plugin; three transforms of the qonnx package."""
    for name in ("sign_flip", "from_qonnx"):
        plugin(name, project)
    builder = Builder([1, 6], "INT4")
    negated = builder.add("Neg", ["x"], "n", [1, 6], "INT5")
    weights = np.random.default_rng(0).integers(-7, 8, (6, 4))
    model = builder.save(project / "m.onnx", builder.matmul(negated, "y", weights))
    options = CompileOptions(target="little-board", synthesize=False)
    result = Compiler().compile(model, "flipped", options)
    assert exact(result) and result.report.target == "little-board"
    log = (project / "build/m/build.log").read_text()
    tools = [line for line in log.splitlines() if line.startswith("== ") and " | " in line]
    simulated = [line for line in tools if line.startswith("== simulate ")]
    assert simulated and all(line.endswith("confined at L3") for line in simulated)
    assert [(layer.operation, layer.kernel) for layer in result.layers] == [
        ("negate", "sign-flip:SignFlip"),
        ("matmul", "brainsmith:MatMul"),
    ]
    assert [node.name for node in result.model.graph] == ["Neg_0", "MatMul_0"]
    assert not result.host_nodes


@pytest.mark.slow
def test_the_kernel_of_a_plugin_is_right_at_every_folding() -> None:
    rng = np.random.default_rng(1)
    cases = [
        KernelCase(
            {"N": 2, "M": 6, "K": 4},
            {"x": dtype, "w": "INT4", "y": "INT12"},
            {"PE": PE, "SIMD": SIMD},
            {"w": rng.integers(-8, 8, (4, 6))},
        )
        for dtype, PE, SIMD in (
            ("UINT4", 1, 1), ("INT4", 2, 1), ("UINT4", 3, 4), ("INT4", 6, 4), ("UINT2", 6, 2),
        )
    ]  # fmt: skip
    registry = PluginRegistry([DATA / "flash_attention", builtin_folder()], distributions=False)
    results = check_kernel("FlashAttention", cases, registry=registry)
    assert [result for result in results if not result.passed] == []


def test_a_compile_keeps_to_the_lock(project: Path) -> None:
    source = plugin("flash_attention", project) / "src/flash_attention/flash_attention.sv"
    mlp(project / "model.onnx")
    strategy = CompilationStrategy("s", [KernelSpec("FlashAttention")])
    options = CompileOptions(target="ecp5-25k", synthesize=False, verify=False)
    registry = PluginRegistry()
    write_lock(project / LOCK_NAME, lock_of(used_plugins(registry)))
    locked = Compiler(registry).compile("model.onnx", strategy, options)
    assert "flash-attention:FlashAttention" in {layer.kernel for layer in locked.layers}

    plugin("sign_flip", project)
    other = Compiler().compile("model.onnx", strategy, options)
    (refused,) = [d for d in other.diagnostics if d.where == "sign-flip:SignFlip"]
    assert "is not locked" in refused.message

    source.write_text(source.read_text().replace("terms[s] + product", "terms[s] - product"))
    for compiler in (Compiler(registry), Compiler()):
        with pytest.raises(PluginError, match=r"has changed(.|\n)*flash_attention\.sv"):
            compiler.compile("model.onnx", strategy, options)
        with pytest.raises(PluginError, match="has changed"):
            compiler.explain("model.onnx", strategy)
