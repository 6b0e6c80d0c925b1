"""The files that a tool needs to run: what it reads, and the programs that it starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from brainsmith.sandbox import surroundings
from brainsmith.toolchains.programs import interpreter
from brainsmith.toolchains.tools import Tool, yosys_share

# What programs are linked with, and what tells where that is.
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
_HELPERS = ("cc1plus", "collect2", "as", "ld", "lto-wrapper", "lto1")
# The user's variables that name folders for compilers, which look there first.
SEARCHED = ("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH")


@dataclass(frozen=True)
class Reach:
    """Real paths: files and folders to read, and programs to start."""

    readable: tuple[str, ...]
    executable: tuple[str, ...]


def reach(tool: Tool) -> Reach:
    """What a tool needs besides the folder of its call."""
    return _reach(_Key(tool, (*tool.command, str(tool.path), *tool.env.values())))


def real(paths: Iterable[str | Path]) -> tuple[str, ...]:
    """Real paths, once each; never the root, which would be everything."""
    found = dict.fromkeys(os.path.realpath(path) for path in paths if str(path))
    return tuple(path for path in found if path != "/")


@dataclass(frozen=True)
class _Key:
    """A tool, known by the words that it is started with."""

    tool: Tool = field(compare=False)
    words: tuple[str, ...]


@lru_cache(maxsize=32)
def _reach(key: _Key) -> Reach:
    tool = key.tool
    readable: list[str] = [*_LIBRARIES, *_DEVICES, *_listed("LD_LIBRARY_PATH")]
    readable += [value for value in tool.env.values() if value.startswith("/")]
    programs = [program for word in tool.command if (program := _program(word)) is not None]
    if tool.kind == "package":
        readable += [*surroundings.readable(), f"{sys.prefix}/pyvenv.cfg", str(tool.path)]
    elif tool.kind == "compiler":
        readable += _folders_of_compiler(tool.command)
        programs += _programs_of_compiler(tool.command)
    elif tool.name.startswith(("yosys", "nextpnr")):
        readable += _shared(tool)
        programs += map(str, tool.path.parent.glob(f"{tool.name}-*"))
    started = [found for program in programs for found in (program, *_interpreters(program))]
    return Reach(real(readable), real(started))


def _shared(tool: Tool) -> list[str]:
    """What a native Yosys or nextpnr has beside its program."""
    share = yosys_share(tool)
    return [str(share), *map(str, share.parent.glob("nextpnr*"))]


def _folders_of_compiler(command: Sequence[str]) -> Iterator[str]:
    """Where a compiler looks for headers, libraries and its own files."""
    for line in _asked(command, "-print-search-dirs").splitlines():
        yield from line.partition(": ")[2].removeprefix("=").split(":")
    said = _asked(command, "-E", "-v", "-x", "c++", os.devnull)
    yield from (line.strip() for line in said.splitlines() if line.startswith(" /"))
    for name in SEARCHED:
        yield from _listed(name)


def _programs_of_compiler(command: Sequence[str]) -> Iterator[str]:
    for helper in _HELPERS:
        program = _program(_asked(command, f"-print-prog-name={helper}").strip())
        if program is not None:
            yield program


def _asked(command: Sequence[str], *arguments: str) -> str:
    """What a compiler says; nothing where it does not know what it is asked."""
    done = subprocess.run(
        (*command, *arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr if done.returncode == 0 else ""


def _program(word: str) -> str | None:
    return shutil.which(word) if word and not word.startswith("-") else None


def _interpreters(program: str) -> Iterator[str]:
    """What the kernel starts to run a program, and what it starts for that."""
    seen = {program}
    found = interpreter(Path(program))
    while found is not None and found not in seen:
        seen.add(found)
        yield found
        found = interpreter(Path(found))


def _listed(variable: str) -> list[str]:
    return [path for path in os.environ.get(variable, "").split(":") if path.startswith("/")]
