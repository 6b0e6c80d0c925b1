"""`check_transform` and `benchmark`."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from brainsmith import PluginRegistry
from brainsmith.errors import ConfigurationError, PluginError, VerificationError
from brainsmith.testing import KernelCase, benchmark, check_transform
from tests.builtin.float_models import parse
from tests.testing.conftest import Made

TRANSFORMS = """\
    import numpy as np
    import onnx_ir as ir
    from brainsmith.api import Model, param, transform

    def fold(model, amount):
        for node in list(model.graph):
            if node.op_type == "Add":
                bias = node.inputs[1]
                value = bias.const_value.numpy() + np.float32(amount)
                bias.const_value = ir.Tensor(value, name=bias.name)
        return model

    @transform(name="Keeps", stage="graph_cleanup")
    class Keeps:
        def apply(self, model: Model, config) -> Model:
            return model

    @transform(name="Shifts", stage="graph_cleanup")
    class Shifts:
        thousandths = param(1)
        def apply(self, model: Model, config) -> Model:
            return fold(model, config.params["thousandths"] / 1000)

    @transform(name="Rounds", stage="graph_cleanup")
    class Rounds(Shifts):
        tolerance = 0.0015

    @transform(name="Breaks", stage="graph_cleanup")
    class Breaks:
        def apply(self, model: Model, config) -> Model:
            raise ValueError("not today")
    """


@pytest.fixture
def registry(tmp_path: Path) -> PluginRegistry:
    folder = tmp_path / "plugin"
    folder.mkdir()
    (folder / "shifting.py").write_text(textwrap.dedent(TRANSFORMS))
    names = "".join(
        f"  - {{name: {n}, module: shifting, class: {n}, stage: graph_cleanup}}\n"
        for n in ("Keeps", "Shifts", "Rounds", "Breaks")
    )
    (folder / "brainsmith.yaml").write_text(f"name: mine\nversion: 1.0.0\ntransforms:\n{names}")
    return PluginRegistry([folder])


def model() -> onnx.ModelProto:
    """y = relu(x + 1)."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in "xy")
    nodes = [helper.make_node("Add", ["x", "b"], ["s"]), helper.make_node("Relu", ["s"], ["y"])]
    bias = numpy_helper.from_array(np.ones(3, np.float32), "b")
    graph = helper.make_graph(nodes, "g", [x], [y], [bias])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])


def test_a_transform_that_changes_nothing_passes(registry: PluginRegistry) -> None:
    result = check_transform("Keeps", model(), registry=registry)
    assert (result.nodes_before, result.nodes_after) == (2, 2)
    assert result.frames == 16 and result.largest_difference == 0


def test_another_result_is_told_with_its_place(registry: PluginRegistry) -> None:
    with pytest.raises(AssertionError) as caught:
        check_transform("Shifts", model(), registry=registry, params={"thousandths": 500})
    text = str(caught.value)
    assert text.startswith(
        "after Shifts the model computes something else: output 'y', frame 0: 3 of 3"
    )
    assert text.endswith("1.5 instead of 1.0")


def test_a_tolerance_lets_small_differences_pass(registry: PluginRegistry) -> None:
    result = check_transform("Shifts", model(), registry=registry, tolerance=0.0015)
    assert 0.0009 < result.largest_difference < 0.0011


def test_the_tolerance_that_the_class_declares_is_its_own(registry: PluginRegistry) -> None:
    params = {"thousandths": 1}
    result = check_transform("Rounds", model(), registry=registry, params=params)
    assert 0.0009 < result.largest_difference < 0.0011
    with pytest.raises(AssertionError, match="computes something else"):
        check_transform("Rounds", model(), registry=registry, params=params, tolerance=0)


def test_given_frames_are_compared_too(registry: PluginRegistry) -> None:
    # Generated frames are of [0, 1]; only below -1 does the shift make no difference.
    inputs = {"x": np.full((2, 1, 3), -5, np.float32)}
    assert check_transform("Keeps", model(), registry=registry, inputs=inputs).frames == 18


def test_the_given_model_stays_as_it_is(registry: PluginRegistry, tmp_path: Path) -> None:
    proto = model()
    kept = proto.SerializeToString()
    onnx.save(proto, tmp_path / "model.onnx")
    result = check_transform("Shifts", tmp_path / "model.onnx", registry=registry, tolerance=1)
    assert result.model.to_proto().graph.initializer != proto.graph.initializer
    assert proto.SerializeToString() == kept


def test_what_a_transform_raises_is_told(registry: PluginRegistry) -> None:
    with pytest.raises(PluginError, match="not today"):
        check_transform("Breaks", model(), registry=registry)


def test_an_unknown_parameter_names_the_nearest(registry: PluginRegistry) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'thousandths'"):
        check_transform("Shifts", model(), registry=registry, params={"thousands": 1})


def test_transforms_of_brainsmith_and_their_integers() -> None:
    digits = Path(__file__).parents[2] / "examples" / "digits" / "digits.onnx"
    result = check_transform("Streamline", digits)
    assert result.nodes_after < result.nodes_before and result.model.origins


CASE = KernelCase(
    dims={"N": 1, "M": 8, "K": 8}, dtypes={"x": "UINT4", "w": "INT4", "y": "INT10"},
    folding={"PE": 2, "SIMD": 4},
    statics={"w": np.random.default_rng(0).integers(-8, 8, (8, 8))},
)  # fmt: skip


@pytest.mark.slow
def test_a_benchmark_measures_cycles_and_resources(tiny: Made) -> None:
    figures = benchmark(tiny(), CASE)
    assert figures.interval == 8 and figures.latency >= 2
    assert figures.resources.FF > 20 and figures.resources.LUT > 20
    assert figures.estimated.FF > 0


@pytest.mark.slow
def test_a_wrong_kernel_is_not_measured(tiny: Made) -> None:
    with pytest.raises(VerificationError, match="the kernel is wrong there"):
        benchmark(tiny(("sum = k_q == 0 ? '0 : acc_q;", "sum = acc_q;")), CASE)


def test_a_transform_that_makes_another_model_may_change_its_outputs(tmp_path: Path) -> None:
    model = parse("g (float[1,3] x) => (float[1,3] y) { y = MatMul(x, w) }", w=np.eye(3) / 3)
    np.save(tmp_path / "frames.npy", np.linspace(-1, 1, 30).reshape(10, 3))
    params = {"calibration": str(tmp_path / "frames.npy"), "activation_bits": 2}
    result = check_transform("QuantizeModel", model, params=params)
    assert result.largest_difference > 0
