"""A plugin's Python packages: wheels only, by hash, in a folder of its own."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from brainsmith.errors import PluginError, StorageError, ToolError
from brainsmith.plugins import dependencies
from brainsmith.plugins.dependencies import (
    Installer,
    Pip,
    Uv,
    find_installer,
    install_dependencies,
    pinned_packages,
)
from brainsmith.plugins.integrity import digest_of, tree_files
from tests.plugins.wheels import source_distribution, wheel


def installers() -> list[Installer]:
    found: list[Installer] = []
    try:
        first = find_installer()
    except ToolError:
        return found
    if isinstance(first, Uv):
        found.append(first)
    if importlib.util.find_spec("pip") is not None:
        found.append(Pip())
    return found


@pytest.fixture(params=installers(), ids=lambda installer: installer.name)
def installer(request: pytest.FixtureRequest) -> Installer:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages, the only place where uv and pip look."""
    folder = tmp_path / "index"
    folder.mkdir()
    settings = tmp_path / "uv.toml"
    settings.write_text(f"no-index = true\nfind-links = ['{folder}']\n")
    for variable in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("UV_CONFIG_FILE", str(settings))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_packages_and_what_they_need_come_with_their_hashes(
    installer: Installer, index: Path, tmp_path: Path
) -> None:
    old = wheel(index, "lensmath", "1.0", ("glass>=2",))
    wheel(index, "lensmath", "2.0")
    glass = wheel(index, "glass", "2.1")
    target = tmp_path / "own"
    found = install_dependencies(['lensmath<2; python_version >= "3"'], target, installer)
    assert found.tool == installer.name
    assert {(p.name, p.version, p.hashes) for p in found.packages} == {
        (name, version, (f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",))
        for name, version, path in [("lensmath", "1.0", old), ("glass", "2.1", glass)]
    }
    assert found.files == {name: digest_of(path) for name, path in tree_files(target)}
    code = "import lensmath, glass; print(lensmath.version, glass.version)"
    environment = {**os.environ, "PYTHONPATH": str(target)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.stdout.split() == [b"1.0", b"2.1"]
    after = {name: digest_of(path) for name, path in tree_files(target)}
    assert found.files == after, "an import may not change what was recorded"


def test_no_package_is_built(installer: Installer, index: Path, tmp_path: Path) -> None:
    source_distribution(index, "lensmath", "1.0", proof=tmp_path / "ran")
    with pytest.raises(ToolError, match="could not be installed") as error:
        install_dependencies(["lensmath"], tmp_path / "own", installer)
    assert "lensmath" in error.value.what
    assert not (tmp_path / "ran").exists()


def test_versions_that_contradict_each_other_are_told(
    installer: Installer, index: Path, tmp_path: Path
) -> None:
    wheel(index, "lensmath", "1.0", ("glass<2",))
    wheel(index, "glass", "2.1")
    with pytest.raises(ToolError, match="glass"):
        install_dependencies(["lensmath", "glass>=2"], tmp_path / "own", installer)


def test_nothing_to_install_needs_no_package(installer: Installer, tmp_path: Path) -> None:
    found = install_dependencies(['x; python_version < "3"'], tmp_path / "own", installer)
    assert (found.packages, found.files) == ((), {})


@pytest.mark.parametrize(
    "text", ["evil @ https://example.org/evil.whl", "evil @ file:///tmp/evil.whl"]
)
def test_an_address_is_no_dependency(text: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="names an address"):
        install_dependencies([text], tmp_path / "own", Pip())
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize("text", ["--index-url https://example.org", "-e .", "a\n--pre", "./a.whl"])
def test_an_option_of_the_tool_is_no_dependency(text: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="no requirement"):
        install_dependencies([text], tmp_path / "own", Pip())


def test_a_package_without_a_hash_is_refused() -> None:
    text = "a==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n# a comment\n\n"
    assert [p.hashes for p in pinned_packages(text)] == [("sha256:00", "sha256:01")]
    for line in ("a==1", "a>=1 --hash=sha256:00", "-e . --hash=sha256:00"):
        with pytest.raises(ToolError, match="has no hash"):
            pinned_packages(line)


def test_without_uv_and_pip_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies.shutil, "which", lambda name: None)
    monkeypatch.setattr(dependencies.sys, "executable", "/nowhere/python")
    monkeypatch.setattr(dependencies.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError, match="neither uv nor pip") as error:
        find_installer()
    assert error.value.hint == "install uv: pip install uv"


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    with pytest.raises(StorageError):
        install_dependencies([], tmp_path / "own", Pip())
