"""From an integer model to a design that simulates as its stream model says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brainsmith.compiler import CompilationStrategy, CompileOptions
from brainsmith.compiler.codegen import Rtl, generate
from brainsmith.compiler.frontend import FrontEnd, front_end
from brainsmith.compiler.host import run_design
from brainsmith.compiler.implement import implement
from brainsmith.compiler.progress import Silent
from brainsmith.compiler.reference import reference
from brainsmith.compiler.simulate import check_partition, simulation_of
from brainsmith.compiler.targets import get_target
from brainsmith.errors import ConfigurationError, TargetError
from brainsmith.plugins import PluginRegistry
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog

from .integer_models import branches, mlp

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
    return generate(partition, [implement(i) for i in partition.instances])


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
