"""The resource models of the small kernels against what Yosys measured, and a sample anew."""

import dataclasses
import json

import numpy as np
import pytest

from benchmarks.sweep_kernels import FAMILIES, FOLDERS, KERNELS, instance_of, measure, read
from brainsmith.plugins import PluginRegistry
from brainsmith.toolchains import tools


@pytest.fixture(scope="module")
def registry():
    return PluginRegistry()


def _error(estimated, measured):
    """Relative, where a figure below 10 counts like 10."""
    return abs(estimated - measured) / max(measured, 10)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kernel", FOLDERS)
def test_the_model_is_near_the_table(kernel, family, registry):
    table = [(point, figures) for point, figures in read(kernel) if point.family == family]
    configs = [instance_of(point, registry).config for point, _ in table]
    estimates = registry.get("kernels", kernel).instance.resources(configs)
    for resource in ("LUT", "FF"):
        errors = [
            _error(getattr(estimate, resource), figures[resource])
            for estimate, (_, figures) in zip(estimates, table, strict=True)
        ]
        worst = table[int(np.argmax(errors))]
        assert np.median(errors) <= 0.10, resource
        assert max(errors) <= 0.25, (resource, worst, estimates[int(np.argmax(errors))])
    for estimate, (point, figures) in zip(estimates, table, strict=True):
        assert (figures["DSP"], figures["BRAM"]) == (estimate.DSP, estimate.BRAM), point


@pytest.mark.slow
def test_a_sample_measured_anew_is_near_the_table(registry):
    sample = [read(kernel)[index] for kernel in FOLDERS for index in (0, -1)]
    table = json.loads((KERNELS / "fifo" / "measured.json").read_text())
    tool = tools.yosys()
    if table["tool"] != f"{tool.name} {tool.version}":
        pytest.skip(f"the table was measured with {table['tool']}")
    # Mapping depends a little on what else is in the same call of the tool.
    for figures, (point, before) in zip(
        measure([point for point, _ in sample], registry), sample, strict=True
    ):
        for resource, tolerance in (("LUT", 0.05), ("FF", 0.05), ("DSP", 0), ("BRAM", 0)):
            expected = pytest.approx(before[resource], rel=tolerance, abs=3 * (tolerance > 0))
            assert figures[resource] == expected, (point, resource)


@pytest.mark.parametrize("family", ["ice40", "xcup"])
@pytest.mark.parametrize("kernel", FOLDERS)
def test_families_without_a_table_have_estimates_too(kernel, family, registry):
    points = [dataclasses.replace(point, family=family) for point, _ in read(kernel)]
    configs = [instance_of(point, registry).config for point in points]
    for estimate in registry.get("kernels", kernel).instance.resources(configs):
        assert estimate.LUT > 0
        assert estimate.FF > 0
        assert min(estimate.DSP, estimate.BRAM) >= 0
