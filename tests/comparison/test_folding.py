"""The folding that both kernels get."""

from __future__ import annotations

import pytest

from brainsmith.comparison.folding import MOST_LANES, foldings
from brainsmith.compiler.mapping import KernelSpec, Mapped, candidate_of
from brainsmith.compiler.strategy import load_strategy
from brainsmith.compiler.targets import get_target
from brainsmith.errors import ConfigurationError
from tests.comparison.conftest import registry_of
from tests.compiler.test_slices import matmul

REGISTRY = registry_of()


def chosen(pinned: dict[str, dict[str, int]], K: int = 64, M: int = 64) -> tuple[dict, str]:
    kernel = candidate_of(KernelSpec("MatMul"), REGISTRY)
    config = matmul(1, K, M, {})
    config = type(config)(**{**vars(config), "params": kernel.params})
    node = Mapped("n", ("n",), kernel, config, {"x": "x"}, {"y": "y"})
    strategy = load_strategy("balanced", REGISTRY).resolved(REGISTRY)
    found = foldings([node], get_target("ecp5-85k", REGISTRY), strategy, pinned)["n"]
    return dict(found.folding), found.origin


def test_what_a_compile_would_choose_is_taken_up_to_a_number_of_lanes() -> None:
    folding, origin = chosen({})
    assert folding["PE"] * folding["SIMD"] == MOST_LANES
    assert origin.startswith(f"the largest of at most {MOST_LANES} lanes; 'balanced' chooses ")


def test_a_small_node_is_folded_as_in_a_compile() -> None:
    folding, origin = chosen({}, K=4, M=4)
    assert origin == "as 'balanced' chooses it"
    assert folding["PE"] * folding["SIMD"] <= MOST_LANES


def test_a_folding_file_has_the_last_word() -> None:
    assert chosen({"n": {"PE": 64, "SIMD": 32}}) == (
        {"PE": 64, "SIMD": 32}, "of the folding file",
    )  # fmt: skip


def test_a_node_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="which is not in the design"):
        chosen({"m": {"PE": 1}})
