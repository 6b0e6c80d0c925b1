"""Well-known networks: what docs/networks.md says of them, and whether they stay the same."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import pytest

from brainsmith.compiler.faithful import check_faithful
from brainsmith.model.execution import Executor
from tests.light import NAMES, light
from tests.survey import mapped, survey
from tools.network_table import TITLES, operations, overview

PAGE = Path(__file__).parent.parent / "docs" / "networks.md"

pytestmark = pytest.mark.skipif(not NAMES, reason="onnx comes without its light models")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["squeezenet", "resnet50"])
def test_the_table_of_networks_is_true(name: str, tmp_path: Path) -> None:
    found, page = survey(name, 8, tmp_path), PAGE.read_text()
    assert overview(found) in page
    section = re.split(r"\n## ", page.split(f"## {TITLES[name]}\n", 1)[1])[0]
    assert "\n".join(operations(found)) in section
    for op_type in ("Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "Sum", "Concat"):
        assert found.on_host(op_type) == 0
    assert found.parts == 1


@pytest.mark.slow
def test_a_mapped_network_is_faithful(tmp_path: Path) -> None:
    """With 4 bits its sums are exact in float32, so the compiled model's own nodes give them."""
    path, image = tmp_path / "model.onnx", 48
    onnx.save(light("squeezenet", image=image), path)
    found = mapped(path, 4)
    frame = np.random.default_rng(2).normal(size=(1, 3, image, image)).astype(np.float32)
    (source,) = (value.name or "" for value in found.original.graph.inputs)
    made = {v.name for node in found.compiled.graph for v in node.outputs}
    names = [key for key in found.compiled.origins if key in made]
    seen = Executor(found.compiled, keep=names).run({source: frame})
    values = {key: seen[key][None].astype(np.int64) for key in names}
    report = check_faithful(found.original, found.compiled, {source: frame[None]}, values)
    assert report.ok, [layer for layer in report.layers if layer.errors]
    assert report.codes > 0 and report.ambiguous <= report.codes // 1000
    convolutions = sum(node.op_type == "Conv" for node in found.original.graph)
    assert sum(layer.kind == "sums" for layer in report.layers) >= convolutions
