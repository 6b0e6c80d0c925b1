"""Where memories may live: ice40 has block RAM and registers, and no LUT RAM."""

import dataclasses

import pytest

from benchmarks import sweep_kernels, sweep_matmul, sweeps
from benchmarks.sweep_kernels import Point
from brainsmith.errors import ConfigurationError
from brainsmith.plugins import PluginRegistry
from brainsmith.toolchains.cache import BuildCache


@pytest.fixture(scope="module")
def registry():
    return PluginRegistry()


def _fifo(depth, style, family="ice40"):
    dtypes = {"x": "UINT4", "y": "UINT4"}
    params = {"depth": depth, "ram_style": style}
    return Point("FIFO", family, {"N": 1, "C": 16}, dtypes, {"PE": 4}, params)


def _thresholds(style):
    points = (point for point in sweep_kernels.points_of("Thresholding") if point.dims["T"] == 7)
    return dataclasses.replace(next(points), family="ice40", params={"ram_style": style})


def _matmul(style):
    return sweep_matmul.Point("ice40", 32, 8, 2, 4, "UINT2", "INT2", {"ram_style": style})


def test_a_fifo_in_lut_ram_is_refused_where_there_is_none(registry):
    instance = sweep_kernels.instance_of(_fifo(33, "distributed"), registry)
    for build in (instance.kernel.rtl, lambda config: instance.kernel.resources([config])):
        with pytest.raises(ConfigurationError, match="LUT RAM, of which ice40") as raised:
            build(instance.config)
        assert raised.value.where == instance.config.node
        assert "block" in raised.value.hint


@pytest.mark.parametrize("family", ["ecp5", "xc7", "xcup"])
def test_a_fifo_in_lut_ram_is_built_where_there_is_one(family, registry):
    instance = sweep_kernels.instance_of(_fifo(33, "distributed", family), registry)
    assert instance.kernel.rtl(instance.config).parameters["RAM_STYLE"] == "distributed"


def test_a_fifo_of_two_beats_has_no_memory_to_refuse(registry):
    instance = sweep_kernels.instance_of(_fifo(2, "distributed"), registry)
    assert instance.kernel.resources([instance.config])[0].BRAM == 0


@pytest.mark.slow
def test_every_other_style_maps_to_ice40(registry, tmp_path):
    small = [
        _fifo(5, "auto"), _fifo(33, "auto"), _fifo(5, "block"),
        _thresholds("distributed"), _thresholds("block"),
    ]  # fmt: skip
    instances = [sweep_kernels.instance_of(point, registry) for point in small]
    # Constants are no LUT RAM: they become logic.
    instances += [
        sweep_matmul.instance_of(_matmul(style), registry) for style in ("distributed", "block")
    ]
    measured = sweeps.measure(instances, BuildCache(tmp_path))
    block_rams = [instance.kernel.resources([instance.config])[0].BRAM for instance in instances]
    assert [figures["BRAM"] for figures in measured] == block_rams
    assert block_rams == [0, 1, 1, 0, 24, 1, 2]
