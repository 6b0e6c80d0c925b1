"""Sizes and durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.plugins.amounts import seconds, size, size_text


@pytest.mark.parametrize(
    ("found", "wanted"),
    [(1, 1), ("2 GiB", 2 << 30), ("2GiB", 2 << 30), ("1.5 KiB", 1536), ("64 MB", 64_000_000)],
)
def test_sizes(found: object, wanted: int) -> None:
    assert size(found) == wanted


@pytest.mark.parametrize(
    "found",
    [0, -1, True, 1.5, None, "", "GiB", "-1 GiB", "1 gib", "1  GiB", "0.1 B", "1e3 B", 1 << 62,
     "999999999999 GiB", "1 GiB\n", [1]],
)  # fmt: skip
def test_what_is_no_size(found: object) -> None:
    assert size(found) is None


@pytest.mark.parametrize("found", [0, -1, True, "1", None, float("nan"), float("inf"), 1e9])
def test_what_is_no_duration(found: object) -> None:
    assert seconds(found) is None


@given(st.integers(1, (1 << 62) - 1))
def test_a_size_is_written_as_it_is_read(number: int) -> None:
    if number < 10**12:
        assert size(size_text(number)) == number
    assert size_text(4 << 30) == "4 GiB" and size_text(1537) == "1537 B"
