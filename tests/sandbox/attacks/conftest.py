"""One stage for all attacks of a run, and a host that must stay as it is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.report import proof
from brainsmith.sandbox.zygotes import zygotes
from tests.sandbox.attacks import unchanged
from tests.sandbox.attacks.case import Attack, confined
from tests.sandbox.attacks.stage import Stage


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The targets. Zygotes start anew, as those of a host that has a secret already."""
    before = tempfile.tempdir
    tempfile.tempdir = str(tmp_path_factory.mktemp("temporary"))
    made = Stage(Path(tmp_path_factory.mktemp("attacks")) / "stage")
    zygotes.close()
    for level in (Level.L1, Level.L2, Level.L3, Level.L4):  # whose zygotes stay for all tests
        if not proof(level)[1]:
            confined(Attack(0, "answers:nothing", (), "CONTAIN"), made, level)
    yield made
    made.close()
    zygotes.close()
    tempfile.tempdir = before


@pytest.fixture
def host_stays(stage: Stage) -> Iterator[None]:
    """Fails where a test leaves this process as it was not."""
    stage.reset()
    before = unchanged.state()
    yield
    assert unchanged.state() == before


def needs(level: Level) -> None:
    """Skips a test where a level is not reached here."""
    _, why = proof(level)
    if why:
        pytest.skip(f"{level.name} is not reached here: {why}")
