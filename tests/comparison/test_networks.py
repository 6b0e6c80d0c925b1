"""A plugin on whole networks: digits, and the published one."""

from __future__ import annotations

import pytest

from brainsmith.comparison import compare
from brainsmith.comparison.folding import MOST_LANES
from brainsmith.comparison.summary import lines
from tests.comparison.conftest import BIPOLAR, DIGITS, TFC, Tiny


@pytest.mark.slow
def test_digits_has_four_products_that_the_plugin_takes(tiny: Tiny) -> None:
    found = compare("tiny", DIGITS, registry=tiny())
    (kernel,) = found.kernels
    assert [node.nodes for node in kernel.compared] == [(f"Gemm_{i}",) for i in range(4)]
    assert found.exit_code == 0 and kernel.refused == ()
    for node in kernel.compared:
        assert node.rival is not None and node.passed
        assert node.folding["PE"] * node.folding["SIMD"] <= MOST_LANES
        assert node.own.interval == node.rival.interval
        assert node.own.resources["DSP"].value and not node.rival.resources["DSP"].value
    performance, resources, compatibility = map(str, lines(found))
    assert performance.startswith("✓ Performance: as fast as MatMul (")
    assert "% fewer LUT" in resources and " DSP against none" in resources
    assert compatibility == "✓ Compatibility: 4 of 4 nodes of 'matmul': bit-exact"


@pytest.mark.slow
@pytest.mark.skipif(not TFC.exists(), reason="the published models are not here")
def test_the_published_network_in_bipolar_numbers(tiny: Tiny) -> None:
    found = compare("tiny", TFC, registry=tiny(*BIPOLAR))
    (kernel,) = found.kernels
    assert [node.nodes for node in kernel.compared] == [(f"MatMul_{i}",) for i in range(4)]
    assert found.exit_code == 0, found.problems
    assert all(node.rival is not None and node.passed for node in kernel.compared)
    assert all(node.dtypes["x"] == "BIPOLAR" for node in kernel.compared)
    (first, *_) = kernel.compared
    assert first.dims == {"N": 1, "M": 64, "K": 784}
