"""Answers that lie: written to the worker's descriptors by the attacker, past the worker's code."""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import errno
import json
import mmap
import os
import pickle
import resource
import struct
import sys
import threading
import time
from typing import Any, NoReturn

from acts import raw

Facts = dict[str, Any]
STATUS, ANSWER = 3, 4
_HEADER = struct.Struct("<8sHBxxxxxQ")
_MAGIC, _VERSION, _VALUE, _RAISED = b"BSANSWER", 1, 0, 1
_MIB = 1 << 20


def _say(header: bytes, payload: bytes = b"") -> NoReturn:
    """Writes an answer and says that it is there, then waits for the end."""
    os.pwrite(ANSWER, header + payload, 0)
    _done()


def _done() -> NoReturn:
    os.write(STATUS, b".")
    while True:
        time.sleep(60)


def _header(length: int, magic: bytes = _MAGIC, version: int = _VERSION, kind: int = 0) -> bytes:
    return _HEADER.pack(magic, version, kind, length)


def no_answer(facts: Facts) -> None:
    _done()


def garbage(facts: Facts) -> None:
    _say(os.urandom(4096))


def garbage_raw(facts: Facts) -> None:
    raw.call("pwrite64", ANSWER, b"\xff" * 64, 64, 0)
    raw.call("write", STATUS, b".", 1)
    raw.call("nanosleep", struct.pack("=qq", 60, 0), None)


def wrong_magic(facts: Facts) -> None:
    _say(_header(2, magic=b"BSANSWEr"), b"{}")


def wrong_version(facts: Facts) -> None:
    _say(_header(2, version=2), b"{}")


def wrong_kind(facts: Facts) -> None:
    _say(_header(2, kind=250), b"{}")


def wrong_padding(facts: Facts) -> None:
    header = bytearray(_header(2))
    header[12] = 1
    _say(bytes(header), b"{}")


def too_long(facts: Facts) -> None:
    _say(_header(1 << 40), b"{}")


def half_of_all(facts: Facts) -> None:
    _say(_header(1 << 63), b"{}")


def negative(facts: Facts) -> None:
    _say(_header((1 << 64) - 1), b"{}")


def no_payload(facts: Facts) -> None:
    _say(_header(0))


def truncated(facts: Facts) -> None:
    os.pwrite(ANSWER, _header(2)[:10], 0)
    _done()


def trailing(facts: Facts) -> None:
    good = json.dumps(True).encode()
    _say(_header(len(good) + 16), good + b"}" * 16)


def not_data(facts: Facts) -> None:
    _say(_header(4096), os.urandom(4096))


def deep(facts: Facts) -> None:
    text = b"[" * 200_000 + b"]" * 200_000
    _say(_header(len(text)), text)


def huge_number(facts: Facts) -> None:
    text = b"9" * (900 * 1024)
    _say(_header(len(text)), text)


class _Bomb:
    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (self._path, "w"))


def pickle_in_answer(facts: Facts) -> Any:
    """An object that makes a file when it is unpickled, in the place of data."""
    bomb = pickle.dumps(_Bomb(facts["effect"]))
    _say(_header(len(bomb)), bomb)


def pickle_returned(facts: Facts) -> Any:
    return _Bomb(facts["effect"])


def raised_no_json(facts: Facts) -> None:
    _say(_header(4, kind=_RAISED), b"\x80\x04.\x00")


def raised_wrong_fields(facts: Facts) -> None:
    text = json.dumps(
        {"type": 1, "message": [], "traceback": None, "where": {}, "hint": 2}
    ).encode()
    _say(_header(len(text), kind=_RAISED), text)


def raised_huge(facts: Facts) -> None:
    _say(_header(_MIB, kind=_RAISED), b"x" * _MIB)


def mapped(facts: Facts) -> None:
    """The host is to read one thing, and later another."""
    facts["map"] = mmap.mmap(ANSWER, mmap.PAGESIZE)
    _say(_header(4), b"true")


def mapped_raw(facts: Facts) -> None:
    flags_shared = 1
    raw.call("mmap", 0, mmap.PAGESIZE, 3, flags_shared, ANSWER, 0)
    _say(_header(4), b"true")


def changed_later(facts: Facts) -> None:
    """A thread goes on writing while the host reads."""

    def write() -> None:
        while True:
            with contextlib.suppress(OSError):
                os.pwrite(ANSWER, _header(2) + b"[]", 0)
                os.pwrite(ANSWER, _header(1 << 40), 0)

    os.pwrite(ANSWER, _header(4) + b"true", 0)
    threading.Thread(target=write, daemon=True).start()
    _done()


def grown(facts: Facts) -> bool:
    os.ftruncate(ANSWER, 1 << 40)
    return True


def grown_raw(facts: Facts) -> bool:
    return raw.call("pwrite64", ANSWER, b"x", 1, 1 << 40) == 1


def sealed_raw(facts: Facts) -> bool:
    """So that the host could not seal it any more."""
    return raw.call("fcntl", ANSWER, 1033, 1) == 0


