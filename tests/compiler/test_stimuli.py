"""What a layer is driven with when it is alone."""

from __future__ import annotations

import numpy as np

from brainsmith.api import IntType, KernelConfig
from brainsmith.compiler.stimuli import only_reachable, stimuli
from brainsmith.plugins import PluginRegistry


def test_what_no_input_leads_to_gives_way_to_frames_of_the_network() -> None:
    """The first channel reaches 7, the second one 1 alone, so their sum needs 4 bits."""
    operation = PluginRegistry().get("operations", "matmul")
    config = KernelConfig(
        node="m",
        nest=operation.info.nest,
        dims={"N": 1, "M": 1, "K": 2},
        dtypes={"x": IntType(3), "w": IntType(1), "y": IntType(4)},
        ranges={"x": (0, 7), "w": (1, 1), "y": (0, 8)},
        statics={"w": np.ones((2, 1), np.int64)},
    )
    frames = stimuli(operation.instance, config, np.random.default_rng(0), 40)
    assert frames["x"].sum(axis=-1).max() == 14
    network = np.array([[[7, 1]], [[3, 0]]])
    kept = only_reachable(operation.instance, config, frames, {"x": network})["x"]
    sums = kept.sum(axis=-1)
    assert (sums.min(), sums.max()) == (0, 8)
    inside = frames["x"].sum(axis=-1).reshape(-1) <= 8
    np.testing.assert_array_equal(kept[inside], frames["x"][inside])
