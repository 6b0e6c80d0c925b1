"""`brainsmith test-plugin`, as people and programs meet it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.comparison.conftest import WRONG_SIGN, write_tiny
from tests.compiler.integer_models import mlp

if TYPE_CHECKING:
    from conftest import Brainsmith

FOLDING = '{"MatMul_m0": {"PE": 2, "SIMD": 3}, "MatMul_m1": {"PE": 2, "SIMD": 2}}'
ON_SMALL = ("--target", "ice40-up5k", "--folding", "folding.json")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "folding.json").write_text(FOLDING)
    return mlp(tmp_path / "m.onnx")


@pytest.mark.slow
def test_people_get_a_table_and_the_summary(
    brainsmith: Brainsmith, model: Path, tmp_path: Path
) -> None:
    write_tiny(tmp_path / "brainsmith_plugins" / "tiny")
    ran = brainsmith("test-plugin", "tiny", "--model", model, *ON_SMALL)
    assert ran.code == 0, ran.err
    for text in (
        "tiny 0.1.0 on m.onnx, ice40-up5k, strategy balanced",
        "PE 2 · SIMD 3",
        "✓ Performance: as fast as MatMul (28 against 28 cycles a frame, measured)",
        "Resource usage: ",
        "✓ Compatibility: 2 of 2 nodes of 'matmul': bit-exact",
    ):
        assert text in ran.out, text


@pytest.mark.slow
def test_programs_get_one_object(brainsmith: Brainsmith, model: Path, tmp_path: Path) -> None:
    write_tiny(tmp_path / "brainsmith_plugins" / "tiny")
    value = brainsmith("test-plugin", "tiny", "--model", model, *ON_SMALL, "--json").json
    assert value["success"] is True and value["exit_code"] == 0 and len(value["summary"]) == 3
    assert value["sandbox"]["plugins"][0]["plugin"].startswith("tiny")
    (kernel,) = value["kernels"]
    (first, _) = kernel["compared"]
    assert first["nodes"] == ["MatMul_m0"] and first["rival"]["kernel"] == "brainsmith:MatMul"
    assert first["own"]["interval"] == {
        "value": 16, "unit": "cycles", "source": "measured", "reason": "",
    }  # fmt: skip


@pytest.mark.slow
def test_wrong_values_end_with_exit_code_8(
    brainsmith: Brainsmith, model: Path, tmp_path: Path
) -> None:
    write_tiny(tmp_path / "mine", WRONG_SIGN)
    ran = brainsmith("test-plugin", "./mine", "--model", model, *ON_SMALL)
    assert ran.code == 8
    assert "elements are wrong; the first: y, frame 0" in ran.out
    assert "all of them are in lane 1 of 2 of y" in ran.out
    assert "✗ Compatibility: 0 of 2 nodes" in ran.out


def test_a_plugin_that_takes_nothing_ends_with_exit_code_4(
    brainsmith: Brainsmith, tmp_path: Path
) -> None:
    write_tiny(tmp_path / "brainsmith_plugins" / "tiny")
    small = mlp(tmp_path / "small.onnx", (3, 3))
    ran = brainsmith("test-plugin", "tiny", "--model", small, "--json")
    assert ran.code == 4 and ran.json["error"]["kind"] == "ConfigurationError"
    assert "min_size is 16, the node has 9" in ran.json["error"]["hint"]


def test_a_parameter_needs_a_value(brainsmith: Brainsmith, model: Path) -> None:
    ran = brainsmith("test-plugin", "tiny", "--model", model, "--config", "rom_style")
    assert ran.code == 2 and "write it like NAME=VALUE" in ran.err
