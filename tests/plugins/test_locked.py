"""A registry that keeps to a lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.errors import PluginError
from brainsmith.plugins import PluginLoader
from brainsmith.plugins.locked import keep_to_lock
from brainsmith.plugins.lockfile import LOCK_NAME, lock_of, used_plugins, write_lock
from tests.plugins.folders import Registry, write_plugin


@pytest.fixture
def project(tmp_path: Path, home: Path, registry: Registry) -> Path:
    """A folder with a lock that names the plugin `mine`."""
    write_plugin(tmp_path / "plugins/mine", "mine")
    write_lock(tmp_path / LOCK_NAME, lock_of(used_plugins(registry())))
    return tmp_path


def test_without_a_lock_nothing_is_restricted(
    tmp_path: Path, home: Path, registry: Registry
) -> None:
    found = registry()
    assert keep_to_lock(found, tmp_path) is found


def test_what_is_as_locked_is_used(project: Path, registry: Registry) -> None:
    kept = keep_to_lock(registry(builtin=True), project / "work")
    assert kept.get("kernels", "Mine").info.name == "Mine"
    assert kept.get("kernels", "MatMul").plugin.name == "brainsmith"


def test_a_changed_file_is_refused_with_its_name(project: Path, registry: Registry) -> None:
    source = project / "plugins/mine/mine_kernels.py"
    source.write_text(source.read_text() + "\n")
    with pytest.raises(PluginError, match=r"has changed(.|\n)*mine_kernels\.py"):
        keep_to_lock(registry(), project)


def test_a_plugin_of_the_lock_that_is_gone_stops_a_build(project: Path, registry: Registry) -> None:
    (project / "plugins/mine/brainsmith.yaml").unlink()
    with pytest.raises(PluginError, match=r"mine 1\.0\.0 of the lock is not there"):
        keep_to_lock(registry(), project)


def test_what_is_not_locked_is_refused_before_its_import(project: Path, registry: Registry) -> None:
    folder = write_plugin(project / "plugins/new", "new", kernel="New")
    (folder / "new_kernels.py").write_text("raise SystemExit('imported')\n")
    unrestricted = registry()
    kept = keep_to_lock(unrestricted, project)
    with pytest.raises(PluginError, match=r"new 1\.0\.0 is not locked"):
        kept.get("kernels", "New")
    assert unrestricted.get("kernels", "New").name == "New"


def test_what_a_program_registers_needs_no_lock(project: Path, registry: Registry) -> None:
    found = registry()
    plugin = PluginLoader().load_plugin(write_plugin(project / "own", "own", kernel="Own"))
    found.register(plugin)
    assert keep_to_lock(found, project).get("kernels", "Own").plugin.name == "own"
