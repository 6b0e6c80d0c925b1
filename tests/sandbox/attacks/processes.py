"""Processes, looked at from outside."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path


def below(pid: int) -> set[int]:
    """All processes that descend from one."""
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for task in os.listdir(f"/proc/{parent}/task"):
                text = Path(f"/proc/{parent}/task/{task}/children").read_text()
                new = set(map(int, text.split())) - found
                found |= new
                waiting += new
    return found


def alive(pids: Iterable[int]) -> set[int]:
    """Those that run, and do not only wait to be reaped."""
    found = set()
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if state not in "ZX":
                found.add(pid)
    return found


def ended(pids: Iterable[int], seconds: float) -> bool:
    """Whether all of them end within a time."""
    until = time.monotonic() + seconds
    while left := alive(pids):
        if time.monotonic() > until:
            return False
        pids = left
        time.sleep(0.01)
    return True
