"""Runs one function in a worker and turns how it ended into a value or an error."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import brainsmith.errors
from brainsmith.errors import (
    BrainsmithError,
    PluginError,
    PluginSecurityError,
    SandboxViolation,
)
from brainsmith.sandbox import codec, landlock, limits, memory, messages, rules, surroundings
from brainsmith.sandbox.codec import CodecError
from brainsmith.sandbox.confinement import Confinement
from brainsmith.sandbox.frame import SIZE as HEADER
from brainsmith.sandbox.frame import Raised
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.outcome import (
    Died,
    Exceeded,
    Malformed,
    Outcome,
    Returned,
    Threw,
    Unconfined,
    Violated,
    Violation,
)
from brainsmith.sandbox.policy import SandboxPolicy
from brainsmith.sandbox.providers import Provider
from brainsmith.sandbox.record import CallRecord, Ledger
from brainsmith.sandbox.supervisor import Supervisor
from brainsmith.sandbox.text import visible
from brainsmith.sandbox.zygotes import Kind, WorkerLostError, zygotes

_ATTEMPTS = 3
_OPEN_FILES = 64
_MOST_READABLE = 200
# Errors that a plugin may raise on purpose; all others are its mistakes.
_OWN = ("ConfigurationError", "ModelError", "PluginError", "PluginValidationError", "TargetError")
_ASK = {
    "memory": "memory",
    "cpu_time": "cpu_time",
    "wall_time": "wall_time",
    "output_size": "output_size",
}


@dataclass(frozen=True)
class Subject:
    """Whose code runs.

    Args:
        name: the plugin's name, for errors.
        folder: its folder, which its worker may read; None for a call of installed code.
        paths: folders that come first when its worker looks for modules; it may read them.
    """

    name: str
    folder: Path | None = None
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Trial:
    """A call as it went, for whoever wants more than its value.

    Attributes:
        outcome: how it ended.
        violations: the system calls that were refused, in their order.
        printed: what it printed, without what could act on a terminal.
        seconds: from the request to the answer.
        cpu_seconds: processor time of all its threads.
        peak_memory: bytes, with what every worker has.
    """

    outcome: Outcome
    violations: tuple[Violation, ...]
    printed: str
    seconds: float
    cpu_seconds: float
    peak_memory: int


def execute(
    subject: Subject,
    function: str,
    arguments: tuple[Any, ...] = (),
    *,
    label: str,
    policy: SandboxPolicy,
    level: Level,
    ledger: Ledger | None = None,
    provider: Provider | None = None,
) -> Any:
    """What a function returns that runs confined.

    Args:
        subject: whose code it is, or calls.
        function: `module:function`; the module is imported after the worker is confined.
        arguments: what `codec` carries.
        label: what is called, for errors, such as "transform Fold".
        policy: its limits.
        level: how it is confined; L1 to L4, and L5 with a provider.
        ledger: where the call is noted.
        provider: who makes the surroundings of its worker.

    Raises:
        PluginSecurityError: it did what is not allowed, exceeded a limit, or answered with what
            is no answer; or it cannot be confined here.
        PluginError: it died, or raised something.
        BrainsmithError: it raised an error of Brainsmith's own.
    """
    from brainsmith.sandbox.report import require  # it runs a call of its own

    require(level, provider)
    where = f"plugin {subject.name}, {label}"
    with _tried(subject, function, arguments, policy, level, provider=provider) as trial:
        try:
            return _value(trial, policy, where)
        finally:
            if ledger is not None:
                ledger.add(_record(trial, subject, label, level))


def attempt(
    subject: Subject,
    function: str,
    arguments: tuple[Any, ...] = (),
    *,
    policy: SandboxPolicy,
    level: Level,
    report_only: bool = False,
    without: tuple[str, ...] = (),
    provider: Provider | None = None,
) -> Trial:
    """Runs a function confined, and tells how it went, whatever that was.

    Args:
        report_only: whether it goes on after a refused system call, which is only noted.
        without: rules that are left out, to see what they are good for.
        provider: who makes the surroundings of its worker.

    Raises:
        PluginSecurityError: it cannot be confined here.
    """
    with _tried(
        subject, function, arguments, policy, level, report_only, without, provider
    ) as trial:
        return trial


@contextlib.contextmanager
def _tried(
    subject: Subject,
    function: str,
    arguments: tuple[Any, ...],
    policy: SandboxPolicy,
    level: Level,
    report_only: bool = False,
    without: tuple[str, ...] = (),
    provider: Provider | None = None,
) -> Iterator[Trial]:
    """A call as it went; its successor's worker is made once all is done with it.

    Raises:
        PluginSecurityError: it cannot be confined here.
    """
    given = (subject.folder, *subject.paths, *policy.readable_paths)
    readable = tuple(os.path.realpath(path) for path in given if path)
    kind = _kind(subject, level, readable, without, provider)
    confinement = replace(kind.confinement, readable=(*kind.confinement.readable, *readable))
    request = {"function": function, "paths": [str(path) for path in subject.paths]}
    with contextlib.ExitStack() as stack:
        question = memory.sealed(codec.dumps(arguments))
        stack.callback(os.close, question)
        given_fds = [question, *_places(readable, subject.name, stack)]
        stack.callback(zygotes.restock, kind)
        for _ in range(_ATTEMPTS):
            try:
                trial = _once(kind, request, given_fds, confinement, policy, report_only)
            except WorkerLostError:
                continue
            yield trial
            return
    raise PluginSecurityError("the sandbox ends in the middle of calls", where=subject.name)


def _places(readable: tuple[str, ...], name: str, stack: contextlib.ExitStack) -> list[int]:
    """Descriptors that stand for what a worker may read; it need not look for it then."""
    if len(readable) > _MOST_READABLE:
        raise PluginSecurityError(
            f"it may read {len(readable)} files and folders, at most {_MOST_READABLE} are possible",
            where=name,
            hint="name the folder that holds them in `permissions: readable_paths`",
        )
    found = [fd for path in readable if (fd := landlock.place(path)) is not None]
    for fd in found:
        stack.callback(os.close, fd)
    return found


def _confinement(level: Level, without: tuple[str, ...]) -> Confinement:
    """What every worker of a level is confined to."""
    return Confinement(
        level=int(level),
        profile="call",
        readable=surroundings.readable(),
        listable=surroundings.listable(),
        witness=level >= Level.L2,
        without=without,
    )


def _once(
    kind: Kind,
    request: dict[str, Any],
    given: list[int],
    confinement: Confinement,
    policy: SandboxPolicy,
    report_only: bool,
) -> Trial:
    """One worker, from its request to its end."""
    start = time.perf_counter()
    with contextlib.ExitStack() as stack:
        worker = zygotes.take(kind)
        stack.callback(worker.close)
        listener = worker.listener()
        if listener is not None:
            stack.callback(os.close, listener)
        answer = memory.answer_file(policy.output_size + HEADER)
        stack.callback(os.close, answer)
        status, output = _pipe(stack), _pipe(stack)
        question, *readable = given
        fds = (question, answer, status[1], output[1], *readable)
        pid = worker.pid
        _limit(pid, policy, confinement, len(fds))
        try:
            messages.send(worker.channel, request, fds)
        except BrokenPipeError as error:
            raise WorkerLostError from error
        os.close(status[1])
        os.close(output[1])
        supervisor = Supervisor(
            worker, pid, listener, confinement, policy, answer, status[0], output[0], report_only
        )
        outcome = supervisor.watch()
        cpu, peak = _used(pid)
        return Trial(
            outcome,
            tuple(supervisor.violations),
            visible(bytes(supervisor.printed)),
            time.perf_counter() - start,
            cpu,
            peak,
        )


def _limit(pid: int, policy: SandboxPolicy, confinement: Confinement, given: int) -> None:
    """Sets the limits of a worker that waits, from outside.

    Raises:
        WorkerLostError: it is gone.
        PluginSecurityError: the system does not allow it.
    """
    try:
        limits.of_call(
            pid,
            memory=policy.memory,
            cpu_time=policy.cpu_time,
            file_size=policy.output_size + HEADER,
            open_files=_OPEN_FILES + given,
            without=frozenset(confinement.without),
        )
    except (ProcessLookupError, FileNotFoundError) as error:
        raise WorkerLostError from error
    except OSError as error:
        raise PluginSecurityError(
            f"a call cannot be limited here: {error.strerror}", where="sandbox"
        ) from error


def _pipe(stack: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe whose reading end is closed with the stack."""
    ends = os.pipe()
    stack.callback(os.close, ends[0])
    return ends


