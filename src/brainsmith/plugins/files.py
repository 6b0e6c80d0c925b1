"""Files of the store: what is written survives a power cut, and a failure says where and why."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from brainsmith.storage import storage_error

_ELSEWHERE = "point XDG_DATA_HOME at another folder"


@contextmanager
def storage_errors(where: Path) -> Iterator[None]:
    """Turns whatever the operating system refuses into a StorageError."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, where, _ELSEWHERE) from error


def write_new(path: Path, pieces: Iterator[bytes]) -> None:
    """Writes a file that must not be there yet, down to the disk."""
    with path.open("xb") as stream:
        for piece in pieces:
            stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Puts `data` in the place of `path`, whole or not at all, down to the disk."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        write_new(partial, iter((data,)))
        partial.replace(path)
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Makes sure that the names in `folder` are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folders(root: Path) -> None:
    """Makes sure that the names in `root` and in all folders below it are on the disk."""
    for folder, _, _ in os.walk(root):
        sync_folder(Path(folder))
