"""Ports with a folding parameter of their own: operations that regroup elements."""

import pytest

from brainsmith.api import Loop, LoopNest, PluginError, stream_in, stream_out
from brainsmith.errors import ConfigurationError

CONVERTER = LoopNest(
    (Loop("N"),), (stream_in("x", "N", fold="IN"), stream_out("y", "N", fold="OUT"))
)
DIMS = {"N": 24}


def test_each_port_has_its_own_elements_per_beat():
    folding = {"IN": 8, "OUT": 3}
    assert CONVERTER.elements("x", folding) == 8
    assert CONVERTER.elements("y", folding) == 3
    assert CONVERTER.beats("x", DIMS, folding) == 3
    assert CONVERTER.beats("y", DIMS, folding) == 8


@pytest.mark.parametrize(("into", "out", "cycles"), [(8, 3, 8), (2, 12, 12), (6, 6, 4)])
def test_the_narrowest_port_sets_the_cycles(into, out, cycles):
    assert CONVERTER.cycles(DIMS, {"IN": into, "OUT": out}) == cycles


def test_the_legal_values_divide_the_last_dimension_of_the_port():
    assert CONVERTER.folds == ("IN", "OUT")
    assert CONVERTER.legal(DIMS)["OUT"] == (1, 2, 3, 4, 6, 8, 12, 24)
    with pytest.raises(ConfigurationError, match="OUT=5"):
        CONVERTER.check(DIMS, {"OUT": 5}, "wc")


def test_a_loop_is_folded_by_itself_or_by_its_ports():
    with pytest.raises(PluginError, match="of its own"):
        LoopNest((Loop("N", fold="PE"),), (stream_in("x", "N", fold="IN"),))
