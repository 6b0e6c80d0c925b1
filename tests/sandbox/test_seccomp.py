"""Filters say what their profiles say, on both architectures; the listener holds calls up."""

from __future__ import annotations

import errno
import os
import platform
import subprocess
import sys
from collections.abc import Iterator

import pytest

from brainsmith.sandbox import landlock, rules, seccomp, syscalls
from brainsmith.sandbox.profiles import OPENING, PROFILES
from tests.sandbox.bpf import verdict

ALLOW, NOTIFY, KILL = 0x7FFF0000, 0x7FC00000, 0x80000000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
PID, CONTROL = 4242, 6
ODD = (1 << 63) + 12345  # as an argument it passes no test


def error(number: int) -> int:
    return 0x00050000 | number


@pytest.fixture(params=ARCHITECTURES)
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """As if on this machine or the other one."""
    monkeypatch.setattr(platform, "machine", lambda: request.param)
    caches = (syscalls.table, syscalls._names, seccomp.program)
    for cached in caches:
        cached.cache_clear()
    yield request.param
    for cached in caches:
        cached.cache_clear()


def code(profile: str, **given: object) -> bytearray:
    how = {"listened": True, "witness": True, **given}
    return seccomp.program(profile, **how).with_numbers(pid=PID, control=CONTROL)  # type: ignore[arg-type]


@pytest.mark.parametrize("profile", PROFILES)
def test_each_name_gets_what_its_profile_says(machine: str, profile: str) -> None:
    filter_, allowed = code(profile), PROFILES[profile]
    for name, number in syscalls.table().items():
        said = verdict(filter_, number, ARCHITECTURES[machine], ODD, ODD, ODD)
        if name in OPENING:
            assert said == NOTIFY, name
        elif name in allowed.allowed:
            assert said == ALLOW, name
        elif name in allowed.quiet:
            assert said == error(allowed.quiet[name]), name
        elif allowed.tested.get(name) and all(test.forbidden for test in allowed.tested[name]):
            continue  # the flags of `clone`, tested below
        else:
            assert said == NOTIFY, name


def test_filters_are_short_and_each_jump_lands(machine: str) -> None:
    for profile in PROFILES:
        assert len(code(profile)) // 8 < 512  # of the 4096 that the kernel takes
        for number in range(1000):
            verdict(code(profile), number, ARCHITECTURES[machine])


