"""Bad input: each kind is a ModelError that says what, where and what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import qonnx
from onnx import TensorProto, helper, numpy_helper

from brainsmith.errors import ModelError, StorageError
from brainsmith.model.datatypes import BIPOLAR, IntType
from brainsmith.model.model import Model

DIGITS = Path(__file__).parents[2] / "examples/digits/digits.onnx"
SHIPPED = sorted((Path(qonnx.__path__[0]) / "data/onnx").rglob("*.onnx"))


def parse(body: str, head: str = 'ir_version: 10, opset_import: ["": 20]') -> onnx.ModelProto:
    return onnx.parser.parse_model(f"<{head}> {body}")


def refused(proto: onnx.ModelProto, **shapes: tuple[int, ...]) -> ModelError:
    with pytest.raises(ModelError) as caught:
        Model.from_proto(proto, shapes=shapes)
    assert caught.value.exit_code == 3
    assert caught.value.what
    return caught.value


# --- real files


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name + "-" + path.stem)
def test_what_qonnx_ships_loads_and_survives_a_round_trip(path: Path) -> None:
    try:
        model = Model.load(path)
    except ModelError as error:
        assert "is not fixed" in error.what, error
        return
    again = Model.from_proto(model.to_proto())
    assert again.to_proto() == model.to_proto()
    assert all(model.shape(value) for value in model.graph.inputs)
    assert not any(value.is_initializer() for value in model.graph.inputs)
    domains = {node.domain for node in model.graph}
    assert domains <= {"", "qonnx.custom_op.general"}


def test_the_annotations_of_tfc(tfc: Path) -> None:
    model = Model.load(tfc / "model.onnx")
    assert model.datatype(model.value("MatMul_0_param0")) == BIPOLAR
    assert model.datatype(model.value("MatMul_0_out0")) == IntType(32, signed=True)
    assert model.datatype(model.value("Mul_0_out0")) is None
    assert model.graph.opset_imports == {"": 12, "qonnx.custom_op.general": 1}


# --- files that are none


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no file '.*none\.onnx'"):
        Model.load(tmp_path / "none.onnx")


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is a directory"):
        Model.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"{}", b"\x08\x07", os.urandom(0x200)])
def test_not_an_onnx_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="ONNX"):
        Model.load(path)


def test_a_truncated_file_is_never_read_as_a_model(tmp_path: Path) -> None:
    data = DIGITS.read_bytes()
    path = tmp_path / "model.onnx"
    for length in (10, 100, len(data) // 2, len(data) - 300, len(data) - 40, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(ModelError):
            Model.load(path)


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    model = Model.load(DIGITS)
    with pytest.raises(StorageError, match="cannot be written"):
        model.save(tmp_path / "nowhere" / "model.onnx")
    (tmp_path / "taken.onnx").mkdir()
    with pytest.raises(StorageError):
        model.save(tmp_path / "taken.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.onnx"]


# --- shapes

OPEN = "g (float[N, 3] x, float[N] z) => (float[N, 3] y) { y = Neg(x) }"


def test_a_dynamic_shape_says_how_to_fix_it() -> None:
    error = refused(parse(OPEN))
    assert "shape of the input 'x' is not fixed: [N, 3]" in error.what
    assert error.hint == "--shape x=1,3"


def test_a_missing_shape_is_named() -> None:
    proto = parse("g (float[1] x) => (float[1] y) { y = Neg(x) }")
    proto.graph.input[0].type.tensor_type.ClearField("shape")
    error = refused(proto)
    assert "'x' is not fixed: unknown" in error.what
    assert error.hint is not None
    assert error.hint.startswith("--shape x=")
    model = Model.from_proto(proto, shapes={"x": (7,)})
    assert model.shape(model.value("x")) == (7,)


def test_a_shape_binds_its_symbols_everywhere() -> None:
    model = Model.from_proto(parse(OPEN), shapes={"x": (4, 3)})
    assert model.shape(model.value("x")) == (4, 3)
    assert model.shape(model.value("z")) == (4,)
    with pytest.raises(ModelError, match="shape of 'y' is not known"):
        model.shape(model.value("y"))


def test_a_shape_that_contradicts_the_model() -> None:
    assert "cannot have the shape [1, 4]" in refused(parse(OPEN), x=(1, 4)).what
    assert "cannot have the shape [3]" in refused(parse(OPEN), x=(3,)).what
    assert "cannot have the shape [0, 3]" in refused(parse(OPEN), x=(0, 3)).what
    assert "cannot have the shape [2]" in refused(parse(OPEN), x=(1, 3), z=(2,)).what


def test_a_shape_of_an_unknown_input() -> None:
    error = refused(parse(OPEN), xs=(1, 3))
    assert error.what == "the model has no input 'xs'"
    assert error.hint == "did you mean 'x'?"


# --- external data


@pytest.fixture
def external(tmp_path: Path) -> Callable[[str], Path]:
    """A model whose weights are in `location`, relative to its folder."""

    def make(location: str, **more: str) -> Path:
        folder = tmp_path / "model"
        folder.mkdir(exist_ok=True)
        (folder / "weights.bin").write_bytes(np.arange(6, dtype=np.float32).tobytes())
        (tmp_path / "secret").write_bytes(bytes(24))
        proto = parse("g (float[2] x) => (float[3] y) <float[2, 3] w> { y = MatMul(x, w) }")
        tensor = TensorProto(name="w", data_type=1, dims=[2, 3], data_location=1)
        for key, value in {"location": location, **more}.items():
            tensor.external_data.add(key=key, value=value)
        del proto.graph.initializer[:]
        proto.graph.initializer.append(tensor)
        path = folder / "model.onnx"
        path.write_bytes(proto.SerializeToString())
        return path

    return make


def test_external_data_is_read_from_beside_the_model(external: Callable[..., Path]) -> None:
    model = Model.load(external("weights.bin"))
    weights = model.constant(model.value("w"))
    np.testing.assert_array_equal(weights, [[0, 1, 2], [3, 4, 5]])
    inside = model.to_proto().graph.initializer[0]
    np.testing.assert_array_equal(numpy_helper.to_array(inside), weights)


def test_missing_external_data(external: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match=r"'gone\.bin' with external data is missing") as caught:
        Model.load(external("gone.bin"))
    assert caught.value.where == "tensor 'w'"


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../secret"])
def test_external_data_outside_the_folder(external: Callable[..., Path], location: str) -> None:
    with pytest.raises(ModelError, match="outside the folder of the model"):
        Model.load(external(location))


def test_external_data_behind_a_symbolic_link(external: Callable[..., Path]) -> None:
    path = external("link.bin")
    (path.parent / "link.bin").symlink_to(path.parent.parent / "secret")
    with pytest.raises(ModelError, match="outside the folder of the model"):
        Model.load(path)


def test_external_data_that_is_too_short(external: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match="has 24 bytes, 28 are needed"):
        Model.load(external("weights.bin", offset="4"))
    with pytest.raises(ModelError, match="offset '-1'"):
        Model.load(external("weights.bin", offset="-1"))


def test_external_data_without_a_folder(external: Callable[..., Path]) -> None:
    proto = onnx.load(external("weights.bin"), load_external_data=False)
    with pytest.raises(ModelError, match="the model has no folder"):
        Model.from_proto(proto)


# --- constants

WEIGHTS = "g (float[2] x) => (float[2] y) <float[2] w = {1, 1}> { y = Mul(x, w) }"


def with_weights(array: np.ndarray, body: str = WEIGHTS) -> onnx.ModelProto:
    proto = parse(body)
    proto.graph.initializer[0].CopyFrom(numpy_helper.from_array(array, "w"))
    return proto


@pytest.mark.parametrize(
    ("bad", "text"), [(np.nan, "holds NaN"), (np.inf, "holds an infinite number")]
)
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_a_weight_that_is_no_number(bad: float, text: str, kind: type) -> None:
    error = refused(with_weights(np.array([1, bad], kind)))
    assert f"the tensor 'w' {text} (1 of 2 elements)" in error.what


def test_a_nan_in_a_constant_node() -> None:
    proto = parse(
        "g (float[1] x) => (float[1] y) { c = Constant <value_float = 1.0>() y = Mul(x, c) }"
    )
    tensor = numpy_helper.from_array(np.array(np.nan, np.float32))
    proto.graph.node[0].attribute[0].CopyFrom(helper.make_attribute("value", tensor))
    assert "the tensor 'c' holds NaN" in refused(proto).what


def test_an_infinite_bound_is_no_weight() -> None:
    body = "g (float[2] x) => (float[2] y) <float w = {1}> { y = Clip(x, , w) }"
    Model.from_proto(with_weights(np.array(np.inf, np.float32), body))


def test_a_tensor_whose_data_is_short() -> None:
    proto = parse(WEIGHTS)
    proto.graph.initializer[0].CopyFrom(
        TensorProto(name="w", data_type=1, dims=[2], raw_data=bytes(6))
    )
    assert "the tensor 'w'" in refused(proto).what


def annotated(proto: onnx.ModelProto, name: str, datatype: str) -> onnx.ModelProto:
    entry = proto.graph.quantization_annotation.add(tensor_name=name)
    entry.quant_parameter_tensor_names.add(key="finn_datatype", value=datatype)
    return proto


@pytest.mark.parametrize(
    ("datatype", "array", "example"),
    [("BIPOLAR", [1, 0], "0"), ("INT2", [-2, 2], "2"), ("UINT8", [0.5, 1], "0.5")],
)
def test_an_annotation_that_contradicts_the_data(
    datatype: str, array: list[float], example: str
) -> None:
    proto = annotated(with_weights(np.array(array, np.float32)), "w", datatype)
    error = refused(proto)
    assert error.what == f"the tensor 'w' is annotated {datatype} but holds {example}"


def test_an_annotation_that_the_elements_cannot_hold() -> None:
    proto = annotated(parse("g (int8[1] x) => (int8[1] y) { y = Neg(x) }"), "x", "UINT8")
    assert refused(proto).what == "the tensor 'x' is annotated UINT8 but its elements are INT8"


def test_an_unknown_datatype() -> None:
    error = refused(annotated(parse(WEIGHTS), "y", "INTEGER4"))
    assert error.what == "the tensor 'y' has the unknown datatype 'INTEGER4'"


@pytest.mark.parametrize("datatype", ["FLOAT32", "FLOAT16", "FIXED<8,4>", "SCALEDINT<8>"])
def test_a_datatype_that_is_no_integer_is_kept(datatype: str) -> None:
    model = Model.from_proto(annotated(parse(WEIGHTS), "y", datatype))
    assert model.datatype(model.value("y")) is None
    assert model.to_qonnx().get_tensor_datatype("y").get_canonical_name() == datatype


# --- graphs


def test_a_dangling_value() -> None:
    error = refused(parse("g (float[1] x) => (float[1] y) { [sum] y = Add(x, z) }"))
    assert (error.what, error.where) == ("nothing defines the value 'z'", "node 'sum'")


def test_an_output_that_nothing_computes() -> None:
    proto = parse("g (float[1] x) => (float[1] z) { y = Neg(x) }")
    assert refused(proto).what == "nothing computes the output 'z'"


def test_a_cycle_names_its_nodes() -> None:
    body = """g (float[1] x) => (float[1] y) {
        [one] a = Add(x, c) [two] b = Neg(a) [three] c = Neg(b) [four] y = Neg(c) }"""
    assert refused(parse(body)).what == "the graph has a cycle: one -> two -> three -> one"


def test_nodes_in_a_wrong_order_are_sorted() -> None:
    body = "g (float[1] x) => (float[1] y) { y = Neg(b) b = Abs(a) a = Exp(x) }"
    model = Model.from_proto(parse(body))
    assert [node.op_type for node in model.graph] == ["Exp", "Abs", "Neg"]


@pytest.mark.parametrize(
    "body",
    [
        "g (float[1] x) => (float[1] y) { y = Neg(x) y = Abs(x) }",
        "g (float[1] x) => (float[1] x) { x = Neg(x) }",
        "g (float[1] x, float[1] x) => (float[1] y) { y = Neg(x) }",
        "g (float[1] x) => (float[1] y) <float[1] w = {1}, float[1] w = {2}> { y = Add(x, w) }",
    ],
)
def test_a_name_that_is_defined_twice(body: str) -> None:
    what = refused(parse(body)).what
    assert "is defined twice" in what or "have the name" in what


@pytest.mark.parametrize("version", [0, 999])
def test_an_unknown_opset(version: int) -> None:
    proto = parse("g (float[1] x) => (float[1] y) { y = Neg(x) }")
    proto.opset_import[0].version = version
    assert f"version {version} of the ONNX operators" in refused(proto).what


def test_no_opset_at_all() -> None:
    proto = parse("g (float[1] x) => (float[1] y) { y = Neg(x) }")
    del proto.opset_import[:]
    assert "does not say which version" in refused(proto).what


def test_an_unknown_operator_is_no_error_here() -> None:
    body = "g (float[1] x) => (float[1] y) { y = who.knows.Magic(x) }"
    model = Model.from_proto(parse(body, 'ir_version: 10, opset_import: ["": 20, "who.knows": 3]'))
    assert model.graph[0].op_type == "Magic"


def test_the_functions_of_a_model_are_inlined() -> None:
    proto = parse(
        """g (float[1] x) => (float[1] y) { y = own.Twice(x) }
        <domain: "own", opset_import: ["": 20]> Twice (a) => (b) { b = Add(a, a) }""",
        'ir_version: 10, opset_import: ["": 20, "own": 1]',
    )
    assert [node.op_type for node in Model.from_proto(proto).graph] == ["Add"]


def test_a_subgraph_is_checked_too() -> None:
    body = """g (float[1] x, bool c) => (float[1] y) { y = If(c) <
        then_branch = t () => (float[1] a) { a = Neg(x) },
        else_branch = e () => (float[1] b) { [odd] b = Neg(z) }> }"""
    error = refused(parse(body))
    assert (error.what, error.where) == ("nothing defines the value 'z'", "node 'odd'")


def test_three_names_of_one_dialect() -> None:
    body = """g (float[1] x) => (float[1] y) <float[1, 1] t = {0}, float s = {1}> {
        a = finn.custom_op.general.MultiThreshold <out_dtype="BIPOLAR"> (x, t)
        y = onnx.brevitas.BipolarQuant(a, s) }"""
    model = Model.from_proto(
        parse(body, 'ir_version: 10, opset_import: ["": 20, "onnx.brevitas": 1]')
    )
    assert {node.domain for node in model.graph} == {"qonnx.custom_op.general"}
