"""What a call of a plugin may use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20


@dataclass(frozen=True)
class SandboxPolicy:
    """The limits of one call, and what it may read besides its plugin and the installed Python.

    Attributes:
        memory: bytes that it may allocate on top of what every worker has.
        cpu_time: processor time of all its threads, seconds.
        wall_time: duration, seconds.
        output_size: bytes of its result.
        readable_paths: files and folders.
        tools: names of the tools that may be started on its sources besides the compiler's own.
    """

    memory: int = 2048 * MIB
    cpu_time: float = 60.0
    wall_time: float = 120.0
    output_size: int = 512 * MIB
    readable_paths: tuple[Path, ...] = ()
    tools: tuple[str, ...] = ()
