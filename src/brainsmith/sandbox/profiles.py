"""Which system calls confined code may make: an allow-list, and tests of arguments."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

CONTROL = -1  # stands for the descriptor on which the listener is handed over
SELF = -2  # stands for the number of the own process
# What stands for the addresses of the one program to start: of its path and its two arrays.
PROGRAM, ARGUMENTS, ENVIRONMENT = -3, -4, -5

_CLONE_THREAD = 0x10000
_CLONE_NEW = 0x7E020080  # every flag that makes a namespace
_F_DUPFD, _F_GETFD, _F_SETFD, _F_GETFL, _F_SETFL, _F_DUPFD_CLOEXEC = 0, 1, 2, 3, 4, 1030
_F_GETLK, _F_SETLK, _F_SETLKW = 5, 6, 7
_TCGETS, _TCGETS2, _TIOCGWINSZ = 0x5401, 0x802C542A, 0x5413
_FIONCLEX, _FIOCLEX = 0x5450, 0x5451
_PR_GET_DUMPABLE, _PR_SET_NAME, _PR_GET_NAME, _PR_SET_VMA = 3, 15, 16, 0x53564D41


@dataclass(frozen=True)
class Test:
    """A test of one argument of a system call, of its lower 32 bits unless `wide`.

    Attributes:
        argument: which, from 0.
        values: those that pass; CONTROL and SELF stand for what is known later.
        mask: the bits of which `values` speaks; 0 is all.
        needed: bits that must be set.
        forbidden: bits that must not be set.
        wide: all 64 bits must be zero.
        pointer: PROGRAM, ARGUMENTS or ENVIRONMENT, whose address all 64 bits must be.
    """

    argument: int
    values: tuple[int, ...] = ()
    mask: int = 0
    needed: int = 0
    forbidden: int = 0
    wide: bool = False
    pointer: int | None = None


@dataclass(frozen=True)
class Profile:
    """An allow-list.

    Attributes:
        allowed: system calls that are made as they are.
        tested: system calls that are made where all tests pass, and denied elsewhere.
        quiet: system calls that fail with this error and are no violation: libraries try them
            and do without.
        quiet_tested: the same, where all tests pass.
    """

    allowed: frozenset[str]
    tested: Mapping[str, tuple[Test, ...]] = field(default_factory=dict)
    quiet: Mapping[str, int] = field(default_factory=dict)
    quiet_tested: Mapping[str, tuple[tuple[Test, ...], int]] = field(default_factory=dict)


_READING = (
    "read readv pread64 preadv preadv2 close close_range fstat newfstatat stat lstat statx lseek "
    "access faccessat faccessat2 readlink readlinkat getcwd getdents getdents64 fadvise64 statfs "
    "fstatfs chdir fchdir"
)
_WRITING = "write writev pwrite64 pwritev pwritev2 ftruncate fsync fdatasync umask"
# Without landlock_create_ruleset these apply the one set of rules that a worker was given.
_OWN_RULES = "landlock_add_rule landlock_restrict_self"
_MEMORY = "mmap munmap mremap mprotect madvise brk msync mincore mbind get_mempolicy membarrier"
_THREADS = (
    "futex futex_waitv futex_wait futex_wake futex_requeue set_robust_list rseq "
    "set_tid_address gettid exit exit_group sched_yield sched_getaffinity sched_getparam "
    "sched_getscheduler sched_getattr sched_get_priority_max sched_get_priority_min "
    "sched_rr_get_interval getcpu arch_prctl restart_syscall wait4 waitid"
)
_SIGNALS = (
    "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait "
    "sigaltstack pause alarm setitimer getitimer timer_create timer_settime timer_gettime "
    "timer_getoverrun timer_delete timerfd_create timerfd_settime timerfd_gettime"
)
_FACTS = (
    "getpid getppid getuid geteuid getgid getegid getgroups getresuid getresgid getpgrp getpgid "
    "getsid uname sysinfo times getrusage getrlimit getpriority capget"
)
_TIME = "time gettimeofday clock_gettime clock_getres nanosleep clock_nanosleep getrandom"
_WAITING = (
    "dup dup2 dup3 pipe pipe2 poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl "
    "epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2"
)

_NO_TERMINAL = (_TCGETS, _TCGETS2, _TIOCGWINSZ, _FIOCLEX, _FIONCLEX)

CALL = Profile(
    allowed=frozenset(
        " ".join(
            (_READING, _WRITING, _OWN_RULES, _MEMORY, _THREADS, _SIGNALS, _FACTS, _TIME, _WAITING)
        ).split()
    ),
    tested={
        "clone": (Test(0, needed=_CLONE_THREAD, forbidden=_CLONE_NEW),),
        "fcntl": (Test(1, (_F_DUPFD, _F_GETFD, _F_SETFD, _F_GETFL, _F_SETFL, _F_DUPFD_CLOEXEC)),),
        "prctl": (Test(0, (_PR_GET_DUMPABLE, _PR_SET_NAME, _PR_GET_NAME, _PR_SET_VMA)),),
        "prlimit64": (Test(0, (0,)), Test(2, wide=True)),
        "tgkill": (Test(0, (SELF,)),),
        "sendmsg": (Test(0, (CONTROL,)),),
        "recvmsg": (Test(0, (CONTROL,)),),
    },
    # Where there is no clone3, glibc makes threads with clone, whose flags can be tested.
    quiet={"clone3": errno.ENOSYS},
    quiet_tested={
        "ioctl": ((Test(1, _NO_TERMINAL),), errno.ENOTTY),
        "sched_setaffinity": ((Test(0, (0,)),), errno.EPERM),
    },
)
# What changes files as Landlock lets it, which would not guard owners, permissions and times. No
# links, pipes or devices: whoever reads a folder of results should find files there.
_FOLDERS = (
    "creat unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir fallocate flock "
    "copy_file_range sync_file_range sendfile readahead"
)
_OF_TOOLS = " ".join((_READING, _WRITING, _MEMORY, _THREADS, _SIGNALS, _FACTS, _TIME, _WAITING))
_DUPLICATES = (_F_DUPFD, _F_GETFD, _F_SETFD, _F_GETFL, _F_SETFL, _F_DUPFD_CLOEXEC)
# A compiler and what it starts. No signals: those to others cannot be told from its own.
BUILD = Profile(
    allowed=frozenset(f"{_OF_TOOLS} {_FOLDERS} fork vfork execve".split()),
    tested={
        "clone": (Test(0, forbidden=_CLONE_NEW),),
        "fcntl": (Test(1, (*_DUPLICATES, _F_GETLK, _F_SETLK, _F_SETLKW)),),
        "prctl": CALL.tested["prctl"],
        "prlimit64": (Test(0, (0,)),),
    },
    quiet=CALL.quiet,
    quiet_tested=CALL.quiet_tested,
)
# A program that starts no other: it does not know where the words lay that started itself.
SIMULATE = Profile(
    allowed=frozenset(_OF_TOOLS.split()),
    tested={
        "clone": CALL.tested["clone"],
        "execve": (
            Test(0, pointer=PROGRAM),
            Test(1, pointer=ARGUMENTS),
            Test(2, pointer=ENVIRONMENT),
        ),
        "fcntl": (Test(1, _DUPLICATES),),
        "prctl": CALL.tested["prctl"],
        "prlimit64": CALL.tested["prlimit64"],
        "tgkill": CALL.tested["tgkill"],
    },
    quiet=CALL.quiet,
    quiet_tested=CALL.quiet_tested,
)
PROFILES: dict[str, Profile] = {"call": CALL, "build": BUILD, "simulate": SIMULATE}
# Allowed as far as Landlock goes, or told to a witness; which argument holds the flags.
OPENING = {"open": 1, "openat": 2}
# Before its third version Landlock asks what a descriptor is for, not what opening does: one for
# reading, or for nothing, could empty a file. Now what is emptied is opened for writing.
_EMPTYING = (*range(os.O_ACCMODE + 1), os.O_TRUNC | os.O_WRONLY, os.O_TRUNC | os.O_RDWR)
GUARDED_OPENING = {
    name: Test(flags, _EMPTYING, mask=os.O_TRUNC | os.O_ACCMODE) for name, flags in OPENING.items()
}
