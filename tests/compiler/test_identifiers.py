"""Names of the model as identifiers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.compiler.identifiers import identifier, unique


@given(st.text())
def test_any_text_becomes_a_plain_identifier(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", identifier(name))


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("Gemm_0", "Gemm_0"),
        ("layers/0.fc", "layers_0_fc"),
        ("0", "n_0"),
        ("", "n_"),
        ("design", "design_"),
        ("clk", "clk_"),
        ("s0_tdata", "s0_tdata_"),
        ("bs_matmul", "bs_matmul_"),
    ],
)
def test_what_is_taken_gets_a_tail(name: str, becomes: str) -> None:
    assert identifier(name) == becomes


def test_unique_names_are_numbered() -> None:
    taken: set[str] = set()
    assert [unique(name, taken) for name in ("a", "a", "a/b", "a.b")] == [
        "a",
        "a_1",
        "a_b",
        "a_b_1",
    ]
