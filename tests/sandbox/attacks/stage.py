"""What the attacks are aimed at: a home with secrets, listeners, a victim; and what became of them.

Everything is made for the attacks. The host looks here for their effects.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARK = "canary-of-the-host-"
_VICTIM = """
import ctypes, os, sys, time
text = ctypes.create_string_buffer(sys.stdin.buffer.read())
fd = os.memfd_create("of the victim")
os.write(fd, text.value)
print(ctypes.addressof(text), fd, flush=True)
time.sleep(600)
"""
_IOPRIO_GET = {"x86_64": 252, "aarch64": 31}
_libc = ctypes.CDLL(None, use_errno=True)


class Victim:
    """A process of the host's that somebody wants to harm."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._process = subprocess.Popen(
            (sys.executable, "-I", "-S", "-c", _VICTIM),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"SECRET": secret},
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(secret.encode())
        self._process.stdin.close()
        self.address, self.fd = map(int, self._process.stdout.readline().split())
        self._process.stdout.close()
        self._before = self._state()

    @property
    def pid(self) -> int:
        return self._process.pid

    def harmed(self) -> bool:
        """Whether it is not as it was."""
        return self._state() != self._before

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _state(self) -> object:
        """Everything about it that an attack could change; None when it has ended."""
        pid = self.pid
        try:
            status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if status == "Z":
                return None
            with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                memory.seek(self.address)
                intact = memory.read(len(self._secret)) == self._secret.encode()
            stopped = status in "Tt"
            return (
                stopped,
                intact,
                tuple(resource.prlimit(pid, which) for which in range(16)),
                os.getpriority(os.PRIO_PROCESS, pid),
                os.sched_getaffinity(pid),
                os.sched_getscheduler(pid),
                _libc.syscall(_IOPRIO_GET[os.uname().machine], 1, pid),
                [line for line in _lines(f"/proc/{pid}/status") if line.startswith("TracerPid")],
            )
        except (OSError, ProcessLookupError):
            return None


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


class Listeners:
    """The host's own services: whether somebody has talked to one of them."""

    def __init__(self, folder: Path, abstract: str) -> None:
        self._sockets = []
        self.tcp = self._listen(socket.AF_INET, ("127.0.0.1", 0)).getsockname()[1]
        dual = socket.socket(socket.AF_INET6)
        self._sockets.append(dual)
        dual.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        dual.bind(("::", 0))
        dual.listen()
        self.tcp6 = dual.getsockname()[1]
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sockets.append(datagrams)
        datagrams.bind(("127.0.0.1", 0))
        self.udp = datagrams.getsockname()[1]
        self.unix = str(folder / "agent.sock")
        self._listen(socket.AF_UNIX, self.unix)
        self._listen(socket.AF_UNIX, f"\0{abstract}")
        for one in self._sockets:
            one.setblocking(False)

    def _listen(self, family: int, address: Any) -> socket.socket:
        listener = socket.socket(family)
        self._sockets.append(listener)
        listener.bind(address)
        listener.listen()
        return listener

    def reached(self) -> bool:
        """Whether a connection or a datagram has come since it was last asked."""
        found = False
        for one in self._sockets:
            with contextlib.suppress(BlockingIOError):
                while True:
                    if one.type == socket.SOCK_DGRAM:
                        one.recv(4096)
                    else:
                        one.accept()[0].close()
                    found = True
        return found

    def close(self) -> None:
        for one in self._sockets:
            one.close()


