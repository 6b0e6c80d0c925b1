"""Layers alone, on what the network leads to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainsmith.compiler import CompileOptions, Compiler, reference
from brainsmith.compiler.frontend import front_end
from brainsmith.compiler.layers import check_each
from brainsmith.compiler.progress import Silent
from brainsmith.compiler.reference import reference as run_reference
from brainsmith.compiler.strategy import load_strategy
from brainsmith.compiler.targets import get_target
from brainsmith.plugins import PluginRegistry
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog

from .integer_models import mlp
from .test_convolutions import residual_network
from .test_design import design_of, rtl_of


def test_a_wrong_layer_is_named_with_its_first_wrong_element(tmp_path: Path) -> None:
    rtl = rtl_of(design_of(mlp(tmp_path / "m.onnx", (8, 8, 4))))
    (port,) = rtl.partition.inputs
    x = np.random.default_rng(0).integers(0, 16, (3, port.size))
    values = run_reference(rtl.partition, {port.value: x})
    (name,) = (m.instance.name for m in rtl.modules if m.instance.name.endswith("m0"))
    broken = [
        replace(m, files={file: _flipped(text) for file, text in m.files.items()})
        if m.instance.name == name
        else m
        for m in rtl.modules
    ]
    told: list[tuple[int, int]] = []
    runs = check_each(
        [replace(rtl, modules=tuple(broken))], values, 0, BuildCache(), BuildLog(),
        lambda done, total, _: told.append((done, total)),
    )  # fmt: skip
    wrong = {run.node: run.tally.first for run in runs if run.tally.wrong}
    assert list(wrong) == [name] and wrong[name].startswith(f"{name}.y, frame 0, element ")
    assert all(run.real >= 3 and run.stalled and not run.part for run in runs)
    assert told == [(i + 1, len(runs)) for i in range(len(runs))]


def _flipped(text: bytes) -> bytes:
    """A memory file whose words have other lowest bits."""
    words = (word[:-1] + (b"1" if word[-1:] == b"0" else b"0") for word in text.split())
    return b"\n".join(words) + b"\n"


def test_the_result_says_that_the_whole_design_was_not_simulated(tmp_path: Path) -> None:
    options = CompileOptions(synthesize=False, verify="layers", output=tmp_path / "build")
    result = Compiler().compile(mlp(tmp_path / "m.onnx", (8, 8, 4)), "balanced", options)
    assert result.success and result.verification.scope == "layers"
    assert result.accelerator is None
    assert result.metrics["initiation_interval"].source == "estimated"
    alone = [check.name for check in result.verification.checks if " alone, " in check.name]
    assert len(alone) == len(result.layers) and all("stalled too" in name for name in alone)


def test_a_reference_in_pieces_is_that_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    residual_network().save(tmp_path / "m.onnx")
    registry = PluginRegistry()
    strategy = load_strategy("balanced", registry).resolved(registry)
    target = get_target("xc7z020", registry)
    front = front_end(tmp_path / "m.onnx", strategy, target, registry, CompileOptions(), Silent())
    (partition,) = front.design.partitions
    (port,) = partition.inputs
    assert not port.signed and port.bits == 4
    x = np.random.default_rng(0).integers(0, 16, (3, port.size))
    whole = run_reference(partition, {port.value: x})
    monkeypatch.setattr(reference, "_ELEMENTS", 64)
    pieces = run_reference(partition, {port.value: x})
    assert whole.keys() == pieces.keys()
    assert all(np.array_equal(whole[name], pieces[name]) for name in whole)
