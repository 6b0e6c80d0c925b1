"""The resource models of the small kernels against what Yosys measured, and a sample anew."""

import dataclasses

import pytest

from benchmarks.sweep_kernels import FOLDERS, instance_of, read
from benchmarks.sweeps import FAMILIES
from brainsmith.plugins import PluginRegistry
from brainsmith.toolchains.cache import BuildCache
from tests.builtin.tables import assert_measured_again, assert_near


@pytest.fixture(scope="module")
def registry():
    return PluginRegistry()


def _estimates(kernel, points, registry):
    configs = [instance_of(point, registry).config for point in points]
    return registry.get("kernels", kernel).instance.resources(configs)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kernel", FOLDERS)
def test_the_model_is_near_the_table(kernel, family, registry):
    table = [(point, figures) for point, figures in read(kernel) if point.family == family]
    assert_near(_estimates(kernel, [point for point, _ in table], registry), table)


@pytest.mark.slow
def test_a_sample_measured_anew_is_near_the_table(registry, tmp_path):
    sample = [read(kernel)[index] for kernel in FOLDERS for index in (0, -1)]
    instances = [instance_of(point, registry) for point, _ in sample]
    assert_measured_again("fifo", instances, sample, BuildCache(tmp_path))


@pytest.mark.parametrize("family", ["ice40", "xcup"])
@pytest.mark.parametrize("kernel", FOLDERS)
def test_families_without_a_table_have_estimates_too(kernel, family, registry):
    points = [dataclasses.replace(point, family=family) for point, _ in read(kernel)]
    for estimate in _estimates(kernel, points, registry):
        assert estimate.LUT > 0
        assert estimate.FF > 0
        assert min(estimate.DSP, estimate.BRAM) >= 0
