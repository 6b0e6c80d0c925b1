"""Providers: what puts a zygote, and so all its workers, into surroundings that are not ours.

A program that knows of a container runtime or a virtual machine gives its provider to
`PluginSandbox`. What workers reach in it is proved by the same probe as without.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from brainsmith.sandbox.levels import Level


class Provider(Protocol):
    """Starts a program in surroundings of its own. Equal providers share their workers."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def level(self) -> Level:
        """What its workers are said to reach: L4, or L5 for a container or virtual machine."""

    def __hash__(self) -> int: ...

    def missing(self) -> str:
        """Why it cannot be used here; "" where it can."""

    def command(self, command: Sequence[str], tree: Sequence[str]) -> list[str]:
        """The command that starts `command` inside.

        Args:
            command: a program and its arguments. It gets one descriptor, which must stay open, and
                must be able to hand over others on it (so it runs under this kernel, or a kernel
                that passes descriptors on).
            tree: files and folders that it reads, absolute, without links. No others need be there.
        """


@dataclass(frozen=True)
class Bubblewrap:
    """bubblewrap: namespaces made by a program of its own, where this process may make none."""

    path: str = "bwrap"
    name: str = "bubblewrap"
    level: Level = Level.L4

    def missing(self) -> str:
        return "" if shutil.which(self.path) else f"there is no program '{self.path}'"

    def command(self, command: Sequence[str], tree: Sequence[str]) -> list[str]:
        arguments = [shutil.which(self.path) or self.path, "--unshare-all", "--hostname", "sandbox"]
        for name in os.listdir("/"):
            if os.path.islink(f"/{name}"):
                arguments += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        for path in sorted({*tree, *_python()}):
            kind = "--dev-bind" if path.startswith("/dev/") else "--ro-bind"
            if not path.startswith("/proc/"):
                arguments += [kind, path, path]
        return [*arguments, "--proc", "/proc", "--chdir", "/", "--", *command]


def _python() -> list[str]:
    """The program that runs this, and what it is a link to."""
    return [os.path.dirname(sys.executable), os.path.dirname(os.path.realpath(sys.executable))]
