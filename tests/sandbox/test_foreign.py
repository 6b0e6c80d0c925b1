"""Models of a foreign source: sound ones are taken as they are, others refused with a reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from brainsmith.errors import ModelError
from brainsmith.model.model import Model
from brainsmith.model.origin import Layout, Origin
from brainsmith.sandbox import codec, foreign
from brainsmith.sandbox.bundle import Bundle, pack
from brainsmith.sandbox.foreign import accept
from brainsmith.sandbox.wire import check_size
from tests.compiler.integer_models import mlp
from tests.sandbox.rows import message

info = helper.make_tensor_value_info


def small() -> onnx.ModelProto:
    """x -> Neg -> h -> Relu -> y, with a constant that nothing reads."""
    graph = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["h"], name="n"), helper.make_node("Relu", ["h"], ["y"])],
        "g", [info("x", 1, [1, 4])], [info("y", 1, [1, 4])],
        [numpy_helper.from_array(np.ones(3, np.float32), "w")],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def bundle(proto: onnx.ModelProto, **more: Any) -> Bundle:
    return Bundle(np.frombuffer(proto.SerializeToString(), np.uint8), **more)


def external(proto: onnx.ModelProto) -> None:
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")


def external_attribute(proto: onnx.ModelProto) -> None:
    external(proto)
    node = proto.graph.node.add(op_type="Constant", output=["c"])
    attribute = node.attribute.add(name="value", type=onnx.AttributeProto.TENSOR)
    attribute.t.CopyFrom(proto.graph.initializer.pop())


def nested(proto: onnx.ModelProto) -> None:
    graph = proto.graph
    for _ in range(foreign.MAX_NESTING + 2):
        node = graph.node.add(op_type="If", input=["x"], output=["z"])
        graph = node.attribute.add(name="then_branch", type=onnx.AttributeProto.GRAPH).g


def dims(*sizes: int) -> Callable[[onnx.ModelProto], None]:
    def change(proto: onnx.ModelProto) -> None:
        proto.graph.value_info.append(info("h", 1, sizes))

    return change


def tensor_dims(*sizes: int) -> Callable[[onnx.ModelProto], None]:
    def change(proto: onnx.ModelProto) -> None:
        proto.graph.initializer[0].dims[:] = sizes

    return change


def edit(code: str) -> Callable[[onnx.ModelProto], None]:
    def change(proto: onnx.ModelProto) -> None:
        exec(code, {"m": proto, "g": proto.graph, "n": proto.graph.node, "np": np})

    return change


UNSOUND = {
    "external data": (external, "has no folder"),
    "external data in an attribute": (external_attribute, "has no folder"),
    "a huge shape": (dims(1 << 30, 1 << 30), "elements"),
    "a dimension that is none": (dims(-4), "impossible shape"),
    "a dimension of 2^62": (dims(1 << 62), "impossible shape"),
    "a huge rank": (dims(*[1] * 100), "impossible shape"),
    "a constant that is larger than its data": (tensor_dims(1 << 20, 1 << 20), "cannot be read"),
    "a constant of negative size": (tensor_dims(-1), "impossible shape"),
    "a constant twice": (edit("g.initializer.append(g.initializer[0])"), "the name 'w'"),
    "a value twice": (edit("n[1].output[0] = 'h'"), "defined twice"),
    "a value of nowhere": (edit("n[0].input[0] = 'gone'"), "nothing defines"),
    "an output of nowhere": (edit("g.output[0].name = 'gone'"), "nothing computes"),
    "no output": (edit("del g.output[:]"), "no outputs"),
    "a cycle": (edit("n[0].input[0] = 'y'"), "cycle"),
    "nesting": (nested, "nested deeper"),
    "functions": (edit("m.functions.add(name='f', domain='d')"), "functions of its own"),
    "no graph": (edit("m.ClearField('graph')"), "holds no graph"),
    "an unknown operator set": (edit("m.opset_import[0].version = 999"), "999"),
    "a long name": (edit("n[0].name = 'x' * 10000"), "a name of 10000"),
    "NaN": (edit("g.initializer[0].raw_data = np.full(3, np.nan, np.float32).tobytes()"), "NaN"),
    "sparse constants": (edit("g.sparse_initializer.add()"), "sparse"),
    "an unknown type": (edit("g.initializer[0].data_type = 99"), "cannot be read"),
    "a datatype that is none": (
        edit("a = g.quantization_annotation.add(tensor_name='h'); "
             "a.quant_parameter_tensor_names.add(key='finn_datatype', value='INT999')"),
        "unknown datatype",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "wrong"), UNSOUND.values(), ids=UNSOUND)
def test_unsound_models_are_refused(change: Callable[[onnx.ModelProto], None], wrong: str) -> None:
    accept(bundle(small()))
    proto = small()
    change(proto)
    with pytest.raises(ModelError, match=wrong):
        accept(bundle(proto))


def marks(graph: int, name: str, datatype: str, lo: int | None, hi: int | None) -> dict[str, Any]:
    columns = {"graphs": graph, "names": name, "datatypes": datatype, "lows": lo, "highs": hi}
    return {column: (value,) for column, value in columns.items()}


def origin(scale: float = 1.0, layout: Layout | None = None) -> dict[str, Any]:
    return {"origins": {"y": Origin("y", np.array(scale), np.array(0.0), layout)}}


LYING: dict[str, tuple[dict[str, Any], str]] = {
    "data of no constant": ({"tensors": {"v": np.ones(3)}}, "not there"),
    "data of another shape": ({"tensors": {"w": np.ones(4, np.float32)}}, r"\(4,\)"),
    "data of another type": ({"tensors": {"w": np.ones(3)}}, "float64"),
    "marks that are not whole": ({"names": ("h",)}, "not whole"),
    "a mark of no value": (
        marks(0, "q", "INT4", None, None),
        "not there",
    ),
    "a mark of no graph": (
        marks(7, "h", "INT4", None, None),
        "not there",
    ),
    "a datatype of nowhere": (
        marks(0, "h", "INT0", None, None),
        "integer",
    ),
    "a range outside its datatype": (
        marks(0, "h", "INT4", -99, 1), "does not fit",
    ),
    "half a range": (
        marks(0, "h", "INT4", 1, None), "half",
    ),
    "an origin that is no number": (origin(scale=np.nan), "no finite number"),
    "a layout of another size": (origin(layout=Layout((1, 3), (0, 1))), "does not fit"),
    "a layout of other dimensions": (origin(layout=Layout((1, 4), (0, 2))), "does not fit"),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "wrong"), LYING.values(), ids=LYING)
def test_bundles_whose_parts_contradict_each_other_are_refused(
    parts: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(ModelError, match=wrong):
        accept(bundle(small(), **parts))


def test_what_is_not_in_order_is_put_in_order() -> None:
    proto = small()
    proto.graph.node.append(proto.graph.node[0])
    del proto.graph.node[0]
    assert [node.op_type for node in accept(bundle(proto)).graph] == ["Neg", "Relu"]


def test_a_sound_model_is_taken_as_it_is(tmp_path: Path) -> None:
    model = Model.load(mlp(tmp_path / "m.onnx"))
    assert accept(pack(model)).to_proto() == model.to_proto()


def test_many_tiny_messages_are_counted_before_they_are_parsed() -> None:
    nodes = b"\x0a\x00" * (2 << 20)
    length = len(nodes)
    varint = bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14 & 127 | 128,
                    length >> 21])  # fmt: skip
    proto = b"\x3a" + varint + nodes
    check_size(memoryview(proto))
    with pytest.raises(ModelError, match="nodes, more than"):
        accept(Bundle(np.frombuffer(b"\x08\x09" + proto, np.uint8)))
    with pytest.raises(ModelError, match="messages"):
        check_size(memoryview(proto + proto))


def test_the_count_of_messages_does_not_believe_lengths() -> None:
    for data in (b"\x3a\xff\x01", b"\x3a", b"\xff" * 11, b"\x3b", b"\x3a\x80"):
        with pytest.raises(ModelError, match=r"cut short|no proto"):
            check_size(memoryview(data))


@settings(max_examples=300)
@given(st.data())
def test_a_changed_byte_is_a_model_or_a_reason(data: st.DataObject) -> None:
    whole = bytearray(small().SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    changed = Bundle(np.frombuffer(bytes(whole), np.uint8))
    try:
        accept(changed)
    except ModelError:
        return


def test_the_codec_refuses_unsound_models_too() -> None:
    proto = small()
    proto.graph.node[0].input[0] = "y"
    sound = b"".join(codec.dumps(Model.from_proto(small())))
    assert codec.loads(sound).to_proto().graph.node[0].name == "n"
    unsound = dataclasses.replace(pack(Model.from_proto(small())), proto=bundle(proto).proto)
    writer = codec._Writer()
    item = writer.item(unsound, 0)
    writer.rows.append(["model", item])
    segments = [bytes(segment) for segment in writer.segments]
    with pytest.raises(codec.CodecError, match="cycle"):
        codec.loads(message(writer.rows, [len(writer.rows) - 1], *segments))
