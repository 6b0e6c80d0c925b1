"""What a worker tries to prove that it is confined: for each rule, an act that must be refused.

It runs in a worker. The host compares what it tells with what the kernel held up.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
from collections.abc import Callable

from brainsmith.sandbox import syscalls

_REFUSED = (errno.EPERM, errno.EACCES, errno.ENOSYS)
_libc = ctypes.CDLL(None, use_errno=True)


def run(secret: str, parent: int, rules: list[str]) -> dict[str, object]:
    """`rules`: for each, "" where its act was refused, else what happened. `sees`: whether the
    file of the host's is there at all.

    Args:
        secret: a file of the host's that the worker must not read.
        parent: a process of the host's.
        rules: those to try; an act that is not refused is done.
    """
    tried = {rule: _ACTS[rule](secret, parent) for rule in rules}
    return {"rules": tried, "sees": os.path.exists(secret)}


def _raw(name: str, *arguments: object) -> str:
    """Makes a system call; "" if it was refused."""
    number = syscalls.number(name)
    if number is None:
        return ""  # this machine does not have it
    ctypes.set_errno(0)
    result = _libc.syscall(number, *arguments)
    error = ctypes.get_errno()
    if result == -1 and error in _REFUSED:
        return ""
    return f"{name} gave {result} ({os.strerror(error) if result == -1 else 'done'})"


def _files(secret: str, parent: int) -> str:
    try:
        os.close(os.open(secret, os.O_RDONLY))
    except OSError as error:
        return "" if error.errno in (errno.EACCES, errno.ENOENT) else str(error)
    return "a file of the user was opened"


def _memory(secret: str, parent: int) -> str:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    return "" if soft != resource.RLIM_INFINITY and hard == soft else "no limit of memory"


def _cpu_time(secret: str, parent: int) -> str:
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    return "" if hard != resource.RLIM_INFINITY else "no limit of processor time"


def _descriptors(secret: str, parent: int) -> str:
    def is_open(fd: int) -> bool:
        try:
            os.fstat(fd)
        except OSError:
            return False
        return True

    # Standard streams, status, answer, and the question as long as it is mapped.
    left = [fd for fd in range(5, 256) if is_open(fd)]
    return f"descriptors {left} are open" if len(left) > 1 else ""


def _environment(secret: str, parent: int) -> str:
    known = {"HOME", "PATH", "TMPDIR", "LANG"}
    odd = [n for n in os.environ if n not in known and not n.startswith(_HARMLESS)]
    return f"variables {odd} are there" if odd else ""


_HARMLESS = ("PYTHON", "ORT_", "OPENBLAS_", "OMP_", "MKL_", "NUMEXPR_", "LC_", "OPENSSL_")

_ACTS: dict[str, Callable[[str, int], str]] = {
    "files": _files,
    "memory": _memory,
    "cpu_time": _cpu_time,
    "descriptors": _descriptors,
    "environment": _environment,
    "processes": lambda s, p: _raw("clone", 17, 0, 0, 0, 0),
    "exec": lambda s, p: _raw("execve", b"/bin/true", None, None),
    "network": lambda s, p: _raw("socket", 2, 1, 0),
    "signals": lambda s, p: _raw("kill", p, 0),
    "limits-of-others": lambda s, p: _raw("prlimit64", p, 7, None, None),
    "scheduling": lambda s, p: _raw("setpriority", 0, p, 19),
    "file-changes": lambda s, p: _raw("fchmodat", -100, s.encode(), 0o600),
    "file-handles": lambda s, p: _raw("open_by_handle_at", -100, None, 0),
    "namespaces": lambda s, p: _raw("unshare", 0x10000000),
    "ipc": lambda s, p: _raw("shmget", 0, 4096, 0o1600),
    "kernel": lambda s, p: _raw("bpf", 0, None, 0),
    "memory-files": lambda s, p: _raw("memfd_create", b"x", 0),
    "introspection": lambda s, p: _raw("process_vm_readv", p, None, 0, None, 0, 0),
    "clock": lambda s, p: _raw("clock_settime", 0, None),
    "terminal": lambda s, p: _raw("ioctl", 0, 0x5412, None),
    "own-filters": lambda s, p: _raw("seccomp", 1, 0, None),
}

RULES = tuple(_ACTS)
