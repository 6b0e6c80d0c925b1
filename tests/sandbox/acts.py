"""What confined children do in the tests; what is raised is told, the number of an OSError too."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import marshal
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from brainsmith.sandbox import landlock, launch, privileges, syscalls

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_THREAD = 0x10000


def nothing() -> str:
    return "nothing"


def raw(name: str, *arguments: Any) -> int:
    """A system call; the words `room`, `pid` and `parent` stand for what only the child knows."""
    room = ctypes.create_string_buffer(4096)
    known = {"room": room, "pid": os.getpid(), "parent": os.getppid()}
    given = [known.get(word, word) if isinstance(word, str) else word for word in arguments]
    given = [word.encode() if isinstance(word, str) else word for word in given]
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in given]
    number = syscalls.number(name)
    assert number is not None, name
    result = _libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return int(result)


def numbered(number: int) -> int:
    """A system call by its number, without arguments."""
    result = _libc.syscall(ctypes.c_long(number), 0, 0, 0, 0, 0)
    if result < 0:
        raise OSError(ctypes.get_errno(), str(number))
    return int(result)


def fork() -> bool:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def start(*command: str) -> int:
    """The exit status of a program."""
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(command[0], command)
        except OSError as error:
            os._exit(100 + error.errno)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def threads() -> int:
    done = []
    all_ = [threading.Thread(target=done.append, args=(i,)) for i in range(4)]
    for one in all_:
        one.start()
    for one in all_:
        one.join()
    return len(done)


def abort() -> None:
    os.abort()


def own_limits() -> list[int]:
    return list(resource.getrlimit(resource.RLIMIT_NOFILE))


def limits(*names: str) -> dict[str, list[int]]:
    return {name: list(resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))) for name in names}


def lock() -> None:
    with open(os.devnull) as file:
        fcntl.lockf(file, fcntl.LOCK_SH)


def is_terminal() -> bool:
    read, _ = os.pipe()
    return os.isatty(read)


def i386() -> int:
    """The number of the process, asked for as a program of i386 does."""
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20; int 0x80; ret
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    return int(ctypes.CFUNCTYPE(ctypes.c_int)(address)()) - os.getpid()


def read(path: str) -> str:
    return Path(path).read_text()


def names(path: str) -> list[str]:
    return sorted(os.listdir(path))


def write(path: str) -> None:
    Path(path).write_text("written")


def cut(path: str, mode: int) -> int:
    """Opens a file and cuts it to nothing at that."""
    os.close(os.open(path, mode | os.O_TRUNC))
    return os.stat(path).st_size


def make_folder(path: str) -> None:
    os.mkdir(path)


def rename(old: str, new: str) -> None:
    os.rename(old, new)


def remove(path: str) -> None:
    os.unlink(path)


def symlink(path: str) -> None:
    os.symlink("/etc", path)


def pipe_file(path: str) -> None:
    os.mkfifo(path)


def hard_link(old: str, new: str) -> None:
    os.link(old, new)


def signal_parent() -> None:
    os.kill(os.getppid(), 0)


def scoped_signal() -> None:
    """Signals the parent with nothing but Landlock's scopes in the way."""
    privileges.no_new()
    landlock.restrict(scoped=True)
    os.kill(os.getppid(), 0)


def connect(port: int) -> None:
    with socket.socket() as client:
        client.settimeout(2)
        client.connect(("127.0.0.1", port))


def connect_abstract(name: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"\0{name}")


def allocate(size: int) -> int:
    return len(bytearray(size))


def map_data(size: int) -> int:
    """Private memory that could be written to."""
    return len(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))


def spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def fill(path: str, size: int) -> int:
    with contextlib.suppress(AttributeError), open(path, "wb", buffering=0) as file:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        written = 0
        while written < size:
            written += file.write(bytes(size - written))
    return os.stat(path).st_size


def open_many() -> int:
    """How many descriptors can be opened."""
    fds = []
    try:
        while len(fds) < 10_000:
            fds.append(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise
    for fd in fds:
        os.close(fd)
    return len(fds)


def descriptors() -> list[int]:
    found = []
    for fd in range(1024):
        with contextlib.suppress(OSError):
            os.fstat(fd)
            found.append(fd)
    return found


def status() -> dict[str, str]:
    """What the kernel says of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


def capabilities_of_a_child() -> str:
    """What a program has that this process starts."""
    done = subprocess.run(("cat", "/proc/self/status"), capture_output=True, text=True, check=True)
    return next(line.split()[1] for line in done.stdout.splitlines() if "CapEff" in line)


def launch_here(plan: str, output: str, *command: str) -> None:
    """Becomes a tool as the launcher does, with its output in a file."""
    fd = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    given = marshal.loads(bytes.fromhex(plan))
    given["parent"] = os.getppid()
    sys.argv[1:] = [marshal.dumps(given).hex(), *command]
    launch.main()
