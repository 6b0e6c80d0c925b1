"""Models that more than one test reads."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tfc() -> Path:
    """The folder of the published network tfc-w1a1; the test is skipped where it is missing."""
    folder = ROOT.parent / "shared/models/tfc-w1a1"
    if not folder.is_dir():
        pytest.skip("needs ../shared/models/tfc-w1a1")
    return folder
