"""The matrix-vector unit in simulation: exact sums, exact cycles, at any stalls."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from brainsmith.api import IntType
from brainsmith.builtin.operations.matmul import MatMul
from brainsmith.compiler.codegen import project
from brainsmith.compiler.implement import implement
from brainsmith.plugins import PluginRegistry
from brainsmith.testing import KernelCase, check_kernel
from brainsmith.testing.simulating import Bench
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.verilator import build_simulation


def case(
    x: str,
    w: str,
    size: tuple[int, int, int],
    pe: int,
    simd: int,
    family: str = "ecp5",
    **params: int | str,
) -> KernelCase:
    """Random weights of the whole range of `w`; y as narrow as their sums allow."""
    N, K, M = size
    x_type, w_type = IntType.parse(x), IntType.parse(w)
    rng = np.random.default_rng(K * M + pe + simd)
    weights = rng.integers(w_type.min, w_type.max, (K, M), endpoint=True)
    if w_type.bipolar:
        weights = rng.integers(0, 2, (K, M)) * 2 - 1
    match = _Weights(weights)
    low, high = MatMul().infer(match, {"x": (x_type.min, x_type.max)})["y"]  # type: ignore[arg-type]
    return KernelCase(
        dims={"N": N, "K": K, "M": M},
        dtypes={"x": x, "w": w, "y": IntType.covering(low, high).name},
        folding={"PE": pe, "SIMD": simd},
        statics={"w": weights},
        params=params,
        family=family,
    )


class _Weights:
    def __init__(self, w: np.ndarray) -> None:
        self.statics = {"w": w}


CASES = {
    # every shape of the control: beats and passes of one and of several, one row and several
    "4 beats, 4 passes": case("INT4", "INT4", (1, 16, 8), 2, 4),
    "one beat, one pass": case("INT4", "INT4", (5, 6, 4), 4, 6),
    "one beat, several passes": case("UINT4", "INT3", (2, 6, 6), 2, 6),
    "several beats, one pass": case("INT4", "UINT4", (3, 12, 3), 3, 2),
    "no folding at all": case("INT3", "INT3", (1, 10, 6), 1, 1),
    "one output": case("INT4", "INT4", (1, 24, 1), 1, 3),
    "odd everything": case("INT5", "INT3", (3, 15, 7), 7, 5),
    "long vector, buffer in block RAM": case("INT2", "INT2", (1, 140, 4), 2, 2),
    # datatypes
    "bipolar": case("BIPOLAR", "BIPOLAR", (1, 49, 8), 4, 7),
    "bipolar, even, two lanes": case("BIPOLAR", "BIPOLAR", (2, 16, 4), 2, 2),
    "bipolar, one lane": case("BIPOLAR", "BIPOLAR", (1, 9, 3), 1, 1),
    "bipolar, unfolded": case("BIPOLAR", "BIPOLAR", (4, 21, 4), 4, 21),
    "bipolar inputs": case("BIPOLAR", "INT4", (1, 12, 4), 2, 4),
    "bipolar weights": case("UINT8", "BIPOLAR", (1, 12, 4), 2, 4),
    "ternary": case("INT2", "INT2", (1, 18, 4), 2, 9),
    "bits": case("UINT1", "UINT1", (1, 20, 4), 2, 10),
    "negative bits": case("INT1", "UINT1", (1, 20, 4), 2, 10),
    "bits by two": case("UINT1", "INT2", (1, 20, 4), 2, 10),
    "wide inputs": case("INT16", "INT4", (1, 8, 4), 2, 4),
    "wide weights": case("UINT3", "INT9", (1, 8, 4), 2, 4),
    "sixteen bits in LUTs": case("INT16", "UINT16", (1, 4, 4), 2, 2, multiplier="lut"),
    "sixteen bits in DSP blocks": case("UINT16", "INT16", (1, 8, 4), 2, 4, multiplier="dsp"),
    "unsigned": case("UINT8", "UINT8", (1, 8, 4), 2, 4),
    # LUTs of six inputs have other lane products and counters
    "six inputs, bipolar": case("BIPOLAR", "BIPOLAR", (1, 98, 4), 2, 49, "xc7"),
    "six inputs, bipolar, few lanes": case("BIPOLAR", "BIPOLAR", (2, 8, 4), 2, 4, "xc7"),
    "six inputs, bits": case("UINT1", "UINT1", (1, 40, 4), 2, 20, "xc7"),
    "six inputs, bits by two": case("UINT1", "INT2", (1, 20, 4), 2, 5, "xc7"),
    "six inputs, bipolar by bits": case("BIPOLAR", "UINT1", (1, 20, 4), 2, 10, "xc7"),
    "six inputs, four bits": case("INT4", "INT4", (1, 16, 8), 2, 4, "xc7"),
    "six inputs, eight bits": case("UINT8", "INT8", (1, 8, 4), 2, 4, "xc7", multiplier="lut"),
    # parameters
    "weights in block RAM": case("INT4", "INT4", (2, 16, 8), 2, 4, ram_style="block"),
    "block RAM, one beat": case("BIPOLAR", "BIPOLAR", (2, 9, 8), 2, 9, ram_style="block"),
    "a register in two levels": case("INT4", "INT4", (1, 22, 4), 2, 11, levels_per_stage=2),
    "a register in three levels": case("INT4", "INT4", (1, 22, 4), 2, 22, levels_per_stage=3),
    "popcount, a register in two levels": case(
        "BIPOLAR", "BIPOLAR", (1, 38, 4), 2, 19, levels_per_stage=2
    ),
}


@pytest.fixture(scope="module")
def results():
    return dict(zip(CASES, check_kernel("MatMul", list(CASES.values())), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_sums_interval_and_latency_are_exact(results, name: str) -> None:
    result = results[name]
    assert result.first_wrong is None
    assert result.interval == result.expected_interval
    assert result.latency == result.expected_latency


EVERY_SIGN = [(x, w) for x in ("INT4", "UINT4") for w in ("INT4", "UINT4")]


def test_the_logic_that_is_synthesized_multiplies_and_adds_as_the_simulated_product_does() -> None:
    """Digits and adders are written twice: here those for synthesis meet all pairs of operands."""
    registry = PluginRegistry()
    bench = Bench.of(registry.get("kernels", "MatMul"), registry)
    every = np.arange(256)
    modules = implement(
        [
            bench.instance(pairs(x, w, family), index)
            for index, (x, w, family) in enumerate(
                (x, w, family) for family in ("ecp5", "xc7") for x, w in EVERY_SIGN
            )
        ]
    )
    simulation = build_simulation(
        project(modules), [m.unit for m in modules], cache=BuildCache(), options=["-DSYNTHESIS"]
    )
    inputs = {}
    for module in modules:
        lo, hi = module.instance.config.ranges["x"]
        values = np.arange(lo, hi + 1)
        inputs[module.instance.name] = np.stack([values[every % 16], values[every // 16]], axis=1)
    runs = simulation.run(
        {name: {"x": array} for name, array in inputs.items()},
        frames_out={name: {"y": 32} for name in inputs},
    )
    for module in modules:
        name, config = module.instance.name, module.instance.config
        assert np.array_equal(runs[name].outputs["y"], inputs[name] @ config.statics["w"])


def pairs(x: str, w: str, family: str) -> KernelCase:
    """Products with every weight alone in each lane, and a sum of two lanes: 16 of each."""
    dtype = IntType.parse(w)
    values = np.arange(dtype.min, dtype.max + 1)
    weights = np.stack([np.r_[values, values], np.r_[0 * values, values[::-1]]])
    made = case(x, w, (1, 2, 32), 4, 2, family, multiplier="lut")
    x_type = IntType.parse(x)
    low, high = MatMul().infer(_Weights(weights), {"x": (x_type.min, x_type.max)})["y"]  # type: ignore[arg-type]
    return dataclasses.replace(
        made,
        dtypes={**made.dtypes, "y": IntType.covering(low, high).name},
        statics={"w": weights},
    )
