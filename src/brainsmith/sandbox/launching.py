"""The command that starts a tool confined."""

from __future__ import annotations

import marshal
import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from brainsmith.sandbox import landlock, launch, seccomp
from brainsmith.sandbox.levels import Level

_LAUNCHER = str(Path(launch.__file__))
_NONE_OF = ("CORE", "MEMLOCK", "MSGQUEUE", "NICE", "RTPRIO")


@dataclass(frozen=True)
class Launch:
    """What is left to a tool, and to what it starts.

    Attributes:
        level: L3 and above have all of this; L2 no guard of files; L1 no filter either.
        profile: `build` for what starts other programs, `simulate` for what starts none.
        readable: files and folders.
        writable: files, and folders in which it may make, change and remove files.
        executable: the programs that it may start, itself among them, with their interpreters.
        memory: bytes of data that each process may have; None for no limit. Addresses do not
            count, of which WebAssembly reserves far more than it uses.
        file_size: bytes of the largest file that it may write.
    """

    level: Level
    profile: Literal["build", "simulate"]
    readable: tuple[str, ...]
    writable: tuple[str, ...]
    executable: tuple[str, ...]
    memory: int | None = None
    file_size: int = 16 << 30


def launched(given: Launch, command: Sequence[str]) -> tuple[str, ...]:
    """The command that confines itself and then becomes `command`.

    It must be started by this process, and it ends with the thread that starts it. Where it cannot
    be confined it says so on its standard error, ends with `launch.UNCONFINED`, and runs nothing.
    Nobody is told of the system calls that are refused: they fail.

    Args:
        command: the program by its absolute path, and its arguments.

    Raises:
        OSError: this machine's system calls are not known.
    """
    plan = {
        "parent": os.getpid(),
        "limits": _limits(given),
        "files": _files(given) if given.level >= Level.L3 else None,
        "filter": _filter(given) if given.level >= Level.L2 else None,
    }
    text = marshal.dumps(plan).hex()
    return (sys.executable, "-I", "-S", "-B", _LAUNCHER, text, *command)


def lacking(level: Level) -> str | None:
    """What this machine lacks to confine tools at a level; None if it lacks nothing."""
    if level >= Level.L2 and not seccomp.available():
        return "the kernel has no filters of system calls for us"
    if level >= Level.L3 and landlock.abi() == 0:
        return "the kernel has no Landlock, or it is switched off"
    return None


def _limits(given: Launch) -> list[tuple[int, int]]:
    limits = [(resource.RLIMIT_FSIZE, given.file_size)]
    if given.memory is not None:
        limits.append((resource.RLIMIT_DATA, given.memory))
    return [*limits, *((getattr(resource, f"RLIMIT_{name}"), 0) for name in _NONE_OF)]


def _files(given: Launch) -> dict[str, tuple[str, ...]]:
    return {
        "readable": given.readable,
        "writable": given.writable,
        "executable": given.executable,
    }


def _filter(given: Launch) -> tuple[bytes, tuple[tuple[int, int, int], ...]]:
    program = seccomp.program(given.profile, listened=False, witness=False)
    return program.code, program.patches