def _used(pid: int) -> tuple[float, int]:
    """Processor seconds and the most memory in bytes of a worker that has not been reaped."""
    try:
        return limits.processor_time(pid), limits.peak_memory(pid)
    except OSError:
        return 0.0, 0


def _kind(
    subject: Subject,
    level: Level,
    readable: tuple[str, ...],
    without: tuple[str, ...],
    provider: Provider | None,
) -> Kind:
    """The kind of worker for a call: a bare one where the plugin brings what others have loaded."""
    tree = None
    if level >= Level.L4:
        tree = (*surroundings.readable(), *readable)
    kind = Kind(_confinement(level, without), tree=tree, provider=provider)
    brought = set(_packages(subject.paths))
    if brought and brought & zygotes.modules(kind):
        return replace(kind, bare=True)
    return kind


def _packages(paths: tuple[Path, ...]) -> Iterator[str]:
    """Names of the packages that lie in these folders."""
    for path in paths:
        with contextlib.suppress(OSError):
            yield from (name.partition(".")[0] for name in os.listdir(path))


def _value(trial: Trial, policy: SandboxPolicy, where: str) -> Any:
    match trial.outcome:
        case Returned(payload):
            try:
                return codec.loads(payload)
            except CodecError as error:
                raise _malformed(str(error), where) from error
        case Threw(raised):
            raise _error(raised, where)
        case Violated(violation):
            refused = _violation(violation, where)
            raise PluginSecurityError(
                f"the plugin violated its sandbox: {refused.what}", where=where, hint=refused.hint
            ) from refused
        case Exceeded(limit):
            exceeded = _exceeded(limit, policy, where)
            raise PluginSecurityError(
                f"the plugin violated its sandbox: {exceeded.what}", where=where, hint=exceeded.hint
            ) from exceeded
        case Died(how):
            raise PluginError(
                f"the plugin's process crashed: {how}",
                where=where,
                hint="the rest is unharmed; tell the plugin's author",
            )
        case Malformed(why):
            raise _malformed(why, where)
        case Unconfined(why):
            raise PluginSecurityError(
                f"the call could not be confined, so it did not run: {why}",
                where=where,
                hint="`brainsmith doctor` says what this machine can do",
            )


