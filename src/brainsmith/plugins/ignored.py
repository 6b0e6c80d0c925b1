"""What git ignores: by the `.gitignore` of each folder, and the repository's own list.

What is true for one person alone does not count: a global list, and what is tracked all the same.
"""

from __future__ import annotations

import os
from pathlib import Path

from brainsmith.errors import ConfigurationError
from brainsmith.plugins.gitignore import Pattern, parse, verdict

_FILE = ".gitignore"


class Ignored:
    """Which files below a folder git ignores, also where there is no repository.

    Of a repository that the folder is a part of, the lists of the folders above count too; one that
    ignores the folder as a whole is none that it is a part of.

    Args:
        folder: the top folder.

    Raises:
        ConfigurationError: by any method, where a list cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._lists: dict[Path, tuple[Pattern, ...]] = {}
        self._own_list: Path | None = None
        self._top = self._folder
        repository = _repository(self._folder)
        if repository is not None:
            self._top, self._own_list = repository, _own_list(repository)
            if self._holds(self._folder, folder=True):
                self._top, self._own_list = self._folder, None
                self._lists.clear()

    def holds(self, name: str) -> bool:
        """Whether a file is ignored, by its name relative to the folder, with `/` inside."""
        return self._holds(self._folder / name, folder=False)

    def holds_entry(self, name: str, *, folder: bool) -> bool:
        """The same of a file or folder, where the folder that it is in is known not to be."""
        return self._matches(self._folder / name, folder=folder)

    def _holds(self, path: Path, *, folder: bool) -> bool:
        inside = path.relative_to(self._top).parts
        # As git does: what lies in an ignored folder is ignored, whatever lists inside say.
        return any(
            self._matches(self._top.joinpath(*inside[:depth]), folder=folder or depth < len(inside))
            for depth in range(1, len(inside) + 1)
        )

    def _matches(self, path: Path, *, folder: bool) -> bool:
        """What the nearest list that has an opinion says; the inner ones come first."""
        for parent in path.parents:
            patterns = self._list(parent)
            if patterns:
                name = os.fsencode(path.relative_to(parent).as_posix())
                found = verdict(patterns, name, folder=folder)
                if found is not None:
                    return found
            if parent == self._top:
                return False
        return False

    def _list(self, folder: Path) -> tuple[Pattern, ...]:
        if folder not in self._lists:
            patterns = parse(_read(folder / _FILE))
            if folder == self._top and self._own_list is not None:
                patterns = parse(_read(self._own_list)) + patterns
            self._lists[folder] = patterns
        return self._lists[folder]


def _repository(folder: Path) -> Path | None:
    """The top folder of the repository that a folder is a part of, if it is."""
    return next((p for p in (folder, *folder.parents) if (p / ".git").exists()), None)


def _own_list(top: Path) -> Path:
    """The list that belongs to a repository and not to its content.

    In a submodule or a further working tree, `.git` is a file that names the folder.
    """
    folder = top / ".git"
    if folder.is_file():
        folder = top / os.fsdecode(_read(folder).removeprefix(b"gitdir:").strip())
        folder = folder / (os.fsdecode(_read(folder / "commondir").strip()) or ".")
    return folder / "info" / "exclude"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return b""
    except OSError as error:
        raise ConfigurationError(
            f"cannot read what git ignores: {error.strerror}", where=str(path)
        ) from error
