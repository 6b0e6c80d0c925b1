"""Landlock: which files a process can reach, enforced by the kernel for the rest of its life."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct

TYPE_CHECKING = False  # a launcher of tools imports this, which should be quick
if TYPE_CHECKING:
    from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same on every architecture
_VERSION = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_FIRST = (1 << 13) - 1  # all rights of files that the first version knows
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_NET = 3  # binding and connecting TCP
_SCOPES = 3  # abstract sockets, signals
_READING = _READ_FILE | _READ_DIR
# No links, pipes, sockets or devices: whoever reads a folder of results should find files there.
_CHANGING = _READING | _WRITE_FILE | _TRUNCATE | _REFER
_CHANGING |= _MAKE_DIR | _MAKE_REG | _REMOVE_DIR | _REMOVE_FILE
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV

_libc = ctypes.CDLL(None, use_errno=True)


def abi() -> int:
    """The version that the kernel offers; 0 where it offers none."""
    version: int = _libc.syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION)
    return max(0, version)


def restrict(
    *,
    readable: Iterable[str] = (),
    listable: Iterable[str] = (),
    writable: Iterable[str] = (),
    executable: Iterable[str] = (),
    scoped: bool = True,
) -> None:
    """Takes from this process, which has one thread, every file but these.

    Args:
        readable: files, and folders with all that is in them.
        listable: folders whose names, and those of the folders below, may be listed.
        writable: files, and folders in which files may be made, changed and removed.
        executable: programs, and folders of them; they are readable too.
        scoped: whether it may signal only what is confined with it, where the kernel knows that.

    Raises:
        OSError: the kernel has no Landlock, or refuses.
    """
    rules = ruleset(readable=readable, listable=listable, scoped=scoped)
    for path in executable:
        _allow(rules, path, _READING | _EXECUTE)
    for path in writable:
        _allow(rules, path, _CHANGING & _handled(abi()))
    apply(rules)


def ruleset(
    *, readable: Iterable[str] = (), listable: Iterable[str] = (), scoped: bool = True
) -> int:
    """The descriptor of a set of rules, which restricts nobody before it is applied.

    Raises:
        OSError: the kernel has no Landlock.
    """
    rules = _create(abi(), _handled(abi()), scoped=scoped)
    for path in readable:
        _allow(rules, path, _READING)
    for path in listable:
        _allow(rules, path, _READ_DIR)
    _allow(rules, os.devnull, _READ_FILE | _WRITE_FILE)
    return rules


def apply(rules: int, readable: Iterable[int] = ()) -> None:
    """Applies a set of rules, which is closed, with further files and folders.

    Args:
        rules: its descriptor.
        readable: descriptors of files, and of folders with all that is in them.

    Raises:
        OSError: the kernel refuses.
    """
    try:
        for fd in readable:
            _add(rules, fd, _READING)
        _check(_libc.syscall(_RESTRICT, rules, 0), "landlock_restrict_self")
    finally:
        os.close(rules)


def place(path: str) -> int | None:
    """A descriptor that stands for a file or folder and reads nothing; None if none is there."""
    try:
        return os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return None


def _handled(version: int) -> int:
    """The rights that a version can take away."""
    handled = _FIRST
    if version >= 2:
        handled |= _REFER
    if version >= 3:
        handled |= _TRUNCATE
    if version >= 5:
        handled |= _IOCTL_DEV
    return handled


def _create(version: int, handled: int, *, scoped: bool) -> int:
    if version == 0:
        raise OSError(errno.ENOSYS, "the kernel has no Landlock")
    attributes = struct.pack("=Q", handled)
    if version >= 4:
        attributes += struct.pack("=Q", _NET)
    if version >= 6:
        attributes += struct.pack("=Q", _SCOPES if scoped else 0)
    size = ctypes.c_size_t(len(attributes))
    return _check(_libc.syscall(_CREATE, attributes, size, 0), "landlock_create_ruleset")


def _allow(ruleset: int, path: str, rights: int) -> None:
    """Lets a path be used; one that is not there needs no rule."""
    fd = place(path)
    if fd is None:
        return
    try:
        _add(ruleset, fd, rights)
    finally:
        os.close(fd)


def _add(ruleset: int, fd: int, rights: int) -> None:
    if not stat.S_ISDIR(os.fstat(fd).st_mode):
        rights &= _OF_FILES
    if rights:
        beneath = struct.pack("=Qi", rights, fd)
        _check(_libc.syscall(_ADD, ruleset, _PATH_BENEATH, beneath, 0), "landlock_add_rule")


def _check(result: int, what: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result
