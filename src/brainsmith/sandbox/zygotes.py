"""The host's side of zygotes: starts them, takes workers from them, starts another if one dies."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from brainsmith.errors import PluginSecurityError
from brainsmith.sandbox import messages, surroundings, zygote
from brainsmith.sandbox.confinement import Confinement
from brainsmith.sandbox.providers import Provider

_PROGRAM = Path(zygote.__file__)
_START = 60.0  # seconds; half a second is usual
_ATTEMPTS = 3
_WAITING = 2  # workers: one for the next call, one while its successor is made


@dataclass(frozen=True)
class Kind:
    """What makes workers differ before their call.

    Attributes:
        bare: nothing but Python is loaded, for plugins that bring other versions of what
            every other worker has loaded.
        confinement: what they are confined to, but for the limits and files of their call.
        tree: the folders and files that are there, for workers in namespaces of their own; None
            for workers that see this machine's.
        provider: who makes these namespaces; we do if None.
    """

    confinement: Confinement
    bare: bool = False
    tree: tuple[str, ...] | None = None
    provider: Provider | None = None


class WorkerLostError(Exception):
    """The zygote, and with it the worker, ended for a reason that is not the call's."""


@dataclass
class Worker:
    """A process that waits for its one call.

    Attributes:
        channel: where the request goes, and the seccomp listener comes from.
        pidfd: the process.
        report: a pipe on which the zygote says how the worker ended.
    """

    channel: socket.socket
    pidfd: int
    report: int

    def listener(self) -> int | None:
        """Waits until it is confined as far as it can be before its call.

        Until then it must not be limited: with few descriptors allowed it could send none.

        Returns:
            The descriptor of its seccomp listener, if it has one.

        Raises:
            WorkerLostError: it ended, or hangs.
        """
        self.channel.settimeout(_START)
        try:
            data, fds, _, _ = socket.recv_fds(self.channel, 16, 1)
        except OSError as error:
            raise WorkerLostError("the worker hangs") from error
        if not data:
            raise WorkerLostError("the worker ended")
        self.channel.settimeout(None)
        return fds[0] if fds else None

    @property
    def pid(self) -> int:
        """Its number here; -1 when it is gone."""
        with open(f"/proc/self/fdinfo/{self.pidfd}", "rb", buffering=0) as file:
            _, _, rest = file.read(4096).partition(b"Pid:")
        return int(rest.split(None, 1)[0])

    def kill(self) -> None:
        """Ends it, if it has not ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def close(self) -> None:
        """Ends it and lets go of it."""
        self.kill()
        self.channel.close()
        os.close(self.pidfd)
        os.close(self.report)


class _Zygote:
    """A running zygote, and the end of its channel."""

    def __init__(self, kind: Kind) -> None:
        self._channel, theirs = messages.pair()
        configuration = {
            "path": surroundings.module_path(),
            "preload": surroundings.BARE if kind.bare else surroundings.PRELOAD,
            "deferred": surroundings.DEFERRED,
            "tree": None if kind.provider else kind.tree,
            "confinement": kind.confinement.as_dict(),
        }
        with theirs:
            command = [sys.executable, "-P", "-s", "-B", str(_PROGRAM), str(theirs.fileno())]
            command.append(json.dumps(configuration))
            if kind.provider is not None:
                command = kind.provider.command(command, kind.tree or ())
            self._process = subprocess.Popen(
                command,
                env=surroundings.environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self.modules = self._started()
        self._coming = 0  # workers that were ordered, and not taken
        self.restock()

    def _started(self) -> frozenset[str]:
        self._channel.settimeout(_START)
        try:
            message, _ = messages.receive(self._channel)
        except (EOFError, OSError) as error:
            said = self._last_words()
            self.close()
            raise PluginSecurityError(
                "the sandbox could not be started", where=said or str(error) or "zygote"
            ) from error
        assert self._process.stderr is not None
        self._process.stderr.close()
        return frozenset(message["modules"])

    def _last_words(self) -> str:
        self._process.kill()
        _, text = self._process.communicate()
        lines = text.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def take(self) -> Worker:
        """A worker that waits, or the next that comes.

        Raises:
            WorkerLostError: the zygote is gone.
        """
        try:
            if self._coming == 0:
                self._order()
            self._coming -= 1
            _, (channel, pidfd, report) = messages.receive(self._channel)
        except (EOFError, OSError, ValueError) as error:
            raise WorkerLostError("the zygote ended") from error
        worker = Worker(socket.socket(fileno=channel), pidfd, report)
        if self._process.poll() is not None:  # its workers outlive it in the channel alone
            worker.close()
            raise WorkerLostError("the zygote ended")
        return worker

    def restock(self) -> None:
        """Orders workers until some wait; not while a call runs, which needs the processors."""
        while self._coming < _WAITING:
            self._order()

    def _order(self) -> None:
        messages.send(self._channel, {})
        self._coming += 1

    def close(self) -> None:
        """Ends it and all its workers."""
        self._channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
            return
        self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid


class Zygotes:
    """One zygote of each kind, started when it is first needed; safe to share between threads."""

    def __init__(self) -> None:
        self._running: dict[Kind, _Zygote] = {}
        self._locks: dict[Kind, threading.Lock] = {}
        self._lock = threading.Lock()

    def take(self, kind: Kind) -> Worker:
        """A worker of a kind.

        Raises:
            PluginSecurityError: no zygote can be started here.
        """
        with self._lock_of(kind):
            for _ in range(_ATTEMPTS):
                try:
                    return self._zygote(kind).take()
                except WorkerLostError:
                    self._running.pop(kind).close()
        raise PluginSecurityError("the sandbox ends whenever it is started", where="zygote")

    def restock(self, kind: Kind) -> None:
        """After a call: has workers made for the next ones."""
        with self._lock_of(kind), contextlib.suppress(OSError):  # if it is gone, take() sees it
            if kind in self._running:
                self._running[kind].restock()

    def modules(self, kind: Kind) -> frozenset[str]:
        """The names of the packages that workers of a kind have loaded."""
        with self._lock_of(kind):
            return self._zygote(kind).modules

    def pids(self) -> list[int]:
        """The processes of all zygotes."""
        return [one.pid for one in list(self._running.values())]

    def close(self) -> None:
        """Ends all zygotes and their workers; the next call starts new ones."""
        with self._lock:
            running, self._running = self._running, {}
        for one in running.values():
            one.close()

    def forget(self) -> None:
        """In a fork of the host: the zygotes are its parent's, so their channels are closed."""
        running, self._running, self._locks = self._running, {}, {}
        self._lock = threading.Lock()
        for one in running.values():
            one._channel.close()

    def _zygote(self, kind: Kind) -> _Zygote:
        if kind not in self._running:
            self._running[kind] = _Zygote(kind)
        return self._running[kind]

    def _lock_of(self, kind: Kind) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(kind, threading.Lock())


zygotes = Zygotes()
atexit.register(zygotes.close)
os.register_at_fork(after_in_child=zygotes.forget)
