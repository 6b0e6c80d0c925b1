"""`brainsmith install`, `uninstall`, `lock` and `verify`, as people and programs meet them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from brainsmith.plugins.packing import write_archive

if TYPE_CHECKING:
    from conftest import Brainsmith


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    folder = tmp_path / "source/lens"
    (folder / "src/lens").mkdir(parents=True)
    (folder / "brainsmith.yaml").write_text(
        "name: lens\nversion: 1.0.0\ndependencies: [there-is-no-such-package>=7]\n"
    )
    (folder / "src/lens/kernel.py").write_text("raise SystemExit('this ran')\n")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has nothing yet."""
    folders = ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    return {name: str(tmp_path / "home" / name.lower()) for name in folders}


def test_from_a_package_to_a_changed_file(
    brainsmith: Brainsmith, plugin: Path, home: dict[str, str], tmp_path: Path
) -> None:
    digest = write_archive(plugin, tmp_path / "lens.bspkg")
    installed = brainsmith("install", "lens.bspkg", "--json", env=home).json
    folder = Path(home["XDG_DATA_HOME"]) / "brainsmith/plugins/lens/1.0.0"
    assert {**installed, "content": ""} == {
        "success": True, "name": "lens", "version": "1.0.0", "new": True, "folder": str(folder),
        "archive": digest, "content": "", "dependencies": None,
        "missing": ["there-is-no-such-package>=7"],
    }  # fmt: skip
    again = brainsmith("install", plugin, env=home)
    assert again.code == 0
    assert f"already installed: lens 1.0.0 in {folder}" in again.out
    assert "there-is-no-such-package>=7 is needed, not installed" in again.out
    assert "--with-dependencies" in again.out

    locked = brainsmith("lock", "--json", env=home).json
    assert locked == {
        "success": True, "lock": str(tmp_path / "brainsmith.lock"), "changed": True,
        "plugins": [{"name": "lens", "version": "1.0.0", "content": installed["content"]}],
    }  # fmt: skip
    text = (tmp_path / "brainsmith.lock").read_text()
    assert "1 plugin, unchanged" in brainsmith("lock", env=home).out
    checked = brainsmith("lock", "--check", "--json", env=home).json
    assert (checked["success"], checked["differences"]) == (True, [])
    verified = brainsmith("verify", env=home)
    assert verified.code == 0
    assert "1 installed plugin unchanged" in verified.out

    kernel = folder / "src/lens/kernel.py"
    kernel.write_text("evil = 1\n")
    refused = brainsmith("verify", "--json", env=home)
    assert refused.code == 5
    assert refused.json["differences"] == [
        {"plugin": "lens 1.0.0", "kind": "changed", "where": str(kernel),
         "what": "the file has changed"},
    ]  # fmt: skip
    assert refused.json["error"]["kind"] == "PluginError"
    assert refused.json["error"]["where"] == str(kernel)
    told = brainsmith("verify", env=home)
    assert (told.code, "Traceback" in told.err) == (5, False)
    assert str(kernel) in told.out.replace("\n", "")
    outdated = brainsmith("lock", "--check", "--json", env=home)
    assert outdated.code == 4
    assert [d["where"] for d in outdated.json["differences"]] == [str(kernel)]
    assert (tmp_path / "brainsmith.lock").read_text() == text, "--check writes nothing"

    removed = brainsmith("uninstall", "lens", "--json", env=home).json
    assert removed == {
        "success": True, "name": "lens", "version": "1.0.0", "folder": str(folder),
    }  # fmt: skip
    assert not folder.parent.exists()
    missing = brainsmith("verify", "--json", env=home)
    assert missing.code == 5
    assert [d["what"] for d in missing.json["differences"]] == ["the plugin is not there"]


def test_errors_have_their_codes(
    brainsmith: Brainsmith, plugin: Path, home: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "evil.bspkg").write_bytes(b"#!/bin/sh\n")
    refused = brainsmith("install", "evil.bspkg", "--json", env=home)
    assert (refused.code, refused.json["error"]["kind"]) == (5, "PluginError")
    absent = brainsmith("uninstall", "lens", "--json", env=home)
    assert (absent.code, absent.json["error"]["hint"]) == (4, "no plugin is installed")
    unlocked = brainsmith("lock", "--check", "--json", env=home)
    assert (unlocked.code, unlocked.json["error"]["kind"]) == (4, "ConfigurationError")
    assert brainsmith("verify", "--json", env=home).json["success"]
    Path(home["XDG_DATA_HOME"]).write_text("a file where a folder should be")
    unwritable = brainsmith("install", plugin, "--json", env=home)
    assert (unwritable.code, unwritable.json["error"]["kind"]) == (9, "StorageError")
