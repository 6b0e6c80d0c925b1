"""Figures as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.report import formatting
from brainsmith.report.formatting import THIN


@pytest.mark.parametrize(
    ("value", "text"),
    [(64, "64"), (1_562_500, f"1{THIN}562{THIN}500"), (131.64, "131.6"), (0.5, "0.5"),
     (None, "n/a"), (math.nan, "n/a"), (3.0, "3")],
)  # fmt: skip
def test_figures_keep_integers_exact(value: float | None, text: str) -> None:
    assert formatting.figure(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1_562_500, ("1.56", "M")), (12_300_000, ("12.3", "M")), (111_607, ("111.6", "k")),
     (312_500, ("312.5", "k")), (9_216, (f"9{THIN}216", "")), (64, ("64", "")),
     (None, ("n/a", ""))],
)  # fmt: skip
def test_large_figures_get_a_prefix(value: float | None, text: tuple[str, str]) -> None:
    assert formatting.prefixed(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(6.4e-7, "0.64µs"), (0.08, "80ms"), (21.7, "21.7s"), (71.49, "1min 11s"), (7_260, "2h 01min")],
)
def test_durations(value: float, text: str) -> None:
    assert formatting.seconds(value).replace(THIN, "") == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (0.0001, "<0.1%"), (0.035, "3.5%"), (0.7, "70%"), (0.9999999, "99.99%"),
     (1, "100%"), (2.4, "240%")],
)  # fmt: skip
def test_nearly_nothing_and_nearly_all_are_told_apart(share: float, text: str) -> None:
    assert formatting.percent(share).replace(THIN, "") == text


@given(st.text(max_size=80), st.integers(min_value=3, max_value=40))
def test_a_short_name_is_its_start_and_its_end(text: str, length: int) -> None:
    short = formatting.shorten(text, length)
    assert len(short) <= length
    if len(text) > length:
        head, tail = short.split("…")[0], short[-1]
        assert text.startswith(head[:1]) and text.endswith(tail)
    else:
        assert short == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (105 << 20, "105 MiB"),
     (1010 << 20, "1010 MiB"), (3 << 29, "1.5 GiB"), (5 << 40, "5120 GiB")],
)  # fmt: skip
def test_sizes(value: int, text: str) -> None:
    assert formatting.size(value).replace(formatting.THIN, " ") == text
