"""Top-1 in hardware: ties go to the lowest index, at any folding."""

import pytest

from brainsmith.api import IntType
from brainsmith.testing import KernelCase
from tests.builtin.cases import assert_exact

pytestmark = pytest.mark.slow


def _case(channels, pe, dtype, rows=2):
    label = IntType.covering(0, channels - 1).name
    return KernelCase({"N": rows, "C": channels}, {"x": dtype, "y": label}, {"PE": pe})


def test_every_folding_and_datatype():
    cases = [_case(10, pe, "INT8") for pe in (1, 2, 5, 10)]
    cases += [_case(12, pe, "UINT3") for pe in (1, 3, 4, 6)]  # 3 bits: many ties
    cases += [_case(7, pe, "BIPOLAR", rows=3) for pe in (1, 7)]
    cases += [_case(1, 1, "INT4"), _case(2, 2, "UINT1"), _case(100, 20, "INT24", rows=1)]
    assert_exact("LabelSelect", cases)
