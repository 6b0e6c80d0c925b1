"""Resource limits of a process, and what it owns no share of."""

from __future__ import annotations

import math
import os
import resource
import time

_STACK = 16 << 20
_GRACE = 1  # seconds between the signal that tells of the limit and the one that ends


def of_call(
    pid: int,
    *,
    memory: int | None,
    cpu_time: float | None,
    file_size: int,
    open_files: int,
    without: frozenset[str] = frozenset(),
) -> None:
    """Limits a process for the rest of its life, as a call is.

    Args:
        pid: its number; 0 for this process.
        memory: bytes that it may map on top of what it has mapped now.
        cpu_time: seconds of processor time, of which those so far do not count.
        file_size: bytes of the largest file.
        open_files: descriptors.
        without: rules that are left out.
    """
    if memory is not None and "memory" not in without:
        _set(pid, resource.RLIMIT_AS, _mapped(pid) + memory)
    if cpu_time is not None and "cpu_time" not in without:
        soft = math.ceil(processor_time(pid) + cpu_time)
        _set(pid, resource.RLIMIT_CPU, soft, soft + _GRACE)
    if "output_size" not in without:
        _set(pid, resource.RLIMIT_FSIZE, file_size)
    if "open-files" not in without:
        _set(pid, resource.RLIMIT_NOFILE, open_files)


def of_all(without: frozenset[str] = frozenset()) -> None:
    """Limits this process for the rest of its life, as every call is.

    Args:
        without: rules that are left out.
    """
    if "core-dumps" not in without:
        _set(0, resource.RLIMIT_CORE, 0)
    _set(0, resource.RLIMIT_STACK, _STACK)
    for name in ("MEMLOCK", "MSGQUEUE", "NICE", "RTPRIO"):
        _set(0, getattr(resource, f"RLIMIT_{name}"), 0)


def peak_memory(pid: int) -> int:
    """The most bytes of memory that a process had at once.

    Raises:
        OSError: it is gone.
    """
    with open(f"/proc/{pid}/status", "rb", buffering=0) as file:
        _, _, rest = file.read(4096).partition(b"VmHWM:")
    return int(rest.split(None, 1)[0]) * 1024 if rest else 0


def processor_time(pid: int) -> float:
    """Seconds that all threads of a process have computed; 0 is this process."""
    # The kernel's number for the clock of a whole process.
    return time.clock_gettime((~(pid or os.getpid()) << 3) | 2)


def _set(pid: int, which: int, soft: int, hard: int | None = None) -> None:
    """Sets a limit, which can never be more than the one that holds already."""
    _, old = resource.prlimit(pid, which)
    wanted = soft if hard is None else hard
    most = wanted if old == resource.RLIM_INFINITY else min(wanted, old)
    resource.prlimit(pid, which, (min(soft, most), most))


def _mapped(pid: int) -> int:
    """Bytes of addresses that a process has mapped."""
    with open(f"/proc/{pid or 'self'}/statm", "rb", buffering=0) as file:
        return int(file.read(4096).split(None, 1)[0]) * resource.getpagesize()