def too_much(facts: Facts) -> str:
    return "x" * (8 * _MIB)


def too_much_raw(facts: Facts) -> None:
    """Past the worker's code, which says itself that it is too much."""
    piece = b"x" * _MIB
    for index in range(8):
        if raw.call("pwrite64", ANSWER, piece, _MIB, index * _MIB) != _MIB:
            break
    os.pwrite(ANSWER, _header(8 * _MIB), 0)
    _done()


def nothing(facts: Facts) -> None:
    return None


def many_signs(facts: Facts) -> None:
    """The host is told a thousand times that the answer is there."""
    os.pwrite(ANSWER, _header(4) + b"true", 0)
    os.write(STATUS, b"." * 4096)
    time.sleep(60)


def closed_streams(facts: Facts) -> None:
    for fd in range(5):
        os.close(fd)
    time.sleep(60)


def said_unconfined(facts: Facts) -> None:
    """That the sandbox failed, so that the user switches it off."""
    fields = {"type": "OSError", "message": "no", "traceback": "", "where": None, "hint": None}
    text = json.dumps(fields).encode()
    _say(_header(len(text), kind=2), text)


def claims(facts: Facts) -> dict[str, object]:
    """Figures of the attacker's own, while it works for a while."""
    end = time.perf_counter() + 0.2
    while time.perf_counter() < end:
        pass
    time.perf_counter = lambda: 0.0
    return {"tests_passed": 100, "seconds": 0.0, "cpu_seconds": 0.0, "peak_memory": 1}


def hidden_work(facts: Facts) -> float:
    """Works in another thread, so that this one's time looks short."""

    def work() -> None:
        end = time.thread_time() + 0.2
        while time.thread_time() < end:
            pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return time.thread_time()


def patch(facts: Facts) -> bool:
    """Changes what the host would use, if it were in the same process."""
    builtins.open = None  # type: ignore[assignment]
    json.loads = None  # type: ignore[assignment]
    os.environ["PATH"] = "/evil"
    os.environ["LD_PRELOAD"] = "/evil.so"
    sys.modules["brainsmith.sandbox.frame"] = sys
    sys.path.insert(0, "/evil")
    os.umask(0)
    os.chdir("/")
    resource.getrlimit = None  # type: ignore[assignment]
    return True


_LEFT: list[str] = []


def leave(facts: Facts) -> bool:
    """Leaves something behind for the next call, or finds what the last one left."""
    found = bool(_LEFT) or hasattr(builtins, "left") or "left" in sys.modules
    _LEFT.append("x")
    builtins.left = 1  # type: ignore[attr-defined]
    sys.modules["left"] = sys
    return found


def opens(facts: Facts) -> int:
    """Ten thousand files that are not there, which the host is told of one by one."""
    for _ in range(facts.get("count", 10_000)):
        raw.call("openat", raw.AT_FDCWD, b"/nonexistent", 0)
    return 1


def wrong_pointers(facts: Facts) -> None:
    """Paths and addresses that are none; the host looks at them before the kernel does."""
    edges = [0, 1, -1, 1 << 47, (1 << 63) - 1, -(1 << 63), ctypes.addressof(_page()) + 4095]
    for edge in edges:
        raw.call("openat", raw.AT_FDCWD, edge, 0)
        raw.call("openat", edge, edge, 0)
        raw.call("unlinkat", edge, edge, edge)
        raw.call("connect", edge, edge, 0xFFFFFFFF)
        raw.call("sendto", 1, edge, 1 << 40, 0, edge, 0xFFFFFFFF)
        raw.call("kill", edge, 0)
        raw.call("socket", edge, edge, edge)
    raw.call("openat", raw.AT_FDCWD, b"x" * 100_000, 0)
    raw.call("openat", raw.AT_FDCWD, b"/\xff\xfe\n\x1b[31m", 0)
    raw.call("openat", raw.AT_FDCWD, b"../" * 1300 + b"etc/passwd", 0)
    raw.call("openat", -100, b"", 0)


def _page() -> Any:
    page = mmap.mmap(-1, 2 * mmap.PAGESIZE)
    return (ctypes.c_char * mmap.PAGESIZE).from_buffer(page)


def unknown_calls(facts: Facts) -> list[int]:
    """Numbers that no kernel has; those that do not fail as they must."""
    numbers = (340, 423, 480, 1000, 4000, 0x3FFFFFFF)
    refused = (-errno.EPERM, -errno.ENOSYS)
    return [number for number in numbers if raw.by_number(number, *range(6)) not in refused]


def refused_then_answered(facts: Facts) -> bool:
    """A thread is refused something while the answer is given."""

    def ask() -> None:
        while True:
            raw.call("kill", 1, 0)

    threading.Thread(target=ask, daemon=True).start()
    return True


def number(facts: Facts) -> int:
    """What it was given: for many calls at once."""
    print(facts["number"])
    value: int = facts["number"]
    return value
