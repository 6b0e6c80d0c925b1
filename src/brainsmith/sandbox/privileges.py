"""What a process gives up for good: capabilities, new privileges, inherited descriptors."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_SECUREBITS, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL = 28, 38, 47, 4
_SECUREBITS = 0xEF  # root is nobody special, and all bits are locked
_CAPABILITY_VERSION = 0x20080522
_MOST = 64
_CLOSE_RANGE = 436  # the same on every architecture
_LAST = 0x7FFFFFFF
_SIGKILL = 9  # the module signal takes as long to load as an interpreter takes to start

_libc = ctypes.CDLL(None, use_errno=True)
# Looked up here, and so before a fork: the first use of a name takes longer than all others.
_prctl_of_libc, _capset, _syscall = _libc.prctl, _libc.capset, _libc.syscall
_prctl_of_libc.argtypes = (ctypes.c_int, *(4 * (ctypes.c_ulong,)))


def drop() -> None:
    """Drops every capability, now and for programs to come.

    Raises:
        OSError: the kernel refuses.
    """
    for capability in range(_MOST):
        if _prctl(_PR_CAPBSET_DROP, capability) != 0:
            break  # there are no more, or we may not, and then no_new_privs lets none come back
    _prctl(_PR_SET_SECUREBITS, _SECUREBITS)
    _prctl(_PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
    head = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    if _capset(head, bytes(24)) != 0:
        _fail("capset")


def no_new() -> None:
    """No program that this process starts gets privileges that it has not.

    Raises:
        OSError: the kernel refuses.
    """
    if _prctl(_PR_SET_NO_NEW_PRIVS, 1) != 0:
        _fail("no_new_privs")


def dumpable() -> None:
    """Lets the host look into this process, as a witness.

    Raises:
        OSError: the kernel refuses.
    """
    if _prctl(_PR_SET_DUMPABLE, 1) != 0:
        _fail("dumpable")


def die_with(parent: int) -> None:
    """Makes the kernel kill this process when the thread that started it ends.

    Args:
        parent: the process that started it.

    Raises:
        OSError: the kernel refuses, or the parent has ended already.
    """
    if _prctl(_PR_SET_PDEATHSIG, _SIGKILL) != 0:
        _fail("the signal at the parent's death")
    if os.getppid() != parent:
        raise OSError(errno.ESRCH, "the parent has ended")


def close_others(keep: Collection[int]) -> None:
    """Closes every descriptor but these."""
    for first, last in _gaps(sorted(keep)):
        if _syscall(_CLOSE_RANGE, first, last, 0) != 0:
            _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
            os.closerange(first, min(last, most) + 1)


def _gaps(keep: list[int]) -> Iterator[tuple[int, int]]:
    first = 0
    for fd in keep:
        if fd > first:
            yield first, fd - 1
        first = fd + 1
    yield first, _LAST


def _prctl(option: int, argument: int) -> int:
    result: int = _prctl_of_libc(option, argument, 0, 0, 0)
    return result


def _fail(what: str) -> None:
    error = ctypes.get_errno() or errno.EPERM
    raise OSError(error, f"{what}: {os.strerror(error)}")
