"""The Python packages of one plugin, in a folder of its own.

Wheels only, so nothing of a package runs while it is installed; first resolved to versions with
hashes, then installed by those hashes, by uv or, without it, by pip. Both keep to their own
configuration: indexes, mirrors and proxies are the user's.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from packaging.utils import parse_wheel_filename

from brainsmith.errors import PluginError, ToolError
from brainsmith.plugins.files import storage_errors, sync_folders
from brainsmith.plugins.installed import Dependencies, Package
from brainsmith.plugins.integrity import digest_of, tree_files
from brainsmith.plugins.requirements import parse

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)")
_HASH = re.compile(r"--hash=(\S+)")
_LINES_OF_AN_ERROR = 12


class Installer(Protocol):
    """A tool that resolves and installs wheels."""

    @property
    def name(self) -> str:
        """What it is called."""

    def resolve(self, wanted: Path, folder: Path) -> str:
        """The packages that the requirements in `wanted` need, pinned with their hashes."""

    def install(self, pinned: Path, target: Path) -> None:
        """Installs exactly the packages in `pinned` into `target`."""


def install_dependencies(
    requirements: Iterable[str], target: Path, installer: Installer | None = None
) -> Dependencies:
    """Installs what `requirements` (PEP 508) need into the new folder `target`.

    Raises:
        PluginError: a requirement names a file or an address instead of a version.
        ToolError: neither uv nor pip is there, or there is no set of wheels that fits.
        StorageError: `target` cannot be written.
    """
    installer = installer or find_installer()
    lines = [_line(text) for text in requirements]
    with storage_errors(target), tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        target.mkdir()
        wanted, pinned = Path(scratch, "wanted.txt"), Path(scratch, "pinned.txt")
        wanted.write_text("".join(f"{line}\n" for line in lines))
        pinned.write_text(installer.resolve(wanted, Path(scratch)))
        packages = pinned_packages(pinned.read_text())
        if packages:
            installer.install(pinned, target)
        files = {name: digest_of(path, sync=True) for name, path in tree_files(target)}
        sync_folders(target)
    python = platform.python_version()
    return Dependencies(tool=installer.name, python=python, packages=packages, files=files)


def pinned_packages(text: str) -> tuple[Package, ...]:
    """The packages in a requirements file in which all are pinned.

    Raises:
        ToolError: a line is something else than `NAME==VERSION` with hashes.
    """
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match, hashes = _PINNED.match(line), tuple(sorted(_HASH.findall(line)))
        if match is None or not hashes:
            raise ToolError(f"the dependencies cannot be pinned: '{line.strip()}' has no hash")
        found.append(Package(name=match[1], version=match[2], hashes=hashes))
    return tuple(found)


def find_installer() -> Installer:
    """uv, or pip where there is no uv.

    Raises:
        ToolError: neither is there.
    """
    beside = Path(sys.executable).with_name("uv")
    uv = shutil.which("uv") or (str(beside) if os.access(beside, os.X_OK) else None)
    if uv is not None:
        return Uv(uv)
    if importlib.util.find_spec("pip") is not None:
        return Pip()
    raise ToolError(
        "neither uv nor pip is there to install dependencies", hint="install uv: pip install uv"
    )


@dataclass(frozen=True)
class Uv:
    """uv, at `path`."""

    path: str
    name: str = "uv"

    def resolve(self, wanted: Path, folder: Path) -> str:
        return _run(
            self.path, "pip", "compile", "--quiet", "--no-header", "--no-annotate",
            "--generate-hashes", "--only-binary", ":all:", "--python", sys.executable,
            "--no-emit-index-url", "--no-emit-find-links", wanted,
        )  # fmt: skip

    def install(self, pinned: Path, target: Path) -> None:
        # Copies, not links into uv's cache: a change there would be a change here. Compiled now,
        # because Python would add bytecode to the folder at the first import.
        _run(
            self.path, "pip", "install", "--quiet", "--no-deps", "--require-hashes",
            "--only-binary", ":all:", "--link-mode", "copy", "--compile-bytecode",
            "--python", sys.executable, "--target", target, "--requirement", pinned,
        )  # fmt: skip
        (target / ".lock").unlink(missing_ok=True)


@dataclass(frozen=True)
class Pip:
    """pip of the running Python."""

    name: str = "pip"

    def resolve(self, wanted: Path, folder: Path) -> str:
        # pip's own report has no hashes of packages in a local folder before pip 24.
        _pip("download", "--dest", folder / "wheels", "--requirement", wanted)
        lines = []
        for path in sorted((folder / "wheels").glob("*.whl")):
            name, version, _, _ = parse_wheel_filename(path.name)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"{name}=={version} --hash=sha256:{digest}\n")
        return "".join(lines)

    def install(self, pinned: Path, target: Path) -> None:
        _pip(
            "install", "--no-deps", "--require-hashes", "--compile",
            "--target", target, "--requirement", pinned,
        )  # fmt: skip


def _pip(command: str, *options: str | Path) -> None:
    _run(
        sys.executable, "-m", "pip", command, "--quiet", "--no-input",
        "--disable-pip-version-check", "--only-binary", ":all:", *options,
    )  # fmt: skip


def _line(text: str) -> str:
    """A requirement as one line of a requirements file, which can be nothing else."""
    requirement = parse(text)
    if requirement.url:
        raise PluginError(
            f"the dependency '{text}' names an address instead of a version",
            hint=f"install it yourself, or ask the author for '{requirement.name}>=...'",
        )
    return str(requirement)


def _run(*command: str | Path) -> str:
    """Standard output of a tool that can ask nothing."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "PIP_NO_INPUT": "1"},
        check=False,
    )
    if done.returncode == 0:
        return done.stdout
    told = (done.stderr or done.stdout).strip().splitlines()[-_LINES_OF_AN_ERROR:]
    raise ToolError(
        "the dependencies could not be installed:\n  " + "\n  ".join(told),
        where=" ".join(map(str, command[:3])),
        hint="wheels only are installed: is there one for this Python and machine?",
    )
