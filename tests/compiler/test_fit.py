"""Whether a design fits: warnings, refusals, and advice that is followed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from brainsmith.compiler import CompilationResult, CompileOptions, Compiler
from brainsmith.errors import TargetError

from .integer_models import Builder, mlp


def wide_thresholds(path: Path) -> Path:
    """24 channels of 255 thresholds: more block RAM than an ice40-up5k has."""
    rng = np.random.default_rng(0)
    builder = Builder([1, 16], "UINT8")
    value = builder.matmul("x", "m0", rng.integers(-127, 128, (16, 24)), "INT8")
    table = np.sort(rng.integers(-100_000, 100_000, (24, 255)), axis=1)
    value = builder.thresholds(value, "h0", table)
    return builder.save(path, builder.matmul(value, "m1", rng.integers(-7, 8, (24, 4))))


def estimated(model: Path, folder: Path, **options: object) -> CompilationResult:
    given = {"synthesize": False, "verify": False, "output": folder / "build", **options}
    return Compiler().compile(model, "balanced", CompileOptions(**given))  # type: ignore[arg-type]


def test_an_estimate_above_the_device_is_a_warning_where_nothing_is_synthesized(
    tmp_path: Path,
) -> None:
    result = estimated(wide_thresholds(tmp_path / "m.onnx"), tmp_path, target="ice40-up5k")
    (warning,) = (d for d in result.diagnostics if "the estimate is more than" in d.message)
    assert re.search(r"1\d\d % of its BRAM; most BRAM: MultiThreshold_h0", warning.message)
    assert warning.hint and "MultiThreshold_h0 (thresholding with 24 x 255" in warning.hint


def test_too_many_block_rams_are_refused_before_they_are_synthesized(tmp_path: Path) -> None:
    model = wide_thresholds(tmp_path / "m.onnx")
    with pytest.raises(TargetError, match=r"BRAM +3\d needed \(estimated\) +30 there") as caught:
        estimated(model, tmp_path, target="ice40-up5k", synthesize=True)
    assert caught.value.hint and "fewer bits" in caught.value.hint


def test_a_budget_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    result = estimated(mlp(tmp_path / "m.onnx", (64, 48, 32, 10)), tmp_path, target="ice40-up5k")
    shares = {u.resource: u.used / u.available for u in result.report.utilisation}
    said = [d.message for d in result.diagnostics if "could not be kept" in d.message]
    assert bool(said) == any(share > 0.251 for share in shares.values())
    roomy = estimated(mlp(tmp_path / "m.onnx"), tmp_path, target="ecp5-85k")
    assert not roomy.diagnostics


def test_the_hint_s_folding_makes_the_design_fit(tmp_path: Path) -> None:
    model = mlp(tmp_path / "m.onnx", (128, 128))
    folding = tmp_path / "folding.json"
    folding.write_text(json.dumps({"MatMul_m0": {"PE": 128, "SIMD": 128}}))
    with pytest.raises(TargetError) as caught:
        estimated(model, tmp_path, target="ice40-up5k", folding=folding)
    found = re.search(r"--folding FILE with (\{.*\}) is estimated to fit", caught.value.hint or "")
    assert found is not None
    folding.write_text(found[1])
    fitting = estimated(model, tmp_path, target="ice40-up5k", folding=folding)
    assert all(u.used <= u.available for u in fitting.report.utilisation)
