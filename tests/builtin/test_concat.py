"""The operations concat and split: matching, the references, and their hardware."""

import itertools

import numpy as np
import pytest
from onnx import helper

from brainsmith.api import IntType, NoMatch
from brainsmith.builtin.operations.concat import Concat, Split
from brainsmith.testing import KernelCase, check_kernel
from tests.builtin.cases import assert_exact
from tests.builtin.nodes import model_of, view_of
from tests.builtin.references import assert_as_onnx_runtime

CONCAT, SPLIT = Concat(), Split()
INT3 = {"a": "INT3", "b": "INT3"}


def _concat(a=(1, 4, 3), b=(1, 4, 2), y=(1, 4, 5), axis=-1, constants=None, names=("a", "b")):
    node = helper.make_node("Concat", names, ["y"], axis=axis)
    shapes = {"a": a, "b": b, "y": y}
    constants = constants or {}
    return model_of(node, {k: v for k, v in shapes.items() if k not in constants}, constants)


def _split(axis=-1, sizes=(3, 2), shape=(1, 4, 5), names=("y0", "y1")):
    node = helper.make_node("Split", ["x", "sizes"], names, axis=axis)
    shapes = {name: (*shape[:-1], size) for name, size in zip(names, sizes, strict=True)}
    return model_of(node, {"x": shape, **shapes}, {"sizes": np.array(sizes)}, names)


@pytest.mark.parametrize(("axis", "a", "b"), [(-1, "INT3", "UINT5"), (2, "INT3", "INT3")])
def test_a_concat_is_what_onnx_runtime_computes(axis, a, b):
    match = assert_as_onnx_runtime(CONCAT, _concat(axis=axis), {"a": a, "b": b})
    assert match.dims == {"N": 4, "C": 5, "CA": 3, "CB": 2}


@pytest.mark.parametrize("axis", [-1, 2])
def test_a_split_is_what_onnx_runtime_computes(axis):
    match = assert_as_onnx_runtime(SPLIT, _split(axis), {"x": "INT3"})
    assert match.dims == {"N": 4, "C": 5, "CA": 3, "CB": 2}


def test_a_split_into_equal_parts_says_no_sizes():
    node = helper.make_node("Split", ["x"], ["y0", "y1"], axis=-1, num_outputs=2)
    proto = model_of(node, {"x": (2, 6), "y0": (2, 3), "y1": (2, 3)}, {}, ("y0", "y1"))
    match = assert_as_onnx_runtime(SPLIT, proto, {"x": "UINT4"})
    assert (match.dims["CA"], match.dims["CB"]) == (3, 3)


def test_ranges():
    match = CONCAT.match(view_of(_concat(), INT3))
    assert CONCAT.infer(match, {"a": (-3, 2), "b": (0, 9)}) == {"y": (-3, 9)}
    match = SPLIT.match(view_of(_split(), {"x": "INT3"}))
    assert SPLIT.infer(match, {"x": (-3, 2)}) == {"y0": (-3, 2), "y1": (-3, 2)}


@pytest.mark.parametrize(
    ("proto", "dtypes", "reason"),
    [
        (_concat(), {"a": "INT3"}, "'b' is a float"),
        (_concat(), {"a": "INT3", "b": "BIPOLAR"}, "one of both is bipolar"),
        (_concat(b=(1, 1, 3), y=(1, 5, 3), axis=1), INT3, "more than the last"),
        (_concat(b=(1, 4, 3), y=(1, 8, 3), axis=1), INT3, "axis 1 is not the last"),
        (_concat(constants={"b": np.ones((1, 4, 2), np.float32)}), INT3, "'b' is a constant"),
        (_concat(y=(1, 4, 8), names=("a", "b", "a")), INT3, "joins 3 values"),
    ],
)
def test_what_concat_cannot_take_has_a_reason(proto, dtypes, reason):
    _assert_refused(CONCAT, proto, dtypes, reason)


@pytest.mark.parametrize(
    ("proto", "dtypes", "reason"),
    [
        (_split(), {}, "is a float"),
        (_split(axis=1, sizes=(2, 2), shape=(1, 4, 2)), {"x": "INT3"}, "axis 1 is not the last"),
        (_split(sizes=(3, 1, 1), names=("y0", "y1", "y2")), {"x": "INT3"}, "3 outputs"),
    ],
)
def test_what_split_cannot_take_has_a_reason(proto, dtypes, reason):
    _assert_refused(SPLIT, proto, dtypes, reason)


def _assert_refused(operation, proto, dtypes, reason):
    refusal = operation.match(view_of(proto, dtypes))
    assert isinstance(refusal, NoMatch)
    assert refusal.close
    assert reason in refusal.reason


def _dims(first, second, rows=3):
    return {"N": rows, "C": first + second, "CA": first, "CB": second}


def _joined(first, second, pe, a="INT4", b="INT4", y=None):
    kinds = IntType.parse(a), IntType.parse(b)
    whole = IntType.covering(min(k.min for k in kinds), max(k.max for k in kinds))
    return KernelCase(_dims(first, second), {"a": a, "b": b, "y": y or whole.name}, {"PE": pe})


def _parted(first, second, pe, x="INT4", y0=None, y1=None):
    dtypes = {"x": x, "y0": y0 or x, "y1": y1 or x}
    return KernelCase(_dims(first, second), dtypes, {"PE": pe})


SIZES = [(1, 1, 1), (1, 4, 1), (5, 1, 1), (4, 6, 1), (4, 6, 2), (6, 3, 3), (4, 4, 4)]


@pytest.mark.slow
def test_concat_in_hardware():
    cases = [_joined(*sizes) for sizes in SIZES]
    kinds = ("UINT3", "INT7", "UINT9", "BIPOLAR")
    cases += [_joined(4, 2, 2, a, b) for a, b in itertools.product(kinds, kinds)]
    cases += [_joined(4, 2, pe, "BIPOLAR", "BIPOLAR", "BIPOLAR") for pe in (1, 2)]
    cases += [_joined(4, 2, 2, "UINT4", "INT3", "INT20")]
    assert_exact("Concat", cases)


@pytest.mark.slow
def test_split_in_hardware():
    cases = [_parted(*sizes) for sizes in SIZES]
    cases += [_parted(4, 2, 2, "BIPOLAR"), _parted(4, 2, 2, "BIPOLAR", "INT2")]
    cases += [_parted(4, 2, 1, "UINT5", "UINT7", "INT9"), _parted(2, 4, 2, "INT3", "INT8")]
    assert_exact("Split", cases)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["Concat", "Split"])
def test_random_configurations_in_hardware(kernel):
    check_kernel(kernel, count=12)
