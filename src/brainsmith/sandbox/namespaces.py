"""Namespaces for a zygote: users, processes, network, IPC, host name, and a tree of files.

The tree holds what workers may read and nothing else, so that even the existence of other files
cannot be asked. It is made once for a zygote; its workers then cost what others cost.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
_CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
_ALL = _CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWPID | _CLONE_NEWNET | _CLONE_NEWIPC | _CLONE_NEWUTS
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 32, 4096, 16384, 1 << 18
_MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1
_KEPT_FLAGS = {
    os.ST_NOSUID: _MS_NOSUID,
    os.ST_NODEV: _MS_NODEV,
    os.ST_NOEXEC: _MS_NOEXEC,
    os.ST_NOATIME: 1024,
    os.ST_NODIRATIME: 2048,
    os.ST_RELATIME: 1 << 21,
}
# The new tree covers one of these, which holds nothing that is needed in it.
_PLACES = ("/mnt", "/media", "/srv", "/boot", "/run", "/var", "/tmp", "/home")

_libc = ctypes.CDLL(None, use_errno=True)


def enter(channel: int, readable: Iterable[str]) -> None:
    """Goes on in a child of this process, alone in new namespaces; this process waits for it.

    Args:
        channel: the descriptor of the zygote's channel, which only the child keeps.
        readable: files and folders that the new tree holds, absolute, without links.

    Raises:
        OSError: the system does not allow it.
    """
    user, group = os.getuid(), os.getgid()
    _check(_libc.unshare(_ALL), "unshare")
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path(f"/proc/self/{name}").write_text(line)
    socket.sethostname("sandbox")
    pid = os.fork()
    if pid:
        os.close(channel)
        _wait(pid)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _change_root(readable)


def _wait(pid: int) -> NoReturn:
    _, status = os.waitpid(pid, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _change_root(readable: Iterable[str]) -> None:
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    paths = _outermost(readable)
    held = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in paths]
    links = {
        name: os.readlink(f"/{name}") for name in os.listdir("/") if os.path.islink(f"/{name}")
    }
    root = next(
        (place for place in _PLACES if os.path.isdir(place) and not _touched(place, paths)), None
    )
    if root is None:
        raise OSError(f"no place for a tree of files among {', '.join(_PLACES)}")
    _mount("sandbox", root, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755")
    for path, fd in held:
        _bind(fd, path, f"{root}{path}")
        os.close(fd)
    for name, target in links.items():
        with suppress(FileExistsError):
            os.symlink(target, f"{root}/{name}")
    os.makedirs(f"{root}/proc", exist_ok=True)
    with suppress(OSError):  # not where the machine hides parts of its own
        _mount("proc", f"{root}/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    os.chdir(root)
    _check(_libc.pivot_root(b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", _MNT_DETACH), "umount")
    os.chdir("/")
    _mount(None, "/", None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)


def _outermost(paths: Iterable[str]) -> list[str]:
    """Those that lie in no other one, and not below /proc, which is made anew."""
    found: list[str] = []
    for path in sorted(set(paths)):
        inside = found and path.startswith(f"{found[-1]}/")
        if not inside and not path.startswith("/proc/") and os.path.exists(path):
            found.append(path)
    return found


def _touched(place: str, paths: Iterable[str]) -> bool:
    """Whether one of the paths lies in a folder, or the folder in it."""
    return any(f"{path}/".startswith(f"{place}/") or place.startswith(f"{path}/") for path in paths)


def _bind(fd: int, path: str, target: str) -> None:
    """Makes what `fd` is open on appear at `target`, read-only."""
    source = f"/proc/self/fd/{fd}"
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        Path(target).touch()
    _mount(source, target, None, _MS_BIND | _MS_REC)
    flags = os.statvfs(target).f_flag
    kept = sum(mount for stat, mount in _KEPT_FLAGS.items() if flags & stat)
    with suppress(OSError):  # Landlock grants no writing in any case
        _mount(None, target, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY | kept)


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, data: str | None = None
) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    options = None if data is None else data.encode()
    _check(_libc.mount(*texts, ctypes.c_ulong(flags), options), f"mount {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
