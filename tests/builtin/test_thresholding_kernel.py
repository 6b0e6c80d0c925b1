"""Thresholding in hardware: any datatype, any count of thresholds, any folding."""

import numpy as np
import pytest

from brainsmith.api import IntType
from brainsmith.testing import KernelCase
from tests.builtin.cases import ascending, assert_exact

pytestmark = pytest.mark.slow


def _case(x, table, pe, *, y=None, base=0, step=1, rows=2, ranges=None, **params):
    channels, count = table.shape
    codes = sorted((base, base + step * count))
    return KernelCase(
        dims={"N": rows, "C": channels, "T": count},
        dtypes={"x": x, "thresholds": "INT64", "y": y or IntType.covering(*codes).name},
        folding={"PE": pe},
        statics={"thresholds": table},
        attributes={"base": base, "step": step},
        params=params,
        ranges=ranges or {},
    )


def test_bipolar_codes_of_every_kind_of_input():
    rng = np.random.default_rng(0)
    cases = [
        _case(x, ascending(rng, 6, 1, low, high), pe, y="BIPOLAR", base=-1, step=2)
        for x, low, high in (
            ("INT8", -100, 100),
            ("UINT5", -3, 40),
            ("INT11", -2000, 2000),
            ("BIPOLAR", -2, 3),
        )
        for pe in (1, 2, 6)
    ]
    assert_exact("Thresholding", cases)


def test_counts_that_are_no_power_of_two_and_thresholds_out_of_reach():
    rng = np.random.default_rng(1)
    cases = [
        _case("INT6", ascending(rng, 4, count, -40, 40), 2, base=base)
        for count, base in ((1, 0), (2, 0), (3, -2), (5, 0), (7, -4), (14, -7), (15, -8))
    ]
    never, always = np.full((2, 3), 99), np.full((2, 3), -99)
    cases += [_case("INT6", never, 1), _case("INT6", always, 2), _case("UINT3", never, 2)]
    cases += [_case("INT4", np.array([[-8, 7], [-7, 8]]), 1), _case("INT4", never, 1, step=-3)]
    far = np.array([[-(2**62), 0, 2**62]])
    cases += [_case("INT40", far, 1), _case("INT9", far, 1, ranges={"x": (-100, 30)})]
    assert_exact("Thresholding", cases)


def test_one_row_of_thresholds_for_all_channels_needs_no_memory():
    table = np.repeat(ascending(np.random.default_rng(2), 1, 3, 0, 255), 8, axis=0)
    assert_exact("Thresholding", [_case("UINT8", table, pe) for pe in (1, 4, 8)])


@pytest.mark.parametrize("style", ["distributed", "block"])
def test_many_levels_in_every_memory(style):
    rng = np.random.default_rng(3)
    cases = [
        _case("INT12", ascending(rng, 12, count, -2048, 2047), pe, rows=1, ram_style=style)
        for count, pe in ((255, 4), (63, 12), (100, 1), (15, 3))
    ]
    assert_exact("Thresholding", cases)
