"""Runs a kernel over many configurations, and says what was wrong with each that failed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brainsmith.testing import KernelCase, check_kernel


def assert_exact(kernel: str, cases: Sequence[KernelCase]) -> None:
    """Values, interval and latency of every case are those of reference and model."""
    failures = [
        f"{result.case.folding} {dict(result.case.dims)} {dict(result.case.dtypes)} "
        f"{dict(result.case.params)}: {result.mismatches} wrong, first {result.first_wrong}; "
        f"interval {result.interval} for {result.expected_interval}; "
        f"latency {result.latency} for {result.expected_latency}"
        for result in check_kernel(kernel, cases)
        if not result.passed
    ]
    assert not failures, "\n".join(failures)


def ascending(rng: np.random.Generator, channels: int, count: int, low: int, high: int):
    """Random thresholds of shape (channels, count), ascending per channel, ties included."""
    return np.sort(rng.integers(low, high, (channels, count), endpoint=True), axis=1)
