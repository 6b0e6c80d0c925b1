"""Super-resolution (ESPCN, shipped with QONNX) on a crop of the image that comes with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.models import crop, espcn, reading_codes
from brainsmith.compiler import CompilationResult, CompileOptions, Compiler

SIZE = 10


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
