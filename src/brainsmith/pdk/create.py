"""`brainsmith create-plugin`: a plugin that works at once, from the templates."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from brainsmith.errors import ConfigurationError
from brainsmith.pdk.answers import Answers
from brainsmith.pdk.rendering import rendered, with_memory
from brainsmith.storage import storage_errors


def create(answers: Answers, folder: Path) -> list[str]:
    """Writes a new plugin, whole or not at all; returns the names of its files.

    Args:
        answers: what to write.
        folder: where; it is made, or is empty.

    Raises:
        ConfigurationError: there is something at `folder`.
        StorageError: the disk is full, or the place is closed to us.
    """
    folder = folder.absolute()
    check_empty(folder)
    files = with_memory(rendered(answers), answers)
    # An empty folder may be where somebody's shell is, or where a disk is mounted: it stays.
    place = folder if folder.is_dir() else folder.parent
    made = [parent for parent in (place, *place.parents) if not parent.exists()]
    partial = place / f".{folder.name}.{uuid.uuid4().hex}"
    with storage_errors(folder):
        try:
            partial.mkdir(parents=True)
            _fill(partial, files)
            if place == folder:
                _move_up(partial)
            else:
                partial.replace(folder)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            for parent in made:
                with suppress(OSError):  # it is not there, or somebody else uses it
                    parent.rmdir()
            raise
    return sorted(files)


def check_empty(folder: Path) -> None:
    """Refuses a place where something is.

    Raises:
        ConfigurationError: a file, or a folder that is not empty.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ConfigurationError("there is a file in the way", where=str(folder))
    if folder.is_dir() and any(folder.iterdir()):
        raise ConfigurationError(
            "the folder is not empty", where=str(folder), hint="choose another with --output"
        )


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _move_up(partial: Path) -> None:
    """Moves everything in a folder to the one above; all, or nothing stays there."""
    moved: list[Path] = []
    try:
        for path in sorted(partial.iterdir()):
            moved.append(path.rename(partial.parent / path.name))
        partial.rmdir()
    except BaseException:
        for path in moved:
            path.rename(partial / path.name)
        raise
