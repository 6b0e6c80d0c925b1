"""The folder of a build: written beside its place under another name, then moved there whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from brainsmith.errors import ConfigurationError, StorageError
from brainsmith.toolchains.cache import storage_errors

MARK = "report.json"


@contextmanager
def build_folder(place: Path) -> Iterator[Path]:
    """A new folder that takes the place of `place` when the block ends without an error.

    What was there stays untouched until then, and stays if the block fails or is interrupted.

    Raises:
        ConfigurationError: `place` is a file, or a folder with something else than a build in it.
        StorageError: the disk is full, or the folder cannot be written.
    """
    _check(place)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    except OSError as error:  # whatever it is, the folder is the user's choice
        raise StorageError(
            f"cannot make the output folder: {error.strerror}",
            where=str(place),
            hint="free some space, or name another folder for the output",
        ) from error
    try:
        partial.chmod(0o755)
        with storage_errors(place):
            yield partial
            _swap(partial, place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check(place: Path) -> None:
    if place.is_file():
        raise ConfigurationError("the output is a file", where=str(place), hint="name a folder")
    if place.is_dir() and any(place.iterdir()) and not (place / MARK).exists():
        raise ConfigurationError(
            "the output folder holds something else than a build",
            where=str(place),
            hint="name a new or empty folder",
        )


def _swap(partial: Path, place: Path) -> None:
    if not place.exists():
        partial.replace(place)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{place.name}.old.", dir=place.parent)) / "build"
    place.replace(old)
    partial.replace(place)
    shutil.rmtree(old.parent)
