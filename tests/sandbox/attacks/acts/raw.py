"""System calls without Python's own functions, and machine code without anybody's."""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
from typing import Any

from brainsmith.sandbox import syscalls

AT_FDCWD, AT_EMPTY_PATH = -100, 0x1000
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def call(name: str, *arguments: Any) -> int:
    """What a system call returns, or its error as a negative number."""
    number = syscalls.number(name)
    if number is None:
        raise OSError(f"this machine has no {name}")
    return by_number(number, *arguments)


def by_number(number: int, *arguments: Any) -> int:
    """The same for the number of a system call, whether there is one or not."""
    ctypes.set_errno(0)
    wide = (ctypes.c_long(a) if isinstance(a, int) else a for a in arguments)
    result = int(_libc.syscall(ctypes.c_long(number), *wide))
    return -ctypes.get_errno() if result == -1 else result


def has(name: str) -> bool:
    """Whether this machine has a system call."""
    return syscalls.number(name) is not None


def failed(result: int) -> bool:
    """Whether a result is an error."""
    return -4096 < result < 0


def open_(path: str, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """A descriptor, or an error as a negative number."""
    return call("openat", AT_FDCWD, path.encode(), flags, mode)


def content(path: str, flags: int = os.O_RDONLY) -> str:
    """What a file holds; "" where it cannot be read."""
    fd = open_(path, flags)
    return read(fd)


def read(fd: int) -> str:
    """What can be read from a descriptor; "" where that is nothing."""
    if fd < 0:
        return ""
    buffer = ctypes.create_string_buffer(4096)
    count = call("read", fd, buffer, 4096)
    call("close", fd)
    return buffer.raw[: max(count, 0)].decode(errors="replace")


def machine_code(code: bytes, *arguments: int) -> int:
    """Runs instructions of x86_64 that end with a return.

    Raises:
        OSError: this machine runs others.
    """
    if platform.machine() != "x86_64":
        raise OSError("there is no such code for this machine")
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    page = mmap.mmap(-1, 4096, flags=flags, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    types = [ctypes.c_long] * len(arguments)
    start = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return int(ctypes.CFUNCTYPE(ctypes.c_long, *types)(start)(*arguments))
