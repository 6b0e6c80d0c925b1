"""`brainsmith create-plugin`: a plugin that works at once, from the templates."""

from __future__ import annotations

import shutil
import tempfile
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
    with storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            for name, data in files.items():
                path = partial / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            partial.chmod(0o755)
            partial.replace(folder)  # an empty folder gives way
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
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
