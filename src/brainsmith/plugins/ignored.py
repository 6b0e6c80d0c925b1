"""What git ignores: by the `.gitignore` of each folder, and the repository's own list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_FILE = ".gitignore"
_OWN_LIST = ".git/info/exclude"


class Ignored:
    """Which files below a folder git ignores, also where there is no repository.

    Of a repository that the folder is a part of, the lists of the folders above count too.

    Args:
        folder: the top folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._top = self._repository() or self._folder
        self._specs: dict[Path, GitIgnoreSpec | None] = {}

    def holds(self, name: str) -> bool:
        """Whether a file is ignored, by its name relative to the folder, with `/` inside."""
        path = self._folder / name
        inside = path.relative_to(self._top).parts
        # As git does: what lies in an ignored folder is ignored, whatever lists inside say.
        return any(
            self._matches(self._top.joinpath(*inside[:depth]), folder=depth < len(inside))
            for depth in range(1, len(inside) + 1)
        )

    def _matches(self, path: Path, *, folder: bool) -> bool:
        """What the nearest list that has an opinion says; the inner ones come first."""
        for parent in path.parents:
            spec = self._spec(parent)
            if spec is not None:
                name = path.relative_to(parent).as_posix() + ("/" if folder else "")
                verdict = spec.check_file(name).include
                if verdict is not None:
                    return verdict
            if parent == self._top:
                return False
        return False

    def _spec(self, folder: Path) -> GitIgnoreSpec | None:
        if folder not in self._specs:
            lines = _lines(folder / _FILE)
            if folder == self._top:
                lines = _lines(folder / _OWN_LIST) + lines
            self._specs[folder] = _spec_of(lines) if lines else None
        return self._specs[folder]

    def _repository(self) -> Path | None:
        """The top folder of the repository that the folder is a part of, if it is."""
        for folder in (self._folder, *self._folder.parents):
            if (folder / ".git").exists():
                return folder
        return None


def _spec_of(lines: list[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
