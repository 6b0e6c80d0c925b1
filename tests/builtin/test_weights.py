"""Constants as integers times a scale: what moving their elements does to both."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brainsmith.builtin.transforms.scaled_integer import exact
from brainsmith.builtin.transforms.weights import ScaledConstant

SHAPES = [
    ((6, 4), (1, 4), (2, 3, 4)),
    ((6, 4), (6, 1), (2, 3, 4)),
    ((6, 4), (6, 1), (24,)),
    ((6, 4), (6, 4), (3, 8)),
    ((6, 4), (6, 1), (6, 2, 2, 1)),
    ((2, 3, 4), (1, 3, 1), (6, 4)),
    ((2, 3, 4), (2, 1, 1), (2, 12)),
    ((5, 1, 1), (5, 1, 1), (1, 5)),
    ((0, 3), (1, 3), (3, 0)),
]


@pytest.mark.parametrize(("before", "scale", "after"), SHAPES)
def test_a_reshaped_scale_stays_with_its_elements(
    before: tuple[int, ...], scale: tuple[int, ...], after: tuple[int, ...]
) -> None:
    integers = np.arange(math.prod(before)).reshape(before)
    scales = exact(np.arange(1, math.prod(scale) + 1).reshape(scale) / 2)
    constant = ScaledConstant(integers, scales)
    found = constant.reshaped(after)
    np.testing.assert_array_equal(found.reals(), constant.reals().reshape(after))
    turned = constant.transposed(None)
    np.testing.assert_array_equal(turned.reals(), constant.reals().T)


def test_a_scale_along_a_dimension_that_stays_is_not_spread() -> None:
    scales = exact(np.arange(1, 4096.0).reshape(-1, 1))
    constant = ScaledConstant(np.ones((4095, 512), np.int64), scales)
    assert constant.reshaped((4095, 8, 64)).scale.shape == (4095, 1, 1)
