"""The zygote: a program with one thread and no secrets, whose forks become workers.

It is started by the host with one descriptor, loads what every worker needs, and then forks a
worker whenever it is asked. It runs no code of any plugin. When the host is gone, so is it, and
every worker with it.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from brainsmith.sandbox.confinement import Confinement

_PR_SET_PDEATHSIG = 1
_LOOKS, _PAUSE = 100, 0.01  # seconds


def main() -> NoReturn:
    """The program: `zygote.py DESCRIPTOR CONFIGURATION`."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    configuration = json.loads(sys.argv[2])
    sys.argv[1:] = []
    sys.path[:] = configuration["path"]
    os.environ.pop("PWD", None)  # of a provider
    if configuration["tree"] is not None:
        from brainsmith.sandbox import namespaces

        namespaces.enter(channel.fileno(), configuration["tree"])
    from brainsmith.sandbox.deferred import defer

    for name in configuration["deferred"]:
        defer(name)
    for name in configuration["preload"]:
        importlib.import_module(name)
    from brainsmith.sandbox import messages, worker

    _check_alone()
    confinement = worker.warm_up(configuration["confinement"])
    gc.collect()
    gc.freeze()  # so that no collection of a worker touches, and thereby copies, these pages
    messages.send(channel, {"modules": sorted({name.partition(".")[0] for name in sys.modules})})
    _silence()
    _Zygote(channel, confinement).serve()


def _check_alone() -> None:
    """A fork copies one thread, so there must be no other: its locks would stay locked."""
    for _ in range(_LOOKS):  # one that has been joined may not have left yet
        try:
            threads = len(os.listdir("/proc/self/task"))
        except OSError:  # no /proc in these namespaces
            return
        if threads == 1:
            return
        time.sleep(_PAUSE)
    raise SystemExit(f"{threads} threads run after the imports; a zygote has one")


def _silence() -> None:
    """Standard error told the host why a start failed; from here on there is nothing to tell."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)


class _Zygote:
    """Serves one host: a packet is an order for one worker."""

    def __init__(self, channel: socket.socket, confinement: Confinement) -> None:
        self._channel = channel
        self._confinement = confinement
        self._children: dict[int, tuple[int, int]] = {}  # by pidfd: pid, where to report its end
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)

    def serve(self) -> NoReturn:
        from brainsmith.sandbox import messages

        while True:
            for fd, _ in self._poll.poll():
                if fd in self._children:
                    self._reap(fd)
                    continue
                try:
                    messages.receive(self._channel)
                    self._spawn()
                except (EOFError, OSError):
                    self._end()

    def _spawn(self) -> None:
        from brainsmith.sandbox import messages

        ours, theirs = messages.pair()
        report, reported = os.pipe()
        zygote = os.getpid()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._become_worker(theirs, zygote)
        pidfd = os.pidfd_open(pid)
        messages.send(self._channel, {"pid": pid}, [ours.fileno(), pidfd, report])
        ours.close()
        theirs.close()
        os.close(report)
        self._children[pidfd] = (pid, reported)
        self._poll.register(pidfd, select.POLLIN)

    def _become_worker(self, channel: socket.socket, zygote: int) -> NoReturn:
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() == zygote:  # it did not end in between
                from brainsmith.sandbox import worker

                self._channel.close()
                worker.serve(channel, self._confinement)
        finally:
            os._exit(1)

    def _reap(self, pidfd: int) -> None:
        pid, reported = self._children.pop(pidfd)
        self._poll.unregister(pidfd)
        _, status, usage = os.wait4(pid, 0)
        facts = {
            "status": os.waitstatus_to_exitcode(status),
            "cpu": usage.ru_utime + usage.ru_stime,
            "memory": usage.ru_maxrss * 1024,
        }
        _tell(reported, json.dumps(facts).encode())
        os.close(reported)
        os.close(pidfd)

    def _end(self) -> NoReturn:
        for pidfd in self._children:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os._exit(0)


def _tell(fd: int, text: bytes) -> None:
    """Writes to a pipe that nobody may read any more."""
    try:
        os.write(fd, text)
    except BrokenPipeError:
        return


if __name__ == "__main__":
    main()
