"""Where changes of the store are prepared, and the lock under which they are made."""

from __future__ import annotations

import fcntl
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Staging:
    """Preparation of changes in the folder `root`, safe with many processes at once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one process at a time is in here."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("ab") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    @contextmanager
    def partial(self) -> Iterator[Path]:
        """A new folder to prepare something in; it is removed with all that is left in it.

        Its lock file is held as long as this process lives, which tells what a process that was
        killed has left.
        """
        with self.locked():
            self._sweep()
            folder = self.root / ".partial" / uuid.uuid4().hex
            folder.parent.mkdir(exist_ok=True)
            # The lock comes first and goes last: no folder is ever without one.
            lock = folder.with_suffix(".lock")
            stream = lock.open("xb")
            fcntl.flock(stream, fcntl.LOCK_EX)
        with stream:
            try:
                folder.mkdir()
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Removes what killed processes have left; the store is locked."""
        for lock in (self.root / ".partial").glob("*.lock"):
            if not _is_held(lock):
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                lock.unlink(missing_ok=True)


def _is_held(lock: Path) -> bool:
    try:
        with lock.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
