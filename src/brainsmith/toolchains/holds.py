"""Entries of the build cache that a process was handed: nobody prunes them while it lives.

A process notes them in a file of its own in the cache and holds a lock on that file. The operating
system releases the lock when the process ends, however it ends, and whoever prunes then removes
the file.
"""

from __future__ import annotations

import fcntl
import os
import threading
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path

_FOLDER = "held"


class Holds:
    """What this process was handed of the cache at `root`; made by `holds_of`."""

    def __init__(self, root: Path) -> None:
        self._folder = root / _FOLDER
        self._lock = threading.Lock()
        self._names: set[str] = set()
        self._file: int | None = None

    def add(self, name: str) -> None:
        """Notes an entry, by its name in the cache."""
        with self._lock:
            if name in self._names:
                return
            self._names.add(name)
            # A cache that others share may be read-only or full: this process still knows, and
            # others keep what was used within the last hour.
            with suppress(OSError):
                if self._file is None:
                    self._file = self._open()
                os.write(self._file, f"{name}\n".encode())

    def all(self) -> set[str]:
        """The entries that this process, or any other that lives, was handed."""
        with self._lock:
            names = set(self._names)
        for path in self._folder.glob("[!.]*"):
            with suppress(OSError), path.open() as file:
                if _is_locked(file.fileno()):
                    names.update(file.read().split())
                else:
                    path.unlink()  # its process has ended
        return names

    def _open(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        # Nobody reads it before it has its name, and then it is locked.
        path = self._folder / f".{uuid.uuid4().hex}"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        fcntl.flock(file, fcntl.LOCK_SH)
        path.rename(self._folder / path.name[1:])
        return file


@cache
def holds_of(root: Path) -> Holds:
    """The holds of this process on the cache at `root`; they last as long as the process."""
    return Holds(root)


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
