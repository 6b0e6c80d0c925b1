"""`brainsmith manifest`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from brainsmith.plugins.schema import json_schema, reference

if TYPE_CHECKING:
    from conftest import Brainsmith

MANIFEST = "# mine\nname: mine\nversion: 1.0.0\nlicense: MIT\n"
SOURCE = """\
from brainsmith.api import transform

@transform(name="Mine", stage="graph_cleanup")
class Mine:
    def apply(self, model, config): ...
"""
DOCS = Path(__file__).parent.parent.parent / "docs" / "cli.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "brainsmith.yaml").write_text(MANIFEST)
    (tmp_path / "mine.py").write_text(SOURCE)
    return tmp_path


def test_sync_checks_and_writes(brainsmith: Brainsmith, folder: Path) -> None:
    ran = brainsmith("manifest", "sync", "--check")
    assert ran.code == 5
    assert "+    module: mine" in ran.out
    assert (folder / "brainsmith.yaml").read_text() == MANIFEST
    ran = brainsmith("manifest", "sync", "--json")
    assert ran.code == 0
    assert ran.json["written"]
    assert ran.json["components"]["transforms"] == 1
    assert (folder / "brainsmith.yaml").read_text().startswith(MANIFEST)
    ran = brainsmith("manifest", "sync", folder, "--check", "--json")
    assert ran.code == 0
    assert ran.json["agrees"]
    assert ran.json["difference"] == ""


def test_a_wrong_decorator_is_an_error_with_its_line(brainsmith: Brainsmith, folder: Path) -> None:
    (folder / "mine.py").write_text(SOURCE.replace('"graph_cleanup"', "STAGE"))
    ran = brainsmith("manifest", "sync", "--json")
    assert ran.code == 5
    assert ran.json["error"]["what"] == "'stage' of @transform is no literal"
    assert ran.json["error"]["where"] == "mine.py:3"


def test_check_names_everything_at_once(brainsmith: Brainsmith, folder: Path) -> None:
    ran = brainsmith("manifest", "check")
    assert ran.code == 5
    assert "does not say what the decorators say" in ran.out
    (folder / "brainsmith.yaml").write_text(MANIFEST + "kernals: []\ntags: 3\n")
    ran = brainsmith("manifest", "check", "brainsmith.yaml", "--json")
    assert ran.code == 5
    assert [flaw["where"] for flaw in ran.json["flaws"]] == [
        "brainsmith.yaml:5",
        "brainsmith.yaml:6",
    ]
    assert ran.json["flaws"][0]["hint"] == "did you mean 'kernels'?"


def test_a_warning_is_no_failure(brainsmith: Brainsmith, folder: Path) -> None:
    brainsmith("manifest", "sync")
    manifest = folder / "brainsmith.yaml"
    manifest.write_text(manifest.read_text().replace("license: MIT\n", ""))
    ran = brainsmith("manifest", "check")
    assert ran.code == 0
    assert ran.out.startswith("warning: the plugin has no licence")


def test_the_schema_is_json_with_and_without_the_option(brainsmith: Brainsmith) -> None:
    assert brainsmith("manifest", "schema").json == json_schema()
    assert brainsmith("manifest", "schema", "--json").json == json_schema()


def test_the_reference_is_markdown(brainsmith: Brainsmith) -> None:
    assert brainsmith("manifest", "reference").out == reference() + "\n"


@pytest.mark.parametrize("command", ["sync", "check", "schema", "reference"])
def test_every_command_and_option_is_documented(brainsmith: Brainsmith, command: str) -> None:
    ran = brainsmith("manifest", command, "--help")
    assert ran.code == 0
    page = DOCS.read_text(encoding="utf-8")
    assert f"`brainsmith manifest {command}" in page
    for option in set(re.findall(r"--[a-z][a-z-]+", ran.out)) - {"--help"}:
        assert f"`{option}" in page
