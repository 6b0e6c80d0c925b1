"""FIFO, width converter and duplicate: they move elements and change none."""

import pytest

from brainsmith.testing import KernelCase
from tests.builtin.cases import assert_exact

pytestmark = pytest.mark.slow


def _fifo(depth, style="auto", dtype="INT5", pe=3, family="ecp5"):
    return KernelCase(
        family=family,
        dims={"N": 2, "C": 12},
        dtypes={"x": dtype, "y": dtype},
        folding={"PE": pe},
        params={"depth": depth, "ram_style": style},
    )


def test_fifos_of_every_style_and_depth_keep_order_and_pace():
    cases = [_fifo(depth) for depth in (2, 3, 4, 5, 8, 17, 300)]
    cases += [_fifo(33, style) for style in ("distributed", "block")]
    cases += [_fifo(5, family="ice40", pe=1), _fifo(1100, family="xc7")]
    cases += [_fifo(2, dtype="BIPOLAR", pe=1), _fifo(9, dtype="BIPOLAR", pe=12)]
    assert_exact("FIFO", cases)


@pytest.mark.parametrize("dtype", ["UINT4", "BIPOLAR"])
def test_a_width_converter_takes_any_pair_of_widths(dtype):
    pairs = [
        (1, 6),
        (6, 1),
        (2, 6),
        (6, 2),
        (6, 4),
        (4, 6),
        (3, 8),
        (8, 3),
        (4, 4),
        (12, 8),
        (1, 1),
    ]
    assert_exact(
        "WidthConverter",
        [KernelCase({"N": 24}, {"x": dtype, "y": dtype}, {"IN": a, "OUT": b}) for a, b in pairs],
    )


def test_a_duplicate_gives_each_reader_every_beat_once():
    assert_exact(
        "Duplicate",
        [
            KernelCase({"N": 3, "C": 4}, dict.fromkeys(("x", "y0", "y1"), dtype), {"PE": pe})
            for dtype in ("INT3", "BIPOLAR")
            for pe in (1, 2, 4)
        ],
    )
