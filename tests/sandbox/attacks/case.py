"""An attack, the ways to run it, and the host's verdict on how it went."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from brainsmith.sandbox import codec
from brainsmith.sandbox.execution import Subject, Trial, attempt
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.outcome import (
    Died,
    Exceeded,
    Malformed,
    Returned,
    Threw,
    Unconfined,
    Violated,
)
from brainsmith.sandbox.policy import SandboxPolicy
from tests.sandbox.attacks.stage import Stage, end_group

FOLDER = Path(__file__).parent
MIB = 1 << 20
# Small, so that reaching a limit takes no time.
POLICY = SandboxPolicy(memory=160 * MIB, cpu_time=5, wall_time=60, output_size=MIB)
BRIEF = replace(POLICY, wall_time=0.4)
_ENOUGH = 20.0  # seconds
_LASTING = 0.8  # seconds after which a control arm counts as endless

OPEN = "OPEN"
ANYBODY, ROOT, NOBODY = "anybody", "root", "nobody"


@dataclass(frozen=True)
class Attack:
    """One case.

    Attributes:
        row: its number in the list of attacks.
        act: `module:function` below `acts`.
        rules: those that stand against it; without the first, its verdict is another.
        expected: the verdict from L3 on: DENY and a rule, LIMIT or KILL and a limit, DIED and how,
            REJECT, CONTAIN; or OPEN where nothing stands against it.
        effect: by what its success shows outside of the sandbox: `files`, `connection`, `victim`,
            `secret`, `claim` (only the actor can see it), `crash`, `silence` (it ended well, and
            without a result), `endless`, `output`.
        control: who can do it outside of the sandbox: anybody, root, or nobody.
        why: why nobody can do it there, or why nothing stands against it.
        at: the verdict at other levels, where it is another.
        policy: its limits.
        terminal: whether it needs a terminal.
        inherits: whether its control arm inherits an open file of the host's.
    """

    row: int
    act: str
    rules: tuple[str, ...]
    expected: str
    effect: str = "claim"
    control: str = ANYBODY
    why: str = ""
    at: Mapping[Level, str] = field(default_factory=dict)
    policy: SandboxPolicy = POLICY
    terminal: bool = False
    inherits: bool = False

    @property
    def form(self) -> str:
        """Whether it uses Python's functions or system calls of its own."""
        return "raw" if self.act.endswith("_raw") else "python"

    @property
    def name(self) -> str:
        """Its name in a report."""
        return f"{self.row}-{self.act.replace(':', '.')}"

    def verdict_at(self, level: Level) -> str:
        """What is expected at a level."""
        return self.at.get(level, self.expected)


@dataclass(frozen=True)
class Evidence:
    """What the host saw of one run.

    Attributes:
        verdict: in the words of `Attack.expected`.
        effects: what happened to the stage, and what the attacker got.
        trial: the call, of a confined run.
    """

    verdict: str
    effects: frozenset[str]
    trial: Trial | None = None


def confined(
    attack: Attack,
    stage: Stage,
    level: Level,
    *,
    report_only: bool = False,
    without: tuple[str, ...] = (),
) -> Evidence:
    """Runs an attack in a worker."""
    stage.reset()
    policy = replace(attack.policy, readable_paths=stage.readable)
    trial = attempt(
        Subject("attacker", paths=(FOLDER,)),
        f"acts.{attack.act}",
        (stage.facts(),),
        policy=policy,
        level=level,
        report_only=report_only,
        without=without,
    )
    value, problem = _value(trial)
    effects = {*stage.effects(), *_of_output(trial.printed, stage)}
    effects |= _of_value(value, stage, claims=attack.effect == "claim")
    verdict = OPEN if effects else problem or _verdict(attack, trial)
    return Evidence(verdict, frozenset(effects), trial)


