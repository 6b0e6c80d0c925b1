"""Runs tools as processes and keeps a log of their calls."""

from __future__ import annotations

import os
import resource
import selectors
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO

from brainsmith.errors import PluginSecurityError, StorageError, ToolError
from brainsmith.sandbox.launch import UNCONFINED
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.text import visible
from brainsmith.storage import write_atomic
from brainsmith.toolchains import confined as confinement
from brainsmith.toolchains.confined import Confined
from brainsmith.toolchains.tools import Tool

_TICK = 0.2
_KEPT_LINES = 2000
_LONGEST_LINE = 1 << 16  # bytes; what comes after them is cut off, or another line
_SHOWN_LINES = 15
_REFUSED = ("Permission denied", "Operation not permitted", "cannot be started")
_OUT_OF_MEMORY = ("bad_alloc", "out of memory", "virtual memory exhausted", "Out of memory")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool, or one that the cache made unnecessary."""

    tool: str
    version: str
    purpose: str
    command: tuple[str, ...]
    seconds: float
    cached: bool
    output: str = ""
    confined: Level = Level.L0


class Stop:
    """Ends, from another thread, every process that was started with it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()


@dataclass
class BuildLog:
    """The calls of a build, in the order in which they ended; safe to share between threads.

    Its `stop` ends those that run, and lets no other begin.
    """

    calls: list[ToolCall] = field(default_factory=list)
    on_call: Callable[[ToolCall], None] | None = None
    stop: Stop = field(default_factory=Stop, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def record(self, call: ToolCall) -> None:
        with self._lock:
            self.calls.append(call)
        if self.on_call is not None:
            self.on_call(call)

    def cached(self, tool: Tool, purpose: str) -> None:
        """Records that the result for `purpose` came from the cache."""
        self.record(ToolCall(tool.name, tool.version, purpose, (), 0.0, cached=True))

    def write(self, path: Path, more: str = "") -> None:
        """Writes all calls as text, with the last lines that each tool said, and `more` below."""
        with self._lock:
            text = "\n".join(_describe(call) for call in self.calls)
        write_atomic(path, f"{text}\n{more}", parents=True)


def _describe(call: ToolCall) -> str:
    how = "cached" if call.cached else f"{call.seconds:.2f} s"
    if call.confined:
        how += f", confined at {call.confined.name}"
    lines = [f"== {call.purpose} | {call.tool} {call.version} | {how}"]
    if call.command:
        lines.append(f"$ {shlex.join(call.command)}")
    lines += [f"  {line}" for line in call.output.splitlines()[-_SHOWN_LINES:]]
    return "\n".join(lines)


def run(
    tool: Tool,
    arguments: Sequence[str],
    *,
    purpose: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    confined: Confined | None = None,
    timeout: float = 3600.0,
    log: BuildLog | None = None,
    stop: Stop | None = None,
    on_line: Callable[[str], bool] | None = None,
    check: bool = True,
) -> tuple[int, str]:
    """Runs `tool` and returns its exit status and its last lines of output (both streams).

    The tool gets a process group of its own, which is killed on a timeout, on `stop` and on any
    exception (KeyboardInterrupt included).

    Args:
        purpose: what it is done for, for the log and the errors.
        env: variables added to the environment of the process and those of the tool.
        confined: how it is confined, for sources that are not ours: it then gets an environment of
            its own, without the user's variables. A level of L0 confines nothing.
        timeout: in seconds.
        on_line: sees each line as it comes; true keeps the line out of the output.
        check: raise on an exit status other than 0.

    Raises:
        ToolError: it cannot be started, failed, or took too long.
        StorageError: it failed because the disk is full.
        PluginSecurityError: it cannot be confined as it must be.
    """
    command = (*tool.command, *arguments)
    stops = [one for one in (stop, log.stop if log is not None else None) if one is not None]
    _check_stops(stops, tool, purpose)
    start = time.monotonic()
    lines: deque[str] = deque(maxlen=_KEPT_LINES)
    with _call(tool, arguments, confined, env or {}) as (words, variables):
        process = _start(tool, words, cwd, variables)
        try:
            assert process.stdout is not None
            for line in _lines(process.stdout, start + timeout, stops, tool, purpose, timeout):
                if on_line is None or not on_line(line):
                    lines.append(line if confined is None else visible(line.encode()))
            status = process.wait()
        except BaseException:
            _kill(process)
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
            if log is not None:
                call = ToolCall(
                    tool.name, tool.version, purpose, command, time.monotonic() - start, False,
                    "\n".join(lines), Level.L0 if confined is None else confined.level,
                )  # fmt: skip
                log.record(call)
    output = "\n".join(lines)
    last = output.rpartition("\n")[2]
    if confined is not None and status == UNCONFINED and last.startswith("brainsmith: "):
        raise PluginSecurityError(last.removeprefix("brainsmith: "), where=purpose)
    if status and check:
        raise failure(tool, purpose, command, status, output, confined=confined is not None)
    return status, output


@contextmanager
def background(
    tool: Tool,
    arguments: Sequence[str],
    *,
    cwd: Path,
    confined: Confined,
    line: int,
    errors: IO[bytes],
) -> Iterator[subprocess.Popen[bytes]]:
    """A tool that runs beside the block, and is ended with it.

    Args:
        confined: as in `run`.
        line: the file that it reads from and writes to.
        errors: what it says on standard error.
    """
    with _call(tool, arguments, confined, {}) as (words, variables):
        process = subprocess.Popen(
            words, cwd=cwd, env=variables, stdin=line, stdout=line, stderr=errors,
            start_new_session=True,
        )  # fmt: skip
        _limit_memory(process.pid)
        try:
            yield process
        finally:
            _kill(process)


@contextmanager
def _call(
    tool: Tool, arguments: Sequence[str], how: Confined | None, env: Mapping[str, str]
) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """The words and the variables that a tool is started with."""
    if how is None or how.level < Level.L1:
        words = (*_bound_to_parent(), *tool.command, *arguments)
        yield words, {**os.environ, **tool.env, **env}
        return
    confinement.prepare(tool)
    words = confinement.command(tool, arguments, how)
    temporary = tempfile.mkdtemp(prefix=".tmp-", dir=how.folder)
    try:
        yield words, confinement.environment(tool, how, Path(temporary), env)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def failure(
    tool: Tool,
    purpose: str,
    command: Sequence[str],
    status: int,
    output: str,
    *,
    confined: bool = False,
) -> ToolError | StorageError:
    """The error for a tool that ended with `status`, with its last lines of output."""
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return StorageError(
            f"{tool.name} could not write: the disk is full", where=purpose, hint="free some space"
        )
    if any(words in output for words in _OUT_OF_MEMORY):
        return ToolError(
            f"{tool.name} ran out of memory (a tool may use half of this machine's)",
            where=purpose,
            hint="make the design smaller, or its parts",
        )
    said = "\n".join(f"    {line}" for line in output.splitlines()[-_SHOWN_LINES:])
    how = f"was killed by signal {-status}" if status < 0 else f"failed with exit status {status}"
    hint = tool.hint
    if confined and any(words in output for words in _REFUSED):
        hint = "it ran confined, as a plugin's sources take part: no files but its own are there"
    return ToolError(
        f"{tool.name} {tool.version} {how}:\n{said}\n  command: {shlex.join(command)}",
        where=purpose,
        hint=hint,
    )


def _start(
    tool: Tool, words: Sequence[str], cwd: Path, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    program = tool.command[0]
    if not Path(program).exists():
        raise ToolError(f"{tool.name} was not found", where=program, hint=tool.hint)
    try:
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except PermissionError as error:
        raise ToolError(f"{tool.name} cannot be run", where=program, hint=tool.hint) from error
    _limit_memory(process.pid)
    return process


@lru_cache(maxsize=1)
def _bound_to_parent() -> tuple[str, ...]:
    """What makes a tool end when we are killed without a chance to end it."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return (setpriv, "--pdeathsig", "KILL") if setpriv else ()


def _limit_memory(pid: int) -> None:
    """Holds a tool to half of the machine's memory, so that it fails before the machine does."""
    if sys.platform != "linux":
        return
    limit = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    with suppress(ProcessLookupError, PermissionError):
        # Of what is written to: WebAssembly reserves far more addresses than it uses.
        resource.prlimit(pid, resource.RLIMIT_DATA, (limit, limit))


class _LineReader:
    """Reads lines from a pipe, looking up every tick to see whether it should go on."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._fd = pipe.fileno()
        self._rest = b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(pipe, selectors.EVENT_READ)

    def read(self) -> list[str] | None:
        """The lines that came within a tick; None at the end."""
        if not self._selector.select(_TICK):
            return []
        data = os.read(self._fd, 1 << 16)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        return [line[:_LONGEST_LINE].decode(errors="replace") for line in lines]

    def rest(self) -> list[str]:
        return [self._rest.decode(errors="replace")] if self._rest else []

    def close(self) -> None:
        self._selector.close()


def _lines(
    pipe: IO[bytes],
    deadline: float,
    stops: Sequence[Stop],
    tool: Tool,
    purpose: str,
    timeout: float,
) -> Iterator[str]:
    reader = _LineReader(pipe)
    try:
        while (lines := reader.read()) is not None:
            yield from lines
            _check_stops(stops, tool, purpose)
            if time.monotonic() > deadline:
                raise ToolError(
                    f"{tool.name} took longer than {timeout:.0f} s and was stopped", where=purpose
                )
        yield from reader.rest()
    finally:
        reader.close()


def _check_stops(stops: Sequence[Stop], tool: Tool, purpose: str) -> None:
    if any(stop.is_set() for stop in stops):
        raise ToolError(f"{tool.name} was stopped", where=purpose)


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()
