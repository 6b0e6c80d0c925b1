"""Ports with dimensions that no loop walks."""

from __future__ import annotations

import pytest

from brainsmith.api import Loop, LoopNest, stream_in, stream_out
from brainsmith.errors import PluginError

WINDOW = LoopNest(
    (Loop("OH"), Loop("OW"), Loop("KH"), Loop("KW"), Loop("C", fold="SIMD")),
    (stream_in("x", "H", "W", "C", own=("H", "W")), stream_out("y", "OH", "OW", "KH", "KW", "C")),
)
CONCAT = LoopNest(
    (Loop("N"), Loop("C", fold="PE")),
    (
        stream_in("a", "N", "CA", own=("CA",), fold="PE"),
        stream_in("b", "N", "CB", own=("CB",), fold="PE"),
        stream_out("y", "N", "C"),
    ),
)
DIMS = {"H": 8, "W": 6, "OH": 6, "OW": 4, "KH": 3, "KW": 3, "C": 12}


@pytest.mark.parametrize(("simd", "beats"), [(1, 576), (4, 144), (12, 48)])
def test_beats_of_an_image_follow_from_its_own_size(simd: int, beats: int) -> None:
    assert WINDOW.elements("x", {"SIMD": simd}) == simd
    assert WINDOW.beats("x", DIMS, {"SIMD": simd}) == beats
    assert WINDOW.cycles(DIMS, {"SIMD": simd}) == 6 * 4 * 9 * 12 // simd


def test_a_port_with_more_beats_than_iterations_sets_the_pace() -> None:
    dims = {**DIMS, "OH": 4, "OW": 3, "KH": 1, "KW": 1}
    assert WINDOW.iterations(dims, {"SIMD": 4}) == 36
    assert WINDOW.cycles(dims, {"SIMD": 4}) == 144


def test_a_folding_parameter_of_several_ports_divides_all_of_them() -> None:
    dims = {"N": 5, "C": 20, "CA": 8, "CB": 12}
    assert CONCAT.folds == ("PE",)
    assert CONCAT.legal(dims) == {"PE": (1, 2, 4)}
    assert [CONCAT.beats(port, dims, {"PE": 4}) for port in "aby"] == [10, 15, 25]


def test_own_dimensions_are_checked() -> None:
    with pytest.raises(PluginError, match="walked by 'H', which is no loop"):
        LoopNest((Loop("C"),), (stream_in("x", "H", "C"),))
    with pytest.raises(PluginError, match="calls 'C' its own"):
        LoopNest((Loop("C"),), (stream_in("x", "C", own=("C",)),))
