"""Confines itself, then becomes a tool: `python -I -S -B launch.py PLAN PROGRAM ARGUMENTS...`.

PLAN is what `launching` writes, marshalled, in hexadecimal. This is started for every tool, so it
loads nothing that it can do without (JSON, dataclasses and the like take longer to load than
everything here takes to run), and the packages stand in here without what their own modules import.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import resource
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, NoReturn

SELF, PROGRAM, ARGUMENTS, ENVIRONMENT = -2, -3, -4, -5  # as `profiles` has them
UNCONFINED = 113  # the exit status where a step is refused, and nothing was run
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> NoReturn:
    """The program."""
    plan, *command = sys.argv[1:]
    words = _Words(command)
    try:
        _confine(marshal.loads(bytes.fromhex(plan)), words.addresses)
    except OSError as error:
        _end(f"a tool could not be confined, so it was not started: {error}")
    words.start()
    _end(f"{command[0]} cannot be started: {os.strerror(ctypes.get_errno())}")


def _confine(plan: Mapping[str, Any], addresses: Mapping[int, int]) -> None:
    _stand_in()
    from brainsmith.sandbox import landlock, privileges

    privileges.die_with(plan["parent"])
    privileges.close_others((0, 1, 2))
    for which, limit in plan["limits"]:
        _limit(which, limit)
    privileges.drop()
    privileges.no_new()
    if plan["files"] is not None:
        landlock.restrict(**plan["files"])
    if plan["filter"] is not None:
        code, patches = plan["filter"]
        _filter(code, patches, {SELF: os.getpid(), **addresses})


def _stand_in() -> None:
    """Makes the modules of the sandbox known without the packages that they lie in."""
    folder = os.path.dirname(os.path.abspath(__file__))
    for name, path in (("brainsmith", os.path.dirname(folder)), ("brainsmith.sandbox", folder)):
        package = type(sys)(name)
        package.__path__ = [path]
        sys.modules[name] = package


def _limit(which: int, limit: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(which, (limit, limit))


def _filter(code: bytes, patches: Iterable[tuple[int, int, int]], numbers: dict[int, int]) -> None:
    """Installs the filter of a profile, completed with what is known here alone."""
    complete = bytearray(code)
    for offset, which, shift in patches:
        struct.pack_into("=I", complete, offset, numbers[which] >> shift & 0xFFFFFFFF)
    instructions = (ctypes.c_char * len(complete)).from_buffer(complete)
    program = struct.pack("=HxxxxxxQ", len(complete) // 8, ctypes.addressof(instructions))
    mode = ctypes.c_ulong(_MODE_FILTER)
    if _libc.prctl(_PR_SET_SECCOMP, mode, program, ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"seccomp: {os.strerror(error)}")


class _Words:
    """A program's path, its arguments and its environment, where they lie in memory."""

    def __init__(self, command: list[str]) -> None:
        self._path = ctypes.create_string_buffer(os.fsencode(command[0]))
        self._arguments = _array(os.fsencode(word) for word in command)
        self._environment = _array(b"%s=%s" % pair for pair in os.environb.items())
        self._execve = _libc.execve

    @property
    def addresses(self) -> dict[int, int]:
        return {
            PROGRAM: ctypes.addressof(self._path),
            ARGUMENTS: ctypes.addressof(self._arguments),
            ENVIRONMENT: ctypes.addressof(self._environment),
        }

    def start(self) -> None:
        """Becomes the program; returns where the kernel refuses."""
        self._execve(self._path, self._arguments, self._environment)


def _array(words: Iterable[bytes]) -> ctypes.Array[ctypes.c_char_p]:
    """An array of C, with the null at its end."""
    known = list(words)
    return (ctypes.c_char_p * (len(known) + 1))(*known, None)


def _end(what: str) -> NoReturn:
    print(f"brainsmith: {what}", file=sys.stderr, flush=True)
    os._exit(UNCONFINED)


if __name__ == "__main__":
    main()
