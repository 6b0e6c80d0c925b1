"""What the tests of resource models share: how near is near enough."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks import sweeps
from brainsmith.api import Resources
from brainsmith.compiler.design import Instance
from brainsmith.toolchains.cache import BuildCache

MEDIAN, WORST = 0.10, 0.25
# Mapping depends a little on what else is in the same call of the tool.
TOLERANCES = {"LUT": 0.05, "FF": 0.05, "DSP": 0, "BRAM": 0}


def relative_error(estimated: float, measured: float) -> float:
    """Relative, where a figure below 10 counts like 10: a LUT more is no fault of a model."""
    return abs(estimated - measured) / max(measured, 10)


def assert_near(
    estimates: Sequence[Resources], table: Sequence[tuple[Any, sweeps.Figures]]
) -> None:
    """Estimates of LUTs and flip-flops near the table's figures, of blocks equal to them."""
    for resource in ("LUT", "FF"):
        errors = [
            relative_error(getattr(estimate, resource), figures[resource])
            for estimate, (_, figures) in zip(estimates, table, strict=True)
        ]
        worst = int(np.argmax(errors))
        assert np.median(errors) <= MEDIAN, resource
        assert max(errors) <= WORST, (resource, table[worst], estimates[worst])
    for estimate, (point, figures) in zip(estimates, table, strict=True):
        assert (figures["DSP"], figures["BRAM"]) == (estimate.DSP, estimate.BRAM), point


def assert_measured_again(
    folder: str,
    instances: Sequence[Instance],
    sample: Sequence[tuple[Any, sweeps.Figures]],
    cache: BuildCache,
) -> None:
    """Synthesizes instances anew, which gives the table's figures of the sample."""
    if not sweeps.is_current(folder):
        pytest.skip("the table was measured with another version of the tool")
    for figures, (point, before) in zip(sweeps.measure(instances, cache), sample, strict=True):
        for resource, tolerance in TOLERANCES.items():
            expected = pytest.approx(before[resource], rel=tolerance, abs=3 * (tolerance > 0))
            assert figures[resource] == expected, (point, resource)
