"""The folder of a build: written beside its place under another name, then moved there whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from brainsmith.errors import ConfigurationError, StorageError
from brainsmith.storage import storage_error, storage_errors

MARK = "report.json"


@contextmanager
def build_folder(place: Path) -> Iterator[Path]:
    """A new folder that takes the place of `place` when the block ends without an error.

    What was there stays untouched until then, and stays if the block fails or is interrupted. The
    log of an earlier build that failed there is removed with the first that does not.

    Raises:
        ConfigurationError: `place` is a file, a folder with something else than a build in it, or
            one that cannot be moved away: a mount point, or a folder that somebody works in.
        StorageError: the disk is full, or the folder cannot be written.
    """
    place = place.resolve()
    _check(place)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    except OSError as error:  # whatever it is, the folder is the user's choice
        raise StorageError(
            f"cannot make the output folder: {error.strerror}",
            where=str(place),
            hint=storage_error(error, place).hint,
        ) from error
    try:
        partial.chmod(0o755)
        with storage_errors(place):
            yield partial
            _swap(partial, place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    with suppress(OSError):
        failed_log(place).unlink()


def failed_log(place: Path) -> Path:
    """Where the log of a build that failed is kept: beside the folder that it would have made."""
    place = place.resolve()
    return place.with_name(f"{place.name}.failed.log")


def _check(place: Path) -> None:
    if place.exists() and not place.is_dir():
        raise ConfigurationError("the output is a file", where=str(place), hint="name a folder")
    if place.is_mount():
        _refuse(place, "the output is a mount point, which no build can replace")
    if Path.cwd().is_relative_to(place):
        _refuse(place, "the output is the folder in which this runs, or one above it")
    if place.is_dir() and any(place.iterdir()) and not (place / MARK).exists():
        raise ConfigurationError(
            "the output folder holds something else than a build",
            where=str(place),
            hint="name a new or empty folder",
        )


def _refuse(place: Path, why: str) -> None:
    raise ConfigurationError(why, where=str(place), hint=f"name a folder in it: {place / 'build'}")


def _swap(partial: Path, place: Path) -> None:
    if not place.exists():
        partial.replace(place)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{place.name}.old.", dir=place.parent))
    old = aside / "build"
    try:
        place.replace(old)
        partial.replace(place)
    except BaseException:
        if old.exists():
            old.replace(place)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)
