"""Hosts of their own kind, each a program: `python -m tests.sandbox.attacks.hosts NAME`.

What each prints is one JSON text.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brainsmith.errors import PluginSecurityError
from brainsmith.sandbox import codec, syscalls
from brainsmith.sandbox.execution import Subject, attempt, execute
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.outcome import Returned
from brainsmith.sandbox.policy import SandboxPolicy
from brainsmith.sandbox.report import proof, report
from brainsmith.sandbox.zygotes import zygotes

FOLDER = Path(__file__).parent
ATTACKER = Subject("attacker", paths=(FOLDER,))
_LONG = SandboxPolicy(cpu_time=600, wall_time=600)
_libc = ctypes.CDLL(None, use_errno=True)


def number(value: int, level: Level = Level.L3) -> Any:
    """A call that returns what it is given."""
    function, facts = "acts.answers:number", {"number": value}
    trial = attempt(ATTACKER, function, (facts,), policy=_LONG, level=level)
    assert isinstance(trial.outcome, Returned), trial
    return codec.loads(trial.outcome.payload)


def works() -> None:
    """Calls run on and on, at the level that is named, until this host is killed."""
    level = Level.parse(sys.argv[2])
    for _ in range(3):
        call = {"policy": _LONG, "level": level}
        arguments = (ATTACKER, "acts.limits:spin", ({},))
        threading.Thread(target=attempt, args=arguments, kwargs=call, daemon=True).start()
    number(1, level)
    print(json.dumps(zygotes.pids()), flush=True)
    time.sleep(600)


def forks() -> None:
    """A fork of the host makes calls beside it, and a fork of the fork."""
    numbers = [number(1)]
    for depth in range(2):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writing, json.dumps([number(2 + depth)]).encode())
            os._exit(0)
        numbers.append(number(10 + depth))
        numbers += json.loads(os.read(reading, 100))
        os.waitpid(pid, 0)
    print(json.dumps(numbers))


def lacks() -> None:
    """A machine without some system calls: `NAME:ERROR` each, by a filter around this host."""
    lacking = dict(part.split(":") for part in sys.argv[2:])
    _forbid({name: getattr(errno, error) for name, error in lacking.items()})
    try:
        how = {"label": "f", "policy": _LONG, "level": Level.L3}
        facts = {"number": 7}
        called: Any = execute(ATTACKER, "acts.answers:number", (facts,), **how)  # type: ignore[arg-type]
    except PluginSecurityError as error:
        called = str(error)
    whys = {level.name: proof(level)[1] for level in Level if Level.L0 < level < Level.L5}
    print(json.dumps({"level": report().level.name, "whys": whys, "called": called}))


def runs() -> None:
    """The verdicts of all attacks, at the levels that are named."""
    from tests.sandbox.attacks.all import verdicts

    seen = verdicts([Level.parse(name) for name in sys.argv[2:]])
    print(json.dumps({"user": os.getuid(), "verdicts": seen}))


def _forbid(errors: dict[str, int]) -> None:
    """Lets system calls fail in this process and all that it starts."""
    load, equal, give, allow, refuse = 0x20, 0x15, 0x06, 0x7FFF0000, 0x50000
    lines = [(load, 0, 0, 0)]
    for name, error in errors.items():
        lines += [(equal, 0, 1, syscalls.table()[name]), (give, 0, 0, refuse | error)]
    lines.append((give, 0, 0, allow))
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines))
    program = struct.pack("=HxxxxxxQ", len(lines), ctypes.addressof(code))
    _libc.prctl(38, 1, 0, 0, 0)  # no new privileges
    if _libc.prctl(22, 2, program, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "this machine has no filters")


HOSTS: dict[str, Callable[[], None]] = {host.__name__: host for host in (works, forks, lacks, runs)}

if __name__ == "__main__":
    HOSTS[sys.argv[1]]()
