"""`brainsmith targets`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Brainsmith


def test_the_targets_of_the_manifest_are_listed(brainsmith: Brainsmith) -> None:
    targets = {target["name"]: target for target in brainsmith("targets", "--json").json["targets"]}
    assert {"ecp5-25k", "ecp5-45k", "ecp5-85k", "ice40-up5k", "xc7z020"} <= set(targets)
    assert targets["ecp5-85k"]["placeable"]
    assert targets["ecp5-85k"]["resources"]["LUT"] == 83_640
    assert not targets["xc7z020"]["placeable"]


def test_people_get_a_table(brainsmith: Brainsmith) -> None:
    ran = brainsmith("targets")
    assert ran.code == 0
    assert "ecp5-85k" in ran.out
    assert "place and route" in ran.out
