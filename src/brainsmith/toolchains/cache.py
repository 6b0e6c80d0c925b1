"""The build cache: a folder of results, each kept under the digest of all that determines it.

An entry is written under a temporary name and renamed, so several processes can share a cache and
neither an interrupted run nor a full disk leaves half an entry behind.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from brainsmith.storage import storage_errors
from brainsmith.toolchains.holds import holds_of

DEFAULT_LIMIT = 5 * 10**9
_RECORD = "entry.json"
_PRUNE_EVERY = 600.0
# An entry used within this time may be in use where the cache cannot hold locks.
_IN_USE = 3600.0
_STALE_PARTIAL = 86400.0
_ELSEWHERE = "point XDG_CACHE_HOME at a folder that can be written"


def user_cache() -> Path:
    """The folder for everything that can be made again: $XDG_CACHE_HOME or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "brainsmith"


@dataclass(frozen=True, slots=True)
class Entry:
    """A result in the cache: its folder, and whether it was there before (`cached`)."""

    path: Path
    cached: bool


class BuildCache:
    """A bounded cache of folders. An entry that was handed out stays while its process lives.

    Args:
        root: where it lives; default `build` in the user's cache.
        limit: size in bytes above which the entries that were used least recently are removed.
    """

    def __init__(self, root: Path | None = None, *, limit: int = DEFAULT_LIMIT) -> None:
        self.root = root if root is not None else user_cache() / "build"
        self.limit = limit

    def fetch(self, key_parts: Mapping[str, object], make: Callable[[Path], None]) -> Entry:
        """The entry for `key_parts`, made by `make` if it is not there.

        Args:
            key_parts: everything that determines the result, as values that JSON can hold.
            make: fills an empty folder. Whatever it raises is passed on, and nothing is kept.

        Raises:
            StorageError: the disk is full, or the cache cannot be written.
        """
        record = canonical_json(key_parts)
        folder = self._held(digest(record))
        if _touch(folder):
            return Entry(folder, cached=True)
        with storage_errors(self.root, _ELSEWHERE):
            self._store(folder, record, make)
            self._prune_seldom()
        return Entry(folder, cached=False)

    def find(self, key_parts: Mapping[str, object]) -> Path | None:
        """The folder of the entry for `key_parts`, if it is there."""
        folder = self._held(digest(canonical_json(key_parts)))
        return folder if _touch(folder) else None

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder that is removed again; raises StorageError as `fetch` does."""
        with storage_errors(self.root, _ELSEWHERE):
            folder = self._partial()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def size(self) -> int:
        """Bytes of all entries."""
        return sum(_size(entry) for entry in self._entries())

    def prune(self) -> None:
        """Removes the entries used least recently until the size is 80 % of the limit.

        What a living process was handed stays, however long ago: placement can take hours.
        """
        now = time.time()
        for partial in self._partials():
            if now - _mtime(partial) > _STALE_PARTIAL:
                shutil.rmtree(partial, ignore_errors=True)
        entries = sorted((_mtime(path), _size(path), path) for path in self._entries())
        excess = sum(size for _, size, _ in entries) - int(self.limit * 0.8)
        if excess <= self.limit * 0.2:
            return
        held = holds_of(self.root).all()
        for used, size, path in entries:
            if excess <= 0 or now - used < _IN_USE:
                break
            # Asked again: another process may have been handed it just now.
            if path.relative_to(self.root).as_posix() in held or _mtime(path) > used:
                continue
            self._remove(path)
            excess -= size

    def _held(self, digest: str) -> Path:
        """The folder of an entry, noted as handed out before anyone looks whether it is there."""
        name = f"{digest[:2]}/{digest[2:]}"
        holds_of(self.root).add(name)
        return self.root / name

    def _store(self, folder: Path, record: str, make: Callable[[Path], None]) -> None:
        partial = self._partial()
        try:
            make(partial)
            (partial / _RECORD).write_text(record)
            folder.parent.mkdir(exist_ok=True)
            self._rename(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _partial(self) -> Path:
        folder = self.root / "partial" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        return folder

    def _rename(self, partial: Path, folder: Path) -> None:
        try:
            partial.rename(folder)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            # Another process was faster, unless something has damaged the entry.
            if not _touch(folder):
                self._remove(folder)
                partial.rename(folder)

    def _remove(self, folder: Path) -> None:
        # Renamed first: nobody sees an entry of which a part is gone.
        doomed = self.root / "partial" / uuid.uuid4().hex
        doomed.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.rename(doomed)
        except FileNotFoundError:
            return
        shutil.rmtree(doomed, ignore_errors=True)

    def _prune_seldom(self) -> None:
        stamp = self.root / "pruned"
        if time.time() - _mtime(stamp) > _PRUNE_EVERY:
            stamp.touch()
            self.prune()

    def _entries(self) -> Iterator[Path]:
        return self.root.glob("??/*")

    def _partials(self) -> Iterator[Path]:
        return self.root.glob("partial/*")


def canonical_json(parts: Mapping[str, object]) -> str:
    """JSON with one spelling for equal values."""
    return json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(data: bytes | str) -> str:
    """SHA-256 of `data`, in hexadecimal."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def _touch(folder: Path) -> bool:
    """Marks the entry as used now; false if it is not there or incomplete."""
    if not (folder / _RECORD).is_file():
        return False
    try:
        os.utime(folder)
    except FileNotFoundError:
        return False
    except PermissionError:
        pass  # A cache that others share may be read-only: it is only pruned less well.
    return True


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _size(folder: Path) -> int:
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(base) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total
