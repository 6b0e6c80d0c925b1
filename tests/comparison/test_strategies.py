"""Strategies of a plugin, compiled beside the usual one."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.comparison import Comparison, compare
from brainsmith.comparison.summary import lines
from tests.comparison.conftest import registry_of
from tests.compiler.integer_models import mlp


def compiled(folder: Path, strategy: str) -> Comparison:
    plugin = folder / "frugal"
    plugin.mkdir()
    (plugin / "frugal.yaml").write_text(f"name: frugal\nextends: balanced\n{strategy}")
    (plugin / "brainsmith.yaml").write_text(
        "name: frugal\nversion: 1.0.0\nstrategies:\n  - {name: frugal, file: frugal.yaml}\n"
    )
    return compare("frugal", mlp(folder / "m.onnx"), registry=registry_of(plugin))


@pytest.mark.slow
def test_a_strategy_is_compiled_beside_the_usual_one(tmp_path: Path) -> None:
    found = compiled(tmp_path, "objective: area\n")
    (one,) = found.strategies
    assert found.exit_code == 0, found.problems
    assert (one.own.strategy, one.rival.strategy) == ("frugal:frugal", "balanced")
    assert one.own.bit_exact is True and one.rival.bit_exact is True
    own, rival = (run.metrics["initiation_interval"] for run in (one.own, one.rival))
    assert own.source == "measured" and own.value == 96 and own.value > (rival.value or 0)
    assert one.own.metrics["LUT"].source == "estimated"
    first, second = map(str, lines(found))
    assert (
        first.startswith("· frugal:frugal: bit-exact; ") and "x slower than balanced (96 " in first
    )
    assert second.startswith("✓ frugal:frugal: estimated resource usage: ")


def test_a_strategy_that_cannot_be_resolved_is_told(tmp_path: Path) -> None:
    found = compiled(tmp_path, "kernels: [{name: Nothing}]\n")
    assert found.exit_code == 4
    assert "there is no kernel 'Nothing'" in found.problems[0].what