def test_arguments_are_tested(machine: str) -> None:
    def call(name: str, *arguments: int, profile: str = "call") -> int:
        number = syscalls.number(name)
        assert number is not None
        return verdict(code(profile), number, ARCHITECTURES[machine], *arguments)

    thread = 0x3D0F00  # as glibc asks for one
    assert call("clone", thread) == ALLOW
    for flag in (0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert call("clone", thread | flag) == NOTIFY
        assert call("clone", 17 | flag, profile="build") == NOTIFY
    assert call("clone", 17) == NOTIFY  # a process
    assert call("clone", 17, profile="build") == ALLOW
    assert call("clone", 17, profile="simulate") == NOTIFY
    assert call("prlimit64", 0, 7, 0, 1) == ALLOW
    assert call("prlimit64", 0, 7, 1) == call("prlimit64", 0, 7, 1 << 32) == NOTIFY
    assert call("prlimit64", PID, 7, 0) == NOTIFY
    assert call("tgkill", PID, PID, 6) == ALLOW
    assert call("tgkill", PID + 1, PID, 6) == NOTIFY
    assert call("tgkill", PID, PID, 6, profile="build") == NOTIFY
    assert call("sendmsg", CONTROL) == call("recvmsg", CONTROL) == ALLOW
    assert call("sendmsg", CONTROL + 1) == call("sendmsg", 0) == NOTIFY
    assert call("fcntl", 3, 1030) == ALLOW
    assert call("fcntl", 3, 8) == NOTIFY  # F_SETOWN, whom signals go to
    assert call("ioctl", 0, 0x5401) == error(errno.ENOTTY)
    assert call("ioctl", 0, 0x5412) == NOTIFY  # TIOCSTI, which types
    assert call("sched_setaffinity", 0) == error(errno.EPERM)
    assert call("sched_setaffinity", PID) == NOTIFY
    assert call("prctl", 15) == ALLOW
    assert call("prctl", 4, 0) == NOTIFY  # PR_SET_DUMPABLE


def test_a_simulation_is_started_from_one_place_alone(machine: str) -> None:
    program = seccomp.program("simulate", listened=False, witness=False)
    places = {-3: 0x7F00_1234_5678, -4: 0x7F00_2234_5678, -5: 0x7F00_3234_5678}
    filter_ = bytearray(program.code)
    for offset, which, shift in program.patches:
        word = places.get(which, PID) >> shift & 0xFFFFFFFF
        filter_[offset : offset + 4] = word.to_bytes(4, sys.byteorder)
    number = syscalls.number("execve")
    assert number is not None

    def started(*arguments: int) -> int:
        return verdict(filter_, number, ARCHITECTURES[machine], *arguments)

    right = tuple(places.values())
    assert started(*right) == ALLOW
    for index in range(3):
        for other in (right[index] + 1, right[index] ^ 1 << 40, 0):
            wrong = (*right[:index], other, *right[index + 1 :])
            assert started(*wrong) == error(errno.EPERM)
    execveat = syscalls.number("execveat")
    assert execveat is not None
    assert verdict(filter_, execveat, ARCHITECTURES[machine], *right) == error(errno.EPERM)


def test_other_numbers_and_other_machines(machine: str) -> None:
    own, other = (ARCHITECTURES[name] for name in sorted(ARCHITECTURES, key=lambda n: n != machine))
    read = syscalls.number("read")
    assert read is not None
    youngest = max(syscalls.table().values())
    for profile in PROFILES:
        filter_ = code(profile)
        assert verdict(filter_, read, own) == ALLOW
        assert verdict(filter_, read, other) == KILL
        assert verdict(filter_, read, 0x40000003) == KILL  # i386
        assert verdict(filter_, read | syscalls.X32, own) == KILL
        assert verdict(filter_, youngest + 1, own) == error(errno.ENOSYS)
        assert verdict(filter_, 0x3FFFFFFF, own) == error(errno.ENOSYS)
        assert verdict(filter_, 0xFFFFFFFF, own) == KILL


@pytest.mark.parametrize("rule", [name for name, rule in rules.RULES.items() if rule.syscalls])
def test_a_rule_that_is_left_out_frees_its_calls_and_no_others(machine: str, rule: str) -> None:
    free = code("call", without=frozenset({rule}))
    guarded = code("call")
    for name, number in syscalls.table().items():
        arguments = (number, ARCHITECTURES[machine], ODD, ODD, ODD)
        if name in rules.RULES[rule].syscalls and name not in OPENING:
            assert verdict(free, *arguments) == ALLOW, name
        else:
            assert verdict(free, *arguments) == verdict(guarded, *arguments), name


def test_opening_goes_to_the_witness_where_there_is_one(machine: str) -> None:
    openat = syscalls.number("openat")
    assert openat is not None
    own = ARCHITECTURES[machine]
    assert verdict(code("call"), openat, own) == NOTIFY
    assert verdict(code("call", witness=False), openat, own) == ALLOW
    unheard = code("call", listened=False)
    assert verdict(unheard, openat, own) == ALLOW
    kill = syscalls.number("kill")
    assert kill is not None
    assert verdict(unheard, kill, own) == error(errno.EPERM)


@pytest.mark.parametrize(("flags", "passes"), [
    (os.O_RDONLY, True), (os.O_RDWR, True), (os.O_ACCMODE, True),
    (os.O_WRONLY | os.O_CREAT | os.O_TRUNC, True), (os.O_RDWR | os.O_TRUNC, True),
    (os.O_RDONLY | os.O_TRUNC, False), (os.O_ACCMODE | os.O_TRUNC | os.O_CLOEXEC, False),
])  # fmt: skip
def test_what_is_emptied_is_opened_for_writing_where_landlock_is_old(
    machine: str, monkeypatch: pytest.MonkeyPatch, flags: int, passes: bool
) -> None:
    openat = syscalls.number("openat")
    assert openat is not None
    monkeypatch.setattr(landlock, "abi", lambda: 2)
    said = verdict(code("call"), openat, ARCHITECTURES[machine], 0, 0, flags)
    assert said == (NOTIFY if passes else error(errno.EACCES))


HELD_UP = """
import os, socket, sys
from brainsmith.sandbox import privileges, seccomp, syscalls
ours, theirs = socket.socketpair()
pid = os.fork()
if pid == 0:
    privileges.no_new()
    code = seccomp.program("call", listened=True, witness=True).with_numbers(
        pid=os.getpid(), control=theirs.fileno())
    listener = seccomp.install(code, listener=True)
    socket.send_fds(theirs, [b"."], [listener])
    os.close(listener)
    try: os.kill(os.getppid(), 0)
    except OSError as error: os._exit(error.errno)
    os._exit(0)
_, (listener,), _, _ = socket.recv_fds(ours, 1, 1)
call = seccomp.receive(listener)
assert call.pid == pid and syscalls.name_of(call.nr) == "kill"
assert call.args[:2] == (os.getpid(), 0), call
assert seccomp.still_valid(listener, call.id)
if sys.argv[1] == "answer": seccomp.answer(listener, call.id, 42)
elif sys.argv[1] == "continue": seccomp.answer_continue(listener, call.id)
else: os.kill(pid, 9)
_, status = os.waitpid(pid, 0)
assert not seccomp.still_valid(listener, call.id)
try: seccomp.answer(listener, call.id, 1)
except OSError as error: assert error.errno == 2, error
else: raise AssertionError("answered twice")
print(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize(("how", "status"), [("answer", 42), ("continue", 0), ("kill", -9)])
def test_a_call_waits_for_its_answer(how: str, status: int) -> None:
    done = subprocess.run((sys.executable, "-c", HELD_UP, how), capture_output=True, text=True)
    assert done.stdout.split() == [str(status)], done.stderr


def test_a_machine_without_known_numbers_has_no_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seccomp.available()
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert not seccomp.available()
