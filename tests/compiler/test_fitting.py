"""The fastest folding that fits: estimated, measured, corrected."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.api import Resources
from brainsmith.compiler import CompilationResult, CompileOptions, Compiler
from brainsmith.compiler.fitting import MOST_TRIES, fastest_that_fits
from brainsmith.compiler.frontend import FrontEnd, design_of, mapped_to_hardware
from brainsmith.compiler.progress import Silent
from brainsmith.compiler.strategy import load_strategy
from brainsmith.compiler.targets import get_target
from brainsmith.errors import TargetError
from brainsmith.plugins import PluginRegistry
from brainsmith.report.records import FitRecord

from .integer_models import mlp

WIDTHS = (128, 128, 64, 10)


def fitted(model: Path, folder: Path, **options: object) -> CompilationResult:
    given = {"target": "ice40-up5k", "synthesize": False, "verify": False, **options}
    return Compiler().compile(
        model,
        "balanced",
        CompileOptions(output=folder / "build", **given),  # type: ignore[arg-type]
    )


def test_the_whole_device_is_used_for_the_fastest_design(tmp_path: Path) -> None:
    model = mlp(tmp_path / "m.onnx", WIDTHS)
    slow, fast = fitted(model, tmp_path), fitted(model, tmp_path, fit=True)
    assert all(u.used <= u.available for u in fast.report.utilisation)
    pace = [result.metrics["initiation_interval"].value for result in (slow, fast)]
    assert pace[1] < pace[0]  # type: ignore[operator]
    assert fast.report.fit is not None and fast.report.fit.tries[0].measured is None


def search(model: Path, wrong_by: float) -> FitRecord:
    """With a synthesis that finds `wrong_by` times what is estimated."""
    registry = PluginRegistry()
    target = get_target("ice40-up5k", registry)
    strategy = load_strategy("balanced", registry).resolved(registry)
    options = CompileOptions(target=target.name)
    found = mapped_to_hardware(model, strategy, target, registry, options, Silent())

    def measure(front: FrontEnd) -> dict[str, Resources]:
        return {
            name: Resources(r.LUT * wrong_by, r.FF * wrong_by, r.DSP, r.BRAM)
            for name, r in front.estimates.items()
        }

    return fastest_that_fits(
        found.mapping.mapped, target, {},
        lambda nodes: design_of(found, nodes, model, strategy, registry, target.family), measure,
    )[1]  # fmt: skip


@pytest.mark.parametrize("wrong_by", [1.0, 1.3, 0.5])
def test_a_wrong_estimate_is_corrected_by_what_was_measured(
    tmp_path: Path, wrong_by: float
) -> None:
    record = search(mlp(tmp_path / "m.onnx", WIDTHS), wrong_by)
    chosen = record.tries[record.chosen]
    assert chosen.fits and len(record.tries) <= MOST_TRIES
    assert all(one.interval >= chosen.interval for one in record.tries if one.fits)
    if wrong_by > 1:
        assert not record.tries[0].fits


def test_a_design_that_fits_nowhere_on_the_device_says_what_would_help(tmp_path: Path) -> None:
    model = mlp(tmp_path / "m.onnx", (512, 512, 256))
    with pytest.raises(TargetError) as caught:
        fitted(model, tmp_path, synthesize=True)
    assert "too many" in caught.value.what and "MatMul_m0" in caught.value.what
    assert caught.value.hint and "--fit" in caught.value.hint