def plain(attack: Attack, stage: Stage) -> Evidence:
    """Runs an attack's act in a process like any other: its control arm."""
    stage.reset()
    answer, result = os.memfd_create("answer", os.MFD_ALLOW_SEALING), os.memfd_create("result")
    status = os.pipe()
    os.ftruncate(answer, attack.policy.output_size)
    streams = _Streams(terminal=attack.terminal)
    fds = (result, status[1], answer)
    left = (stage.left_open,) * attack.inherits
    command = (sys.executable, "-P", str(FOLDER / "control.py"), attack.act)
    process = subprocess.Popen(
        (*command, json.dumps(stage.facts()), *map(str, fds)),
        stdin=streams.stdin,
        stdout=streams.output,
        stderr=streams.output,
        pass_fds=(*fds, *left),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        start_new_session=not attack.terminal,
        process_group=0 if attack.terminal else None,
    )
    try:
        lasting = _LASTING if attack.effect == "endless" else _ENOUGH
        code = _end_of(process, status[0], lasting)
    finally:
        end_group(process)
    told = os.pread(result, os.fstat(result).st_size, 0)
    effects = {*stage.effects(), *_of_end(code, told), *_of_output(streams.printed(), stage)}
    if any(os.pread(answer, 4096, 0)) or os.fstat(answer).st_size != attack.policy.output_size:
        effects.add("answer")
    if told:
        effects.update(_of_value(json.loads(told), stage, claims=True))
    for fd in (*fds, status[0]):
        os.close(fd)
    streams.close()
    return Evidence(OPEN, frozenset(effects))


def _end_of(process: subprocess.Popen[bytes], status: int, seconds: float) -> int | None:
    """How a process ends; None where it says that it has answered, or lasts."""
    with os.fdopen(os.pidfd_open(process.pid)) as pidfd:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.register(status, select.POLLIN)
        ended = [fd for fd, _ in poll.poll(seconds * 1e3)]
        return process.wait() if pidfd.fileno() in ended else None


def _of_end(code: int | None, told: bytes) -> set[str]:
    if code is None:
        return {"endless"}
    if code < 0:
        return {"crash"}
    return {"silence"} if code == 0 and not told else set()


def _of_output(printed: str, stage: Stage) -> set[str]:
    found = set()
    if stage.secret in printed:
        found.add("secret")
    if len(printed) > 64 * MIB or _acts_on_terminal(printed):
        found.add("output")
    return found


class _Streams:
    """Standard streams of a control arm."""

    def __init__(self, *, terminal: bool) -> None:
        self._held: list[int] = []
        self._file = os.memfd_create("output")
        self.output = self._file
        if terminal:
            ours, theirs = os.openpty()
            self._held = [ours, theirs]
            self.stdin = theirs
        else:
            self.stdin = os.open(os.devnull, os.O_RDONLY)
            self._held = [self.stdin]

    def printed(self) -> str:
        size = os.fstat(self._file).st_size
        return os.pread(self._file, size, 0).decode(errors="replace")

    def close(self) -> None:
        for fd in (*self._held, self._file):
            os.close(fd)


def _value(trial: Trial) -> tuple[Any, str]:
    """What was returned, as data; and the verdict where it is none."""
    if not isinstance(trial.outcome, Returned):
        return None, ""
    try:
        return codec.loads(trial.outcome.payload), ""
    except codec.CodecError:
        return None, "REJECT"


def _of_value(value: Any, stage: Stage, *, claims: bool) -> set[str]:
    """What the attacker got, by what it returned; what it says of itself only where asked for."""
    found = set()
    if stage.secret in json.dumps(value, default=repr):
        found.add("secret")
    if claims and (value is True or (isinstance(value, str | list) and value)):
        found.add("claim")
    return found


def _acts_on_terminal(printed: str) -> bool:
    return any(ord(c) < 32 and c not in "\n\t" for c in printed) or "\u202e" in printed


def _verdict(attack: Attack, trial: Trial) -> str:
    """The verdict on an attack that had no effect."""
    for violation in trial.violations:
        if violation.rule in attack.rules:
            return f"DENY {violation.rule}"
    match trial.outcome:
        case Violated(violation):
            return f"DENY {violation.rule}"
        case Exceeded(("cpu_time" | "wall_time") as limit):
            return f"KILL {limit}"
        case Exceeded(limit):
            return f"LIMIT {limit}"
        case Died(how):
            return f"DIED {how.split()[-1] if 'killed' in how else 'without an answer'}"
        case Malformed():
            return "REJECT"
        case Unconfined():
            return "UNCONFINED"
        case Threw(raised):
            return f"CONTAIN {raised.type}"
        case Returned():
            return f"DENY {trial.violations[0].rule}" if trial.violations else "CONTAIN"


def describe(evidence: Evidence) -> Mapping[str, Any]:
    """For the message of a test that fails."""
    with contextlib.suppress(AttributeError):
        return {"verdict": evidence.verdict, "effects": evidence.effects, **vars(evidence.trial)}
    return {"effects": evidence.effects}
