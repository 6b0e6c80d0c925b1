"""A case's outcome as it appears in a failed assertion."""

from __future__ import annotations

import numpy as np

from brainsmith.testing import CaseResult, KernelCase


def test_one_line_names_what_is_wrong_and_holds_no_weights() -> None:
    case = KernelCase(
        dims={"K": 64, "M": 64}, dtypes={"w": "INT4"}, folding={"PE": 2},
        statics={"w": np.ones((64, 64), dtype=np.int64)},
    )  # fmt: skip
    wrong = CaseResult(case, 2, ("y", 1, 3, 5, 6), 9.0, 8, 12, 12)
    assert repr(wrong) == (
        "<K=64 M=64 w=INT4 PE=2, ecp5: 2 wrong elements; "
        "first y, frame 1, element 3: 5, expected 6; interval 9 cycles, its model says 8>"
    )
    assert "array" not in repr(case)


def test_a_case_that_passed_says_so() -> None:
    case = KernelCase(dims={"N": 1}, dtypes={"x": "UINT4"})
    assert repr(CaseResult(case, 0, None, 8.0, 8, 3, 3)) == "<N=1 x=UINT4, ecp5: passed>"
