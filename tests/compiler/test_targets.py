"""Targets are data."""

from __future__ import annotations

import pytest

from brainsmith.compiler.targets import get_target, list_targets
from brainsmith.errors import TargetError
from brainsmith.plugins import PluginRegistry


def test_the_families_that_are_promised_are_there() -> None:
    by_name = {target.name: target for target in list_targets()}
    for name in ("ecp5-25k", "ecp5-45k", "ecp5-85k", "ice40-up5k"):
        assert by_name[name].placeable
    assert {target.family for target in by_name.values()} == {"ecp5", "ice40", "xc7", "xcup"}


def test_an_unknown_target_names_the_nearest() -> None:
    with pytest.raises(TargetError, match="did you mean 'ecp5-85k'"):
        get_target("ecp5-85", PluginRegistry())
