"""Implementations resolved to sources and files."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.compiler.implement import memory_image


@given(st.integers(1, 5), st.integers(1, 70), st.randoms())
def test_a_memory_image_holds_each_word_in_hexadecimal(depth, bits, random) -> None:  # type: ignore[no-untyped-def]
    words = [random.getrandbits(bits) for _ in range(depth)]
    array = np.array([[(word >> bit) & 1 for bit in range(bits)] for word in words], dtype=np.uint8)
    lines = memory_image(array).decode().splitlines()
    assert [int(line, 16) for line in lines] == words
    assert {len(line) for line in lines} == {-(-bits // 4)}
