"""Numbers and names of the system calls of this machine."""

from __future__ import annotations

import functools
import json
import platform
from pathlib import Path

# What the kernel calls the architecture in a filter's data.
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000  # set in the numbers of x86_64's second ABI


def supported() -> bool:
    """Whether the numbers of this machine are known."""
    return platform.system() == "Linux" and platform.machine() in _ARCHITECTURES


def architecture() -> int:
    """The kernel's constant for this machine.

    Raises:
        OSError: the machine is not supported.
    """
    if not supported():
        raise OSError(f"no filter is known for {platform.system()} on {platform.machine()}")
    return _ARCHITECTURES[platform.machine()]


@functools.cache
def table(machine: str | None = None) -> dict[str, int]:
    """Numbers by name, of a machine (`x86_64`, `aarch64`); empty where it is not known."""
    known: dict[str, dict[str, int]] = json.loads(
        Path(__file__).with_name("syscalls.json").read_text()
    )
    return known.get(machine or platform.machine(), {})


def number(name: str) -> int | None:
    """The number of a system call; None where this machine does not have it."""
    return table().get(name)


def name_of(nr: int) -> str:
    """The name of a system call by its number."""
    return _names().get(nr, f"system call {nr}")


@functools.cache
def _names() -> dict[int, str]:
    return {nr: name for name, nr in table().items()}
