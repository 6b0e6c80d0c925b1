"""What must hold of the repository itself: locks, licence, version, what a wheel carries."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
LOCKED_EXTRAS = ("fpga", "pdk", "dev")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
TRAINING_ONLY = {"torch", "brevitas"}


def locked(lock: Path) -> list[Requirement]:
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    return [
        Requirement(line.split(" --hash")[0])
        for line in text.splitlines()
        if line and not line.startswith("#")
    ]


def environment(python: str) -> dict[str, str]:
    return {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
    }


def applies(requirement: Requirement, python: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment(python))


def test_there_is_a_lock() -> None:
    assert [lock.name for lock in LOCKS] == ["lock.txt"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_host(lock: Path) -> None:
    assert not re.findall(r"\S*(?:://|--(?:extra-)?index|--find-links)\S*", lock.read_text())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_everything_locked_has_one_version_and_hashes(lock: Path) -> None:
    entries = lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    for entry in entries:
        assert re.search(r"^[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry), entry


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_lock_holds_a_training_framework(lock: Path) -> None:
    assert not TRAINING_ONLY & {canonicalize_name(entry.name) for entry in locked(lock)}


def test_no_extra_holds_a_training_framework() -> None:
    wanted = [*PROJECT["dependencies"], *(entry for extra in EXTRAS.values() for entry in extra)]
    assert not TRAINING_ONLY & {canonicalize_name(Requirement(entry).name) for entry in wanted}


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_satisfies_the_project(python: str) -> None:
    versions = {
        canonicalize_name(entry.name): str(entry.specifier).removeprefix("==")
        for entry in locked(ROOT / "requirements" / "lock.txt")
        if applies(entry, python)
    }
    wanted = [*PROJECT["dependencies"], *(e for name in LOCKED_EXTRAS for e in EXTRAS[name])]
    for requirement in map(Requirement, wanted):
        if applies(requirement, python):
            assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)])


def test_the_build_backend_is_locked() -> None:
    assert {"hatchling", "editables"} <= {e.name for e in locked(ROOT / "requirements/lock.txt")}


def test_the_licence_is_apache() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text and "Version 2.0, January 2004" in text


def test_the_version_is_written_in_one_place() -> None:
    version = PROJECT["version"]
    elsewhere = [
        path.relative_to(ROOT)
        for path in (ROOT / "src").rglob("*.py")
        # Built-in components have versions of their own, as those of any plugin.
        if "builtin" not in path.parts
        and re.search(rf"version\w*\s*=\s*['\"]{re.escape(version)}['\"]", path.read_text("utf-8"))
    ]
    assert elsewhere == []


def test_the_package_says_the_project_s_version() -> None:
    probe = "import brainsmith; print(brainsmith.__version__)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == PROJECT["version"]


@pytest.mark.slow
def test_a_wheel_carries_every_file_of_the_package(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    carried = set(zipfile.ZipFile(wheel).namelist())
    package = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "brainsmith").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert package - carried == set()
