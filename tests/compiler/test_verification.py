"""The verdict: what is checked, and that nothing is left out in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from brainsmith.api import Model
from brainsmith.compiler.faithful import check_faithful
from brainsmith.compiler.verification import Evidence, record
from tests.builtin.integers import cleaned, interpret, streamlined

DIGITS = Path(__file__).parents[2] / "examples/digits"


def test_a_layer_that_was_not_compared_is_named_in_the_check() -> None:
    model = cleaned(Model.load(DIGITS / "digits.onnx"))
    frames = {"pixels": np.load(DIGITS / "images.npy")[:3, None, :]}
    compiled = streamlined(model)
    values = interpret(compiled, frames)
    whole = check_faithful(model, compiled, frames, values)
    del values["Gemm_1_out0"]
    partly = check_faithful(model, compiled, frames, values)
    details, figures = [], []
    for report in (whole, partly):
        verdict = record(Evidence(3, "given", values, faithful=report), {})
        details.append(verdict.checks[0].detail)
        assert verdict.faithful is not None
        figures.append(verdict.faithful["unchecked"])
    assert "not compared" not in details[0]
    assert details[1].endswith("not compared, since no integers are known for them: Gemm_1_out0")
    assert figures == [0, 1]
