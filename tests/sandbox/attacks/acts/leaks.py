"""Secrets of the host that a worker could have inherited: variables, memory, open files."""

from __future__ import annotations

import ctypes
import errno
import gc
import os
import stat
from collections.abc import Iterator
from typing import Any

from acts import raw

Facts = dict[str, Any]
_PAGE, _BLOCK = 4096, 1 << 20
_LOADERS = (
    *("LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONSTARTUP", "BASH_ENV", "GCONV_PATH"),
)
_libc = ctypes.CDLL(None, use_errno=True)


def environment(facts: Facts) -> str:
    return "\n".join(f"{name}={value}" for name, value in os.environ.items())


def environment_raw(facts: Facts) -> str:
    """As the C library has it, which is what a child would get."""
    pointer = ctypes.POINTER(ctypes.c_char_p).in_dll(_libc, "environ")
    found, index = [], 0
    while entry := pointer[index]:
        found.append(entry.decode(errors="replace"))
        index += 1
    return "\n".join(found)


def environment_file(facts: Facts) -> str:
    with open("/proc/self/environ") as file:
        return file.read()


def loader_variables(facts: Facts) -> list[str]:
    """What would load code into programs to come."""
    return [name for name in _LOADERS if name in os.environ]


def objects(facts: Facts) -> str:
    """Every text that the collector can reach, and that has a secret in it."""
    gc.unfreeze()
    tracked = gc.get_objects()
    held = (one for container in tracked for one in gc.get_referents(container))
    texts = (text for container in (*tracked, *held) for text in _texts(container))
    return "\n".join(text for text in texts if facts["mark"] in text)


def _texts(container: object) -> Iterator[str]:
    parts: list[object] = []
    if type(container) is dict:
        parts = [*container.keys(), *container.values()]
    elif type(container) in (list, tuple, set):
        parts = list(container)  # type: ignore[call-overload]
    for part in parts:
        if type(part) is bytes:
            yield part.decode(errors="replace")
        elif type(part) is str:
            yield part


def heap_raw(facts: Facts) -> str:
    """The memory that Python's objects lie in, page by page as far as there is some."""
    found = []
    for block in sorted({id(one) // _BLOCK for one in gc.get_objects()}):
        start = end = block * _BLOCK
        while end < (block + 1) * _BLOCK:
            if not _is_readable(end):
                found.append(_marked(start, end, facts["mark"]))
                start = end + _PAGE
            end += _PAGE
        found.append(_marked(start, end, facts["mark"]))
    return "\n".join(text for text in found if text)


def stack_raw(facts: Facts) -> str:
    """The stack, where the kernel puts arguments and variables of a program."""
    first = ctypes.POINTER(ctypes.c_void_p).in_dll(_libc, "environ")[0]
    end = (first or 0) & ~(_PAGE - 1)
    start = end
    while _is_readable(end):
        end += _PAGE
    return _marked(start, end, facts["mark"])


def _is_readable(page: int) -> bool:
    """Whether memory can be read, asked of a system call that reads there before it refuses.

    (The C library reserves memory for threads that is mapped and cannot be read.)
    """
    nonsense = 99
    return raw.call("rt_sigprocmask", nonsense, page, 0, 8) != -errno.EFAULT


def _marked(start: int, end: int, mark: str) -> str:
    memory = ctypes.string_at(start, end - start)
    found, at = [], memory.find(mark.encode())
    while at >= 0:
        found.append(memory[at : at + 64].decode(errors="replace"))
        at = memory.find(mark.encode(), at + 1)
    return "\n".join(found)


def descriptors(facts: Facts) -> str:
    """What can be read from inherited files."""
    found = []
    for fd in range(5, 1024):
        try:
            if stat.S_ISREG(os.fstat(fd).st_mode):
                found.append(os.pread(fd, 4096, 0).decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)


def open_descriptors_raw(facts: Facts) -> list[str]:
    """Descriptors besides those of a call."""
    return [str(fd) for fd in range(5, 1024) if raw.call("fcntl", fd, 1, 0) >= 0]


def print_secret(facts: Facts) -> None:
    """What it prints reaches the host's log, so it must have nothing to print."""
    print(environment(facts))
