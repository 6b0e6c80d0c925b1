"""The clocks that PLLs make: inside the limits of their data sheets, as near as they get."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.board.clocking import clock
from brainsmith.errors import TargetError


def numbers(text: str, *names: str) -> list[int]:
    """Parameters of a PLL."""
    found = [re.search(rf"\.{name}\((?:\d+'d)?(\d+)\)", text) for name in names]
    return [int(match[1]) for match in found if match is not None]


def test_what_the_vendors_generators_say() -> None:
    # ecppll -i 25 -o 100, icepll -i 12 -o 24
    made = clock("ecp5", 25, 100)
    assert (made.mhz, made.hz) == (100, 100_000_000)
    assert numbers(made.instance, "CLKI_DIV", "CLKFB_DIV", "CLKOP_DIV") == [1, 4, 6]
    made = clock("ice40", 12, 24)
    assert numbers(made.instance, "DIVR", "DIVF", "DIVQ", "FILTER_RANGE") == [0, 63, 5, 1]


@given(st.sampled_from([25, 48]), st.floats(40, 180))
def test_ecp5_stays_inside_its_limits(oscillator: float, wanted: float) -> None:
    made = clock("ecp5", oscillator, wanted)
    assert wanted * 0.9 <= made.mhz <= wanted + 1e-6
    if not made.box:
        return
    ref, feedback, output = numbers(made.instance, "CLKI_DIV", "CLKFB_DIV", "CLKOP_DIV")
    assert made.mhz == pytest.approx(oscillator / ref * feedback)
    assert 400 <= made.mhz * output <= 800
    assert oscillator / ref >= 3.125


@given(st.floats(16, 100))
def test_ice40_stays_inside_its_limits(wanted: float) -> None:
    made = clock("ice40", 12, wanted)
    assert wanted * 0.9 <= made.mhz <= wanted + 1e-6
    ref, feedback, output = numbers(made.instance, "DIVR", "DIVF", "DIVQ")
    inside = 12 / (ref + 1) * (feedback + 1)
    assert 533 <= inside <= 1066
    assert made.mhz == pytest.approx(inside / 2**output)


def test_the_oscillator_itself_needs_no_pll() -> None:
    assert clock("ecp5", 25, 25).box == ""


def test_a_clock_that_no_pll_makes() -> None:
    with pytest.raises(TargetError, match="makes no clock of 2 MHz from 12 MHz"):
        clock("ice40", 12, 2)
