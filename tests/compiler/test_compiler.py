"""The whole compile, on real networks and on ones that must not pass."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

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
from brainsmith.errors import ConfigurationError, ModelError, TargetError
from brainsmith.plugins import PluginLoader, PluginRegistry
from tests.builtin.integers import Net

from .integer_models import Builder, branches, mlp

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits"
TFC = ROOT.parent / "shared" / "models" / "tfc-w1a1"
AS_IT_IS = CompilationStrategy("as-it-is", extends=None, objective="area")

# FINN's folding for 64 cycles a frame.
FINN_FOLDING = {
    "MatMul_0": {"PE": 16, "SIMD": 49},
    "MatMul_1": {"PE": 8, "SIMD": 8},
    "MatMul_2": {"PE": 8, "SIMD": 8},
    "MatMul_3": {"PE": 10, "SIMD": 8},
}


def compiled(
    model: Path, folder: Path, strategy: CompilationStrategy | str = AS_IT_IS, **options: object
) -> CompilationResult:
    chosen = {"target": "ecp5-25k", "synthesize": False, **options}
    return Compiler().compile(model, strategy, CompileOptions(output=folder / "build", **chosen))  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.skipif(not TFC.exists(), reason="the shared models are not here")
def test_tfc_w1a1_at_finn_s_folding(tmp_path: Path) -> None:
    folding = tmp_path / "folding.json"
    folding.write_text(json.dumps(FINN_FOLDING))
    result = compiled(
        TFC / "model.onnx",
        tmp_path,
        "balanced",
        target="xc7z020",
        folding=folding,
        synthesize=True,
        verify_netlist=True,
        verify_input=TFC / "input.npy",
        verify_output=TFC / "expected_output.npy",
    )
    assert result.success, [c for c in result.verification.checks if not c.passed]
    assert result.verification.bit_exact
    assert not result.host_nodes
    assert result.metrics["initiation_interval"].value == 64
    assert result.metrics["initiation_interval"].source == "measured"
    # FINN's own estimate for this folding, from its analytic models.
    assert result.metrics["LUT"].value <= 8502
    assert result.metrics["BRAM"].value <= 26
    assert result.metrics["fmax_mhz"].value is None
    labels = result.accelerator.run(np.load(TFC / "input.npy"))
    assert np.asarray(labels).ravel().tolist() == [7, 2, 1, 0]


@pytest.mark.slow
def test_the_digits_are_read_as_the_reference_reads_them(tmp_path: Path) -> None:
    result = compiled(
        DIGITS / "digits.onnx",
        tmp_path,
        "balanced",
        target="ecp5-85k",
        target_fps=200_000,
        verify_input=DIGITS / "images.npy",
        verify_output=DIGITS / "labels.npy",
    )
    assert result.success, [c for c in result.verification.checks if not c.passed]
    labels = np.asarray(result.accelerator.run(np.load(DIGITS / "images.npy"))).ravel()
    assert (labels == np.load(DIGITS / "labels.npy")).all()
    assert (labels == np.load(DIGITS / "truth.npy")).mean() == 0.975


@pytest.mark.slow
def test_an_unsupported_operation_runs_on_the_host_between_two_partitions(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    builder = Builder([1, 8], "INT4")
    value = builder.matmul("x", "m0", rng.integers(-7, 8, (8, 8)))
    value = builder.add(
        "Mod", [value, builder.constant("five", np.float32([5.0]))], "r", [1, 8], "INT4", fmod=1
    )
    value = builder.matmul(value, "m1", rng.integers(-7, 8, (8, 4)))
    result = compiled(builder.save(tmp_path / "m.onnx", value), tmp_path)
    assert result.success
    (host,) = result.host_nodes
    assert host.node == "Mod_r" and "no kernel computes Mod" in host.reason
    assert len(result.design.partitions) == 2
    frames = rng.integers(-8, 8, (3, 1, 8)).astype(np.float32)
    got = result.accelerator.run(frames)
    weights = [np.asarray(layer.config.static("w")) for layer in result.design.layers]
    assert np.array_equal(got, np.fmod(frames @ weights[0], 5) @ weights[1])


def test_a_kernel_that_computes_something_else_is_found_out(tmp_path: Path) -> None:
    registry = PluginRegistry()
    registry.register(_plugin(tmp_path / "plugin"))
    strategy = CompilationStrategy("broken", [KernelSpec("Zeros")], extends=None, objective="area")
    options = CompileOptions(target="ecp5-25k", synthesize=False, output=tmp_path / "build")
    result = Compiler(registry).compile(mlp(tmp_path / "m.onnx"), strategy, options)
    assert not result.success
    assert result.verification.bit_exact is False
    assert result.verification.mismatches > 0
    failed = [check.name for check in result.verification.checks if not check.passed]
    assert any("MultiThreshold_h0 alone" in name for name in failed)
    report = json.loads((tmp_path / "build" / "report.json").read_text())
    assert report["success"] is False


def test_a_kernel_whose_cycles_are_not_what_it_says_is_found_out(tmp_path: Path) -> None:
    registry = PluginRegistry()
    registry.register(_plugin(tmp_path / "plugin", latency=5))
    model = mlp(tmp_path / "m.onnx")
    options = CompileOptions(target="ecp5-25k", synthesize=False, output=tmp_path / "build")
    strategy = CompilationStrategy("late", [KernelSpec("Zeros")], extends=None, objective="area")
    result = Compiler(registry).compile(model, strategy, options)
    (check,) = (c for c in result.verification.checks if c.name == "cycles of each layer alone")
    assert not check.passed
    assert "MultiThreshold_h0" in check.detail


def test_a_kernel_without_a_resource_model_is_guessed_and_never_refused(tmp_path: Path) -> None:
    registry = PluginRegistry()
    registry.register(_plugin(tmp_path / "plugin"))
    strategy = CompilationStrategy("broken", [KernelSpec("Zeros")], extends=None, objective="area")
    folding = tmp_path / "folding.json"
    folding.write_text(json.dumps({"MultiThreshold_h0": {"PE": 256}}))
    options = CompileOptions(
        target="ice40-up5k", synthesize=False, verify=False, folding=folding,
        output=tmp_path / "build",
    )  # fmt: skip
    model = mlp(tmp_path / "m.onnx", (4, 256, 2))
    Compiler(registry).compile(model, strategy, options)
    report = json.loads((tmp_path / "build" / "report.json").read_text())
    layers = {layer["node"]: layer for layer in report["layers"]}
    guessed = layers["MultiThreshold_h0"]
    assert guessed["resources"]["LUT"] > 1.25 * 5280  # more than the device has
    assert guessed["resources_source"] == "estimated"
    assert "no resource model" in guessed["resources_reason"]
    assert "resources_reason" not in layers["MatMul_m0"]


def test_expected_outputs_that_differ_are_no_success(tmp_path: Path) -> None:
    x, y = tmp_path / "x.npy", tmp_path / "y.npy"
    np.save(x, np.ones((3, 12), dtype=np.float32))
    np.save(y, np.full((3, 6), 1000.0, dtype=np.float32))
    result = compiled(mlp(tmp_path / "m.onnx"), tmp_path, verify_input=x, verify_output=y)
    assert not result.success
    assert result.verification.bit_exact


def test_outputs_of_another_number_of_frames_are_refused_before_anything_is_built(
    tmp_path: Path,
) -> None:
    x, y = tmp_path / "x.npy", tmp_path / "y.npy"
    np.save(x, np.ones((3, 12), dtype=np.float32))
    np.save(y, np.ones((2, 6), dtype=np.float32))
    model = mlp(tmp_path / "m.onnx")
    with pytest.raises(ConfigurationError, match="2 frames for inputs of 3"):
        compiled(model, tmp_path, verify_input=x, verify_output=y)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.onnx", "x.npy", "y.npy"]


def test_every_layer_is_compared_whoever_computes_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    net = Net((1, 8))
    codes = net.quant("x", 0.25, 0, 4)
    weights = net.quant(rng.normal(size=(8, 8)).astype(np.float32), 0.25, 0, 4)
    sums = net.MatMul(net.quant(net.Sin(codes), 0.25, 0, 4), weights)
    net.model(net.Add(net.Cos(net.quant(codes, 0.5, 0, 3)), sums)).save(tmp_path / "m.onnx")
    result = compiled(tmp_path / "m.onnx", tmp_path, "balanced")
    checks = {check.name: check for check in result.verification.checks}
    assert result.success, [c for c in checks.values() if not c.passed]
    assert "in 4 layers: 0 differ" in checks["agrees with the original model"].detail
    assert result.verification.faithful["unchecked"] == 0


class Heard:
    """A watcher that remembers what it was told of each step."""

    def __init__(self) -> None:
        self.total: dict[str, int | None] = {}
        self.count: dict[str, int] = {}
        self.details: list[str] = []

    def step(self, name: str, total: int | None = None) -> None:
        self.total[name], self.count[name] = total, 0

    def advance(self, n: int = 1, detail: str = "") -> None:
        self.count[list(self.count)[-1]] += n
        self.details.append(detail)

    def done(self) -> None:
        pass


@pytest.mark.parametrize("synthesize", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_progress_reaches_its_total_and_tells_of_frames(tmp_path: Path, synthesize: bool) -> None:
    heard = Heard()
    options = CompileOptions(
        target="ecp5-25k", synthesize=synthesize, place=False, output=tmp_path / "build"
    )
    Compiler(progress=heard).compile(mlp(tmp_path / "m.onnx", (8, 8, 8, 8)), AS_IT_IS, options)
    name = "simulate and synthesize" if synthesize else "simulate"
    assert heard.count[name] == heard.total[name]
    assert any(re.fullmatch(r"simulation of m, \d+ of \d+ frames", said) for said in heard.details)


def test_without_verification_nothing_is_claimed(tmp_path: Path) -> None:
    result = compiled(mlp(tmp_path / "m.onnx"), tmp_path, verify=False)
    assert result.verification.scope == "none" and result.verification.bit_exact is None
    assert {metric.source for metric in result.metrics.values() if metric.value} == {"estimated"}


def test_the_file_list_names_every_source_in_the_build(tmp_path: Path) -> None:
    result = compiled(branches(tmp_path / "m.onnx"), tmp_path, verify=False)
    folder = result.artifacts["rtl"]
    names = (folder / "files.f").read_text().split()
    assert names[-1] == "m.sv" and "module m (" in (folder / "m.sv").read_text()
    assert all((folder / name).exists() for name in names)


def test_the_folding_of_a_build_gives_the_same_build(tmp_path: Path) -> None:
    model = mlp(tmp_path / "m.onnx")
    first = compiled(model, tmp_path / "a", verify=False, target_fps=3e6)
    again = compiled(model, tmp_path / "b", verify=False, folding=first.artifacts["folding"])
    assert [layer.folding for layer in again.layers] == [layer.folding for layer in first.layers]


def test_a_qonnx_transformation_is_named_in_a_strategy(tmp_path: Path) -> None:
    name = "qonnx.transformation.general:GiveUniqueNodeNames"
    strategy = CompilationStrategy(
        "q", transforms=[TransformSpec(name, {"prefix": "mine_"}, "graph_cleanup")], extends=None
    )
    result = compiled(mlp(tmp_path / "m.onnx"), tmp_path, strategy, verify=False)
    assert all(layer.node.startswith("mine_") for layer in result.layers)
    with pytest.raises(ConfigurationError, match="needs a stage"):
        compiled(
            mlp(tmp_path / "m.onnx"),
            tmp_path,
            CompilationStrategy("q", transforms=[TransformSpec(name)], extends=None),
        )


def test_a_backend_that_a_kernel_does_not_have_is_an_error(tmp_path: Path) -> None:
    strategy = CompilationStrategy("hls", kernels=[KernelSpec("MatMul", backend="hls")])
    with pytest.raises(ConfigurationError, match="no backend 'hls'"):
        compiled(mlp(tmp_path / "m.onnx"), tmp_path, strategy)


def test_a_design_that_does_not_fit_shows_what_is_needed_and_what_there_is(tmp_path: Path) -> None:
    folding = tmp_path / "folding.json"
    folding.write_text(json.dumps({"MatMul_m0": {"PE": 128, "SIMD": 128}}))
    model = mlp(tmp_path / "m.onnx", (128, 128))
    with pytest.raises(TargetError, match=r"LUT +\d+ needed \(estimated\) +5280 there") as caught:
        compiled(model, tmp_path, target="ice40-up5k", folding=folding)
    (row,) = re.findall(r"^ +MatMul_m0 +(\d+)", str(caught.value), re.M)
    assert int(row) > 5280
    assert not (tmp_path / "build").exists()


def test_a_model_without_anything_for_the_hardware_is_an_error(tmp_path: Path) -> None:
    builder = Builder([1, 4], "INT4")
    model = builder.save(tmp_path / "m.onnx", builder.add("Sin", ["x"], "y", [1, 4]))
    with pytest.raises(ModelError, match="no kernel takes any node"):
        compiled(model, tmp_path)


def test_a_strategy_without_transforms_is_told_what_to_extend(tmp_path: Path) -> None:
    model = tmp_path / "digits.onnx"
    shutil.copy(ROOT / "examples" / "digits" / "digits.onnx", model)
    (tmp_path / "bare.yaml").write_text("name: bare\nkernels: [{name: MatMul}]\n")
    with pytest.raises(ModelError, match="add `extends: balanced`"):
        compiled(model, tmp_path, tmp_path / "bare.yaml")


def _plugin(folder: Path, latency: int = 0):  # type: ignore[no-untyped-def]
    """A plugin whose thresholding gives zeros, at once, whatever latency it claims."""
    folder.mkdir()
    (folder / "brainsmith.yaml").write_text(
        "name: broken\nversion: 1.0.0\nkernels:\n"
        "  - {name: Zeros, module: zeros_kernel, class: Zeros}\n"
    )
    here = Path(__file__).parent / "data"
    code = (here / "zeros_kernel.py").read_text()
    (folder / "zeros_kernel.py").write_text(code.replace("return [0]", f"return [{latency}]"))
    shutil.copy(here / "zeros.sv", folder)
    return PluginLoader().load_plugin(folder)
