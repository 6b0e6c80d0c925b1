"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from brainsmith.errors import StorageError


def write_atomic(path: Path, text: str) -> None:
    """Write `text` as UTF-8 under a temporary name beside `path`, then rename it.

    Raises:
        StorageError: the folder cannot be made, or the file cannot be written.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise StorageError(
            f"cannot write {path.name}: {error.strerror or error}",
            where=str(path.parent),
            hint="free some space or choose another folder with --output",
        ) from error
    finally:
        # After the rename nothing is left under the temporary name.
        if temporary is not None:
            temporary.unlink(missing_ok=True)
