"""`brainsmith update-plugin`: what the templates have learned, and what the author wrote.

Three versions of each file are there: as the template made it then (base), as it is (yours), as the
template makes it now (new). What one side changed is taken; where both changed the same lines,
both versions stay in the file, between markers.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from merge3 import Merge3

from brainsmith.errors import ConfigurationError
from brainsmith.pdk.answers import FILE, answers_of, merged
from brainsmith.pdk.rendering import BASE, base_of, rendered, with_memory
from brainsmith.storage import storage_errors

_SIDES = (b"yours", b"the template")  # as the markers call them


@dataclass
class Update:
    """What an update changes.

    Attributes:
        folder: the plugin's.
        files: the new content by name; None where a file goes.
        changed: names of files that change without a conflict.
        added: names of new files.
        removed: names of files that go.
        conflicts: names of files in which both sides changed the same lines.
        undecided: names of files that still have both versions, from an update before.
    """

    folder: Path
    files: dict[str, bytes | None] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)

    @property
    def is_needed(self) -> bool:
        """Whether anything of the plugin's own files changes."""
        return bool(self.changed or self.added or self.removed or self.conflicts)

    def write(self) -> None:
        """Puts the files in their places; where one cannot be written, all are as before.

        Raises:
            StorageError: the disk is full, or the folder is closed to us.
        """
        with (
            storage_errors(self.folder, "free it for writing"),
            tempfile.TemporaryDirectory(prefix=".update.", dir=self.folder) as name,
        ):
            staged = [self._stage(Path(name, str(n)), *f) for n, f in enumerate(self.files.items())]
            done: list[_Staged] = []
            try:
                for change in staged:
                    change.take_place()
                    done.append(change)
            except BaseException:
                for change in reversed(done):
                    change.undo()
                raise

    def _stage(self, place: Path, name: str, data: bytes | None) -> _Staged:
        place.mkdir()
        path, old, new = _place(self.folder, name), place / "old", place / "new"
        if path.is_file():
            shutil.copy2(path, old)
        if data is not None:
            new.write_bytes(data)
            if old.exists():
                shutil.copymode(old, new)
        return _Staged(path, old, new)


@dataclass(frozen=True)
class _Staged:
    """A file that will change: its place, a copy of what is there, and what comes."""

    path: Path
    old: Path
    new: Path

    def take_place(self) -> None:
        if self.new.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.new.replace(self.path)
        else:
            self.path.unlink(missing_ok=True)

    def undo(self) -> None:
        if self.old.exists():
            self.old.replace(self.path)
        else:
            self.path.unlink(missing_ok=True)


def update(folder: Path, answers: Mapping[str, str | None] | None = None) -> Update:
    """What brings a plugin up to the present templates; nothing is written yet.

    Args:
        folder: the plugin's.
        answers: those that are new.

    Raises:
        ConfigurationError: the plugin was not made from a template, an answer is not valid, or
            a link or folder is where a file belongs.
    """
    answered = merged(answers_of(folder), answers or {})
    base, new = base_of(folder), rendered(answered)
    found = Update(folder)
    for name in sorted({*base, *new}):
        yours = _read(_place(folder, name))
        _merge(found, name, base.get(name), yours, new.get(name))
        if name not in found.conflicts and any(map(_is_marker, _lines(yours))):
            found.undecided.append(name)
    memory = with_memory(new, answered)
    for name in (FILE, BASE):
        if _read(_place(folder, name)) != memory[name]:
            found.files[name] = memory[name]
    return found


def _merge(
    found: Update, name: str, base: bytes | None, yours: bytes | None, new: bytes | None
) -> None:
    if new == base or yours == new:
        return  # the template did not change it, or it is changed already
    if yours is None and base is not None:
        return  # the author deleted it
    if yours == base:
        found.files[name] = new
        list_ = found.removed if new is None else found.added if base is None else found.changed
        list_.append(name)
    elif new is not None:
        merge = Merge3(_lines(base), _lines(yours), _lines(new))
        conflict = any(kind == "conflict" for kind, *_ in merge.merge_groups())
        lines = list(merge.merge_lines(*_SIDES, reprocess=True))
        # The last line of a side may end without one, and then no marker would begin a line.
        ended = [line if line.endswith((b"\n", b"\r")) else line + b"\n" for line in lines[:-1]]
        found.files[name] = b"".join(ended + lines[-1:])
        (found.conflicts if conflict else found.changed).append(name)


def _is_marker(line: bytes) -> bool:
    return line.rstrip() in (b"<<<<<<< " + _SIDES[0], b">>>>>>> " + _SIDES[1])


def _place(folder: Path, name: str) -> Path:
    """Where a file of the plugin is.

    Raises:
        ConfigurationError: outside of the plugin, or something that is no file is there.
    """
    top = folder.resolve()
    path = (top / name).resolve()
    if path == top or not path.is_relative_to(top):
        raise ConfigurationError(f"'{name}' leads out of the plugin", where=str(folder))
    parents = path.parents[: len(path.relative_to(top).parts) - 1]
    in_the_way = [parent for parent in parents if parent.exists() and not parent.is_dir()]
    if in_the_way or (path.exists() and not path.is_file()):
        raise ConfigurationError(
            "there is something else where the template has a file",
            where=str(in_the_way[0] if in_the_way else path),
            hint="move it away",
        )
    return path


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _lines(data: bytes | None) -> list[bytes]:
    return (data or b"").splitlines(keepends=True)
