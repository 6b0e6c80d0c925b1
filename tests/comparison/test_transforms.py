"""Transforms of a plugin: outputs, nodes and costs with and without them."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest

from brainsmith.comparison import Comparison, ComparisonOptions, compare
from brainsmith.comparison.summary import lines
from brainsmith.errors import PluginError
from brainsmith.plugins.sync import sync
from tests.comparison.conftest import DIGITS, registry_of

MODULE = """\
    import numpy as np
    import onnx_ir as ir
    from brainsmith.api import Model, param, transform

    @transform(name="Nudge", stage="graph_cleanup", version="1.0.0")
    class Nudge:
        {tolerance}
        thousandths = param(0)
        def apply(self, model: Model, config) -> Model:
            for node in list(model.graph):
                if node.op_type == "Gemm" and len(node.inputs) > 2:
                    bias = node.inputs[2]
                    if bias.const_value is None:  # a quantizer's output
                        bias = bias.producer().inputs[0]
                    value = bias.const_value.numpy() + np.float32(
                        config.params["thousandths"] / 1000
                    )
                    bias.const_value = ir.Tensor(value, name=bias.name)
            return model
    """


def nudged(
    folder: Path,
    thousandths: int,
    tolerance: str = "pass",
    change: tuple[str, str] = ("", ""),
    **more: object,
) -> Comparison:
    """The plugin's transform on the logits of the digits model."""
    plugin = folder / "nudging"
    plugin.mkdir()
    text = textwrap.dedent(MODULE).format(tolerance=tolerance)
    assert change[0] in text
    text = text.replace(*change) if change[0] else text
    (plugin / "nudge.py").write_text(text)
    (plugin / "brainsmith.yaml").write_text("name: nudging\nversion: 1.0.0\nlicense: MIT\n")
    sync(plugin).write()
    options = ComparisonOptions(params={"thousandths": thousandths}, **more)
    return compare("nudging", logits(folder), options, registry=registry_of(plugin))


def logits(folder: Path) -> Path:
    """The digits model without its last node, so that its outputs are numbers."""
    import onnx

    proto = onnx.load(DIGITS)
    last = proto.graph.node[-1]
    assert last.op_type == "ArgMax"
    proto.graph.node.remove(last)
    del proto.graph.output[:]
    proto.graph.output.append(
        onnx.helper.make_tensor_value_info(last.input[0], onnx.TensorProto.FLOAT, [1, 10])
    )
    onnx.save(proto, folder / "logits.onnx")
    return folder / "logits.onnx"


def test_a_transform_that_changes_nothing_is_equal_and_costs_nothing(tmp_path: Path) -> None:
    found = nudged(tmp_path, 0)
    (one,) = found.transforms
    assert found.exit_code == 0 and one.problems == ()
    assert (one.stage, one.frames, one.elements) == ("graph_cleanup", 16, 160)
    assert one.largest_difference == 0 and one.nodes_before == one.nodes_after > 0
    assert one.without == one.with_it and one.with_it is not None
    assert one.with_it.mapped == 7 and one.with_it.cycles.source == "estimated"
    assert one.with_it.resources["LUT"].value
    assert str(lines(found)[0]) == (
        "✓ Nudge at graph_cleanup: 160 output elements of 16 frames are equal"
    )


def test_another_result_is_wrong(tmp_path: Path) -> None:
    found = nudged(tmp_path, 500)
    assert found.exit_code == 8
    (problem,) = found.problems
    assert problem.what.startswith("after it the model computes something else: output ")
    assert problem.where == "nudging:Nudge at graph_cleanup"
    assert "tolerance" in problem.hint


def test_a_tolerance_that_the_class_declares_lets_it_pass(tmp_path: Path) -> None:
    found = nudged(tmp_path, 500, tolerance="tolerance = 100.0")
    (one,) = found.transforms
    assert found.exit_code == 0 and one.tolerance == 100
    assert one.largest_difference and one.largest_difference <= 100
    assert "of 100 allowed" in str(lines(found)[0])


def test_a_difference_above_the_tolerance_says_both(tmp_path: Path) -> None:
    found = nudged(tmp_path, 500, tolerance="tolerance = 1e-6")
    assert found.exit_code == 8
    assert "more than the 1e-06 that it declares" in found.problems[0].what


def test_a_tolerance_that_is_none_breaks_the_contract(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="tolerance is -1"):
        nudged(tmp_path, 0, tolerance="tolerance = -1")


def test_real_frames_are_compared_besides(tmp_path: Path) -> None:
    images = np.load(DIGITS.parent / "images.npy")[:5]
    np.save(tmp_path / "x.npy", images)
    found = nudged(tmp_path, 0, verify_input=tmp_path / "x.npy")
    assert found.transforms[0].frames == 21


def test_another_stage_can_be_asked_for(tmp_path: Path) -> None:
    (one,) = nudged(tmp_path, 0, stage="graph_optimization").transforms
    assert one.stage == "graph_optimization" and one.problems == ()
    assert one.largest_difference == 0


def test_a_transform_that_fails_is_told(tmp_path: Path) -> None:
    found = nudged(tmp_path, 0, change=("return model", "raise ValueError('not today')"))
    assert found.exit_code == 5
    assert "not today" in found.problems[0].what


def test_a_lowered_sandbox_is_told(tmp_path: Path) -> None:
    found = nudged(tmp_path, 0, sandbox="L0")
    assert found.exit_code == 0
    assert found.notes == ("plugins were confined at L0 only; L3 is usual",)
    assert found.sandbox is not None and found.sandbox.lowered
