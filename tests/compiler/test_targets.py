"""Targets are data."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.compiler.targets import Target, get_target, list_targets
from brainsmith.errors import PluginError, TargetError
from brainsmith.plugins import PluginRegistry


def test_the_families_that_are_promised_are_there() -> None:
    by_name = {target.name: target for target in list_targets()[0]}
    for name in ("ecp5-25k", "ecp5-45k", "ecp5-85k", "ice40-up5k"):
        assert by_name[name].placeable
    assert {target.family for target in by_name.values()} == {"ecp5", "ice40", "xc7", "xcup"}


TARGET = """\
from brainsmith.api import target

@target(name="my-board", description="A board of mine")
class MyBoard:
    family = "ecp5"
    clock_mhz = 50
    resources = {"LUT": 1000}
"""


def board_of(folder: Path, source: str) -> Target:
    """The target of a plugin whose only module is `source`."""
    (folder / "mine").mkdir(parents=True)
    (folder / "mine" / "boards.py").write_text(source)
    (folder / "mine" / "brainsmith.yaml").write_text(
        "name: mine\nversion: 1.0.0\ntargets: [{name: my-board, module: boards, class: MyBoard}]\n"
    )
    return get_target("my-board", PluginRegistry([folder], distributions=False, cached=False))


def test_a_target_can_be_a_class(tmp_path: Path) -> None:
    board = board_of(tmp_path, TARGET)
    assert (board.description, board.clock_mhz, board.placeable) == ("A board of mine", 50, False)


def test_a_class_without_a_field_of_a_target_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="the field 'clock_mhz' is missing"):
        board_of(tmp_path, TARGET.replace("clock_mhz", "clock"))


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ('{"LUTS": 1000}', "did you mean 'LUT'"),
        ('{"URAM": 4, "LUT": 1000}', "BRAM"),
        ('{"LUT": -1}', "greater than or equal to 0"),
    ],
)
def test_resources_that_nobody_counts_are_an_error(
    tmp_path: Path, resources: str, message: str
) -> None:
    with pytest.raises(PluginError, match="resources") as caught:
        board_of(tmp_path, TARGET.replace('{"LUT": 1000}', resources))
    assert message in str(caught.value)


def test_an_unknown_target_names_the_nearest() -> None:
    with pytest.raises(TargetError, match="did you mean 'ecp5-85k'"):
        get_target("ecp5-85", PluginRegistry())
