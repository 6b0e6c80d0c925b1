"""Writing to the disk: a file whole or not at all, and one way to say that it cannot be done."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from brainsmith.errors import StorageError

OUTPUT = "choose another folder with --output"

# What the operating system says when it is the disk that is at fault, and what to do about it.
_ADVICE = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EFBIG: "raise the limit on the size of files",
    errno.EROFS: "make the disk writable",
    errno.EACCES: "check the permissions",
    errno.EPERM: "check the permissions",
    errno.EBUSY: "free the folder, which is in use",
    errno.ENOTDIR: "move the file away that lies where a folder is needed",
    errno.ENAMETOOLONG: "take a shorter path",
}


def is_storage_error(error: BaseException) -> bool:
    """Whether it says that the disk is full, or that something on it cannot be written."""
    return isinstance(error, OSError) and error.errno in _ADVICE


def storage_error(error: OSError, where: Path | None, hint: str = OUTPUT) -> StorageError:
    """The StorageError for what the operating system said.

    Args:
        where: the place to name if the error names none.
        hint: where else to write, such as "choose another folder with --output".
    """
    advice = _ADVICE.get(error.errno or 0, "check the folder")
    place = error.filename or where
    return StorageError(
        f"a file cannot be written: {error.strerror or error}",
        where=str(place) if place is not None else None,
        hint=f"{advice}, or {hint}",
    )


@contextmanager
def storage_errors(where: Path, hint: str = OUTPUT) -> Iterator[None]:
    """Turns a full disk, missing permissions and the like into a StorageError.

    Args:
        where: the place to name if the operating system names none.
        hint: where else to write, such as "choose another folder with --output".
    """
    try:
        yield
    except OSError as error:
        if not is_storage_error(error):
            raise
        raise storage_error(error, where, hint) from error


def write_atomic(
    path: Path, content: str | bytes, hint: str = OUTPUT, *, parents: bool = False
) -> None:
    """Writes a file under a temporary name beside `path`, then renames it; text as UTF-8.

    Args:
        hint: where else to write.
        parents: whether to make the folders that are missing.

    Raises:
        StorageError: the folder is missing or closed to us, the disk is full, or the like.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary: Path | None = None
    try:
        if parents:
            path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        error.filename = None  # the temporary name says nothing to anyone
        raise storage_error(error, path, hint) from error
    finally:
        # After the rename nothing is left under the temporary name.
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
