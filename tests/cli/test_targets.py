"""`brainsmith targets`."""

from __future__ import annotations

from pathlib import Path
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


def test_a_broken_target_is_named_and_hides_no_other(
    brainsmith: Brainsmith, tmp_path: Path
) -> None:
    folder = tmp_path / "plugins/boards"
    folder.mkdir(parents=True)
    (folder / "brainsmith.yaml").write_text(
        "name: boards\nversion: 1.0.0\ntargets: [{name: mine, file: mine.yaml}]\n"
    )
    (folder / "mine.yaml").write_text("name: mine\nfamily: ecp5\nclock_mhz: fast\n")
    env = {"BRAINSMITH_PLUGIN_PATH": str(folder.parent), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    ran = brainsmith("targets", "--json", env=env)
    assert ran.code == 0
    assert "ecp5-85k" in {target["name"] for target in ran.json["targets"]}
    (broken,) = ran.json["broken"]
    assert broken["full_name"] == "boards:mine" and "clock_mhz" in broken["error"]["what"]
    assert "cannot be used: boards:mine" in brainsmith("targets", env=env).out
