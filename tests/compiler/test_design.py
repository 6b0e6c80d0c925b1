"""From an integer model to a design that simulates as its stream model says."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brainsmith.api import Resources
from brainsmith.compiler import CompilationStrategy, CompileOptions
from brainsmith.compiler.codegen import Rtl, generate
from brainsmith.compiler.folding import Choice, _cheapest, _fastest_inside, _frontier
from brainsmith.compiler.frontend import FrontEnd, front_end
from brainsmith.compiler.host import run_design
from brainsmith.compiler.implement import implement
from brainsmith.compiler.progress import Silent
from brainsmith.compiler.reference import reference
from brainsmith.compiler.simulate import check_partition, simulation_of
from brainsmith.compiler.targets import get_target
from brainsmith.errors import ConfigurationError, TargetError
from brainsmith.plugins import PluginRegistry
from brainsmith.report.records import cycles_for
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog

from .integer_models import Builder, branches, mlp

AS_IT_IS = CompilationStrategy("as-it-is", extends=None, objective="area")


def design_of(path: Path, folding: dict[str, object] | None = None, **options: object) -> FrontEnd:
    registry = PluginRegistry()
    if folding is not None:
        path.with_suffix(".json").write_text(json.dumps(folding))
        options["folding"] = path.with_suffix(".json")
    return front_end(
        path,
        AS_IT_IS.resolved(registry),
        get_target("ecp5-25k", registry),
        registry,
        CompileOptions(target="ecp5-25k", **options),  # type: ignore[arg-type]
        Silent(),
    )


def rtl_of(front: FrontEnd) -> Rtl:
    (partition,) = front.design.partitions
    return generate(partition, implement(partition.instances))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "folding"),
    [
        (mlp, {}),
        (mlp, {"MatMul_m0": {"PE": 4, "SIMD": 3}, "MultiThreshold_h0": {"PE": 8}}),
        (branches, {"MatMul_m0": {"PE": 2, "SIMD": 4}}),
        (branches, {"MatMul_m0": {"PE": 8, "SIMD": 8}, "Add_y": {"PE": 8}}),
    ],
)
def test_the_simulation_is_exact_and_as_fast_as_the_stream_model_says(
    tmp_path: Path, model: Callable[[Path], Path], folding: dict[str, object]
) -> None:
    front = design_of(model(tmp_path / "m.onnx"), folding)
    rtl = rtl_of(front)
    rng = np.random.default_rng(0)
    shape = front.compiled.shape(front.compiled.value("x"))
    dtype = front.compiled.datatype(front.compiled.value("x"))
    assert dtype is not None
    frames = rng.integers(dtype.min, dtype.max, (12, *shape), endpoint=True)
    values = run_design(front.design, front.compiled, {"x": frames}, reference)
    flat = {
        port.value: np.asarray(values[port.value]).reshape(12, -1)
        for port in (*rtl.partition.inputs, *rtl.partition.outputs)
    }
    stream_model = front.models[rtl.partition.name]
    simulation = simulation_of(rtl, BuildCache(), BuildLog())
    run = check_partition(simulation, rtl, stream_model, flat, stall_seed=3)
    assert run.tally.wrong == run.stalled_tally.wrong == 0, run.tally.first
    assert run.interval == stream_model.interval
    assert run.latency == stream_model.latency


def test_readers_of_one_value_get_a_duplicate_and_the_shorter_way_a_fifo(tmp_path: Path) -> None:
    front = design_of(branches(tmp_path / "b.onnx"), {"MatMul_m0": {"PE": 1, "SIMD": 1}})
    (partition,) = front.design.partitions
    roles = [instance.role for instance in partition.instances]
    assert roles.count("duplicate") == 1
    # The product needs 64 cycles before its first result, while the short way carries 8 elements.
    assert max(edge.depth * edge.elements for edge in partition.edges) >= 7


def test_neighbours_of_different_width_get_a_converter(tmp_path: Path) -> None:
    folding = {"MatMul_m0": {"PE": 4, "SIMD": 3}, "MultiThreshold_h0": {"PE": 8}}
    front = design_of(mlp(tmp_path / "m.onnx"), folding)
    (partition,) = front.design.partitions
    converters = [i for i in partition.instances if i.role == "converter"]
    assert {"IN": 4, "OUT": 8} in [dict(c.config.folding) for c in converters]


def test_the_top_level_has_byte_wide_streams(tmp_path: Path) -> None:
    folding = {"MatMul_m0": {"PE": 1, "SIMD": 3}, "MatMul_m1": {"PE": 1, "SIMD": 1}}
    text = rtl_of(design_of(mlp(tmp_path / "m.onnx"), folding)).top.text
    assert "input  logic [15:0] s_axis_x0_tdata" in text  # three elements of four bits
    assert "s_axis_x0_tdata[11:0];" in text
    assert "output logic [7:0] m_axis_y0_tdata" in text


@pytest.mark.parametrize(
    ("folding", "message"),
    [
        ({"MatMul_m00": {"PE": 4}}, "did you mean 'MatMul_m0'"),
        ({"MatMul_m0": {"PEE": 4}}, "did you mean 'PE'"),
        ({"MatMul_m0": {"PE": 3}}, "legal values: 1, 2, 4, 8"),
        ({"MatMul_m0": {"PE": "four"}}, "no positive integer"),
        ({"MatMul_m0": {"ram_style": "blok"}}, "legal values"),
    ],
)
def test_a_mistake_in_the_folding_is_named(
    tmp_path: Path, folding: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        design_of(mlp(tmp_path / "m.onnx"), folding)


def test_a_wanted_speed_is_reached_with_the_cheapest_folding(tmp_path: Path) -> None:
    front = design_of(mlp(tmp_path / "m.onnx"), clock_mhz=100.0, target_fps=5e6)
    (model,) = front.models.values()
    assert model.interval <= 20
    assert any(layer.config.cycles > 1 for layer in front.design.layers)


def test_a_speed_that_cannot_be_reached_names_the_best_that_can(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="the best that can be reached is 100000000"):
        design_of(mlp(tmp_path / "m.onnx"), clock_mhz=100.0, target_fps=2e8)


def test_no_name_of_the_model_becomes_code(tmp_path: Path) -> None:
    """A value's name is any text; after a line break it would be SystemVerilog."""
    builder = Builder([1, 4], "INT4")
    evil = 'm\n  initial $system("false");\n//\\'
    value = builder.matmul("x", evil, np.ones((4, 4)))
    path = builder.save(tmp_path / "m.onnx", builder.matmul(value, "y", np.ones((4, 2))))
    text = rtl_of(design_of(path)).top.text
    assert "$system" not in text
    assert not any(line.endswith("\\") for line in text.splitlines())


