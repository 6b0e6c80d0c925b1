"""All attacks at once, without pytest: for hosts of another kind, and for the page of verdicts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from brainsmith.sandbox.levels import Level
from tests.sandbox.attacks.case import NOBODY, ROOT, confined, plain
from tests.sandbox.attacks.stage import Stage
from tests.sandbox.attacks.table import ATTACKS


def verdicts(levels: Iterable[Level]) -> dict[str, dict[str, str]]:
    """By level and by the name of an attack: the host's verdict."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder) / "stage")
        try:
            return {
                level.name: {
                    attack.name: confined(attack, stage, level).verdict for attack in ATTACKS
                }
                for level in levels
            }
        finally:
            stage.close()


def controls() -> dict[str, bool | None]:
    """By the name of an attack: whether its control arm succeeded; None where it cannot be run."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder) / "stage")
        try:
            return {
                attack.name: None
                if attack.control == NOBODY or (attack.control == ROOT and os.geteuid() != 0)
                else attack.effect in plain(attack, stage).effects
                for attack in ATTACKS
            }
        finally:
            stage.close()
