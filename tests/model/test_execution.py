"""The reference execution agrees with QONNX and with ONNX Runtime, and can be overridden."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import qonnx
from onnx import helper, numpy_helper
from qonnx.core.onnx_exec import execute_onnx

from brainsmith.errors import ModelError
from brainsmith.model.datatypes import IntType
from brainsmith.model.execution import Executor, evaluate, execute
from brainsmith.model.model import Model
from brainsmith.model.shapes import infer_shapes

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples/digits"
SHIPPED = Path(qonnx.__path__[0]) / "data/onnx"


def test_the_published_digits_are_recognized(tfc: Path) -> None:
    model = Model.load(tfc / "model.onnx")
    executor = Executor(model)
    frames = np.load(tfc / "input.npy")
    labels = [executor.run({"global_in": frames[i : i + 1]})["global_out"] for i in range(4)]
    np.testing.assert_array_equal(np.ravel(labels), np.load(tfc / "expected_output.npy").ravel())


def test_every_value_of_tfc_is_qonnx_s(tfc: Path) -> None:
    model = Model.load(tfc / "model.onnx")
    feeds = {"global_in": np.load(tfc / "input.npy")[:1]}
    ours = execute(model, feeds, keep=None)
    theirs = execute_onnx(model.to_qonnx(), feeds, return_full_exec_context=True)
    assert len(ours) > 25
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)


def test_the_digits_get_the_labels_that_qonnx_gave_them() -> None:
    executor = Executor(Model.load(DIGITS / "digits.onnx"))
    images = np.load(DIGITS / "images.npy")
    labels = [int(executor.run({"pixels": image[None]})["label"][0]) for image in images]
    np.testing.assert_array_equal(labels, np.load(DIGITS / "labels.npy"))


def test_a_standard_model_gives_the_bits_of_onnx_runtime() -> None:
    path = SHIPPED / "mnist-conv/model.onnx"
    image = numpy_helper.to_array(
        onnx.TensorProto.FromString((path.parent / "test_data_set_0/input_0.pb").read_bytes())
    )
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"Input3": image})
    model = Model.load(path)
    ours = execute(model, {"Input3": image}, keep=None)
    np.testing.assert_array_equal(ours["Plus214_Output_0"], expected)
    cut = {name: lambda array: array for name in ours if not name.startswith("Input")}
    apart = execute(model, {"Input3": image}, overrides=cut)
    np.testing.assert_array_equal(apart["Plus214_Output_0"], expected)


def test_the_dialect_of_brevitas_is_executed() -> None:
    model = Model.load(SHIPPED / "bsd300x3-espcn/subpixel/quant_model.onnx")
    frame = np.random.default_rng(0).random((1, 3, 128, 128), np.float32)
    (output,) = execute(model, {"x.7": frame}).values()
    assert output.shape == (1, 3, 256, 256)
    assert np.unique(output).size <= 256


def test_an_override_feeds_the_rest_and_the_record_stays(tfc: Path) -> None:
    executor = Executor(Model.load(tfc / "model.onnx"), keep=None)
    feeds = {"global_in": np.load(tfc / "input.npy")[:1]}
    plain = executor.run(feeds)
    name = "MatMul_3_out0"
    turned = executor.run(feeds, {name: lambda array: -array})
    np.testing.assert_array_equal(turned[name], plain[name])
    np.testing.assert_array_equal(turned["Mul_4_out0"], -plain["Mul_4_out0"])
    np.testing.assert_array_equal(
        executor.run(feeds, {name: -plain[name]})["Mul_4_out0"], -plain["Mul_4_out0"]
    )


def test_a_wrong_name_or_shape_is_an_error() -> None:
    model = Model.load(DIGITS / "digits.onnx")
    executor = Executor(model)
    pixels = np.zeros((1, 64), np.float32)
    with pytest.raises(ModelError, match=r"shape \[1, 64\], not \[64\]"):
        executor.run({"pixels": pixels[0]})
    with pytest.raises(ModelError, match="'pixels' of the model is not given"):
        executor.run({})
    with pytest.raises(ModelError, match="did you mean 'pixels'"):
        executor.run({"pixel": pixels})
    with pytest.raises(ModelError, match="did you mean 'Gemm_0_out0'"):
        executor.run({"pixels": pixels}, {"Gemm_0_out": pixels})
    with pytest.raises(ModelError, match=r"is replaced by one of \[1, 3\]"):
        executor.run({"pixels": pixels}, {"Gemm_0_out0": np.zeros((1, 3))})
    with pytest.raises(ModelError, match="there is no value 'nonsense'"):
        Executor(model, keep={"nonsense"})


def test_an_operator_that_nobody_knows_is_named() -> None:
    text = """<ir_version: 10, opset_import: ["": 20, "who.knows": 1]>
    g (float[1, 4] x) => (float[1, 4] y) { [odd] y = who.knows.Magic(x) }"""
    model = Model.from_proto(onnx.parser.parse_model(text))
    with pytest.raises(ModelError, match="Magic") as caught:
        execute(model, {"x": np.zeros((1, 4), np.float32)})
    assert caught.value.where == "nodes odd"


def test_a_model_cannot_have_a_module_imported_or_a_file_read() -> None:
    for domain, operator in (
        ("antigravity", "Quant"),
        ("qonnx.custom_op.general", "GenericPartition"),
    ):
        text = f"""<ir_version: 10, opset_import: ["": 20, "{domain}": 1]>
        g (float[1] x) => (float[1] y) {{ y = {domain}.{operator} <model="/etc/hostname"> (x) }}"""
        with pytest.raises(ModelError, match="ONNX Runtime cannot execute"):
            execute(Model.from_proto(onnx.parser.parse_model(text)), {"x": np.zeros(1, np.float32)})


def test_an_output_may_be_an_input_or_a_constant() -> None:
    text = """<ir_version: 10, opset_import: ["": 20]>
    g (float[2] x) => (float[2] x, float[2] c) <float[2] c = {1, 2}> {}"""
    model = Model.from_proto(onnx.parser.parse_model(text))
    got = execute(model, {"x": np.array([3, 4], np.float32)})
    assert {name: array.tolist() for name, array in got.items()} == {"x": [3, 4], "c": [1, 2]}


def test_a_subgraph_may_use_values_from_outside() -> None:
    text = """<ir_version: 10, opset_import: ["": 20]>
    g (float[2] x, bool c) => (float[2] y) {
      d = Neg(x)
      y = If(c) <then_branch = t () => (float[2] a) { a = Add(d, d) },
                 else_branch = e () => (float[2] b) { b = Abs(d) }>
    }"""
    model = Model.from_proto(onnx.parser.parse_model(text))
    feeds = {"x": np.array([3, 4], np.float32), "c": np.array(False)}
    got = execute(model, feeds, overrides={"d": lambda d: 10 * d})
    assert got["y"].tolist() == [30, 40]


def test_a_qdq_model_has_the_integers_of_its_tensors() -> None:
    text = """<ir_version: 10, opset_import: ["": 20]>
    g (float[1, 2] x) => (float[1, 2] y)
    <float s = {0.5}, int8 z = {0}, int8[2, 2] w = {1, -2, 3, 4}> {
        q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z)
        v = DequantizeLinear(w, s, z) y = MatMul(d, v) }"""
    model = Model.from_proto(onnx.parser.parse_model(text))
    infer_shapes(model)
    got = execute(model, {"x": np.array([[1.3, 100]], np.float32)}, keep={"q"})
    assert model.datatype(model.value("q")) == IntType(8, signed=True)
    assert model.range_of(model.value("w")) == (-2, 4)
    assert got["q"].tolist() == [[3, 127]]
    assert got["y"].tolist() == [[1.5 * 0.5 + 63.5 * 1.5, -1.5 + 63.5 * 2]]


def test_some_nodes_alone() -> None:
    model = Model.load(DIGITS / "digits.onnx")
    nodes = [node for node in model.graph if node.name in ("BatchNormalization_0", "Relu_0")]
    feeds = {"Gemm_0_out0": np.full((1, 64), 3, np.float32)}
    (array,) = evaluate(model, nodes, ["Relu_0_out0"], feeds).values()
    whole = execute(model, {"pixels": np.zeros((1, 64))}, overrides=feeds, keep={"Relu_0_out0"})
    np.testing.assert_array_equal(array, whole["Relu_0_out0"])


def test_nodes_of_one_name_are_executed() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], "twin"),
        helper.make_node("Neg", ["a"], ["y"], "twin"),
    ]
    ends = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [2]) for n in ("x", "y")]
    proto = helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:]), ir_version=10)
    model = Model.from_proto(proto)
    outputs = execute(model, {"x": np.float32([-1, 2])})
    np.testing.assert_array_equal(outputs["y"], [0, -2])


def test_windows_of_an_image_are_executed_padding_included() -> None:
    """Im2Col of QONNX asks the graph for the datatype of its input."""
    node = helper.make_node(
        "Im2Col", ["x"], ["y"], domain="qonnx.custom_op.general", input_shape="(1, 2, 2, 1)",
        kernel_size=[2, 2], stride=[1, 1], pad_amount=[0, 1, 0, 0], pad_value=7,
    )  # fmt: skip
    shapes = {"x": [1, 2, 2, 1], "y": [1, 1, 2, 4]}
    ends = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s) for n, s in shapes.items()]
    opsets = [helper.make_opsetid(*pair) for pair in (("", 18), ("qonnx.custom_op.general", 1))]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:])
    model = Model.from_proto(helper.make_model(graph, opset_imports=opsets, ir_version=9))
    outputs = execute(model, {"x": np.arange(4, dtype=np.float32).reshape(1, 2, 2, 1)})
    assert outputs["y"].reshape(2, 4).tolist() == [[7, 0, 7, 2], [0, 1, 2, 3]]


@pytest.mark.parametrize(("element", "codes"), [("INT4", [-8, 5, 7]), ("UINT4", [0, 7, 15])])
def test_integers_of_four_bits_are_executed(element: str, codes: list[int]) -> None:
    kind = onnx.TensorProto.DataType.Value(element)
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ]
    constants = [
        helper.make_tensor("s", onnx.TensorProto.FLOAT, [], [0.5]),
        helper.make_tensor("z", kind, [], [2]),
    ]
    ends = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [3]) for n in ("x", "y")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], constants)
    opsets = [helper.make_opsetid("", 21)]
    model = Model.from_proto(helper.make_model(graph, opset_imports=opsets, ir_version=10))
    infer_shapes(model)
    reals = (np.array(codes) - 2) * np.float32(0.5)
    seen = execute(model, {"x": reals * np.float32(1.01)}, keep=["q"])
    np.testing.assert_array_equal(seen["q"].astype(int), codes)
    np.testing.assert_array_equal(seen["y"], reals)
    # What stands in for 4-bit integers goes back into ONNX Runtime.
    fed = execute(model, {"x": reals}, overrides={"q": np.float32(codes[::-1])})
    np.testing.assert_array_equal(fed["y"], reals[::-1])