def _malformed(why: str, where: str) -> PluginSecurityError:
    return PluginSecurityError(
        f"the plugin's process answered with what is no answer: {why}",
        where=where,
        hint="only code that gets around Brainsmith's own does that: do not trust this plugin",
    )


def _violation(violation: Violation, where: str) -> SandboxViolation:
    hint = None
    if violation.rule == "files":
        hint = "if it must read this: `permissions: readable_paths` in its manifest, and your grant"
    return SandboxViolation(
        f"{violation} is refused: {rules.RULES[violation.rule].why}",
        rule=violation.rule,
        syscall=violation.syscall,
        path=violation.path,
        where=where,
        hint=hint,
    )


def _exceeded(limit: str, policy: SandboxPolicy, where: str) -> SandboxViolation:
    allowed = {
        "memory": f"{policy.memory / (1 << 20):.0f} MiB of memory",
        "cpu_time": f"{policy.cpu_time:g} s of processor time",
        "wall_time": f"{policy.wall_time:g} s",
        "output_size": f"an answer of {policy.output_size / (1 << 20):.0f} MiB",
        "printed": "printing 64 MiB",
    }[limit]
    hint = None
    if limit in _ASK:
        hint = f"if it needs more: `permissions: {limit}` in its manifest, and your grant"
    return SandboxViolation(
        f"it used up its limit of {allowed}", rule=limit, where=where, hint=hint
    )


def _error(raised: Raised, where: str) -> BrainsmithError:
    """The error for an exception of a plugin's code."""
    if raised.type in _OWN:
        kind = getattr(brainsmith.errors, raised.type)
        place = f"{where}: {raised.where}" if raised.where else where
        own: BrainsmithError = kind(raised.message, where=place, hint=raised.hint)
        own.__cause__ = TracebackError(raised.traceback)
        return own
    error = PluginError(f"{raised.type}: {raised.message}", where=where)
    error.__cause__ = TracebackError(raised.traceback)
    return error


class TracebackError(Exception):
    """Where a plugin's code failed, in the worker; as `--debug` shows it."""

    def __str__(self) -> str:
        return f"\n{visible(str(self.args[0]).encode())}"


def _record(trial: Trial, subject: Subject, label: str, level: Level) -> CallRecord:
    return CallRecord(
        plugin=subject.name,
        call=label,
        level=level,
        seconds=trial.seconds,
        cpu_seconds=trial.cpu_seconds,
        peak_memory=trial.peak_memory,
        output=trial.printed,
        outcome=type(trial.outcome).__name__.lower(),
        violations=tuple(map(str, trial.violations)),
    )
