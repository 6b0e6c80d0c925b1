"""What each profile denies is denied by the kernel, and is done where its rule is left out."""

from __future__ import annotations

import errno
import os
import platform
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brainsmith.sandbox import syscalls
from brainsmith.sandbox.confinement import Confinement
from brainsmith.sandbox.profiles import PROFILES
from tests.sandbox.conftest import Forker

AT_HERE = -100
GIB = 1 << 30
# By rule: a system call of it with arguments with which it does something harmless, or fails for
# another reason, where it may be made.
CALLS: list[tuple[str, str, tuple[Any, ...]]] = [
    ("processes", "setpgid", (999999999, 0)),
    ("exec", "execve", ("/nonexistent", 0, 0)),
    ("exec", "execveat", (AT_HERE, "/nonexistent", 0, 0, 0)),
    ("network", "socket", (1, 1, 0)),
    ("network", "socket", (2, 2, 0)),
    ("network", "socket", (16, 3, 0)),
    ("network", "socketpair", (1, 1, 0, "room")),
    ("signals", "kill", ("pid", 0)),
    ("signals", "tkill", ("pid", 0)),
    ("signals", "rt_sigqueueinfo", ("pid", 0, "room")),
    ("limits-of-others", "prlimit64", ("pid", 7, 0, "room")),
    ("scheduling", "setpriority", (0, 0, 19)),
    ("scheduling", "ioprio_get", (1, 0)),
    ("file-changes", "mkdirat", (AT_HERE, "/nonexistent/a", 0o700)),
    ("file-changes", "unlinkat", (AT_HERE, "/nonexistent/a", 0)),
    ("file-changes", "fchmodat", (AT_HERE, "/nonexistent/a", 0o600)),
    ("file-changes", "utimensat", (AT_HERE, "/nonexistent/a", 0, 0)),
    ("file-changes", "symlinkat", ("/etc", AT_HERE, "/nonexistent/a")),
    ("file-changes", "truncate", ("/nonexistent/a", 0)),
    ("file-changes", "flock", (9, 4 | 8)),
    ("file-changes", "fcntl", (9, 8, "pid")),
    ("files", "openat2", (AT_HERE, "/nonexistent/a", "room", 24)),
    ("files", "getxattr", ("/nonexistent/a", "user.x", "room", 8)),
    ("file-handles", "name_to_handle_at", (AT_HERE, "/nonexistent/a", "room", "room", 0)),
    ("namespaces", "unshare", (0,)),
    ("namespaces", "chroot", ("/nonexistent/a",)),
    ("ipc", "shmctl", (-1, 2, "room")),
    ("ipc", "msgctl", (-1, 2, "room")),
    ("kernel", "inotify_init1", (0,)),
    ("kernel", "keyctl", (9999,)),
    ("kernel", "splice", (-1, 0, -1, 0, 0, 0)),
    ("memory-files", "memfd_create", ("name", 0)),
    ("introspection", "process_vm_readv", ("pid", 0, 0, 0, 0, 0)),
    ("introspection", "pidfd_open", ("pid", 0)),
    ("introspection", "get_robust_list", (0, "room", "room")),
    ("clock", "clock_adjtime", (0, "room")),
    ("terminal", "ioctl", (9, 0x541B, "room")),
    ("own-filters", "seccomp", (2, 0, "room")),
    ("own-filters", "prctl", (39, 0, 0, 0, 0)),
    ("own-filters", "personality", (0xFFFFFFFF,)),
    ("identity", "setfsuid", (-1,)),
]  # fmt: skip
IDS = [f"{rule}-{name}" for rule, name, _ in CALLS]


def confined(profile: str = "call", *without: str) -> Confinement:
    """With a filter, and without Landlock, which would deny some of the same."""
    return Confinement(level=2, profile=profile, file_size=1 << 20, without=without)


@pytest.mark.parametrize(("rule", "name", "arguments"), CALLS, ids=IDS)
def test_a_call_is_denied_what_its_rule_names(
    forker: Forker, rule: str, name: str, arguments: tuple[Any, ...]
) -> None:
    control = forker.act("raw", name, *arguments, confined=confined("call", rule))
    assert control.get("errno") != errno.EPERM, control
    assert "signal" not in control
    denied = forker.act("raw", name, *arguments, confined=confined())
    assert denied.get("errno") == errno.EPERM, denied


@pytest.mark.parametrize("profile", ["build", "simulate"])
@pytest.mark.parametrize(("rule", "name", "arguments"), CALLS, ids=IDS)
def test_tools_are_denied_the_same_but_for_what_makes_them_tools(
    forker: Forker, profile: str, rule: str, name: str, arguments: tuple[Any, ...]
) -> None:
    may = {"execve", "mkdirat", "unlinkat", "flock"} if profile == "build" else set()
    answer = forker.act("raw", name, *arguments, confined=confined(profile))
    assert (answer.get("errno") == errno.EPERM) == (name not in may), answer


def test_a_call_starts_threads_and_no_processes(forker: Forker) -> None:
    assert forker.act("threads", confined=confined())["value"] == 4
    assert forker.act("fork", confined=confined())["errno"] == errno.EPERM
    assert forker.act("fork", confined=confined("call", "processes"))["value"] is True
    assert forker.act("raw", "clone3", 0, 0, confined=confined())["errno"] == errno.ENOSYS


