"""How a call ends, as the host sees it, and the error that the caller gets."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from brainsmith.errors import (
    BrainsmithError,
    ConfigurationError,
    PluginError,
    PluginSecurityError,
    SandboxViolation,
)
from brainsmith.sandbox.execution import Subject, execute
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.outcome import Died, Exceeded, Malformed, Returned, Threw, Violated
from brainsmith.sandbox.policy import SandboxPolicy
from brainsmith.sandbox.record import Ledger
from brainsmith.sandbox.zygotes import zygotes
from tests.sandbox.conftest import QUICK, Run

Write = Callable[[str], Subject]
EASY = """
def f(*numbers):
    print("adding", len(numbers))
    return {"sum": sum(numbers)}
"""


def call(subject: Subject, policy: SandboxPolicy = QUICK, ledger: Ledger | None = None) -> object:
    return execute(
        subject,
        "code_of_plugin:f",
        (),
        label="transform Fold",
        policy=policy,
        level=Level.L3,
        ledger=ledger,
    )


@pytest.mark.parametrize("level", [Level.L1, Level.L2, Level.L3, Level.L4])
def test_a_function_returns_what_it_computes_at_every_level(run: Run, level: Level) -> None:
    trial = run(EASY, 1, 2, 3, level=level)
    assert isinstance(trial.outcome, Returned), trial
    assert bytes(trial.outcome.payload)
    assert trial.printed == "adding 3\n"
    assert trial.violations == ()
    assert 0 < trial.cpu_seconds < 5
    assert trial.peak_memory > 10 << 20


@pytest.mark.parametrize(
    ("body", "syscall", "rule", "path"),
    [
        ("return open('/etc/passwd').read()", "openat", "files", "/etc/passwd"),
        ("import os; return os.listdir('/etc')", "openat", "files", "/etc"),
        ("open('/tmp/made', 'w')", "openat", "files", "/tmp/made"),
        ("import os; os.chmod('/etc/passwd', 0)", "chmod", "file-changes", "/etc/passwd"),
        ("import os; os.unlink('relative')", "unlink", "file-changes", "/relative"),
        ("import os; os.fork()", "clone", "processes", None),
        ("import os; os.execv('/bin/true', ['true'])", "execve", "exec", "/bin/true"),
        ("import os; os.kill(os.getppid(), 9)", "kill", "signals", "process "),
        ("import socket; socket.socket()", "socket", "network", "AF_INET"),
        ("import os; os.setpriority(os.PRIO_PROCESS, 0, 1)", "setpriority", "scheduling", "proc"),
    ],
)
def test_what_is_refused_ends_the_call_with_its_rule_and_path(
    run: Run, body: str, syscall: str, rule: str, path: str | None
) -> None:
    trial = run(f"def f():\n    {body}\n")
    assert isinstance(trial.outcome, Violated), trial
    violation = trial.outcome.violation
    assert (violation.rule, violation.syscall.removesuffix("at")) == (
        rule, syscall.removesuffix("at"),
    )  # fmt: skip
    assert path is None or (violation.path or "").startswith(path)


def test_a_violation_that_is_swallowed_ends_the_call_all_the_same(run: Run) -> None:
    text = (
        "def f():\n    try:\n        open('/etc/passwd')\n    except OSError:\n        return 1\n"
    )
    assert isinstance(run(text).outcome, Violated)


def test_with_report_only_a_call_goes_on_after_a_violation(run: Run) -> None:
    text = "import os\ndef f():\n    try:\n        os.fork()\n    except OSError as e:\n        return e.errno\n"  # noqa: E501
    trial = run(text, report_only=True)
    assert isinstance(trial.outcome, Returned), trial
    assert [one.rule for one in trial.violations] == ["processes"]


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("raise KeyError('k')", Threw),
        ("raise SystemExit(0)", Threw),
        ("import os; os._exit(0)", Died),
        ("import os, signal; signal.raise_signal(signal.SIGSEGV)", Died),
        ("import ctypes; ctypes.string_at(0)", Died),
        ("bytearray(1 << 40)", Exceeded),
        ("return 'x' * (2 << 20)", Exceeded),
        ("import time; time.sleep(60)", Exceeded),
        ("while True: pass", Exceeded),
        ("import os\n    while True: os.write(1, b'x' * 65536)", Exceeded),
        ("import os; os.pwrite(4, b'garbage!' * 9, 0); os.write(3, b'.')\n    f()", Malformed),
        ("import os; os.write(3, b'.'); import time; time.sleep(9)", Malformed),
        (
            "import mmap, os; keep = mmap.mmap(4, 4096); os.write(3, b'.')\n    while keep: pass",
            Malformed,
        ),
    ],
)
def test_a_call_that_goes_wrong_is_seen_from_outside(run: Run, body: str, outcome: type) -> None:
    policy = dataclasses.replace(QUICK, wall_time=1.5, cpu_time=1)
    assert isinstance(run(f"def f():\n    {body}\n", policy=policy).outcome, outcome)
    assert isinstance(run(EASY).outcome, Returned), "the next call works"


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        ("raise ValueError('why')", PluginError, "ValueError: why"),
        ("from brainsmith.api import ConfigurationError as E\n    raise E('no', hint='do')",
         ConfigurationError, "no"),
        ("open('/etc/passwd')", PluginSecurityError, "openat(/etc/passwd) is refused"),
        ("import os; os._exit(7)", PluginError, "exit status 7"),
        ("return object()", PluginError, "object"),
        ("bytearray(1 << 40)", PluginSecurityError, "512 MiB of memory"),
        ("return 'x' * (2 << 20)", PluginSecurityError, "an answer of 1 MiB"),
        ("import os; os.write(3, b'.'); f()", PluginSecurityError, "no answer"),
    ],
)  # fmt: skip
def test_the_error_names_plugin_call_and_rule(
    write: Write, body: str, kind: type[BrainsmithError], says: str
) -> None:
    with pytest.raises(kind) as caught:
        call(write(f"def f():\n    {body}\n"))
    assert says in caught.value.what
    assert "plugin tried, transform Fold" in (caught.value.where or "")


def test_a_violation_is_the_cause_of_the_security_error(write: Write) -> None:
    with pytest.raises(PluginSecurityError) as caught:
        call(write("def f():\n    open('/etc/passwd')\n"))
    cause = caught.value.__cause__
    assert isinstance(cause, SandboxViolation)
    assert (cause.rule, cause.syscall, cause.path) == ("files", "openat", "/etc/passwd")
    assert "readable_paths" in (cause.hint or "")


def test_granted_files_can_be_read(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data.txt"
    data.write_text("granted")
    text = "def f(path):\n    return open(path).read()\n"
    assert isinstance(run(text, str(data)).outcome, Violated)
    policy = dataclasses.replace(QUICK, readable_paths=(data,))
    assert isinstance(run(text, str(data), policy=policy).outcome, Returned)


def test_the_ledger_keeps_every_call(write: Write) -> None:
    ledger = Ledger()
    call(write("def f():\n    print('\\x1b[31mred')\n"), ledger=ledger)
    with pytest.raises(PluginError):
        call(write("def f():\n    open('/etc/passwd')\n"), ledger=ledger)
    first, second = ledger.records
    assert (first.plugin, first.call, first.outcome, first.output) == (
        "tried", "transform Fold", "returned", "red\n",
    )  # fmt: skip
    assert (second.outcome, second.violations) == ("violated", ("openat(/etc/passwd)",))


def test_each_call_starts_afresh(write: Write) -> None:
    subject = write("count = 0\ndef f():\n    global count\n    count += 1\n    return count\n")
    assert [call(subject) for _ in range(3)] == [1, 1, 1]


@pytest.mark.slow
def test_many_threads_get_their_own_answers(write: Write) -> None:
    subject = write("def f(n):\n    return n\n")

    def one(n: int) -> object:
        return execute(subject, "code_of_plugin:f", (n,), label="f", policy=QUICK, level=Level.L3)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(1000))) == list(range(1000))


def test_a_zygote_that_is_killed_is_replaced(write: Write) -> None:
    subject = write("def f():\n    return 1\n")
    call(subject)
    for pid in zygotes.pids():
        os.kill(pid, 9)
    assert call(subject) == 1


def test_a_call_goes_on_where_its_zygote_is_killed_in_the_middle(write: Write) -> None:
    call(write("def f():\n    return 1\n"))
    subject = write("import time\ndef f():\n    time.sleep(0.5)\n    return 1\n")
    killer = threading.Timer(0.2, lambda: [os.kill(pid, 9) for pid in zygotes.pids()])
    killer.start()
    assert call(subject) == 1
    killer.join()


def test_the_host_keeps_no_descriptor_of_a_call(run: Run) -> None:
    run(EASY)
    before = sorted(os.listdir("/proc/self/fd"))
    for text in (EASY, "def f():\n    open('/etc/passwd')\n", "def f():\n    1 / 0\n"):
        run(text)
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_a_thread_that_started_the_zygote_may_end(write: Write) -> None:
    zygotes.close()
    subject = write("def f():\n    return 1\n")
    thread = threading.Thread(target=call, args=(subject,))
    thread.start()
    thread.join()
    pids = zygotes.pids()
    time.sleep(0.1)
    assert call(subject) == 1
    assert zygotes.pids() == pids
