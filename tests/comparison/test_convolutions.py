"""A convolutional network that the qonnx package ships: a plugin takes products of its layers."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import qonnx

from brainsmith.comparison import compare
from brainsmith.comparison.summary import lines
from brainsmith.compiler.slices import Bounds
from tests.comparison.conftest import Tiny

ESPCN = Path(qonnx.__file__).parent / "data/onnx/bsd300x3-espcn/subpixel/quant_model.onnx"
CROP = 8
# Of the three integer layers the last alone, which is quick to synthesise, has as few channels.
FEW = ('"min_size": 16,', '"min_size": 16, "max_M": 16,')


def cropped(folder: Path) -> Path:
    """The network for images of 8 by 8 pixels."""
    model = onnx.load(ESPCN)
    for dim in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        dim.dim_value = CROP
    del model.graph.value_info[:]
    for dim in model.graph.output[0].type.tensor_type.shape.dim[2:]:
        dim.dim_value = 2 * CROP
    onnx.save(model, folder / "espcn.onnx")
    return folder / "espcn.onnx"


@pytest.mark.slow
def test_the_product_of_a_convolution_is_simulated_on_some_of_its_windows(
    tiny: Tiny, tmp_path: Path
) -> None:
    found = compare("tiny", cropped(tmp_path), registry=tiny(FEW), bounds=Bounds(cycles=30_000))
    assert found.exit_code == 0, found.problems
    (kernel,) = found.kernels
    (node,) = kernel.compared
    assert node.nodes == ("Conv_41.product",) and node.passed
    assert node.dims == {"N": CROP * CROP, "M": 12, "K": 32 * 3 * 3}
    assert node.slice is not None and 0 < node.slice["N"] < CROP * CROP
    assert node.rival is not None and node.rival.kernel.endswith(":MatMul")
    assert node.own.elements == node.rival.elements > 0
    for run in (node.own, node.rival):
        assert run.mismatches == 0 and run.resources["LUT"].value
        assert run.interval is not None and run.interval.source == "estimated"
    refused = {one.node: one.reason for one in kernel.refused}
    assert refused == {
        "Conv_17.product": "max_M is 16, the node has 64",
        "Conv_29.product": "max_M is 16, the node has 32",
    }
    assert str(lines(found)[-1]) == (
        "✓ Compatibility: 1 of 3 nodes of 'matmul': bit-exact; 1 simulated on a slice"
    )
