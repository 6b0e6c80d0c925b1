"""Which plugin is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith import PluginRegistry
from brainsmith.comparison.subject import subject
from brainsmith.errors import ConfigurationError, PluginError
from tests.comparison.conftest import registry_of, write_tiny


@pytest.fixture
def empty() -> PluginRegistry:
    return registry_of()


def test_a_name_is_a_plugin_that_is_there(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "tiny")
    known = registry_of(folder)
    plugin, registry = subject("tiny", known)
    assert plugin.name == "tiny" and registry is known


def test_a_name_is_a_folder_here_otherwise(
    empty: PluginRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny(tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    plugin, registry = subject("tiny", empty)
    assert plugin.root == (tmp_path / "tiny").resolve()
    assert registry.get("kernels", "TinyMatMul").plugin.name == "tiny"


def test_or_the_plugin_that_one_works_in(
    empty: PluginRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_tiny(tmp_path / "elsewhere")
    (folder / "tests").mkdir()
    monkeypatch.chdir(folder / "tests")
    assert subject("tiny", empty)[0].root == folder.resolve()
    with pytest.raises(ConfigurationError, match="there is no plugin 'other'"):
        subject("other", empty)


def test_a_path_is_a_folder(empty: PluginRegistry, tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "tiny")
    assert subject(str(folder), empty)[0].name == "tiny"
    with pytest.raises(ConfigurationError, match=r"there is no brainsmith\.yaml in this folder"):
        subject(str(tmp_path), empty)


def test_a_folder_with_a_broken_plugin_says_what_is_wrong(
    empty: PluginRegistry, tmp_path: Path
) -> None:
    (tmp_path / "brainsmith.yaml").write_text("name: broken\nversoin: 1\n")
    with pytest.raises(PluginError, match="version"):
        subject(f"{tmp_path}/", empty)
