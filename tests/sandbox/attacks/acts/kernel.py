"""Parts of the kernel that a plugin does not need, and by which sandboxes have been left."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import signal
import socket
import struct
import time
from typing import Any

from acts import raw
from brainsmith.sandbox import rules

Facts = dict[str, Any]
_NEWUSER, _NEWNS, _NEWUTS = 0x10000000, 0x20000, 0x4000000
_CREATE = 0o1000
_TIOCSTI, _TIOCLINUX, _FIONREAD = 0x5412, 0x541C, 0x541B
# What Landlock decides, and what the kernel ends whoever calls it.
_NOT_DENIED = ("open", "openat", "uretprobe", "uprobe")
_X32 = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _works(result: int) -> bool:
    """Whether the kernel did it; a descriptor that it gave is closed."""
    if result > 2:
        raw.call("close", result)
    return not raw.failed(result)


def unshare_user(facts: Facts) -> bool:
    """Through the C library: Python has a function for it from 3.12 on only."""
    done: bool = _libc.unshare(_NEWUSER) == 0
    return done


def unshare_raw(facts: Facts) -> bool:
    return raw.call("unshare", _NEWUSER | _NEWNS) == 0


def clone_namespace_raw(facts: Facts) -> bool:
    pid = raw.call("clone", _NEWUSER | int(signal.SIGCHLD), 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    return pid > 0 and os.waitpid(pid, 0)[0] == pid


def enter_namespace_raw(facts: Facts) -> bool:
    """A bad descriptor: where the call is there, it says so."""
    return raw.call("setns", -1, 0) == -errno.EBADF


def mount_raw(facts: Facts) -> bool:
    """In namespaces of its own, so that nobody else sees it."""
    raw.call("unshare", _NEWNS)
    raw.call("mount", b"", b"/", b"", 0x44000, None)
    return raw.call("mount", b"none", facts["home"].encode(), b"tmpfs", 0, None) == 0


def mount_context_raw(facts: Facts) -> bool:
    return _works(raw.call("fsopen", b"tmpfs", 0))


def host_name(facts: Facts) -> bool:
    socket.sethostname(socket.gethostname())
    return True


def io_ring_raw(facts: Facts) -> bool:
    return _works(raw.call("io_uring_setup", 1, ctypes.create_string_buffer(120)))


def io_ring_enter_raw(facts: Facts) -> bool:
    return raw.call("io_uring_enter", -1, 1, 0, 0, None, 0) == -errno.EBADF


def bpf_raw(facts: Facts) -> bool:
    attributes = struct.pack("=4I", 2, 4, 8, 1) + bytes(112)  # an array of one number
    return _works(raw.call("bpf", 0, attributes, len(attributes)))


def perf_raw(facts: Facts) -> bool:
    attributes = struct.pack("=IIQ", 1, 128, 0) + bytes(112)  # the clock of this process
    return _works(raw.call("perf_event_open", attributes, 0, -1, -1, 0))


def fault_handling_raw(facts: Facts) -> bool:
    return _works(raw.call("userfaultfd", 1 | os.O_CLOEXEC))


def watch_all_raw(facts: Facts) -> bool:
    return _works(raw.call("fanotify_init", 0, 0))


def watch_raw(facts: Facts) -> bool:
    fd = raw.call("inotify_init1", 0)
    watched = raw.call("inotify_add_watch", fd, facts["home"].encode(), 0xFFF)
    return watched > 0 and _works(fd)


def add_key_raw(facts: Facts) -> bool:
    process_ring = -2
    return raw.call("add_key", b"user", facts["abstract"].encode(), b"x", 1, process_ring) > 0


def key_ring_raw(facts: Facts) -> bool:
    return raw.call("keyctl", 0, -2, 1) > 0


def request_key_raw(facts: Facts) -> bool:
    gone = (-errno.ENOKEY, -errno.ENOENT)
    return raw.call("request_key", b"user", b"brainsmith-none", None, 0) in gone


def reboot_raw(facts: Facts) -> bool:
    """Without the numbers that mean it: whoever may do it is told that they are wrong."""
    return raw.call("reboot", 0, 0, 0, None) == -errno.EINVAL


def lock_memory(facts: Facts) -> bool:
    with mmap.mmap(-1, 4096) as page:
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        done: bool = _libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(4096)) == 0
        return done


def lock_all_memory_raw(facts: Facts) -> bool:
    done = raw.call("mlockall", 4 | 1) == 0  # when it is touched
    raw.call("munlockall")
    return done


def splice_raw(facts: Facts) -> bool:
    return raw.call("tee", -1, -1, 1, 0) == -errno.EBADF


def asynchronous_raw(facts: Facts) -> bool:
    context = ctypes.c_ulong()
    done = raw.call("io_setup", 1, ctypes.byref(context)) == 0
    raw.call("io_destroy", context.value)
    return done


def shared_memory_raw(facts: Facts) -> bool:
    return _works(raw.call("shmget", facts["key"], 4096, _CREATE | 0o600))


def semaphores_raw(facts: Facts) -> bool:
    return _works(raw.call("semget", facts["key"], 1, _CREATE | 0o600))


def message_queue_raw(facts: Facts) -> bool:
    return _works(raw.call("msgget", facts["key"], _CREATE | 0o600))


def posix_queue_raw(facts: Facts) -> bool:
    name = facts["abstract"].encode()
    return _works(raw.call("mq_open", name, os.O_CREAT | os.O_RDWR, 0o600, None))


def shared_memory(facts: Facts) -> bool:
    """Through the C library: what Python calls shared memory is files."""
    done: bool = _libc.shmget(facts["key"], 4096, _CREATE | 0o600) >= 0
    return done


def set_time(facts: Facts) -> bool:
    """To what it is: with a time that nobody means, the kernel says that it is wrong."""
    try:
        time.clock_settime(time.CLOCK_MONOTONIC, 0)
    except OSError as error:
        return error.errno == errno.EINVAL
    return True


def set_time_raw(facts: Facts) -> bool:
    return raw.call("settimeofday", None, None) == 0


def adjust_time_raw(facts: Facts) -> bool:
    """Adjusts nothing."""
    return raw.call("adjtimex", ctypes.create_string_buffer(208)) >= 0


def type_into_terminal(facts: Facts) -> bool:
    fcntl.ioctl(0, _TIOCSTI, b"x")
    return True


def type_into_terminal_raw(facts: Facts) -> bool:
    return raw.call("ioctl", 0, _TIOCSTI, b"x") == 0


def console_raw(facts: Facts) -> bool:
    """On what is no console the kernel says so; here it must not even be asked."""
    return raw.call("ioctl", 1, _TIOCLINUX, b"\x02") == -errno.ENOTTY


def ask_device(facts: Facts) -> bool:
    fcntl.ioctl(1, _FIONREAD, bytes(4))
    return True


def own_filter_raw(facts: Facts) -> bool:
    raw.call("prctl", 38, 1, 0, 0, 0)
    code = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0x7FFF0000))
    program = struct.pack("=HxxxxxxQ", 1, ctypes.addressof(code))
    return not raw.failed(raw.call("seccomp", 1, 1 << 3, program))


def own_filter(facts: Facts) -> bool:
    """Through prctl of the C library."""
    _libc.prctl(38, 1, 0, 0, 0)
    code = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0x7FFF0000))
    program = ctypes.create_string_buffer(struct.pack("=HxxxxxxQ", 1, ctypes.addressof(code)))
    done: bool = _libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(program)), 0, 0) == 0
    return done


def own_landlock_raw(facts: Facts) -> bool:
    return _works(raw.call("landlock_create_ruleset", struct.pack("=Q", 1), 8, 0))


def hide_raw(facts: Facts) -> bool:
    """From the host, which reads the memory of the worker to tell which file it wanted."""
    return raw.call("prctl", 4, 0, 0, 0, 0) == 0


def personality_raw(facts: Facts) -> bool:
    done = raw.call("personality", 0x0040000 | 0x0400000)
    return not raw.failed(done)


def segments_raw(facts: Facts) -> bool:
    description = struct.pack("=IIII", 0, 0, 0xFFFFF, 0x51)
    return raw.call("modify_ldt", 1, description, 16) == 0


def x32_raw(facts: Facts) -> bool:
    """The number of this process, asked for in the second ABI; a kernel without it says so."""
    return raw.by_number(_X32 | 39) in (os.getpid(), -errno.ENOSYS)


def i386_raw(facts: Facts) -> bool:
    """The same by the gate of 32-bit programs, whose calls have other numbers."""
    return raw.machine_code(bytes.fromhex("b814000000 cd80 c3")) == os.getpid()


def sweep_raw(facts: Facts) -> list[str]:
    """Every system call that a rule denies, with arguments that mean nothing; those that were not
    refused."""
    names = [name for rule in rules.RULES.values() for name in rule.syscalls if raw.has(name)]
    names = [name for name in names if name not in _NOT_DENIED]
    wrong = [-1] * 6
    return [name for name in names if raw.call(name, *wrong) not in (-errno.EPERM, -errno.ENOSYS)]
