"""`brainsmith explain` on the models that are there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Brainsmith

ROOT = Path(__file__).parent.parent.parent
DIGITS = ROOT / "examples" / "digits" / "digits.onnx"
MODELS = ROOT.parent / "shared" / "models"


def test_every_node_of_digits_is_taken_by_a_kernel(brainsmith: Brainsmith) -> None:
    nodes = brainsmith("explain", DIGITS, "--json").json["nodes"]
    assert [node["operation"] for node in nodes] == [
        *["matmul", "thresholding"] * 3, "matmul", "add", "label_select",
    ]  # fmt: skip
    assert all(node["kernel"] and node["reason"] is None for node in nodes)


def test_people_get_a_table(brainsmith: Brainsmith) -> None:
    ran = brainsmith("explain", DIGITS)
    assert ran.code == 0
    assert "all 9 layers in hardware" in ran.out


def test_what_no_kernel_takes_is_on_the_host_with_its_reason(
    brainsmith: Brainsmith, tmp_path: Path
) -> None:
    import onnx
    from onnx import TensorProto, helper

    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Softmax", ["x"], ["y"], "soft")], "g", [x], [y])
    onnx.save(helper.make_model(graph), tmp_path / "soft.onnx")
    ran = brainsmith("explain", tmp_path / "soft.onnx", "--json")
    (node,) = ran.json["nodes"]
    assert node["op_type"] == "Softmax"
    assert node["kernel"] is None
    assert node["reason"]


def test_an_unknown_strategy_names_the_nearest(brainsmith: Brainsmith) -> None:
    ran = brainsmith("explain", DIGITS, "--strategy", "ballanced", "--json")
    assert ran.code == 4
    assert "'balanced'" in ran.json["error"]["hint"]


@pytest.mark.skipif(not MODELS.is_dir(), reason="the published models are not here")
def test_the_published_network_is_taken_whole(brainsmith: Brainsmith) -> None:
    nodes = brainsmith("explain", MODELS / "tfc-w1a1" / "model.onnx", "--json").json["nodes"]
    assert sum(node["operation"] == "matmul" for node in nodes) == 4
    assert all(node["kernel"] for node in nodes)
