"""What a call must leave as it was: everything about the process that made it."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import tempfile
from pathlib import Path

from brainsmith.sandbox.zygotes import zygotes

_LIMITS = [name for name in dir(resource) if name.startswith("RLIMIT_")]


def state() -> dict[str, object]:
    """The state of this process, but for its zygotes and what is its own business."""
    mask = os.umask(0)
    os.umask(mask)
    return {
        "limits": {name: resource.getrlimit(getattr(resource, name)) for name in _LIMITS},
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "affinity": os.sched_getaffinity(0),
        "scheduler": os.sched_getscheduler(0),
        "folder": Path.cwd(),
        "umask": mask,
        "environment": {n: v for n, v in os.environ.items() if n != "PYTEST_CURRENT_TEST"},
        "path": list(sys.path),
        "modules": {name for name in sys.modules if name.partition(".")[0] == "acts"},
        "builtins": (open, print, __import__, Path.read_text),
        "descriptors": _descriptors(),
        "children": _children(),
        "temporary": sorted(os.listdir(tempfile.gettempdir())),
    }


def _descriptors() -> dict[str, str]:
    """What is open, but for channels of zygotes, and indexes that await the garbage collector."""
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:  # the one that lists them
            continue
        if not target.startswith("/proc/") and not target.endswith(".sqlite"):
            found[fd] = target
    return found


def _children() -> set[str]:
    """Processes whose parent this one is, but for its zygotes."""
    children: set[str] = set()
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(FileNotFoundError):  # a thread that has just ended
            children.update(Path(f"/proc/self/task/{task}/children").read_text().split())
    return children - {str(pid) for pid in zygotes.pids()}
