"""Attacks on the host itself: its watch over a call, its state, its figures, its next call."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from brainsmith.errors import PluginSecurityError
from brainsmith.sandbox import codec, rules, syscalls
from brainsmith.sandbox.execution import Subject, Trial, attempt
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.outcome import Exceeded, Malformed, Returned
from brainsmith.sandbox.policy import SandboxPolicy
from brainsmith.sandbox.witness import Witness
from brainsmith.sandbox.zygotes import zygotes
from tests.sandbox.attacks import unchanged
from tests.sandbox.attacks.case import BRIEF, FOLDER, POLICY
from tests.sandbox.attacks.conftest import needs
from tests.sandbox.attacks.processes import below
from tests.sandbox.attacks.stage import Stage

ATTACKER = Subject("attacker", paths=(FOLDER,))
# Landlock decides of the first; glibc tries the third before another; the kernel lets no filter see
# what only its own trampolines may call.
UNTOLD = ("open", "openat", "clone3", "uretprobe", "uprobe")


def run(
    act: str,
    *,
    level: Level = Level.L3,
    policy: SandboxPolicy = POLICY,
    report_only: bool = False,
    **facts: Any,
) -> Trial:
    function = f"acts.{act}"
    how = {"policy": policy, "level": level, "report_only": report_only}
    return attempt(ATTACKER, function, (facts,), **how)  # type: ignore[arg-type]


def value(trial: Trial) -> Any:
    assert isinstance(trial.outcome, Returned), trial
    return codec.loads(trial.outcome.payload)


def test_every_system_call_of_a_rule_is_refused_and_told(stage: Stage) -> None:
    trial = run("kernel:sweep_raw", report_only=True)
    assert value(trial) == []
    told = {(violation.syscall, violation.rule) for violation in trial.violations}
    for name, rule in rules.RULES.items():
        for syscall in rule.syscalls:
            if syscalls.number(syscall) is not None and syscall not in UNTOLD:
                assert (syscall, name) in told


def test_a_number_that_is_no_system_call_is_refused(stage: Stage) -> None:
    trial = run("answers:unknown_calls", report_only=True)
    assert {violation.rule for violation in trial.violations} == {"kernel"}
    assert value(trial) == []


@pytest.mark.parametrize("level", [Level.L2, Level.L3], ids=lambda level: level.name)
def test_wrong_pointers_do_not_disturb_the_watch(level: Level, host_stays: None) -> None:
    trial = run("answers:wrong_pointers", level=level, report_only=True)
    assert isinstance(trial.outcome, Returned)
    assert {"unlinkat", "connect", "sendto", "kill"} <= {v.syscall for v in trial.violations}
    printed = "".join(map(str, trial.violations))
    assert "\x1b" not in printed and "\n" not in printed


def test_ten_thousand_questions_are_answered(host_stays: None) -> None:
    trial = run("answers:opens")
    assert value(trial) == 1
    assert trial.violations == ()


def test_a_host_that_is_patched_in_a_worker_is_not_patched_here(host_stays: None) -> None:
    before = unchanged.state()
    assert value(run("answers:patch")) is True
    assert unchanged.state() == before


def test_what_a_call_leaves_is_gone_for_the_next(host_stays: None) -> None:
    assert [value(run("answers:leave")) for _ in range(3)] == [False, False, False]


def test_figures_are_the_host_s(host_stays: None) -> None:
    claims = run("answers:claims")
    assert value(claims)["seconds"] == 0.0
    assert claims.seconds >= 0.2
    assert claims.cpu_seconds > 0.05  # it is measured, however busy this machine is
    assert claims.peak_memory > 1 << 20


def test_work_in_another_thread_counts(host_stays: None) -> None:
    hidden = run("answers:hidden_work")
    assert value(hidden) < 0.1
    assert hidden.cpu_seconds >= 0.2


def test_an_answer_that_is_changed_while_it_is_read_is_one_answer() -> None:
    for _ in range(20):
        trial = run("answers:changed_later")
        match trial.outcome:
            case Returned(payload):
                first = bytes(payload)
                time.sleep(0.005)
                assert bytes(payload) == first
            case outcome:
                assert isinstance(outcome, Malformed)


def test_one_answer_counts_however_often_it_is_said(host_stays: None) -> None:
    with pytest.raises(codec.CodecError):  # `true` is no message of the codec
        value(run("answers:many_signs"))


def test_a_worker_that_closes_its_streams_has_no_more_time_than_others(host_stays: None) -> None:
    trial = run("answers:closed_streams", policy=BRIEF)
    assert trial.outcome == Exceeded("wall_time")
    assert trial.seconds < 10


def test_a_refusal_while_the_answer_is_given_is_no_success_of_it(host_stays: None) -> None:
    trial = run("answers:refused_then_answered", report_only=True)
    assert all(violation.rule == "signals" for violation in trial.violations)
    assert value(trial) is True


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_watch_that_fails_ends_the_worker(
    error: type[BaseException], monkeypatch: pytest.MonkeyPatch, host_stays: None
) -> None:
    def judge(self: Witness, call: object) -> None:
        raise error("the watch fails")

    before = unchanged.state()
    with monkeypatch.context() as patch, pytest.raises(error):
        patch.setattr(Witness, "judge", judge)
        run("files:read_passwd")
    assert unchanged.state() == before
    assert value(run("answers:leave")) is False


def test_an_interrupted_caller_leaves_no_worker(stage: Stage) -> None:
    """As by Ctrl-C, in the middle of a call that does not end by itself."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    run("answers:leave")
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            run("limits:spin")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    until = time.monotonic() + 5
    while any(_busy(pid) for pid in below(os.getpid())) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(_busy(pid) for pid in below(os.getpid()))


def _busy(pid: int) -> bool:
    """Whether a process of ours runs on and on."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "R"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("level", [Level.L3, Level.L4], ids=lambda level: level.name)
def test_many_calls_at_once_get_their_own_answers_and_output(level: Level, stage: Stage) -> None:
    def one(number: int) -> tuple[int, str]:
        trial = run("answers:number", level=level, number=number)
        return value(trial), trial.printed

    needs(level)
    one(0)
    before = unchanged.state()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(200)))
    assert answers == [(number, f"{number}\n") for number in range(200)]
    assert unchanged.state() == before


def test_calls_go_on_while_zygotes_are_killed(stage: Stage) -> None:
    stop = threading.Event()

    # Fewer deaths than one call outlives, since on a busy machine all may meet the same one.
    def kill() -> None:
        for _ in range(2):
            if not stop.wait(0.7):
                for pid in zygotes.pids():
                    os.kill(pid, signal.SIGKILL)

    def one(number: int) -> int:
        answer: int = value(run("answers:number", number=number))
        return answer

    killer = threading.Thread(target=kill)
    killer.start()
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(one, range(200)))
    stop.set()
    killer.join()
    assert numbers == list(range(200))


def test_a_sandbox_in_a_sandbox_is_refused(stage: Stage) -> None:
    trial = run("nested:call", report_only=True)
    assert value(trial) == "PluginSecurityError"
    assert trial.violations
    assert issubclass(PluginSecurityError, Exception)
