"""A small network to a bitstream, for a board that a plugin brings; its netlist answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainsmith import CompileOptions, Compiler, PluginRegistry
from brainsmith.compiler.on_board import BoardAccelerator, BoardSimulation
from brainsmith.plugins.places import builtin_folder
from tests.compiler.integer_models import Builder

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
FRAMES = 3


@pytest.mark.slow
def test_the_netlist_of_the_whole_board_answers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    network = Builder([1, 6], "UINT3")
    network.matmul("x", "y", rng.integers(-8, 8, (6, 4)))
    model = network.save(tmp_path / "small.onnx", "y")
    registry = PluginRegistry([EXAMPLES, builtin_folder()], distributions=False, cached=False)
    options = CompileOptions(target="icebreaker", output=tmp_path / "build", verify_netlist=False)
    result = Compiler(registry).compile(model, "area", options)
    assert result.success
    assert result.metrics["fmax_mhz"].value >= 24
    # The preamble that every iCE40 bitstream starts with, behind its comment.
    assert b"\x7e\xaa\x99\x7e" in result.artifacts["bitstream"].read_bytes()[:200]

    frames = rng.integers(0, 8, (FRAMES, 1, 6))
    expected = result.accelerator.run(frames)
    simulation = BoardSimulation.of(tmp_path / "build", netlist=True)
    with (
        simulation.running() as board,
        BoardAccelerator.open(tmp_path / "build", board.port) as accelerator,
    ):
        np.testing.assert_array_equal(accelerator.run(frames), expected)
        assert accelerator.status.answers == FRAMES
