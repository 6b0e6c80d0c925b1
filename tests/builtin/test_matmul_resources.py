"""The resource model of the matrix-vector unit against what Yosys measured, and a sample anew."""

import dataclasses

import pytest

from benchmarks.sweep_matmul import FOLDER, instance_of, read
from benchmarks.sweeps import FAMILIES
from brainsmith.plugins import PluginRegistry
from brainsmith.toolchains.cache import BuildCache
from tests.builtin.tables import assert_measured_again, assert_near


@pytest.fixture(scope="module")
def registry():
    return PluginRegistry()


def _estimates(points, registry):
    configs = [instance_of(point, registry).config for point in points]
    return registry.get("kernels", "MatMul").instance.resources(configs)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_model_is_near_the_table(family, registry):
    table = [(point, figures) for point, figures in read() if point.family == family]
    assert_near(_estimates([point for point, _ in table], registry), table)


@pytest.mark.slow
def test_a_sample_measured_anew_is_near_the_table(registry, tmp_path):
    small = [(point, figures) for point, figures in read() if figures["LUT"] < 300]
    sample = small[:: len(small) // 4]
    assert {point.family for point, _ in sample} == set(FAMILIES)
    instances = [instance_of(point, registry) for point, _ in sample]
    assert_measured_again(FOLDER, instances, sample, BuildCache(tmp_path))


def test_xcup_is_taken_for_xc7(registry):
    points = [point for point, _ in read() if point.family == "xc7"]
    there = [dataclasses.replace(point, family="xcup") for point in points]
    assert _estimates(there, registry) == _estimates(points, registry)
