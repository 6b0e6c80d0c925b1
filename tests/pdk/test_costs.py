"""What the templates of kernels say that they cost, beside what synthesis measures."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from brainsmith.pdk.answers import checked
from brainsmith.pdk.create import create
from brainsmith.testing import KernelCase, benchmark

WEIGHTS = np.random.default_rng(0).integers(-8, 8, (16, 8))


def matmul(x: str, y: str, family: str) -> KernelCase:
    return KernelCase(
        dims={"N": 1, "M": 8, "K": 16},
        dtypes={"x": x, "w": "INT4", "y": y},
        folding={"PE": 2, "SIMD": 4},
        statics={"w": WEIGHTS},
        family=family,
    )


def mul(a: str, y: str, family: str) -> KernelCase:
    return KernelCase(
        dims={"N": 1, "C": 16},
        dtypes={"a": a, "b": "INT4", "y": y},
        folding={"PE": 8},
        statics={"b": WEIGHTS[:, 0]},
        family=family,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operation", "case"),
    [
        ("matmul", matmul("UINT4", "INT12", "ecp5")),
        ("matmul", matmul("UINT8", "INT16", "ice40")),
        ("mul", mul("INT4", "INT8", "xc7")),
    ],
    ids=lambda value: value if isinstance(value, str) else value.family,
)
def test_the_estimate_is_near_the_synthesis(
    operation: str, case: KernelCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(
        checked(f"costs-{operation}", "kernel", operation, "Ada", "MIT", "Costs"), tmp_path / "new"
    )
    monkeypatch.syspath_prepend(tmp_path / "new" / "src")
    module = importlib.import_module(f"costs_{operation}.kernel")
    figures = benchmark(getattr(module, f"Costs{operation.capitalize()}"), case)
    measured, estimated = figures.resources, figures.estimated
    assert measured.DSP == estimated.DSP and measured.BRAM == estimated.BRAM == 0
    for name in ("LUT", "FF"):
        ratio = (getattr(estimated, name) + 20) / (getattr(measured, name) + 20)
        assert 0.5 < ratio < 2, f"{name}: {estimated}, measured {measured}"
