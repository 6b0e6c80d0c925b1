"""Float models through the whole compile: quantized, held to what that made, and compared."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from brainsmith.api import Model, TransformConfig, transform
from brainsmith.compiler import (
    CompilationResult,
    CompilationStrategy,
    CompileOptions,
    Compiler,
    TransformSpec,
)
from brainsmith.errors import ConfigurationError, ModelError
from brainsmith.report.console import print_summary
from brainsmith.report.html import render
from brainsmith.report.json_report import to_json
from tests.builtin.float_models import parse

SIZES = (12, 8, 8, 4)


@pytest.fixture
def mlp(tmp_path: Path) -> Path:
    """A float network of three products."""
    rng = np.random.default_rng(0)
    weights = {
        f"w{i}": rng.normal(size=(SIZES[i], SIZES[i + 1])) / np.sqrt(SIZES[i]) for i in range(3)
    }
    parse(
        """g (float[1,12] x) => (float[1,4] y) {
            a = Gemm(x, w0, b0)
            r = Relu(a)
            t = Gemm(r, w1, b1)
            s = Relu(t)
            m = MatMul(s, w2)
            y = Add(m, b2)
        }""",
        **weights, b0=rng.normal(size=8), b1=rng.normal(size=8), b2=rng.normal(size=4),
    ).save(tmp_path / "mlp.onnx")  # fmt: skip
    np.save(tmp_path / "frames.npy", rng.normal(size=(40, 12)).astype(np.float32))
    return tmp_path / "mlp.onnx"


def compiled(
    model: Path, strategy: str | CompilationStrategy = "area", **options: object
) -> CompilationResult:
    chosen = {"target": "ecp5-25k", "synthesize": False, "output": model.parent / "b", **options}
    return Compiler().compile(model, strategy, CompileOptions(**chosen))  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("widths", ["8", "4", "w3a5"])
def test_a_float_network_is_bit_exact_hardware(mlp: Path, widths: str) -> None:
    frames = mlp.parent / "frames.npy"
    result = compiled(mlp, quantize=widths, calibrate=frames, verify_input=frames)
    assert result.success and result.verification.bit_exact
    assert [layer.operation for layer in result.layers].count("matmul") == 3
    record = result.report.quantization
    assert record is not None and (record.frames, record.available) == (40, 40)
    assert [layer.value for layer in record.layers] == ["x", "r", "s", "y"]
    assert all(layer.snr_db is not None and layer.snr_db > 5 for layer in record.layers)
    (chosen,) = record.outputs
    assert chosen.total == 40 and chosen.same >= 30


@pytest.mark.slow
def test_zero_points_that_are_not_0_are_bit_exact(mlp: Path) -> None:
    params = {"calibration": str(mlp.parent / "frames.npy"), "activations": "asymmetric"}
    specs = [TransformSpec("QuantizeModel", {**params, "activation_bits": 4, "weight_bits": 4})]
    result = compiled(mlp, CompilationStrategy("mine", transforms=specs, objective="area"))
    assert result.success and result.verification.bit_exact


def test_the_comparison_is_in_every_report(mlp: Path) -> None:
    result = compiled(mlp, quantize="w2a8", calibrate=mlp.parent / "frames.npy", verify=False)
    found = to_json(result.report)["quantization"]
    assert found["data"] == "frames.npy" and found["outputs"][0]["total"] == 40
    layer = found["layers"][1]
    assert layer["datatype"] == "UINT8" and layer["value"] == "r" and layer["node"]
    assert layer["snr_alone_db"] == pytest.approx(layer["snr_db"], abs=1), "it is the first"
    worst = layer["worst"]
    assert worst["difference"] == pytest.approx(abs(worst["real"] - worst["quantized"]))
    page = render(result.report, None)
    assert "Quantized against float" in page and "40 frames of frames.npy" in page
    stream = io.StringIO()
    print_summary(result.report, Console(file=stream, width=160))
    assert "loses most" in stream.getvalue() and "the same class in" in stream.getvalue()


def test_more_bits_lose_less(mlp: Path) -> None:
    options = {"calibrate": mlp.parent / "frames.npy", "verify": False}
    found = {}
    for widths in ("3", "5", "8"):
        record = compiled(mlp, quantize=widths, **options).report.quantization
        assert record is not None
        found[widths] = [layer.snr_db or 0 for layer in record.layers]
    for few, more, most in zip(*found.values(), strict=True):
        assert few < more < most
    assert min(found["8"]) > 30


def test_a_float_model_is_told_how_to_be_quantized(mlp: Path) -> None:
    with pytest.raises(ModelError) as raised:
        compiled(mlp)
    assert "--quantize 8 --calibrate" in (raised.value.hint or "")


def test_a_quantized_model_says_so_and_stays(mlp: Path) -> None:
    digits = Path(__file__).parents[2] / "examples/digits"
    result = compiled(
        digits / "digits.onnx", quantize="8", calibrate=digits / "images.npy", verify=False,
        output=mlp.parent / "b",
    )  # fmt: skip
    (warning,) = (d for d in result.diagnostics if d.where == "QuantizeModel")
    assert "of its own, which stay" in warning.message


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"quantize": "9", "calibrate": Path("x.npy")}, "names no widths"),
        ({"quantize": "w4", "calibrate": Path("x.npy")}, "names no widths"),
        ({"quantize": "8"}, "needs typical inputs"),
        ({"calibrate": Path("x.npy")}, "quantization of a float model"),
        ({"calibration_method": "entropy"}, "quantization of a float model"),
    ],
)
def test_options_that_contradict_each_other(options: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        CompileOptions(**options)  # type: ignore[arg-type]


def test_an_unknown_method_names_the_legal_ones(mlp: Path) -> None:
    frames = mlp.parent / "frames.npy"
    with pytest.raises(ConfigurationError) as raised:
        compiled(mlp, quantize="8", calibrate=frames, calibration_method="mse")
    assert "percentile" in (raised.value.hint or "")


class _Watcher:
    def __init__(self) -> None:
        self.steps: list[tuple[str, int | None]] = []
        self.advanced: dict[str, int] = {}

    def step(self, name: str, total: int | None = None) -> None:
        self.steps.append((name, total))

    def advance(self, n: int = 1, detail: str = "") -> None:
        name = self.steps[-1][0]
        self.advanced[name] = self.advanced.get(name, 0) + n

    def done(self) -> None: ...


def test_calibration_is_a_step_of_the_progress(mlp: Path) -> None:
    watcher = _Watcher()
    options = CompileOptions(
        quantize="4", calibrate=mlp.parent / "frames.npy", calibration_method="percentile",
        synthesize=False, verify=False, output=mlp.parent / "b",
    )  # fmt: skip
    Compiler(progress=watcher).compile(mlp, "area", options)
    names = [name for name, _ in watcher.steps]
    assert names[:4] == ["load", "transform", "calibrate", "transform"]
    assert ("calibrate", 80) in watcher.steps and watcher.advanced["calibrate"] == 80
    assert watcher.advanced["compare with the float model"] == 40


def test_redefines_is_a_boolean() -> None:
    class Wrong:
        redefines = "yes"

        def apply(self, model: Model, config: TransformConfig) -> Model: ...

    with pytest.raises(Exception, match="redefines is 'yes'"):
        transform(name="Wrong", stage="graph_cleanup")(Wrong)
