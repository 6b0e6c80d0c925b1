"""FIFO depths: from the stream model, and from simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.api import Runs
from brainsmith.compiler import CompileOptions, Compiler
from brainsmith.compiler.fifo import most_waiting
from brainsmith.compiler.result import CompilationResult
from brainsmith.errors import ConfigurationError
from tests.compiler.unet import unet


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), min_size=1, max_size=12),
    st.integers(0, 9),
)
def test_beats_that_wait_are_counted_over_frames(beats: list[tuple[int, int]], slack: int) -> None:
    arrived = np.cumsum([step for step, _ in beats])
    taken = np.maximum.accumulate(arrived + [late for _, late in beats] - np.arange(len(beats)))
    taken += np.arange(len(beats))
    interval = int(max(arrived[-1] - arrived[0], taken[-1] - taken[0])) + 1 + slack
    frames = interval * np.arange(9)[:, None]
    all_arrived, all_taken = (arrived + frames).ravel(), (taken + frames).ravel()
    present = np.searchsorted(all_arrived, all_taken, side="right") - np.arange(len(all_taken))
    steady = present[4 * len(beats) : 5 * len(beats)]
    found = most_waiting(Runs.of(arrived), Runs.of(taken), interval)
    assert found == (0 if (arrived == taken).all() else steady.max())


def compiled(folder: Path, fifo: str, **size: int) -> CompilationResult:
    path = folder / "unet.onnx"
    unet(**size).save(path)
    options = CompileOptions(
        target="xc7z020", synthesize=False, place=False, fifo=fifo, output=folder / fifo
    )
    return Compiler().compile(path, options=options)


@pytest.mark.slow
def test_skips_of_a_unet_are_nearly_as_short_as_can_be(tmp_path: Path) -> None:
    result = compiled(tmp_path, "exact", size=8, channels=2)
    assert result.success, [c for c in result.report.verification.checks if not c.passed]
    paces = [c for c in result.report.verification.checks if "no stall" in c.name]
    assert len(paces) == 1 and paces[0].passed
    into = [s for s in result.report.streams if s.sink.endswith("Concat")]
    skips = [s for s in into if s.source.startswith("Quant")]
    assert len(skips) == 2 and all(s.fifo_depth > 10 for s in skips)
    longest = max(skips, key=lambda s: s.fifo_depth)
    assert longest.fifo_depth <= longest.modelled_depth <= 1.1 * longest.fifo_depth
    assert all(s.fifo_depth <= s.modelled_depth for s in result.report.streams)


def test_depths_come_from_the_model_or_are_exact() -> None:
    with pytest.raises(ConfigurationError, match="fifo is 'exakt'"):
        CompileOptions(fifo="exakt")
