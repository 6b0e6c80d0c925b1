"""Super-resolution (ESPCN, shipped with QONNX) on a crop of the image that comes with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import qonnx
from onnx import helper, numpy_helper

from brainsmith.compiler import CompilationResult, CompileOptions, Compiler

SHIPPED = Path(qonnx.__file__).parent / "data/onnx/bsd300x3-espcn"
SIZE = 10


def crop(size: int) -> np.ndarray:
    """The middle of the image: (1, 3, size, size) in [0, 1], multiples of 1/255."""
    tensor = onnx.load_tensor(SHIPPED / "test_data/input_0.pb")
    image = numpy_helper.to_array(tensor)
    start = (image.shape[-1] - size) // 2
    return image[..., start : start + size, start : start + size]


def espcn(variant: str, size: int, path: Path) -> Path:
    """The quantized network for images of another size, which nothing in it depends on."""
    proto = onnx.load(SHIPPED / variant / "quant_model.onnx")
    constants = {tensor.name for tensor in proto.graph.initializer}
    image = next(value for value in proto.graph.input if value.name not in constants)
    for dim in image.type.tensor_type.shape.dim[2:]:
        dim.dim_value = size
    del proto.graph.value_info[:]
    onnx.save(proto, path)
    return path


def reading_codes(path: Path) -> Path:
    """The model with an input of 8-bit codes, which it divides by 255 itself."""
    proto = onnx.load(path)
    graph = proto.graph
    constants = {tensor.name for tensor in graph.initializer}
    reals = next(value for value in graph.input if value.name not in constants)
    shape = [dim.dim_value for dim in reals.type.tensor_type.shape.dim]
    graph.input.remove(reals)
    graph.input.insert(0, helper.make_tensor_value_info("image", onnx.TensorProto.UINT8, shape))
    graph.initializer.append(numpy_helper.from_array(np.float32(255), "white"))
    graph.node.insert(0, helper.make_node("Cast", ["image"], ["levels"], to=onnx.TensorProto.FLOAT))
    graph.node.insert(1, helper.make_node("Div", ["levels", "white"], [reals.name]))
    onnx.save(proto, path)
    return path


def compiled(model: Path, image: np.ndarray, folder: Path) -> CompilationResult:
    np.save(folder / "image.npy", image)
    options = CompileOptions(
        target="xc7z020", target_fps=1_500, synthesize=False,
        verify_input=folder / "image.npy", output=folder / "build",
    )  # fmt: skip
    return Compiler().compile(model, options=options)


def assert_exact(result: CompilationResult, image: np.ndarray) -> None:
    """Every element that the accelerator computes is the reference's; the page shows both."""
    assert result.success, [c for c in result.report.verification.checks if not c.passed]
    assert result.report.verification.bit_exact
    before, after, difference = result.report.pictures
    levels = image[0].transpose(1, 2, 0)
    assert np.array_equal(before.pixels, np.rint(levels * (1 if image.dtype == np.uint8 else 255)))
    assert after.pixels.shape == (2 * SIZE, 2 * SIZE, 3)
    assert after.pixels.std() > 0
    assert not difference.pixels.any()


@pytest.mark.slow
def test_nearest_neighbour_variant_is_exact(tmp_path: Path) -> None:
    image = crop(SIZE)
    assert_exact(compiled(espcn("nn_resize", SIZE, tmp_path / "nn.onnx"), image, tmp_path), image)


@pytest.mark.slow
def test_subpixel_variant_is_exact_from_the_codes_of_the_image_on(tmp_path: Path) -> None:
    image = np.rint(crop(SIZE) * 255).astype(np.uint8)
    model = reading_codes(espcn("subpixel", SIZE, tmp_path / "subpixel.onnx"))
    result = compiled(model, image, tmp_path)
    assert_exact(result, image)
    assert "Conv_5.product" in {layer.node for layer in result.report.layers}
