"""Processes, threads and programs that a plugin has no business with."""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import subprocess
import threading
from typing import Any

from acts import raw

Facts = dict[str, Any]
_BOMB = 50
_THREADS = 200
_libc = ctypes.CDLL(None, use_errno=True)


def fork_bomb(facts: Facts) -> bool:
    children = []
    for _ in range(_BOMB):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        children.append(pid)
    return _reaped(children)


def fork_raw(facts: Facts) -> bool:
    return _child(raw.call("fork") if raw.has("fork") else raw.call("clone", 17, 0, 0, 0, 0))


def clone_raw(facts: Facts) -> bool:
    return _child(raw.call("clone", int(signal.SIGCHLD), 0, 0, 0, 0))


def clone3_raw(facts: Facts) -> bool:
    arguments = struct.pack("=8Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    return _child(raw.call("clone3", arguments, len(arguments)))


def vfork_raw(facts: Facts) -> bool:
    # Parent and child use one stack, so the return address waits in rdx: pop rdx; vfork; if it is
    # the child then exit(0), else push rdx; ret.
    code = "5a b83a000000 0f05 85c0 7402 52 c3 b83c000000 31ff 0f05"
    pid = raw.machine_code(bytes.fromhex(code))
    return not raw.failed(pid) and _reaped([pid])


def subprocess_run(facts: Facts) -> bool:
    return subprocess.run(["/bin/true"], check=False).returncode == 0


def posix_spawn(facts: Facts) -> bool:
    return _reaped([os.posix_spawn("/bin/true", ["true"], {})])


def system(facts: Facts) -> bool:
    return os.system(_writes(facts)) == 0


def new_session(facts: Facts) -> bool:
    os.setpgid(0, 0) if os.getpid() != os.getsid(0) else None
    os.setsid()
    return True


def new_session_raw(facts: Facts) -> bool:
    return not raw.failed(raw.call("setsid"))


def threads(facts: Facts) -> bool:
    gate = threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(_THREADS):
            thread = threading.Thread(target=gate.wait, daemon=True)
            thread.start()
            started.append(thread)
    finally:
        gate.set()
    return len(started) == _THREADS


def threads_raw(facts: Facts) -> bool:
    handles = [ctypes.c_ulong() for _ in range(_THREADS)]
    pause = ctypes.cast(_libc.pause, ctypes.c_void_p)
    return all(_libc.pthread_create(ctypes.byref(h), None, pause, None) == 0 for h in handles)


def execv(facts: Facts) -> None:
    os.execv("/bin/sh", ["sh", "-c", _writes(facts)])


def execve_raw(facts: Facts) -> bool:
    return _exec("execve", b"/bin/sh", facts)


def exec_setuid(facts: Facts) -> None:
    os.execv("/bin/su", ["su", "-s", "/bin/sh", "-c", _writes(facts)])


def execveat_raw(facts: Facts) -> bool:
    return _exec("execveat", b"/bin/sh", facts)


def exec_memory_file(facts: Facts) -> None:
    fd = os.memfd_create("program")
    with open("/bin/sh", "rb") as program:
        os.write(fd, program.read())
    os.execve(fd, ["sh", "-c", _writes(facts)], {})


def exec_memory_file_raw(facts: Facts) -> bool:
    fd = raw.call("memfd_create", b"program", 0)
    with open("/bin/sh", "rb") as program:
        os.write(fd if fd >= 0 else 1, program.read() if fd >= 0 else b"")
    return _exec("execveat", b"", facts, at=fd, flags=raw.AT_EMPTY_PATH)


def memory_file(facts: Facts) -> bool:
    os.close(os.memfd_create("hidden"))
    return True


def secret_memory_raw(facts: Facts) -> bool:
    return not raw.failed(raw.call("memfd_secret", 0))


def _writes(facts: Facts) -> str:
    return f"echo x > {facts['effect']}"


def _exec(name: str, path: bytes, facts: Facts, at: int = raw.AT_FDCWD, flags: int = 0) -> bool:
    words = [b"sh", b"-c", _writes(facts).encode()]
    arguments = (ctypes.c_char_p * 4)(*words, None)
    if name == "execve":
        return not raw.failed(raw.call(name, path, arguments, None))
    return not raw.failed(raw.call(name, at, path, arguments, None, flags))


def _child(pid: int) -> bool:
    if pid == 0:
        os._exit(0)
    return pid > 0 and _reaped([pid])


def _reaped(pids: list[int]) -> bool:
    for pid in pids:
        os.waitpid(pid, 0)
    return bool(pids)
