"""Filters of system calls: their program, its installation, and the listener for what is denied."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import functools
import os
import struct
from dataclasses import dataclass

from brainsmith.sandbox import landlock, rules, syscalls
from brainsmith.sandbox.profiles import (
    CONTROL,
    GUARDED_OPENING,
    OPENING,
    PROFILES,
    SELF,
    Profile,
    Test,
)

_ALLOW, _ERRNO, _NOTIFY, _KILL = 0x7FFF0000, 0x00050000, 0x7FC00000, 0x80000000
# Load a word of the data, mask, jump, jump where equal, above or equal, or bits set, return.
_LOAD, _AND, _JUMP, _JEQ, _JGE, _JSET, _RETURN = 0x20, 0x54, 0x05, 0x15, 0x35, 0x45, 0x06
_NR, _ARCH, _ARGUMENTS = 0, 4, 16
_SET_MODE_FILTER, _GET_NOTIF_SIZES = 1, 3
_NEW_LISTENER = 1 << 3
_CONTINUE = 1
_TRUNCATION = 3  # the version of Landlock from which it guards the contents of files
_RECEIVE, _SEND, _ID_VALID = 0xC0502100, 0xC0182101, 0x40082102
_ADDFD, _SET_FLAGS = 0x40182103, 0x40082104
_SYNC_WAKE_UP = 1
_ADDFD_SEND = 2
_NOTIFICATION = struct.Struct("=QII iIQ 6Q")  # id, pid, flags; nr, arch, address, arguments
_RESPONSE = struct.Struct("=QqiI")  # id, value, error, flags
_ADD = struct.Struct("=QIIII")  # id, flags, source, target, flags of the target

_libc = ctypes.CDLL(None, use_errno=True)

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant


@dataclass(frozen=True)
class Notification:
    """A system call that waits for an answer."""

    id: int
    pid: int
    nr: int
    args: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """A filter, ready but for the numbers that are known only in the process.

    Attributes:
        code: the instructions, 8 bytes each.
        patches: where the constants are that are known later: at which byte, for what (SELF,
            CONTROL, PROGRAM, ...), and by how many bits to the right.
    """

    code: bytes
    patches: tuple[tuple[int, int, int], ...]

    def with_numbers(self, *, pid: int, control: int) -> bytearray:
        """The instructions, for a process that starts no program, and its control descriptor."""
        code = bytearray(self.code)
        numbers = {SELF: pid, CONTROL: control}
        for offset, which, shift in self.patches:
            struct.pack_into("=I", code, offset, numbers.get(which, 0) >> shift & 0xFFFFFFFF)
        return code


@functools.cache
def program(
    profile: str, *, listened: bool, witness: bool, without: frozenset[str] = frozenset()
) -> Program:
    """The filter of a profile.

    Args:
        profile: its name.
        listened: whether what is denied goes to a listener; it fails with EPERM otherwise.
        witness: whether opening files goes to the listener too.
        without: rules that are left out.

    Raises:
        OSError: the numbers of this machine's system calls are not known.
    """
    build = _Builder(PROFILES[profile], _NOTIFY if listened else _ERRNO | errno.EPERM, without)
    return build.program(_NOTIFY if witness and listened else _ALLOW)


def install(code: bytes | bytearray, *, listener: bool) -> int | None:
    """Puts a filter on the calling thread, for good; the listener's descriptor if one is wanted.

    Raises:
        OSError: the kernel refuses it.
    """
    size = len(code) // 8
    buffer = (ctypes.c_char * len(code)).from_buffer(bytearray(code))
    head = struct.pack("=HxxxxxxQ", size, ctypes.addressof(buffer))
    result = _seccomp(_SET_MODE_FILTER, _NEW_LISTENER if listener else 0, head)
    return result if listener else None


def hasten(listener: int) -> None:
    """Has the kernel switch between caller and listener at once, where it can (Linux 6.6)."""
    with contextlib.suppress(OSError):
        fcntl.ioctl(listener, _SET_FLAGS, _SYNC_WAKE_UP)


def receive(listener: int) -> Notification:
    """The next system call that waits.

    Raises:
        OSError: ENOENT where it is gone again; others where there is no listener any more.
    """
    buffer = bytearray(max(_sizes()[0], _NOTIFICATION.size))
    fcntl.ioctl(listener, _RECEIVE, buffer)
    id_, pid, _, nr, _, _, *args = _NOTIFICATION.unpack_from(buffer)
    return Notification(id_, pid, nr, tuple(args))


def still_valid(listener: int, id_: int) -> bool:
    """Whether a system call waits still: what was read of its process meanwhile was its own."""
    try:
        fcntl.ioctl(listener, _ID_VALID, struct.pack("=Q", id_))
    except OSError:
        return False
    return True


def answer(listener: int, id_: int, error: int) -> None:
    """Lets a system call fail with an error.

    Raises:
        OSError: it is gone.
    """
    _respond(listener, _RESPONSE.pack(id_, 0, -error, 0))


def answer_continue(listener: int, id_: int) -> None:
    """Lets a system call go on.

    Raises:
        OSError: it is gone.
    """
    _respond(listener, _RESPONSE.pack(id_, 0, 0, _CONTINUE))


def answer_descriptor(listener: int, id_: int, fd: int) -> None:
    """Lets a system call return a copy of a descriptor of this process.

    Raises:
        OSError: it is gone, or has no room for another descriptor.
    """
    fcntl.ioctl(listener, _ADDFD, _ADD.pack(id_, _ADDFD_SEND, fd, 0, os.O_CLOEXEC))


def available() -> bool:
    """Whether filters with a listener can be installed here."""
    try:
        _sizes()
        syscalls.architecture()
    except OSError:
        return False
    return True


def _respond(listener: int, response: bytes) -> None:
    padded = bytearray(max(_sizes()[1], len(response)))
    padded[: len(response)] = response
    fcntl.ioctl(listener, _SEND, padded)


@functools.cache
def _sizes() -> tuple[int, int]:
    """The kernel's sizes of a notification and a response."""
    buffer = ctypes.create_string_buffer(6)
    _seccomp(_GET_NOTIF_SIZES, 0, buffer)
    notification, response, _ = struct.unpack("=HHH", buffer.raw)
    return notification, response


