"""Add and Mul in hardware: two streams, or a stream and constants, of any datatype."""

import operator

import numpy as np
import pytest

from brainsmith.api import IntType
from brainsmith.testing import KernelCase
from tests.builtin.cases import assert_exact

pytestmark = pytest.mark.slow


def _case(compute, a, b, pe=2, *, y=None, constant=None, family="ecp5", **params):
    """`b` names a datatype; `constant` gives the values of a constant operand in its place."""
    first = IntType.parse(a)
    second = IntType.parse(b)
    others = (second.min, second.max) if constant is None else constant
    ends = [compute(int(v), int(w)) for v in (first.min, first.max) for w in others]
    return KernelCase(
        family=family,
        dims={"N": 2, "C": 6},
        dtypes={"a": a, "b": b, "y": y or IntType.covering(min(ends), max(ends)).name},
        folding={"PE": pe},
        statics={} if constant is None else {"b": np.array(constant)},
        attributes={"subtract": int(compute is operator.sub)},
        params=params,
    )


def test_sums_and_differences_of_two_streams():
    kinds = [("INT8", "INT8"), ("UINT4", "INT7"), ("INT3", "UINT9"), ("BIPOLAR", "UINT2")]
    cases = [_case(compute, a, b) for compute in (operator.add, operator.sub) for a, b in kinds]
    cases += [_case(operator.add, "BIPOLAR", "BIPOLAR", pe) for pe in (1, 6)]
    assert_exact("Add", cases)


def test_sums_with_constants():
    channels = [-100, 5, 0, 99, -3, 17]
    cases = [
        _case(compute, "INT8", "INT8", pe, constant=channels, ram_style=style)
        for compute, pe, style in (
            (operator.add, 1, "block"),
            (operator.sub, 2, "block"),
            (operator.add, 3, "auto"),
            (operator.sub, 6, "auto"),
        )
    ]
    cases += [_case(operator.add, "UINT4", "INT8", pe, constant=[-7] * 6) for pe in (1, 6)]
    assert_exact("Add", cases)


@pytest.mark.parametrize("multiplier", ["lut", "dsp"])
def test_products_of_two_streams(multiplier):
    kinds = [("INT8", "INT8"), ("UINT4", "INT7"), ("INT3", "UINT9"), ("BIPOLAR", "UINT5")]
    cases = [_case(operator.mul, a, b, multiplier=multiplier) for a, b in kinds]
    cases += [_case(operator.mul, "BIPOLAR", "BIPOLAR", y="BIPOLAR", multiplier=multiplier)]
    cases += [_case(operator.mul, "BIPOLAR", "BIPOLAR", multiplier=multiplier)]
    cases += [_case(operator.mul, "INT7", "UINT5", family="xc7", multiplier=multiplier)]
    assert_exact("Mul", cases)


def test_products_with_constants():
    channels = [-100, 5, 0, 99, -3, 17]
    signs = [1, -1, -1, 1, 1, -1]
    cases = [_case(operator.mul, "INT8", "INT8", pe, constant=channels) for pe in (1, 3, 6)]
    cases += [_case(operator.mul, "INT6", "BIPOLAR", pe, constant=signs) for pe in (2, 6)]
    cases += [_case(operator.mul, "INT8", "INT8", 1, constant=channels, ram_style="block")]
    cases += [_case(operator.mul, "UINT8", "UINT4", 2, constant=[10] * 6)]
    assert_exact("Mul", cases)
