"""What a process confines itself to, and how: in one order, for good, and closed where it fails."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from brainsmith.sandbox import landlock, limits, privileges, seccomp

READY = b"."  # what a worker sends when it waits, with the listener if it has one
_ASIDE = 16  # descriptors below are those of a request
_FILTERED, _OWN_FILES = 2, 3  # the levels from which there are filters, and Landlock


@dataclass(frozen=True)
class Confinement:
    """What is left to a process: plain data, which a host sends to a worker.

    Attributes:
        level: 1 to 4, as `Level`.
        profile: which system calls it may make; see `profiles`.
        readable: files and folders, real paths.
        listable: folders whose names it may list.
        writable: files and folders that it may change.
        executable: programs that it may start, where its profile lets it start any.
        memory: bytes on top of what it has; None for no limit.
        cpu_time: seconds of processor time; None for no limit.
        file_size: bytes of the largest file that it may write.
        open_files: descriptors.
        witness: whether a listener is told of every file that is opened.
        without: rules that are left out, to see what they are good for.
    """

    level: int
    profile: str
    readable: tuple[str, ...] = ()
    listable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    executable: tuple[str, ...] = ()
    memory: int | None = None
    cpu_time: float | None = None
    file_size: int = 0
    open_files: int = 64
    witness: bool = True
    without: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Confinement:
        """From what `as_dict` made."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**fields)


def confine(c: Confinement, *, keep: Collection[int]) -> None:
    """Confines this process, which has one thread, and has no witness.

    Args:
        c: to what.
        keep: the descriptors that stay open.

    Raises:
        OSError: a step is refused; then nothing may run here.
    """
    without = frozenset(c.without)
    filter_ = None
    if c.level >= _FILTERED:  # made first: its table is a file
        filter_ = seccomp.program(c.profile, listened=False, witness=False, without=without)
    if "descriptors" not in without:
        privileges.close_others(keep)
    limits.of_call(
        0,
        memory=c.memory,
        cpu_time=c.cpu_time,
        file_size=c.file_size,
        open_files=c.open_files,
        without=without,
    )
    limits.of_all(without)
    _give_up(without)
    if c.level >= _OWN_FILES and "files" not in without:
        landlock.restrict(
            readable=c.readable,
            listable=c.listable,
            writable=c.writable,
            executable=c.executable,
            scoped="signals" not in without,
        )
    if filter_ is not None:
        seccomp.install(filter_.with_numbers(pid=os.getpid(), control=-1), listener=False)


@dataclass
class Halfway:
    """A process that waits for its call, confined but for the files of the plugin.

    The filter, which takes the longest, is there before the call is. It still lets the process
    receive from the one socket, and apply its set of rules of files; the host sets the limits.
    """

    c: Confinement
    rules: int | None

    @classmethod
    def begin(cls, c: Confinement, channel: socket.socket) -> Halfway:
        """Confines this process, which has one thread, as far as it can be without the call.

        Args:
            c: to what, with the files that every call may read.
            channel: where the request will come from; the listener is sent on it.

        Raises:
            OSError: a step is refused; then nothing may run here.
        """
        without = frozenset(c.without)
        limits.of_all(without)
        _give_up(without)
        rules = None
        if c.level >= _OWN_FILES and "files" not in without:
            made = landlock.ruleset(
                readable=c.readable, listable=c.listable, scoped="signals" not in without
            )
            rules = fcntl.fcntl(made, fcntl.F_DUPFD_CLOEXEC, _ASIDE)
            os.close(made)
        if c.level >= _FILTERED:
            _listened(c, channel, without)
        else:
            channel.send(READY)
        return cls(c, rules)

    def complete(self, readable: Sequence[int]) -> None:
        """The rest, for a call that may read what these descriptors stand for; they are closed.

        Raises:
            OSError: a step is refused; then nothing may run here.
        """
        if self.rules is not None:
            landlock.apply(self.rules, readable)
        for fd in readable:
            os.close(fd)


def _give_up(without: frozenset[str]) -> None:
    if "capabilities" not in without:
        privileges.drop()
    privileges.no_new()
    privileges.dumpable()


def _listened(c: Confinement, channel: socket.socket, without: frozenset[str]) -> None:
    """Installs the filter, and sends the listener."""
    filter_ = seccomp.program(c.profile, listened=True, witness=c.witness, without=without)
    code = filter_.with_numbers(pid=os.getpid(), control=channel.fileno())
    listener = seccomp.install(code, listener=True)
    assert listener is not None
    socket.send_fds(channel, [READY], [listener])
    os.close(listener)