@pytest.mark.parametrize("name", ["design", "bench", "config", "clk", "bs_matmul"])
def test_a_model_may_have_any_name(tmp_path: Path, name: str) -> None:
    builder = Builder([1, 4], "INT4")
    path = builder.save(tmp_path / f"{name}.onnx", builder.matmul("x", "table", np.ones((4, 2))))
    simulation_of(rtl_of(design_of(path)), BuildCache(), BuildLog())


def test_names_are_unique_in_the_whole_design(tmp_path: Path) -> None:
    """Both partitions read the value twice, so each has a duplicate of it."""
    builder = Builder([1, 4], "INT4")
    weights = np.eye(4)
    ends = [builder.matmul("x", name, weights) for name in ("a", "b")]
    total = builder.add("Add", ends, "s", [1, 4], "INT8")
    host = builder.add("Sin", [total], "t", [1, 4])
    host = builder.add("Round", [host], "x2", [1, 4], "INT4")
    first = builder.add("Add", [host, "x"], "c", [1, 4], "INT6")
    second = builder.add("Add", [first, "x"], "d", [1, 4], "INT8")
    front = design_of(builder.save(tmp_path / "m.onnx", total, second))
    names = [i.name for partition in front.design.partitions for i in partition.instances]
    assert len(front.design.partitions) > 1
    assert len(names) == len(set(names))


def test_the_fastest_design_inside_the_budget_is_found(tmp_path: Path) -> None:
    """Every threshold of cycles is tried: what fits is no matter of being larger."""
    target = get_target("ice40-up5k", PluginRegistry())
    rng = np.random.default_rng(0)

    def choice(interval: int, luts: int, brams: int) -> Choice:
        return Choice(None, interval, Resources(LUT=luts, BRAM=brams), luts / 5280 + brams / 30)

    for _ in range(200):
        options = []
        for _ in range(3):
            intervals = sorted(rng.choice(60, 4, replace=False) + 1)
            options.append(
                _frontier([
                    choice(int(i), int(rng.integers(10, 4000)), int(rng.integers(0, 20)))
                    for i in intervals
                ])
            )  # fmt: skip
        floor = max(choices[0].interval for choices in options)
        limits = sorted({c.interval for choices in options for c in choices if c.interval >= floor})
        fitting = []
        for limit in limits:
            total = sum((_cheapest(choices, limit).resources for choices in options), Resources())
            if total.LUT <= 0.7 * 5280 and total.BRAM <= 0.7 * 30:
                fitting.append(limit)
        assert _fastest_inside(options, target, 0.7) == (fitting[0] if fitting else None)


@pytest.mark.parametrize("cycles", [1, 3, 9, 11, 49, 197, 3999])
def test_the_best_speed_that_an_error_names_can_be_reached(cycles: int) -> None:
    best = math.floor(100e6 / cycles)
    assert cycles_for(best, 100.0) >= cycles
    assert cycles_for(100e6 / cycles, 100.0) == cycles


def test_a_node_that_reads_only_constants_is_the_same_in_every_frame(tmp_path: Path) -> None:
    """Without the transforms that fold constants it stays, beside the hardware."""
    builder = Builder([1, 4], "INT4")
    value = builder.matmul("x", "m0", np.eye(4))
    builder.constant("a", np.float32([[1, 2, 3, 4]]))
    side = builder.add("Neg", ["a"], "side", [1, 4])
    front = design_of(builder.save(tmp_path / "sides.onnx", value, side))
    inputs = {"x": np.arange(-4, 4).reshape(2, 1, 4)}
    values = run_design(front.design, front.compiled, inputs, reference)
    np.testing.assert_array_equal(values["side"], np.tile([[[-1, -2, -3, -4]]], (2, 1, 1)))
    np.testing.assert_array_equal(values["m0"], inputs["x"])
