"""Operations that only reorder elements: matching, and references against ONNX Runtime."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from brainsmith.api import IntType, KernelConfig, LoopNest, Match, NoMatch
from brainsmith.builtin.operations.depth_to_space import DepthToSpace
from brainsmith.builtin.operations.transpose import Transpose, swapped
from brainsmith.builtin.operations.upsample import Upsample
from brainsmith.model.model import Model
from brainsmith.model.views import NodeView

IMAGE = (1, 4, 3, 12)
ASYMMETRIC = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


def _model(nodes, before, after, constants=(), opset=18):
    """Nodes from x to y; values between them get their shapes by inference."""
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, before)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, after)],
        [numpy_helper.from_array(array, name) for name, array in constants],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def _resize(scales=(1, 2, 3, 1), before=IMAGE, **attributes):
    after = [int(size * scale) for size, scale in zip(before, scales, strict=True)]
    node = helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="nearest", **attributes)
    return _model([node], before, after, [("scales", np.array(scales, np.float32))])


def _sized(after=(1, 8, 3, 12)):
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="nearest", **ASYMMETRIC)
    return _model([node], IMAGE, after, [("sizes", np.array(after, np.int64))])


def _upsample():
    node = helper.make_node("Upsample", ["x", "scales"], ["y"], mode="nearest")
    scales = np.array([1, 2, 2, 1], np.float32)
    return _model([node], IMAGE, (1, 8, 6, 12), [("scales", scales)], opset=9)


def _transpose(before, order):
    node = helper.make_node("Transpose", ["x"], ["y"], perm=order)
    return _model([node], before, [before[axis] for axis in order])


def _depth_to_space(mode="DCR", back=(0, 2, 3, 1), before=IMAGE):
    n, h, w, d = before
    nodes = [
        helper.make_node("Transpose", ["x"], ["a"], "to_first", perm=[0, 3, 1, 2]),
        helper.make_node("DepthToSpace", ["a"], ["b"], "blocks", mode=mode, blocksize=2),
        helper.make_node("Transpose", ["b"], ["y"], "to_last", perm=list(back)),
    ]
    after = np.array([n, d // 4, 2 * h, 2 * w])[list(back)]
    return _model(nodes, before, after.tolist())


def _answer(operation, proto, dtype="INT4"):
    """What the operation says of the first node."""
    model = Model.from_proto(proto)
    if dtype:
        model.set_datatype(model.value("x"), IntType.parse(dtype))
    return operation.match(NodeView(model, model.graph[0]))


@pytest.mark.parametrize(
    ("operation", "proto"),
    [
        (Upsample(), _resize(**ASYMMETRIC)),
        (Upsample(), _resize((1, 5, 2, 1))),
        (Upsample(), _resize((1, 1, 4, 1), nearest_mode="round_prefer_ceil")),
        (Upsample(), _sized()),
        (Upsample(), _upsample()),
        (Transpose(), _transpose(IMAGE, [0, 3, 1, 2])),
        (Transpose(), _transpose(IMAGE, [0, 2, 1, 3])),
        (Transpose(), _transpose((3, 2, 4, 5), [0, 2, 3, 1])),
        (Transpose(), _transpose((3, 4), [1, 0])),
        (Transpose(), _transpose((1, 4, 1, 5), [2, 1, 0, 3])),
        (DepthToSpace(), _depth_to_space("DCR")),
        (DepthToSpace(), _depth_to_space("CRD")),
    ],
)
def test_the_reference_is_what_onnx_runtime_computes(operation, proto):
    match = _answer(operation, proto)
    assert isinstance(match, Match), match
    assert (match.ports["x"], match.ports["y"]) == ("x", "y")
    assert operation.infer(match, {"x": (-8, 7)}) == {"y": (-8, 7)}
    nest = LoopNest(type(operation).loops, type(operation).ports)
    dtypes = dict.fromkeys("xy", IntType.parse("INT4"))
    config = KernelConfig("n", nest, match.dims, dtypes, attributes=match.attributes)
    before = [size.dim_value for size in proto.graph.input[0].type.tensor_type.shape.dim]
    x = np.random.default_rng(0).integers(-8, 8, before)
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    (expected,) = session.run(["y"], {"x": x.astype(np.float32)})
    shapes = {port: [match.dims[dim] for dim in nest.port(port).dims] for port in "xy"}
    got = operation.reference(config, {"x": x.reshape(1, *shapes["x"])})["y"]
    assert got.shape == (1, *shapes["y"])
    np.testing.assert_array_equal(got.reshape(expected.shape), expected)


@pytest.mark.parametrize(
    ("operation", "proto", "dtype", "reason"),
    [
        (Upsample(), _resize(), None, "is a float"),
        (Upsample(), _resize((1, 1.5, 2, 1)), "INT4", "no whole factor"),
        (Upsample(), _resize((1, 2, 2, 2)), "INT4", "no whole factor"),
        (Upsample(), _resize(before=(2, 4, 3, 12)), "INT4", "not [1, H, W, C]"),
        (Upsample(), _resize(nearest_mode="floor"), "INT4", "floor of half_pixel"),
        (Transpose(), _transpose(IMAGE, [0, 2, 1, 3]), None, "is a float"),
        (Transpose(), _transpose((2, 3, 4), [2, 1, 0]), "INT4", "swaps no two neighbours"),
        (DepthToSpace(), _depth_to_space(), None, "is a float"),
        (DepthToSpace(), _depth_to_space(back=(0, 1, 3, 2)), "INT4", "not transposed back"),
    ],
)
def test_what_is_something_else_is_told_apart(operation, proto, dtype, reason):
    answer = _answer(operation, proto, dtype)
    assert isinstance(answer, NoMatch) and answer.close and reason in answer.reason


@pytest.mark.parametrize("operation", [Upsample(), Transpose(), DepthToSpace()])
def test_other_nodes_are_none(operation):
    answer = _answer(operation, _model([helper.make_node("Relu", ["x"], ["y"])], (2, 3), (2, 3)))
    assert isinstance(answer, NoMatch) and not answer.close


@pytest.mark.parametrize(
    ("shape", "order", "dims"),
    [
        ((2, 3, 4, 5), (0, 1, 2, 3), {"N": 24, "A": 1, "B": 1, "C": 5}),
        ((2, 3, 4, 5), (2, 3, 0, 1), {"N": 1, "A": 6, "B": 20, "C": 1}),
        ((2, 3, 4, 5), (0, 1, 3, 2), {"N": 6, "A": 4, "B": 5, "C": 1}),
        ((7, 4, 2, 6, 3), (0, 2, 1, 3, 4), {"N": 7, "A": 4, "B": 2, "C": 18}),
        ((2, 3, 4, 5), (0, 3, 2, 1), None),
        ((1, 1), (1, 0), {"N": 1, "A": 1, "B": 1, "C": 1}),
    ],
)
def test_permutations_are_swaps_of_neighbours_or_nothing(shape, order, dims):
    assert swapped(shape, order) == dims
