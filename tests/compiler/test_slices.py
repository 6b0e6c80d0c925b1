"""How much of a node is simulated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from brainsmith.api import IntType, KernelConfig
from brainsmith.compiler.slices import (
    Bounds,
    cut_frames,
    places_in,
    slice_of,
    spread_frames,
    with_size,
)
from brainsmith.plugins import Component
from tests.comparison.conftest import registry_of


def operation(name: str) -> Component:
    return registry_of().get("operations", name)


def matmul(N: int, K: int, M: int, folding: dict[str, int]) -> KernelConfig:
    found = operation("matmul")
    dtypes = {"x": IntType.parse("UINT4"), "w": IntType.parse("INT4"), "y": IntType.parse("INT20")}
    return KernelConfig(
        node="n",
        nest=found.info.nest,
        dims={"N": N, "K": K, "M": M},
        dtypes=dtypes,
        ranges={port: (dtype.min, dtype.max) for port, dtype in dtypes.items()},
        statics={"w": np.arange(K * M).reshape(K, M) % 15 - 7},
        folding=folding,
    )


MATMUL = operation("matmul").instance


def test_a_node_inside_the_bounds_stays_whole() -> None:
    config = matmul(4, 16, 8, {"PE": 2, "SIMD": 4})
    assert slice_of(MATMUL, config, Bounds()) is config


def test_the_outer_loop_is_cut_first_and_no_further_than_needed() -> None:
    config = matmul(16, 16, 8, {"PE": 2, "SIMD": 4})  # 16 cycles a row, 9 frames
    part = slice_of(MATMUL, config, Bounds(cycles=9 * 16 * 5))
    assert dict(part.dims) == {"N": 4, "K": 16, "M": 8}
    assert part.folding == config.folding and part.cycles == 4 * 16


def test_then_the_outputs_with_their_weights_and_never_the_sums() -> None:
    config = matmul(16, 16, 8, {"PE": 2, "SIMD": 4})
    part = slice_of(MATMUL, config, Bounds(cycles=9 * 8))
    assert dict(part.dims) == {"N": 1, "K": 16, "M": 4}
    assert np.array_equal(part.static("w"), config.static("w")[:, :4])
    least = slice_of(MATMUL, config, Bounds(cycles=1))
    assert dict(least.dims) == {"N": 1, "K": 16, "M": 2}
    least.nest.check(least.dims, least.folding, "legal")


def test_memory_bounds_a_node_too() -> None:
    config = matmul(16, 16, 8, {"PE": 8, "SIMD": 16})
    part = slice_of(MATMUL, config, Bounds(bytes=8 * 9 * (16 + 8) * 2))
    assert dict(part.dims) == {"N": 2, "K": 16, "M": 8}


def test_frames_of_the_network_are_cut_like_the_node() -> None:
    config = matmul(6, 4, 8, {})
    frames = {"x": np.arange(2 * 6 * 4).reshape(2, 6, 4)}
    cut = cut_frames(with_size(config, "N", 2), frames)
    assert np.array_equal(cut["x"], frames["x"][:, :2])


def test_a_slice_computes_what_the_whole_node_computes_there() -> None:
    config = matmul(6, 4, 8, {"PE": 2})
    x = np.random.default_rng(0).integers(0, 16, (3, 6, 4))
    whole = MATMUL.reference(config, {"x": x})["y"]
    part = with_size(with_size(config, "N", 2), "M", 4)
    y = MATMUL.reference(part, cut_frames(part, {"x": x}))["y"]
    assert np.array_equal(y, whole[:, :2, :4])


def test_constants_that_are_no_port_stay_whole() -> None:
    config = matmul(6, 4, 8, {})
    config = replace(config, statics={**config.statics, "table": np.arange(6)})
    assert len(with_size(config, "N", 2).statics["table"]) == 6


def image(name: str, dims: dict[str, int], attributes: dict[str, int]) -> KernelConfig:
    dtype = IntType.parse("UINT4")
    return KernelConfig(
        node="n",
        nest=operation(name).info.nest,
        dims=dims,
        dtypes={"x": dtype, "y": dtype},
        ranges={"x": (0, 15), "y": (0, 15)},
        attributes=attributes,
    )


def windows() -> KernelConfig:
    """Rows 2 apart of windows that reach over 3 of 4 rows, in an image with a row to spare."""
    dims = {"H": 18, "W": 6, "OH": 8, "OW": 4, "KH": 2, "KW": 3, "C": 2}
    given = {"stride_h": 2, "stride_w": 1, "dilation_h": 2, "dilation_w": 1}
    return image("sliding_window", dims, given)


def test_windows_are_cut_with_the_rows_of_the_image_that_they_lie_in() -> None:
    config = windows()
    part = slice_of(operation("sliding_window").instance, config, Bounds(cycles=9 * 100))
    assert (part.dims["OH"], part.dims["H"], part.dims["OW"]) == (2, 5, 4)


def test_slices_of_windows_from_all_over_the_image_are_what_the_whole_node_computes() -> None:
    config, of = windows(), operation("sliding_window").instance
    part = slice_of(of, config, Bounds(cycles=9 * 100))
    x = np.random.default_rng(0).integers(0, 16, (1, 18, 6, 2))
    whole = of.reference(config, {"x": x})["y"]
    count = places_in(config, part)
    spread = spread_frames(of, config, part, {"x": x}, count)
    y = of.reference(part, spread)["y"]
    assert count == 4 and np.array_equal(y.reshape(1, 8, *whole.shape[2:]), whole)


def test_a_padded_image_is_cut_with_all_of_its_padding() -> None:
    of = operation("pad").instance
    dims = {"H": 16, "W": 5, "OH": 18, "OW": 7, "C": 1}
    config = image("pad", dims, {"top": 1, "left": 1, "value": 3})
    part = slice_of(of, config, Bounds(cycles=9 * 7 * 6))
    assert (part.dims["OH"], part.dims["H"]) == (6, 4)
    x = np.random.default_rng(0).integers(0, 16, (2, 16, 5, 1))
    spread = spread_frames(of, config, part, {"x": x}, 6)["x"]
    assert spread.shape == (6, 4, 5, 1)
    assert np.array_equal(spread[5], x[1, 12:16])