@pytest.mark.skipif(platform.machine() != "x86_64", reason="aarch64 has no fork and no vfork")
def test_a_call_starts_no_processes_in_the_old_ways(forker: Forker) -> None:
    for name in ("fork", "vfork"):
        assert forker.act("raw", name, confined=confined())["errno"] == errno.EPERM


def test_a_build_starts_programs_and_a_simulation_starts_none(forker: Forker) -> None:
    assert forker.act("start", "/bin/true", confined=confined("build"))["value"] == 0
    assert forker.act("fork", confined=confined("simulate"))["errno"] == errno.EPERM
    new_user = 0x10000000 | signal.SIGCHLD
    answer = forker.act("raw", "clone", new_user, 0, 0, 0, 0, confined=confined("build"))
    assert answer["errno"] == errno.EPERM


def test_limits_are_read_and_not_set(forker: Forker) -> None:
    assert forker.act("own_limits", confined=confined())["value"] == [64, 64]
    setting = ("prlimit64", 0, 7, "room", 0)
    assert forker.act("raw", *setting, confined=confined())["errno"] == errno.EPERM
    free = forker.act("raw", *setting, confined=confined("call", "limits-of-others"))
    assert free["value"] == 0


def test_limits_of_others_cannot_be_read_by_tools_either(forker: Forker) -> None:
    for profile in ("build", "simulate"):
        answer = forker.act("raw", "prlimit64", "parent", 7, 0, "room", confined=confined(profile))
        assert answer["errno"] == errno.EPERM


def test_a_process_may_abort_and_signal_itself_alone(forker: Forker) -> None:
    assert forker.act("abort", confined=confined())["signal"] == "SIGABRT"
    assert forker.act("abort", confined=confined("simulate"))["signal"] == "SIGABRT"
    other = forker.act("raw", "tgkill", "parent", "parent", 0, confined=confined())
    assert other["errno"] == errno.EPERM
    # A compiler that aborts ends too, if by another signal.
    assert "signal" in forker.act("abort", confined=confined("build"))


def test_locks_are_for_tools(forker: Forker) -> None:
    assert forker.act("lock", confined=confined())["errno"] == errno.EPERM
    assert "value" in forker.act("lock", confined=confined("build"))


def test_what_libraries_try_and_do_without_is_no_violation(forker: Forker) -> None:
    assert forker.act("is_terminal", confined=confined())["value"] is False
    for request in (0x5401, 0x802C542A, 0x5413):  # of the old and the new glibc, and the size
        answer = forker.act("raw", "ioctl", 9, request, "room", confined=confined())
        assert answer["errno"] == errno.ENOTTY


def test_a_call_that_is_younger_than_the_table_looks_as_if_it_were_not_there(
    forker: Forker,
) -> None:
    youngest = max(syscalls.table().values())
    answer = forker.act("numbered", youngest + 1, confined=confined())
    assert answer["errno"] == errno.ENOSYS


def test_calls_with_numbers_of_another_abi_kill(forker: Forker) -> None:
    number = syscalls.number("getpid")
    assert number is not None
    assert forker.act("numbered", number | 0x40000000, confined=confined())["signal"] == "SIGSYS"
    free = forker.act("numbered", number | 0x40000000, confined=confined("call", "foreign-abi"))
    assert free["errno"] == errno.EPERM


@pytest.mark.skipif(platform.machine() != "x86_64", reason="i386 is a part of x86_64")
def test_calls_of_a_program_of_i386_kill(forker: Forker) -> None:
    control = forker.act("i386", confined=None)
    if control.get("value") != 0:
        pytest.skip("this kernel runs no programs of i386")
    assert forker.act("i386", confined=confined())["signal"] == "SIGSYS"


def test_nothing_is_denied_below_the_level_of_filters(forker: Forker) -> None:
    low = Confinement(level=1, profile="call", file_size=1 << 20)
    assert forker.act("raw", "memfd_create", "name", 0, confined=low)["value"] > 0


@pytest.mark.parametrize("mode", [os.O_RDONLY, os.O_ACCMODE], ids=["for-reading", "for-nothing"])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_file_is_not_emptied_as_it_is_opened_where_landlock_would_let_it_pass(
    forker: Forker, profile: str, version: int, mode: int, open_path: Path
) -> None:
    file = open_path / "kept"
    c = Confinement(level=3, profile=profile, readable=(str(open_path),), without=("files",))
    file.write_text("text")
    file.chmod(0o666)
    assert forker.act("cut", str(file), mode, confined=c, old=version)["value"] == 0
    c = replace(c, without=())
    file.write_text("text")
    assert forker.act("cut", str(file), mode, confined=c, old=version)["errno"] == errno.EACCES
    assert file.read_text() == "text"
    assert forker.act("read", str(file), confined=c, old=version)["value"] == "text"
    c = replace(c, writable=(str(open_path),))
    answer = forker.act("cut", str(file), os.O_WRONLY, confined=c, old=version)
    assert answer["value"] == 0, answer
