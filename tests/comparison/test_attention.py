"""The attention core that the qonnx package ships, its first product taken by a plugin."""

from __future__ import annotations

import shutil
from pathlib import Path

import onnx
import pytest
import qonnx

from brainsmith.comparison import compare
from brainsmith.comparison.summary import lines
from brainsmith.compiler.slices import MOST_CYCLES
from brainsmith.plugins.sync import sync
from tests.comparison.conftest import registry_of

PLUGIN = Path(__file__).parent / "data" / "attention"
CORE = Path(qonnx.__file__).parent / "data" / "onnx" / "matmul_update" / "sdp.onnx"
ANNOTATE = """\
from brainsmith.api import IntType, Model, transform

@transform(name="Annotate", stage="graph_optimization", version="1.0.0")
class Annotate:
    def apply(self, model: Model, config) -> Model:
        for name, dtype in {integers!r}.items():
            model.set_datatype(model.value(name), IntType.parse(dtype))
        return model
"""
INTEGERS = {
    **{f"onnx::Reshape_{i}": "INT4" for i in range(3)},
    "/Transpose_output_0": "INT4",
    "/Transpose_1_output_0": "INT4",
    "/MatMul_output_0": "INT13",
}


def quantised(folder: Path) -> Path:
    """The core with 4-bit queries, keys and values, as its author would annotate it."""
    model = onnx.load(CORE)
    for name, dtype in INTEGERS.items():
        annotation = model.graph.quantization_annotation.add(tensor_name=name)
        annotation.quant_parameter_tensor_names.add(key="finn_datatype", value=dtype)
    onnx.save(model, folder / "sdp.onnx")
    return folder / "sdp.onnx"


@pytest.mark.slow
def test_a_product_of_four_heads_is_simulated_on_one_of_them(tmp_path: Path) -> None:
    found = compare("attention-products", quantised(tmp_path), registry=registry_of(PLUGIN))
    assert found.exit_code == 0, found.problems
    (kernel,) = found.kernels
    (node,) = kernel.compared
    assert node.nodes == ("/MatMul",)
    assert node.dims == {"B": 4, "N": 64, "M": 64, "K": 32}
    assert MOST_CYCLES < 9 * 4 * 64 * 64 * 32 and node.slice == {"B": 1}
    assert node.rival is None and node.alone == "there is no built-in kernel for 'stream_matmul'"
    assert node.own.elements == 2 * 9 * 64 * 64 and node.own.mismatches == 0
    interval = node.own.interval
    assert interval is not None and interval.source == "estimated"
    assert interval.value == 4 * (32 * 64 + 64 * (32 + 64 * 32))
    assert "a slice of B=1 took 135168 cycles" in interval.reason
    assert node.own.resources["LUT"].value
    (refused,) = kernel.refused
    assert refused.node == "/MatMul_1" and "is a real number" in refused.reason
    assert str(lines(found)[-1]) == (
        "✓ Compatibility: 1 of 2 nodes of 'stream_matmul': bit-exact; 1 simulated on a slice"
    )


@pytest.mark.slow
def test_a_kernel_gets_the_nodes_that_the_plugin_s_own_transform_makes(tmp_path: Path) -> None:
    plugin = Path(shutil.copytree(PLUGIN, tmp_path / "attention"))
    integers = {name: dtype for name, dtype in INTEGERS.items() if name.startswith("/")}
    (plugin / "annotate.py").write_text(ANNOTATE.format(integers=integers))
    sync(plugin).write()
    found = compare("attention-products", CORE, registry=registry_of(plugin))
    assert found.exit_code == 0, found.problems
    assert found.notes == ("StreamProduct takes nodes after the plugin's transforms only",)
    (kernel,), (transform,) = found.kernels, found.transforms
    assert [node.nodes for node in kernel.compared] == [("/MatMul",)]
    assert transform.largest_difference == 0 and transform.nodes_before == transform.nodes_after
    assert transform.without is not None and transform.with_it is not None
    assert (transform.without.mapped, transform.with_it.mapped) == (0, 1)
