"""Using up what a call is granted: memory, processor, time, output, descriptors; and crashing."""

from __future__ import annotations

import ctypes
import mmap
import os
import re
import resource
import signal
import struct
import sys
import threading
import time
from typing import Any

from acts import raw

Facts = dict[str, Any]
_MIB = 1 << 20
_GREED = 320  # MiB; the suite grants a part of it
_FILES = 500
_NORESERVE = 0x4000
_RLIMIT_CORE = 4


def memory_bomb(facts: Facts) -> bool:
    held = [bytearray(os.urandom(4096) * (4 * _MIB // 4096)) for _ in range(_GREED // 4)]
    return len(held) == _GREED // 4


def memory_bomb_raw(facts: Facts) -> bool:
    for _ in range(_GREED // 16):
        address = raw.call("mmap", 0, 16 * _MIB, 3, 0x22, -1, 0)
        if raw.failed(address):
            return False
        ctypes.memset(address, 1, 16 * _MIB)
    return True


def shared_memory_bomb(facts: Facts) -> bool:
    held = [mmap.mmap(-1, 16 * _MIB) for _ in range(_GREED // 16)]
    return len(held) == _GREED // 16


def shared_memory_bomb_raw(facts: Facts) -> bool:
    return not raw.failed(raw.call("mmap", 0, _GREED * _MIB, 3, 0x21, -1, 0))


def sparse(facts: Facts) -> bool:
    return len(bytearray(_GREED * _MIB)) == _GREED * _MIB


def sparse_raw(facts: Facts) -> bool:
    flags = 0x22 | _NORESERVE
    return not raw.failed(raw.call("mmap", 0, 1 << 40, 3, flags, -1, 0))


def spin(facts: Facts) -> None:
    while True:
        pass


def spin_raw(facts: Facts) -> None:
    raw.machine_code(bytes.fromhex("ebfe"))


def spin_deaf(facts: Facts) -> None:
    for number in (signal.SIGTERM, signal.SIGXCPU, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    spin(facts)


def spin_deaf_raw(facts: Facts) -> None:
    raw.call("rt_sigprocmask", 0, b"\xff" * 8, None, 8)
    spin_raw(facts)


def sleep(facts: Facts) -> None:
    time.sleep(1e6)


def sleep_raw(facts: Facts) -> None:
    raw.call("nanosleep", struct.pack("=qq", 10**6, 0), None)


def power(facts: Facts) -> None:
    """In C, holding the interpreter's lock: no signal handler of Python's runs."""
    _ = 7 ** (10**8)


def slow_pattern(facts: Facts) -> None:
    re.match(r"(a+)+$", "a" * 60 + "b")


def deadlock(facts: Facts) -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def deadlock_raw(facts: Facts) -> None:
    word = ctypes.c_uint32(0)
    raw.call("futex", ctypes.byref(word), 0, 0, None, None, 0)


def flood(facts: Facts) -> bool:
    for _ in range(80):
        sys.stdout.write("x" * _MIB)
    return True


def flood_raw(facts: Facts) -> bool:
    data = b"x" * _MIB
    for _ in range(80):
        left = _MIB
        while left:
            left -= max(0, raw.call("write", 2, data, left))
    return True


def print_escapes(facts: Facts) -> None:
    print("\x1b[2J\x1b]0;evil\x07safe\rFAKE\x08\x9b31m\u202eover")


def print_escapes_raw(facts: Facts) -> None:
    text = b"\x1b[31mred\x1b[0m\xff\xfe\x00\x1bPevil\x1b\\\r\n"
    raw.call("write", 1, text, len(text))


def descriptors(facts: Facts) -> bool:
    held = [os.dup(0) for _ in range(_FILES)]
    return len(held) == _FILES


def descriptors_raw(facts: Facts) -> bool:
    return all(raw.call("dup", 0) >= 0 for _ in range(_FILES))


def recurse(facts: Facts) -> None:
    sys.setrecursionlimit(10**9)

    class Deep:
        def __repr__(self) -> str:
            return repr(self)

    repr(Deep())


def recurse_in_c(facts: Facts) -> None:
    """A tuple of a million levels, of which C makes a digest; nothing counts its calls."""
    nested: Any = ()
    for _ in range(10**6):
        nested = (nested,)
    hash(nested)


def null_pointer(facts: Facts) -> None:
    ctypes.string_at(0)


def null_pointer_raw(facts: Facts) -> None:
    raw.machine_code(bytes.fromhex("31c0 8b00 c3"))


def abort(facts: Facts) -> None:
    os.abort()


def illegal_instruction_raw(facts: Facts) -> None:
    raw.machine_code(bytes.fromhex("0f0b"))


def exit_quietly(facts: Facts) -> None:
    os._exit(0)


def exit_quietly_raw(facts: Facts) -> None:
    raw.call("exit_group", 0)


def exit_politely(facts: Facts) -> None:
    sys.exit(0)


def kill_self(facts: Facts) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_self_raw(facts: Facts) -> None:
    raw.call("tgkill", os.getpid(), raw.call("gettid"), int(signal.SIGKILL))


def core_dumps(facts: Facts) -> bool:
    """Whether a crash could leave one: what it can allow itself at most."""
    return resource.getrlimit(resource.RLIMIT_CORE)[1] != 0


def core_dumps_raw(facts: Facts) -> bool:
    limit = ctypes.create_string_buffer(16)
    raw.call("getrlimit", _RLIMIT_CORE, limit)
    return struct.unpack("=QQ", limit.raw)[1] != 0
