"""The sentences that are made of what was found."""

from __future__ import annotations

from dataclasses import replace

from brainsmith.comparison.records import (
    Comparison,
    Figure,
    KernelComparison,
    KernelRun,
    NodeComparison,
    Problem,
    RefusedNode,
    StrategyComparison,
    StrategyRun,
)
from brainsmith.comparison.summary import as_json, lines
from brainsmith.comparison.table import columns, rows
from brainsmith.report.json_report import dumps


def run(kernel: str, cycles: int, *resources: int, clock: float | None = None) -> KernelRun:
    names = ("LUT", "FF", "DSP", "BRAM")
    return KernelRun(
        kernel,
        elements=80,
        interval=Figure(cycles, "cycles"),
        latency=Figure(cycles + 1, "cycles"),
        resources={n: Figure(v, n) for n, v in zip(names, resources, strict=True)},
        clock=None if clock is None else Figure(clock, "MHz"),
    )


def node(own: KernelRun, rival: KernelRun | None, *names: str, **more: object) -> NodeComparison:
    found = NodeComparison(names or ("n",), {"K": 4}, {"x": "UINT4"}, {"PE": 2}, "", {}, own, rival)
    return replace(found, **more)


def comparison(*nodes: NodeComparison, refused: tuple[RefusedNode, ...] = ()) -> Comparison:
    kernel = KernelComparison("mine:Fast", "matmul", "rtl", nodes, refused)
    return Comparison("mine", "1.0.0", "/here", "m.onnx", "ecp5-85k", "balanced", (kernel,))


def texts(found: Comparison) -> list[str]:
    return [str(line) for line in lines(found)]


def test_the_specification_s_summary_with_figures() -> None:
    found = comparison(
        node(run("mine:Fast", 50, 100, 40, 17, 0), run("b:MatMul", 60, 100, 50, 20, 2)),
    )
    assert texts(found) == [
        "✓ Performance: 1.2x faster than MatMul (50 against 60 cycles a frame, measured)",
        "✓ Resource usage: 20 % fewer FF (40 against 50), 15 % fewer DSP (17 against 20), "
        "no BRAM against 2, the same LUT (100)",
        "✓ Compatibility: 1 of 1 node of 'matmul': bit-exact",
    ]
    assert found.exit_code == 0


def test_equal_nodes_count_as_often_as_they_are_there() -> None:
    slow = node(run("mine:Fast", 80, 10, 1, 0, 0), run("b:MatMul", 40, 5, 1, 0, 0), "a", "b", "c")
    same = node(run("mine:Fast", 40, 10, 1, 0, 0), run("b:MatMul", 40, 10, 1, 0, 0), "d")
    first, second, third = texts(comparison(slow, same))
    # The geometric mean of 1/2 three times and 1 once is 2 ** -0.75.
    assert first == (
        "· Performance: 1.68x slower than MatMul (280 against 160 cycles a frame, measured; "
        "mean of 4 nodes, 0.5x to 1x)"
    )
    assert "60 % more LUT (40 against 25)" in second and second.startswith("·")
    assert third == "✓ Compatibility: 4 of 4 nodes of 'matmul': bit-exact"


def test_with_clocks_time_counts() -> None:
    found = comparison(
        node(
            run("mine:Fast", 50, 1, 1, 1, 0, clock=100.0),
            run("b:MatMul", 50, 1, 1, 1, 0, clock=50.0),
        )
    )
    assert texts(found)[0] == (
        "✓ Performance: 2x faster than MatMul (50 against 50 cycles a frame, measured; "
        "clock 100.0 MHz against 50.0 MHz)"
    )
    assert columns(found.kernels[0])[-1] == "MHz"


def test_what_is_wrong_is_not_timed_and_what_is_refused_is_counted() -> None:
    wrong = replace(run("mine:Fast", 1, 1, 1, 1, 0), problems=(Problem("wrong"),), mismatches=3)
    found = comparison(
        node(wrong, run("b:MatMul", 60, 1, 1, 1, 0)), refused=(RefusedNode("z", "too large"),)
    )
    assert texts(found) == [
        "· Performance: not compared, since what is wrong has no speed",
        "✗ Compatibility: 0 of 2 nodes of 'matmul': none works",
    ]
    assert found.exit_code == 8
    cells = list(rows(found.kernels[0]))
    assert cells[0][3] == "3 wrong" and cells[1][3] == "exact"


def test_an_estimate_is_marked_as_one() -> None:
    own = replace(
        run("mine:Fast", 50, 1, 1, 1, 0), interval=Figure(50, "cycles", "estimated", "a slice")
    )
    found = comparison(node(own, run("b:MatMul", 100, 1, 1, 1, 0), slice={"N": 1}))
    first, _, last = texts(found)
    assert "cycles a frame, estimated for 1 of 1 nodes" in first
    assert last.endswith("bit-exact; 1 simulated on a slice")
    cells = next(iter(rows(found.kernels[0])))
    assert cells[0] == "n (slice N=1)" and cells[4] == "~50"


def test_wrong_values_decide_the_exit_code_before_other_errors() -> None:
    tool, value = Problem("no", exit_code=7), Problem("wrong", exit_code=8)
    own = replace(run("mine:Fast", 1, 1, 1, 1, 0), problems=(tool,))
    assert comparison(node(own, None)).exit_code == 7
    assert comparison(node(replace(own, problems=(tool, value)), None)).exit_code == 8


def test_the_json_object_has_everything() -> None:
    found = comparison(node(run("mine:Fast", 50, 1, 1, 1, 0), None, alone="there is none"))
    value = as_json(found)
    dumps(value)
    assert value["success"] is True and value["plugin"] == "mine"
    assert value["summary"][0] == "· Performance: not compared, since there is none"
    (one,) = value["kernels"][0]["compared"]
    assert one["own"]["interval"] == {
        "value": 50, "unit": "cycles", "source": "measured", "reason": "",
    }  # fmt: skip


def strategies(own: StrategyRun, rival: StrategyRun) -> list[str]:
    both = (StrategyComparison(own, rival),)
    return texts(replace(comparison(), kernels=(), strategies=both))


def compiled(name: str, **more: object) -> StrategyRun:
    metrics = {name: Figure(8, "") for name in ("initiation_interval", "LUT", "FF", "DSP", "BRAM")}
    return replace(StrategyRun(name, True, metrics), **more)


def test_a_failure_of_the_usual_strategy_is_its_own() -> None:
    failed = StrategyRun("balanced", None, problems=(Problem("too large"),))
    assert strategies(compiled("mine:quick"), failed) == ["✗ balanced: too large"]
    assert strategies(replace(failed, strategy="mine:quick"), failed) == [
        "✗ mine:quick: too large", "✗ balanced: too large",
    ]  # fmt: skip


def test_only_what_was_compared_is_bit_exact() -> None:
    first, _ = strategies(compiled("mine:quick"), compiled("balanced"))
    assert first.startswith("✓ mine:quick: bit-exact; as fast as balanced")
    first, _ = strategies(compiled("mine:quick", bit_exact=None), compiled("balanced"))
    assert first.startswith("✓ mine:quick: not verified; as fast as balanced")
