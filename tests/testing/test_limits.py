"""What the constraints of a kernel leave open, and what is drawn of it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from brainsmith.api import Loop, LoopNest, static_in, stream_in, stream_out
from brainsmith.errors import PluginError
from brainsmith.testing.limits import Limits
from brainsmith.testing.plans import Plan, draw_plans


def limits(**constraints: Any) -> Limits:
    """Of a matrix product."""
    nest = LoopNest(
        (Loop("N"), Loop("M", fold="PE"), Loop("K", fold="SIMD")),
        (stream_in("x", "N", "K"), static_in("w", "K", "M"), stream_out("y", "N", "M")),
    )
    return Limits(nest, constraints)


def widths(found: Limits) -> set[int]:
    return {dtype.bits for dtype in found.dtypes["x"]}


def drawn(found: Limits) -> list[Plan]:
    return draw_plans(found, {}, 24, 0)


def test_a_largest_size_is_kept_by_all_that_is_drawn() -> None:
    sizes = {math.prod(plan.dims.values()) for plan in drawn(limits(max_size=16))}
    assert max(sizes) <= 16 and len(sizes) > 4


def test_a_least_size_is_kept_by_all_that_is_drawn() -> None:
    assert min(math.prod(plan.dims.values()) for plan in drawn(limits(min_size=100))) >= 100


def test_both_ends_of_the_widths_are_drawn_and_their_middle() -> None:
    assert {1, 16, 32} <= widths(limits(max_x_bits=32))
    assert widths(limits(min_x_bits=17)) == {17}
    assert widths(limits(min_x_bits=17, max_x_bits=24)) == {17, 20, 24}
    assert max(widths(limits())) == 16


def test_named_datatypes_are_drawn_however_wide() -> None:
    found = limits(supported_x_dtypes=["INT8", "UINT24", "BIPOLAR", "FLOAT32"])
    assert [dtype.name for dtype in found.dtypes["x"]] == ["UINT24", "INT8", "BIPOLAR"]


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        ({"min_M": 8, "max_M": 4}, "no size of 'M'"),
        ({"multiple_of_K": 8, "max_K": 4}, "no size of 'K'"),
        ({"min_size": 8, "max_size": 4}, "no size of all loops together"),
        ({"min_x_bits": 9, "max_x_bits": 8}, "no integer datatype for the port 'x'"),
    ],
)
def test_what_leaves_nothing_open_is_told(constraints: dict[str, int], said: str) -> None:
    with pytest.raises(PluginError, match=said):
        limits(**constraints)


def test_nothing_is_drawn_of_what_no_configuration_keeps() -> None:
    assert drawn(limits(min_M=8, max_size=4)) == []
