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
    tables = [read(kernel) for kernel in FOLDERS]
    sample = [table[index] for table in tables for index in (0, len(table) // 2, -1)]
    assert {point.family for point, _ in sample} == set(FAMILIES)
    instances = [instance_of(point, registry) for point, _ in sample]
    assert_measured_again("fifo", instances, sample, BuildCache(tmp_path))


@pytest.mark.parametrize("kernel", FOLDERS)
def test_xcup_is_taken_for_xc7(kernel, registry):
    points = [point for point, _ in read(kernel) if point.family == "xc7"]
    there = [dataclasses.replace(point, family="xcup") for point in points]
    assert _estimates(kernel, there, registry) == _estimates(kernel, points, registry)