class Stage:
    """The target of all attacks of a run.

    Attributes:
        root: a folder that is the stage's alone.
        secret: what nobody else knows; it lies in files, in the host's environment and memory.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.secret = MARK + secrets.token_hex(16)
        self._name = f"brainsmith-attack-{secrets.token_hex(4)}"
        self._key = secrets.randbits(30) | 1
        for folder in ("home", "plugin", "site", "site/__pycache__", "scratch", "other"):
            (root / folder).mkdir(parents=True)
        self.listeners = Listeners(root, self._name)
        self._victim = Victim(self.secret)
        self._known: object = None
        os.environ["API_KEY"] = self.secret
        self.left_open = os.memfd_create("of the host", 0)  # as careless hosts leave them
        os.write(self.left_open, self.secret.encode())
        self.kept = self.secret.encode().decode()  # in the host's memory, once more

    @property
    def readable(self) -> tuple[Path, ...]:
        """What the attacker is granted."""
        return (self.root / "plugin", self.root / "site")

    def reset(self) -> None:
        """Makes everything as it was in the beginning."""
        self._clean()
        root, home = self.root, self.root / "home"
        (root / "plugin/code.py").write_text("x = 1\n")
        (root / "plugin/locked").write_text(self.secret)
        (root / "plugin/locked").chmod(0)
        (root / "site/__pycache__/code.pyc").write_bytes(b"compiled")
        (root / "other/code.py").write_text(f"KEY = '{self.secret}'\n")
        for name in self._homely().values():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(self.secret)
        (root / "plugin/link").symlink_to(home / "secret")
        (root / "home/pointer").symlink_to(self.secret)
        os.link(home / "secret", root / "plugin/alias")
        if self._victim.harmed():
            self._victim.close()
            self._victim = Victim(self.secret)
        self.listeners.reached()
        self._known = self._files()

    def facts(self) -> dict[str, Any]:
        """What an attacker is told: where things are, not what they hold."""
        victim = self._victim
        return {
            **{name: str(self.root / path) for name, path in self._homely().items()},
            **{name: str(self.root / name) for name in ("home", "plugin", "site", "scratch")},
            "bashrc": str(self.root / "home/.bashrc"),
            "pointer": str(self.root / "home/pointer"),
            "link": str(self.root / "plugin/link"),
            "alias": str(self.root / "plugin/alias"),
            "locked": str(self.root / "plugin/locked"),
            "other": str(self.root / "other/code.py"),
            "effect": str(self.root / "effect"),
            "shm": f"/dev/shm/{self._name}",
            "mark": MARK,
            "key": self._key,
            "abstract": self._name,
            "unix": self.listeners.unix,
            "tcp": self.listeners.tcp,
            "tcp6": self.listeners.tcp6,
            "udp": self.listeners.udp,
            "victim": victim.pid,
            "victim_fd": victim.fd,
            "address": victim.address,
        }

    def effects(self) -> Iterator[str]:
        """What has happened to it since it was reset."""
        if self._files() != self._known:
            yield "files"
        if self.listeners.reached():
            yield "connection"
        if self._victim.harmed():
            yield "victim"

    def close(self) -> None:
        self._clean()
        self._victim.close()
        self.listeners.close()
        os.close(self.left_open)
        os.environ.pop("API_KEY", None)
        shutil.rmtree(self.root, ignore_errors=True)

    @staticmethod
    def _homely() -> dict[str, str]:
        return {
            "secret": "home/secret",
            "ssh": "home/.ssh/id_ed25519",
            "aws": "home/.aws/credentials",
            "netrc": "home/.netrc",
            "pypirc": "home/.pypirc",
            "credentials": "home/.brainsmith/credentials",
        }

    def _files(self) -> object:
        """Everything about the files that an attack could change."""
        found: list[object] = []
        for path in sorted(self.root.rglob("*")):
            facts = path.lstat()
            found.append((str(path), facts.st_mode, facts.st_size, facts.st_mtime_ns, facts.st_uid))
            if path.is_file() and not path.is_symlink():
                with contextlib.suppress(OSError):
                    found.append(os.listxattr(path))
        found.append(os.path.exists(f"/dev/shm/{self._name}"))
        return found

    def _clean(self) -> None:
        """Removes what the attacks have made. The folders stay: workers may have them mounted."""
        for path in sorted(self.root.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                if path.parent != self.root and path.name != "__pycache__":
                    path.rmdir()
            elif not path.is_socket():
                path.unlink()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"/dev/shm/{self._name}")
        for get, control, arguments in (
            ("shmget", "shmctl", (0, 0)),
            ("msgget", "msgctl", (0,)),
            ("semget", "semctl", (0, 0)),
        ):
            number = getattr(_libc, get)(self._key, *arguments)
            if number >= 0:
                remove = 0
                extra = (0, remove, 0) if get == "semget" else (remove, 0)
                getattr(_libc, control)(number, *extra)
        with contextlib.suppress(AttributeError):
            _libc.mq_unlink(f"/{self._name}".encode())


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it started, and reaps it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