def _seccomp(operation: int, flags: int, arguments: object) -> int:
    number = syscalls.number("seccomp")
    if number is None:
        raise OSError(errno.ENOSYS, "no seccomp is known on this machine")
    result: int = _libc.syscall(number, operation, flags, arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"seccomp: {os.strerror(error)}")
    return result


@dataclass(frozen=True)
class _Tested:
    """What happens to a system call: an action where all tests pass, and elsewhere the denial, or
    another action if it is given."""

    tests: tuple[Test, ...]
    action: int
    otherwise: int | None = None


class _Builder:
    """Assembles the filter of a profile.

    The numbers are searched as in a tree: the kernel runs every filter once for every number when
    it is installed, so that a list would cost more than all the rest of a confinement.
    """

    def __init__(self, profile: Profile, denied: int, without: frozenset[str]) -> None:
        self._profile = profile
        self._denied = denied
        self._without = without
        self._code: list[Instruction] = []
        self._patches: list[tuple[int, int, int]] = []

    def program(self, opening: int) -> Program:
        self._check_abi()
        self._add(_LOAD, _NR)
        self._search(self._runs(self._actions(opening)))
        code = b"".join(struct.pack("=HBBI", *one) for one in self._code)
        return Program(code, tuple(self._patches))

    def _actions(self, opening: int) -> dict[int, int | _Tested]:
        """What happens to each number that is not simply denied."""
        profile = self._profile
        freed = {name for rule in self._without for name in rules.RULES[rule].syscalls}
        by_name: dict[str, int | _Tested] = {
            **{name: _Tested(tests, _ALLOW) for name, tests in profile.tested.items()},
            **{
                name: _Tested(tests, _ERRNO | error)
                for name, (tests, error) in profile.quiet_tested.items()
            },
            **{name: _ERRNO | error for name, error in profile.quiet.items()},
            **dict.fromkeys(profile.allowed | freed, _ALLOW),
            **self._opening(opening),
        }
        numbers = {syscalls.number(name): action for name, action in by_name.items()}
        return {nr: action for nr, action in numbers.items() if nr is not None}

    def _opening(self, action: int) -> dict[str, int | _Tested]:
        if "files" in self._without or landlock.abi() >= _TRUNCATION:
            return dict.fromkeys(OPENING, action)
        otherwise = _ERRNO | errno.EACCES
        return {n: _Tested((test,), action, otherwise) for n, test in GUARDED_OPENING.items()}

    def _runs(self, actions: dict[int, int | _Tested]) -> list[tuple[int, int | _Tested]]:
        """Runs of numbers with one action: the first number of each, ascending from 0.

        A system call that is younger than the table fails as if the kernel did not have it
        either: libraries try the newest first, and go on with what there was before.
        """
        runs: list[tuple[int, int | _Tested]] = []
        youngest = max(syscalls.table().values())
        for nr in range(youngest + 1):
            action = actions.get(nr, self._denied)
            if not runs or runs[-1][1] != action:
                runs.append((nr, action))
        return [*runs, (youngest + 1, _ERRNO | errno.ENOSYS), (syscalls.X32, self._denied)]

    def _check_abi(self) -> None:
        """Calls of another architecture, or of x86_64's second ABI, have other numbers."""
        if "foreign-abi" in self._without:
            return
        self._add(_LOAD, _ARCH)
        self._add(_JEQ, syscalls.architecture(), true=1)
        self._add(_RETURN, _KILL)
        self._add(_LOAD, _NR)
        self._add(_JGE, syscalls.X32, false=1)
        self._add(_RETURN, _KILL)

    def _search(self, runs: list[tuple[int, int | _Tested]]) -> None:
        """Finds the run of the loaded number, and acts."""
        if len(runs) == 1:
            self._act(runs[0][1])
            return
        middle = len(runs) // 2
        self._add(_JGE, runs[middle][0], false=1)
        at = len(self._code)
        self._add(_JUMP, 0)
        self._search(runs[:middle])
        self._code[at] = (_JUMP, 0, 0, len(self._code) - at - 1)
        self._search(runs[middle:])

    def _act(self, action: int | _Tested) -> None:
        if isinstance(action, int):
            self._add(_RETURN, action)
            return
        otherwise = self._denied if action.otherwise is None else action.otherwise
        for test in action.tests:
            self._test(test, otherwise)
        self._add(_RETURN, action.action)

    def _test(self, test: Test, otherwise: int) -> None:
        """Goes on where the test passes, and returns the other action where it does not."""
        self._add(_LOAD, _ARGUMENTS + 8 * test.argument)
        if test.mask:
            self._add(_AND, test.mask)
        for index, value in enumerate(test.values):
            self._add(_JEQ, self._constant(value), true=len(test.values) - index)
        if test.values:
            self._add(_RETURN, otherwise)
        if test.needed:
            self._add(_JSET, test.needed, true=1)
            self._add(_RETURN, otherwise)
        if test.forbidden:
            self._add(_JSET, test.forbidden, false=1)
            self._add(_RETURN, otherwise)
        whole = 0 if test.wide else test.pointer
        if whole is not None:
            self._whole(test.argument, whole, otherwise)

    def _whole(self, argument: int, value: int, otherwise: int) -> None:
        """Tests all 64 bits, of which the lower half is loaded."""
        self._add(_JEQ, self._constant(value), true=1)
        self._add(_RETURN, otherwise)
        self._add(_LOAD, _ARGUMENTS + 8 * argument + 4)
        self._add(_JEQ, self._constant(value, 32), true=1)
        self._add(_RETURN, otherwise)

    def _constant(self, value: int, shift: int = 0) -> int:
        """The constant of the next instruction; one that is known later is noted."""
        if value >= 0:
            return value >> shift & 0xFFFFFFFF
        self._patches.append((8 * len(self._code) + 4, value, shift))
        return 0

    def _add(self, code: int, constant: int, *, true: int = 0, false: int = 0) -> None:
        self._code.append((code, true, false, constant))
