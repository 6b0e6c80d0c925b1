"""Values that cross the border come out as they went in; bytes that are none are told so."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from brainsmith.api import (
    Composition,
    CUDAOp,
    HostOp,
    IntType,
    KernelConfig,
    Loop,
    LoopNest,
    Match,
    NoMatch,
    Part,
    Port,
    Resources,
    RTLOp,
    TransformConfig,
    param,
)
from brainsmith.api.decorators import KernelInfo
from brainsmith.sandbox.codec import MAX_DEPTH, CodecError, dumps, loads
from brainsmith.sandbox.records import RECORDS
from tests.sandbox.rows import framed, message

NEST = LoopNest((Loop("N"), Loop("M", "PE")), (Port("x", ("N",)), Port("y", ("M",), "out")))


def there_and_back(value: Any) -> Any:
    return loads(b"".join(dumps(value)))


PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.text(st.characters(categories=["Cs", "Lu", "Cc"]))
)  # fmt: skip
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=40,
)
DTYPES = (
    nps.boolean_dtypes()
    | nps.integer_dtypes(endianness="=")
    | nps.unsigned_integer_dtypes(endianness="=")
    | nps.floating_dtypes(endianness="=", sizes=(16, 32, 64))
)


@given(VALUES)
def test_what_goes_in_comes_out(value: Any) -> None:
    # The text tells types, nan, minus zero and the order of keys apart, which == does not.
    assert repr(there_and_back(value)) == repr(value)


@given(st.sets(st.integers() | st.text()), st.frozensets(st.booleans()))
def test_sets_come_out_as_sets(one: set[Any], other: frozenset[Any]) -> None:
    assert there_and_back((one, other)) == (one, other)


@given(nps.arrays(DTYPES, nps.array_shapes(min_dims=0, min_side=0)))
def test_arrays_come_out_with_their_type_and_shape(array: np.ndarray) -> None:
    for given_ in (array, array.T, array[..., ::-1] if array.ndim else array):
        found = there_and_back(given_)
        assert found.dtype == given_.dtype and found.shape == given_.shape
        assert found.tobytes() == given_.tobytes()


def test_arrays_are_read_only_views_of_the_message() -> None:
    found = loads(bytearray(b"".join(dumps(np.arange(1000)))))
    assert not found.flags.writeable and not found.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1


def test_an_array_of_another_byte_order_has_the_same_numbers() -> None:
    found = there_and_back(np.arange(5, dtype=">i4"))
    assert found.tolist() == [0, 1, 2, 3, 4]


def test_numbers_of_numpy_become_those_of_python() -> None:
    found = there_and_back([np.int64(3), np.uint8(4), np.float32(0.5), np.bool_(True)])
    assert found == [3, 4, 0.5, True]
    assert [type(one) for one in found] == [int, int, float, bool]


def test_what_is_shared_is_written_once_and_shared_again() -> None:
    weights = np.arange(4096)
    dims = {"N": 4, "M": 8}
    configs = [
        KernelConfig("n", NEST, dims, {"x": IntType(4)}, statics={"w": weights}, folding={"PE": pe})
        for pe in range(100)
    ]
    buffers = dumps(configs)
    assert sum(len(memoryview(buffer).cast("B")) for buffer in buffers) < weights.nbytes + 20_000
    found = loads(b"".join(buffers))
    assert [config.folding["PE"] for config in found] == list(range(100))
    assert len({id(config.statics["w"]) for config in found}) == 1
    assert len({id(config.nest) for config in found}) == len({id(c.dims) for c in found}) == 1
    assert found[7].nest == NEST and found[7].cycles == configs[7].cycles


RECORDS_OF_EACH_KIND = [
    NEST,
    IntType(5, signed=True),
    Match({"N": 4}, {"x": "in"}, {"w": np.ones((2, 2), np.int64)}, {"axes": (1, 2)}, ("a", "b")),
    NoMatch("too wide", close=True),
    Resources(1, 2.5, 3, 0),
    RTLOp("top", ["a.sv"], {"PE": 2, "KIND": "fast"}, {"MEM": np.eye(2)}, {"b.sv": "x" * 5000}),
    CUDAOp("entry", ("a.cu",), grid=(2, 1, 1)),
    HostOp(),
    Composition((Part("p", "matmul", {"N": 1}, {"x": "INT4"}),), (("x", "p.x"),)),
    TransformConfig({"bits": 8}, "ice40"),
    param("auto", choices=("auto", "block")),
    KernelInfo(name="K", operation_type="matmul", params={"p": param(3)}, backends={"rtl": "go"}),
]  # fmt: skip


@pytest.mark.parametrize("record", RECORDS_OF_EACH_KIND, ids=lambda record: type(record).__name__)
def test_records_come_out_field_by_field(record: Any) -> None:
    found = there_and_back(record)
    assert type(found) is type(record)
    for field in fields(record):
        assert repr(getattr(found, field.name)) == repr(getattr(record, field.name))


def test_of_an_author_s_class_only_the_record_s_fields_cross() -> None:
    @dataclass(frozen=True)
    class Mine(RTLOp):
        secret: object = print

    found = there_and_back(Mine("top", ("a.sv",), MappingProxyType({"N": np.int64(4)})))
    assert type(found) is RTLOp and found.parameters == {"N": 4}


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        (object(), "object of the class builtins.object is no data"),
        ({1: 2}, "the key 1"),
        (lambda: 0, "is no data"),
        (np.array([object()]), "array of object"),
        (np.array([1j]), "complex"),
        ({(1, 2)}, "no plain value"),
        (Match({"N": "four"}, {}), r"Match\.dims is of the type dict, not Mapping\[str, int\]"),
        (RTLOp("top", "a.sv"), r"RTLOp\.sources is 'a\.sv'"),
        (Match({}, {}, attributes={"f": print}), r"Match\.attributes: .*is no data"),
        (Resources("many"), r"Resources\.LUT is 'many'"),
    ],
)
def test_what_is_no_data_is_told(value: Any, wrong: str) -> None:
    with pytest.raises(CodecError, match=wrong):
        dumps(value)


def test_what_holds_itself_or_is_too_deep_is_told() -> None:
    circle: list[Any] = []
    circle.append({"again": circle})
    with pytest.raises(CodecError, match="holds itself"):
        dumps(circle)
    deep: Any = 0
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    with pytest.raises(CodecError, match="nested deeper"):
        dumps(deep)


ONE = b"\x01" * 8
MALFORMED = {
    "empty": b"",
    "no header": b"x" * 100,
    "a text that is not there": b"BSDATA\x00\x01" + struct.pack("<Q", 1 << 60),
    "no JSON": framed("{"),
    "JSON nested deep": framed("[" * 100_000),
    "another text": framed('{"a": 1}'),
    "a long number": framed('{"rows": [], "segments": [], "value": ' + "9" * 5000 + "}"),
    "rows that are none": message({}, 1),  # type: ignore[arg-type]
    "a row that is none": message([1], 1),
    "an empty row": message([[]], 1),
    "an unknown kind": message([["sneaky", 1]], [0]),
    "a reference to itself": message([["list", [0]]], [0]),
    "a reference forward": message([["list", [1]], ["list"]], [0]),
    "a negative reference": message([["list"], ["list", [-1]]], [1]),
    "a reference by a truth": message([["list"], ["list", [True]]], [1]),
    "a reference by text": message([["list", ["a"]]], [0]),
    "an item that is a dictionary": message([["list", {}]], [0]),
    "a value that is nothing": message([], [0]),
    "a key twice": message([["dict", "a", 1, "a", 2]], [0]),
    "a key without a value": message([["dict", "a"]], [0]),
    "a key that is no text": message([["dict", 1, 1]], [0]),
    "a set of lists": message([["list"], ["set", [0]]], [1]),
    "a number that is none": message([["int", "0xzz"]], [0]),
    "a text in no encoding": message([["text", 0]], [0], b"\xff\xff"),
    "no segment": message([["bytes", 0]], [0]),
    "a segment twice": message([["bytes", 0], ["bytes", 0]], [0], ONE),
    "a segment by a negative number": message([["bytes", -1]], [0], ONE),
    "a segment that is too long": message([["bytes", 0]], [0], ONE)[:-1],
    "bytes behind the end": message([["bytes", 0]], [0], ONE) + b"x",
    "a segment of negative length": framed('{"rows": [], "value": 1, "segments": [-1]}'),
    "a segment of half a byte": framed('{"rows": [], "value": 1, "segments": [0.5]}'),
    "an array of objects": message([["array", "|O", [1], 0]], [0], ONE),
    "an array of an object's type": message([["array", ["i4"], [1], 0]], [0], ONE),
    "an array with a lying shape": message([["array", "<i8", [2], 0]], [0], ONE),
    "an array of negative size": message([["array", "<i8", [-1, -1], 0]], [0], ONE),
    "an array of huge size": message([["array", "<i8", [1 << 62, 0], 0]], [0], b""),
    "an array of many dimensions": message([["array", "<i8", [1] * 65, 0]], [0], ONE),
    "a truth that is 2": message([["array", "|b1", [1], 0]], [0], b"\x02"),
    "a record without fields": message([["IntType"]], [0]),
    "a record with a field too many": message([["IntType", 1, False, False, 1]], [0]),
    "a record with a wrong field": message([["IntType", "four", False, False]], [0]),
    "a record that breaks its rule": message([["IntType", 99, False, False]], [0]),
    "a port that goes nowhere": message(
        [["tuple"], ["Port", "x", [0], "up", False, [0], False, None]], [1]
    ),
    "a nest of texts": message([["tuple", "N"], ["tuple"], ["LoopNest", [0], [1]]], [2]),
    "a model that is a list": message([["list"], ["model", [0]]], [1]),
    "a model without bytes": message([["proto", 0]], [0], b"\xff\xff"),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_malformed_bytes_are_a_codec_error(data: bytes) -> None:
    with pytest.raises(CodecError):
        loads(data)


def test_what_unfolds_to_too_much_is_refused() -> None:
    rows: list[Any] = [["list", *range(100)]]
    rows += [["list", *[[number]] * 100] for number in range(5)]
    with pytest.raises(CodecError, match="unfolded"):
        loads(message(rows, [5]))
    deep: list[Any] = [["list"], *[["list", [number]] for number in range(MAX_DEPTH)]]
    with pytest.raises(CodecError, match="nested too deep"):
        loads(message(deep, [MAX_DEPTH]))


@given(st.binary(max_size=200))
def test_random_bytes_are_never_another_error(data: bytes) -> None:
    for tried in (data, b"BSDATA\x00\x01" + data, framed(data.decode("latin1"))):
        with pytest.raises(CodecError):
            loads(tried)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from([*RECORDS, "a"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=8,
)
KINDS = st.sampled_from(
    [*RECORDS, "int", "text", "list", "tuple", "set", "dict", "bytes", "array", "model", "proto"]
)


@settings(max_examples=500)
@given(st.lists(st.tuples(KINDS, st.lists(JSON, max_size=8)), max_size=5), JSON, st.binary())
def test_random_rows_are_a_value_or_a_codec_error(
    rows: list[tuple[str, list[Any]]], value: Any, segment: bytes
) -> None:
    try:
        loads(message([[kind, *items] for kind, items in rows], value, segment))
    except CodecError:
        return


@settings(max_examples=300)
@given(st.data())
def test_a_changed_byte_is_a_value_or_a_codec_error(data: st.DataObject) -> None:
    whole = bytearray(b"".join(dumps(RECORDS_OF_EACH_KIND)))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        loads(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    except CodecError:
        return


def test_models_of_onnx_and_qonnx_cross_as_they_are() -> None:
    from qonnx.core.modelwrapper import ModelWrapper

    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["x"], ["y"])], "g",
        [info("x", 1, [1, 4])], [info("y", 1, [1, 4])],
    )  # fmt: skip
    proto = onnx.helper.make_model(graph)
    assert there_and_back(proto) == proto
    found = there_and_back(ModelWrapper(proto))
    assert isinstance(found, ModelWrapper) and found.model == proto


def test_a_model_that_would_take_a_hundred_times_its_bytes_is_not_parsed() -> None:
    nodes = b"\x0a\x00" * (5 << 20)
    length = bytes([0x80, 0x80, 0x80, len(nodes) >> 21])
    with pytest.raises(CodecError, match="messages"):
        loads(message([["proto", 0]], [0], b"\x08\x09\x3a" + length + nodes))


def test_a_model_that_needs_its_own_results_or_files_is_refused() -> None:
    def sent(*changes: Callable[[onnx.GraphProto], object]) -> onnx.ModelProto:
        proto = onnx.ModelProto(ir_version=9)
        proto.graph.node.add(op_type="Relu", name="first", input=["a"], output=["b"])
        proto.graph.node.add(op_type="Relu", name="second", input=["x"], output=["a"])
        proto.graph.input.add(name="x")
        proto.graph.output.add(name="b")
        for change in changes:
            change(proto.graph)
        received: onnx.ModelProto = there_and_back(proto)
        return received

    assert [node.name for node in sent().graph.node] == ["first", "second"]
    with pytest.raises(CodecError, match="cycle"):
        sent(lambda graph: graph.node[1].input.__setitem__(0, "b"))
    with pytest.raises(CodecError, match="external"):
        sent(lambda graph: graph.initializer.add(name="w", data_location=1))


def test_nothing_is_imported_because_a_message_names_it() -> None:
    with pytest.raises(CodecError, match="unknown kind"):
        loads(message([["antigravity:fly", 1]], [0]))
    assert "antigravity" not in sys.modules
