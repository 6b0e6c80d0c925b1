"""Elements to and from beats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.errors import VerificationError
from brainsmith.toolchains.hdl import StreamPort
from brainsmith.toolchains.packing import pack, unpack, words_per_beat


def test_element_0_lies_in_the_lowest_bits_without_padding() -> None:
    port = StreamPort("x", "in", 3, 5, signed=True)
    assert pack(np.array([[1, -1, 2]]), port).tolist() == [[0b00010_11111_00001]]


def test_bipolar() -> None:
    port = StreamPort("x", "in", 4, 1, signed=True, bipolar=True)
    beats = np.array([[1, -1, -1, 1]])
    assert pack(beats, port).tolist() == [[0b1001]]
    assert unpack(pack(beats, port), port).tolist() == beats.tolist()


@given(st.data())
def test_unpack_is_the_inverse_of_pack(data: st.DataObject) -> None:
    signed = data.draw(st.booleans())
    bits = data.draw(st.integers(1, 64 if signed else 63))
    port = StreamPort("x", "in", data.draw(st.integers(1, 40)), bits, signed=signed)
    lo, hi = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    rows = st.lists(st.integers(lo, hi), min_size=port.elements, max_size=port.elements)
    values = data.draw(st.lists(rows, max_size=4))
    array = np.array(values, np.int64).reshape(-1, port.elements)
    words = pack(array, port)
    assert words.shape == (len(array), words_per_beat(port))
    assert np.array_equal(unpack(words, port), array)
    for row, beat in zip(values, words.tolist(), strict=True):
        number = sum((value & ((1 << bits) - 1)) << (bits * i) for i, value in enumerate(row))
        assert sum(word << (32 * i) for i, word in enumerate(beat)) == number


def test_beats_of_thousands_of_bits() -> None:
    port = StreamPort("x", "in", 784, 8, signed=True)
    values = np.random.default_rng(0).integers(-128, 128, (6000, 784))
    assert np.array_equal(unpack(pack(values, port), port), values)


@pytest.mark.parametrize(
    ("port", "value"),
    [
        (StreamPort("x", "in", 1, 4, signed=True), 8),
        (StreamPort("x", "in", 1, 4), -1),
        (StreamPort("x", "in", 1, 1, signed=True, bipolar=True), 0),
    ],
)
def test_a_value_that_does_not_fit_is_an_error(port: StreamPort, value: int) -> None:
    with pytest.raises(VerificationError, match="port x"):
        pack(np.array([[value]]), port)
