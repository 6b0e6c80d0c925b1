"""The table of system calls is that of the kernel."""

from __future__ import annotations

import ctypes
import os
import platform
import re
from pathlib import Path

import pytest

from brainsmith.sandbox import syscalls

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
# Names of the generic table that stand for others on 64 bits, or for no system call.
OTHERS = re.compile(r"syscalls|arch_specific_syscall|fstatat|sync_file_range2|.*64")


def test_the_numbers_are_those_of_this_kernel() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for name, same in (("getpid", os.getpid()), ("getppid", os.getppid()), ("getuid", os.getuid())):
        number = syscalls.number(name)
        assert number is not None
        assert syscalls.name_of(number) == name
        assert libc.syscall(number) == same
    assert syscalls.number("no_such_call") is None
    assert syscalls.name_of(9999) == "system call 9999"


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_number_has_one_name(machine: str) -> None:
    table = syscalls.table(machine)
    assert len(table) > 300
    assert len(set(table.values())) == len(table)
    assert all(re.fullmatch("_?[a-z][a-z0-9_]*", name) for name in table)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_numbers_are_those_of_the_headers(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("the headers of the kernel are not installed")
    defined = re.findall(
        r"^#define __NR(?:3264)?_(\w+)\s+(\d+)\s*$", HEADERS[machine].read_text(), re.MULTILINE
    )
    table = syscalls.table(machine)
    checked = 0
    for name, number in defined:
        if machine == "aarch64" and OTHERS.fullmatch(name) and name not in table:
            continue
        assert table.get(name) == int(number), name
        checked += 1
    assert checked > 300


def test_the_two_tables_agree_where_linux_gives_one_number_to_all() -> None:
    new = 424  # from here on
    numbers = [
        {name: nr for name, nr in syscalls.table(machine).items() if nr >= new}
        for machine in ("x86_64", "aarch64")
    ]
    assert numbers[0] == numbers[1]


def test_the_architecture_is_the_kernels() -> None:
    assert syscalls.supported()
    # The machine's number in ELF, 64 bits, little endian.
    elf = {"x86_64": 62, "aarch64": 183}[platform.machine()]
    assert syscalls.architecture() == 0xC0000000 | elf


def test_an_unknown_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert not syscalls.supported()
    with pytest.raises(OSError, match="no filter is known for Linux on riscv64"):
        syscalls.architecture()
