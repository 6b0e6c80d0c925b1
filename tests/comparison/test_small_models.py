"""Kernels beside the built-in one: sound, slow, faulty ones, on small models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainsmith.comparison import Comparison, ComparisonOptions, compare
from brainsmith.comparison.records import NodeComparison
from brainsmith.comparison.summary import lines
from brainsmith.compiler.slices import Bounds
from brainsmith.plugins import PluginRegistry
from tests.comparison.conftest import SLOW, WRONG_SIGN, Tiny
from tests.compiler.integer_models import Builder

FOLDING = '{"MatMul_m0": {"PE": 2, "SIMD": 3}, "MatMul_m1": {"PE": 2, "SIMD": 3}}'


def model(folder: Path, rows: int = 1) -> Path:
    """Two equal products of one input, and one that is too small for the plugin."""
    rng = np.random.default_rng(3)
    weights = rng.integers(-7, 8, (6, 4))
    builder = Builder([rows, 6], "UINT4")
    ends = [builder.matmul("x", name, weights) for name in ("m0", "m1")]
    ends.append(builder.matmul("x", "small", rng.integers(-7, 8, (6, 2))))
    for name in ends:
        builder.shapes[name][0] = rows
    return builder.save(folder / "m.onnx", *ends)


@pytest.fixture
def options(tmp_path: Path) -> ComparisonOptions:
    (tmp_path / "folding.json").write_text(FOLDING)
    return ComparisonOptions(folding=tmp_path / "folding.json", target="ice40-up5k")


def compared(
    registry: PluginRegistry, folder: Path, options: ComparisonOptions, **more: object
) -> tuple[Comparison, NodeComparison]:
    found = compare("tiny", model(folder), options, registry=registry, **more)
    (kernel,) = found.kernels
    (node,) = kernel.compared
    return found, node


@pytest.mark.slow
def test_a_sound_kernel_is_measured_beside_the_built_in_one(
    tiny: Tiny, tmp_path: Path, options: ComparisonOptions
) -> None:
    found, node = compared(tiny(), tmp_path, options)
    assert found.exit_code == 0 and found.problems == ()
    assert node.nodes == ("MatMul_m0", "MatMul_m1")  # equal, so built once
    assert node.folding == {"PE": 2, "SIMD": 3} and node.folding_origin == "of the folding file"
    assert node.slice is None and node.rival is not None
    assert (node.own.kernel, node.rival.kernel) == ("tiny:TinyMatMul", "brainsmith:MatMul")
    for run in (node.own, node.rival):
        assert run.elements == 2 * 9 * 4 and run.mismatches == 0  # without and with stalls
        assert run.interval is not None and run.interval.source == "measured"
        assert run.resources["LUT"].value and run.resources["FF"].value
    assert node.own.interval is not None and node.own.interval.value == 4
    assert node.own.resources != node.rival.resources
    (refused,) = found.kernels[0].refused
    assert refused.node == "MatMul_small" and refused.reason == "min_size is 16, the node has 12"
    assert "2 of 3 nodes of 'matmul': bit-exact" in str(lines(found)[-1])


@pytest.mark.slow
def test_a_wrong_sign_in_a_lane_is_found_with_its_place(
    tiny: Tiny, tmp_path: Path, options: ComparisonOptions
) -> None:
    found, node = compared(tiny(WRONG_SIGN), tmp_path, options)
    assert found.exit_code == 8
    assert node.own.mismatches > 0 and node.rival is not None and node.rival.mismatches == 0
    (problem,) = found.problems
    assert "elements are wrong; the first: y, frame 0, element 1 (N=0 M=1: beat 0, lane 1)" in (
        problem.what
    )
    assert problem.what.endswith("all of them are in lane 1 of 2 of y")
    assert problem.where.startswith("tiny:TinyMatMul at MatMul_m0, N=1 M=4 K=6 x=UINT4")
    assert "`from tiny_matmul import TinyMatMul` and `check_kernel(TinyMatMul)`" in problem.hint
    assert str(lines(found)[-1]).startswith("✗ Compatibility: 0 of 3 nodes")


@pytest.mark.slow
def test_a_kernel_that_needs_more_cycles_is_told_to_be_slower(
    tiny: Tiny, tmp_path: Path, options: ComparisonOptions
) -> None:
    found, node = compared(tiny(*SLOW), tmp_path, options)
    assert node.own.interval is not None and node.rival is not None
    assert node.own.interval.value == 6
    assert found.exit_code == 0, found.problems
    assert str(lines(found)[0]).startswith(
        "· Performance: 1.5x slower than MatMul (12 against 8 cycles a frame, measured"
    )


@pytest.mark.slow
def test_cycles_that_the_kernel_s_model_does_not_know_are_wrong(
    tiny: Tiny, tmp_path: Path, options: ComparisonOptions
) -> None:
    found, _ = compared(tiny(SLOW[0]), tmp_path, options)
    assert found.exit_code == 8
    assert "the interval is 6 cycles, its model says 4" in [p.what for p in found.problems]


@pytest.mark.slow
def test_a_kernel_that_hangs_is_told_with_its_port(
    tiny: Tiny, tmp_path: Path, options: ComparisonOptions
) -> None:
    stuck = ("if (step && last) m_axis_y_tvalid <= 1'b1;", "")
    found, node = compared(tiny(stuck), tmp_path, options)
    assert found.exit_code == 8 and node.own.interval is None
    (problem,) = found.problems
    assert "the simulation hangs" in problem.what and "MatMul_m0.y: beat 1" in problem.what
    assert node.rival is not None and node.rival.passed


@pytest.mark.slow
def test_sources_that_do_not_compile_are_a_tool_s_error(
    tiny: Tiny, tmp_path: Path, options: ComparisonOptions
) -> None:
    found, node = compared(
        tiny(("assign last            =", "assign last == lost =")), tmp_path, options
    )
    assert found.exit_code == 7 and not node.own.resources
    assert any("lost" in problem.what for problem in found.problems)
    assert node.rival is not None and node.rival.passed and node.rival.resources


@pytest.mark.slow
def test_a_backend_that_raises_is_told_beside_what_the_other_gives(
    tiny: Tiny, tmp_path: Path, options: ComparisonOptions
) -> None:
    raising = ('K, M = config.dims["K"], config.dims["M"]', 'raise ValueError("PE is too odd")')
    found, node = compared(tiny(raising), tmp_path, options)
    assert found.exit_code == 5
    (problem,) = found.problems
    assert "PE is too odd" in problem.what and problem.where.startswith("tiny:TinyMatMul at ")
    assert node.rival is not None and node.rival.passed


@pytest.mark.slow
def test_a_node_that_is_too_large_is_simulated_on_a_slice(
    tiny: Tiny, tmp_path: Path, options: ComparisonOptions
) -> None:
    path = model(tmp_path, rows=32)
    found = compare("tiny", path, options, registry=tiny(), bounds=Bounds(cycles=9 * 4 * 8))
    node, _ = found.kernels[0].compared  # with so many rows the small one is taken too
    assert found.exit_code == 0, found.problems
    assert node.dims["N"] == 32 and node.slice == {"N": 8}
    assert node.own.interval is not None
    assert (node.own.interval.value, node.own.interval.source) == (128, "estimated")
    assert node.own.interval.reason == "as its model says; a slice of N=8 took 32 cycles"
    assert node.own.elements == 2 * 9 * 8 * 4  # of the slice, without and with stalls
    assert str(lines(found)[-1]).endswith("bit-exact; 3 simulated on a slice")


@pytest.mark.slow
def test_placement_gives_both_clocks(
    tiny: Tiny, tmp_path: Path, options: ComparisonOptions
) -> None:
    from dataclasses import replace

    found, node = compared(tiny(), tmp_path, replace(options, target="ecp5-25k", place=True))
    assert found.exit_code == 0, found.problems
    assert node.rival is not None
    for run in (node.own, node.rival):
        assert run.clock is not None and run.clock.value is not None and run.clock.value > 20
    assert " MHz against " in str(lines(found)[0])


@pytest.mark.slow
def test_against_a_kernel_of_another_operation_it_is_measured_alone(
    tiny: Tiny, tmp_path: Path, options: ComparisonOptions
) -> None:
    from dataclasses import replace

    found, node = compared(tiny(), tmp_path, replace(options, against="Thresholding"))
    assert node.rival is None and found.exit_code == 0
    assert node.alone == "brainsmith:Thresholding computes 'thresholding', not 'matmul'"
    assert node.own.passed and node.own.resources


def two_sizes(folder: Path) -> Path:
    """Products with 4 and with 8 outputs."""
    rng = np.random.default_rng(4)
    builder = Builder([1, 6], "UINT4")
    ends = [builder.matmul("x", f"m{i}", rng.integers(-7, 8, (6, 4 * i + 4))) for i in range(2)]
    return builder.save(folder / "two.onnx", *ends)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("if (step && last) m_axis_y_tvalid", "if (step && last && FOLDS_M < 4) m_axis_y_tvalid",
         8, "hangs"),
        ('"PE": config.pe,', '"PE": config.pe if M < 8 else 1 // 0,', 5, "ZeroDivisionError"),
    ],
    ids=["hangs", "raises"],
)  # fmt: skip
def test_what_is_wrong_at_one_node_hides_nothing_of_the_others(
    tiny: Tiny, tmp_path: Path, options: ComparisonOptions, old: str, new: str, code: int, said: str
) -> None:
    found = compare("tiny", two_sizes(tmp_path), options, registry=tiny((old, new)))
    small, large = found.kernels[0].compared
    assert found.exit_code == code
    assert any(said in problem.what for problem in large.own.problems)
    assert small.rival is not None and large.rival is not None
    assert small.rival.passed and large.rival.passed
    assert small.own.passed and small.own.elements and small.own.resources
    assert "1 of 2 nodes of 'matmul'" in str(lines(found)[-1])
