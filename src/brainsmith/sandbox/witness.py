"""What the host makes of a system call that the kernel holds up: refuse it, or let Landlock decide.

The kernel enforces, this only tells: an argument that another thread changes meanwhile can spoil
the report, never the confinement.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path

from brainsmith.sandbox import rules, syscalls
from brainsmith.sandbox.confinement import Confinement
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.outcome import Violation
from brainsmith.sandbox.seccomp import Notification

_PAGE = 4096
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_AT_FDCWD = -100
# Which argument is the path, and which the folder that it is relative to.
_PLAIN = (
    *("open", "creat", "unlink", "rmdir", "mkdir", "rename", "link", "symlink", "chmod", "chown"),
    *("lchown", "truncate", "execve", "mknod", "chroot", "chdir", "utime", "utimes", "setxattr"),
    *("lsetxattr", "removexattr", "mount", "umount2", "acct", "swapon", "uselib", "pivot_root"),
)
_AT = (
    *("openat", "openat2", "unlinkat", "mkdirat", "mknodat", "renameat", "renameat2", "linkat"),
    *("fchmodat", "fchmodat2", "fchownat", "utimensat", "futimesat", "execveat", "open_tree"),
    *("name_to_handle_at",),
)
_PATHS: dict[str, tuple[int, int | None]] = {
    **dict.fromkeys(_PLAIN, (0, None)),
    **dict.fromkeys(_AT, (1, 0)),
}
# Which argument is a process.
_PROCESSES = {
    **dict.fromkeys(("kill", "tkill", "tgkill", "ptrace", "kcmp", "pidfd_open", "prlimit64"), 0),
    **dict.fromkeys(("process_vm_readv", "process_vm_writev"), 0),
    **dict.fromkeys(("sched_setaffinity", "sched_setscheduler", "sched_setparam"), 0),
    **dict.fromkeys(("setpriority", "ioprio_set"), 1),
}
_OWN = ("/proc/self", "/proc/thread-self")
# What numerics and allocators look up, and can do without.
_QUIET = tuple(
    f"{who}/{what}"
    for who in _OWN
    for what in (
        *("maps", "smaps", "status", "stat", "statm", "cgroup", "mountinfo", "mounts", "auxv"),
    )
)
_QUIET_TREES = ("/sys/fs/cgroup", "/sys/devices/system", "/proc/sys/vm", "/sys/kernel/mm")


@dataclass(frozen=True)
class Verdict:
    """What the kernel is told, and what it means.

    Attributes:
        error: the error with which the call fails; None where it goes on.
        violation: what it broke.
        opened: a descriptor that the call returns a copy of, and that is closed then.
    """

    error: int | None
    violation: Violation | None = None
    opened: int | None = None


@dataclass
class Witness:
    """Judges the system calls of one worker."""

    pid: int
    confinement: Confinement
    _memory: int | None = field(default=None, init=False)

    def judge(self, call: Notification) -> Verdict:
        """What to do with a system call."""
        name = syscalls.name_of(call.nr)
        if name in ("openat", "open"):
            return self._judge_open(name, call)
        if name == "sched_setaffinity" and self._is_own(_signed(call.args[0])):
            return Verdict(errno.EPERM)  # thread pools place their threads, and can do without
        violation = Violation(name, rules.rule_of(name), self._named(name, call))
        return Verdict(errno.EPERM, violation)

    def close(self) -> None:
        """Lets go of the worker's memory."""
        if self._memory is not None:
            os.close(self._memory)
            self._memory = None

    def _judge_open(self, name: str, call: Notification) -> Verdict:
        """Landlock decides of every file; here it is only told which ones it refuses.

        Where there is no Landlock, the host opens for the worker what it may read: a path that is
        judged, then opened by the worker itself, could have changed in between.
        """
        path = self._path(name, call)
        if path is None:
            unseen = self.confinement.level == Level.L2
            return Verdict(errno.EFAULT if unseen else None)
        verdict = self._told(name, path, call)
        if self.confinement.level != Level.L2:
            return verdict
        if verdict.violation is not None:
            return Verdict(errno.EACCES, verdict.violation)
        return self._opened(path)

    def _opened(self, path: str) -> Verdict:
        """Opens a file for the worker, if what is open then is what it may read."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            return Verdict(error.errno or errno.EACCES)
        if self._allowed(os.readlink(f"/proc/self/fd/{fd}"), writing=False):
            return Verdict(None, opened=fd)
        os.close(fd)
        return Verdict(errno.EACCES)

    def _told(self, name: str, path: str, call: Notification) -> Verdict:
        flags = call.args[2 if name == "openat" else 1]
        writing = bool(flags & _WRITING) and not flags & os.O_PATH
        seen = self._as_seen(path)
        real = _real(seen)
        if self._allowed(real, writing=writing):
            return Verdict(None)
        # Not of `real`: links below /proc lead to what has no path.
        absent = not os.path.exists(seen) and not flags & os.O_CREAT
        quiet = path in _QUIET or _inside(real, _QUIET_TREES)
        if absent or (quiet and not writing):
            return Verdict(None)
        return Verdict(None, Violation(name, "files", path))

    def _is_own(self, thread: int) -> bool:
        """Whether a thread is one of the worker's, by the number that the worker knows it by."""
        return any(
            line.split()[-1] == str(thread)
            for task in os.scandir(f"/proc/{self.pid}/task")
            for line in _lines(f"{task.path}/status")
            if line.startswith("NSpid:")
        )

    def _as_seen(self, path: str) -> str:
        """A path with which the host finds what the worker finds: `self` is somebody else here."""
        for link in _OWN:
            if _inside(path, (link,)):
                return f"/proc/{self.pid}{path.removeprefix(link)}"
        return path

    def _allowed(self, real: str, *, writing: bool) -> bool:
        limits = self.confinement
        if writing:
            return _inside(real, limits.writable) or real == os.devnull
        if _inside(real, limits.readable) or _inside(real, limits.writable):
            return True
        return os.path.isdir(real) and _inside(real, limits.listable)

    def _named(self, name: str, call: Notification) -> str | None:
        if name in _PATHS:
            return self._path(name, call)
        if name in ("connect", "bind", "sendto"):
            pointer = call.args[4 if name == "sendto" else 1]
            return _address(self._read(pointer, 128))
        if name == "socket":
            return _family(call.args[0])
        if name in _PROCESSES:
            return f"process {_signed(call.args[_PROCESSES[name]])}"
        return None

    def _path(self, name: str, call: Notification) -> str | None:
        """The path that a system call names, absolute; None where it cannot be read."""
        at, folder = _PATHS[name]
        text = self._read(call.args[at], 2 * _PAGE).partition(b"\0")[0]
        if not text:
            return None
        path = os.fsdecode(text)
        if os.path.isabs(path):
            return _tidy(path)
        base = _AT_FDCWD if folder is None else _signed(call.args[folder])
        link = "cwd" if base == _AT_FDCWD else f"fd/{base}"
        with contextlib.suppress(OSError):
            return _tidy(os.path.join(os.readlink(f"/proc/{self.pid}/{link}"), path))
        return path

    def _read(self, address: int, size: int) -> bytes:
        """Memory of the worker from `address` on, as far as there is some."""
        try:
            if self._memory is None:
                self._memory = os.open(f"/proc/{self.pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
            first = min(size, _PAGE - address % _PAGE)
            found = os.pread(self._memory, first, address)
            if b"\0" not in found and first < size:
                with contextlib.suppress(OSError):
                    found += os.pread(self._memory, min(size - first, _PAGE), address + first)
        except (OSError, OverflowError):
            return b""
        return found


def _real(path: str) -> str:
    """The path without links, as the kernel finds it: of what is there that takes one step."""
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return os.path.realpath(path)
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _tidy(path: str) -> str:
    """A path without what means nothing; what leads up again may go through a link, and stays."""
    return path if ".." in path.split("/") else os.path.normpath(path)


def _inside(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _signed(value: int) -> int:
    low = value & 0xFFFFFFFF
    return low - (1 << 32) if low >= 1 << 31 else low


def _family(number: int) -> str:
    try:
        return socket.AddressFamily(number).name
    except ValueError:
        return f"family {number}"


def _address(data: bytes) -> str | None:
    """A socket address in words."""
    if len(data) < 8:
        return None
    (family,) = struct.unpack_from("=H", data)
    if family == socket.AF_INET:
        (port,) = struct.unpack_from("!H", data, 2)
        return f"{socket.inet_ntop(socket.AF_INET, data[4:8])}:{port}"
    if family == socket.AF_INET6 and len(data) >= 24:
        (port,) = struct.unpack_from("!H", data, 2)
        return f"[{socket.inet_ntop(socket.AF_INET6, data[8:24])}]:{port}"
    if family == socket.AF_UNIX:
        name = data[2:].strip(b"\0").partition(b"\0")[0]
        return f"unix:{name.decode(errors='replace')}"
    return _family(family)
