"""Random graphs through the whole compiler: exact, without a stall, at the modelled pace.

`BRAINSMITH_RANDOM_GRAPHS=200` tries as many graphs in the place of the few of a normal run.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.compiler.random_graphs import RandomGraph, compiled

GRAPHS = int(os.environ.get("BRAINSMITH_RANDOM_GRAPHS", "8"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(GRAPHS))
def test_a_random_graph_is_exact_and_never_stalls(seed: int, tmp_path: Path) -> None:
    graph = RandomGraph(seed)
    path = tmp_path / "graph.onnx"
    graph.model.save(path)
    result = compiled(path, seed, tmp_path / "build")
    failed = [check for check in result.verification.checks if not check.passed]
    assert result.success and result.verification.bit_exact, (graph.steps, failed)
