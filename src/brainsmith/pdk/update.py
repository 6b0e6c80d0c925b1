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

from brainsmith.pdk.answers import FILE, answers_of, merged
from brainsmith.pdk.rendering import BASE, base_of, rendered, with_memory
from brainsmith.storage import storage_errors


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
    """

    folder: Path
    files: dict[str, bytes | None] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)

    @property
    def is_needed(self) -> bool:
        """Whether anything of the plugin's own files changes."""
        return bool(self.changed or self.added or self.removed or self.conflicts)

    def write(self) -> None:
        """Puts the files in their places; where one cannot be written, none is.

        Raises:
            StorageError: the disk is full, or the folder is closed to us.
        """
        with storage_errors(self.folder):
            staging = Path(tempfile.mkdtemp(prefix=".update.", dir=self.folder))
            try:
                for number, data in enumerate(self.files.values()):
                    if data is not None:
                        (staging / str(number)).write_bytes(data)
                for number, (name, data) in enumerate(self.files.items()):
                    path = self.folder / name
                    if data is None:
                        path.unlink(missing_ok=True)
                        continue
                    path.parent.mkdir(parents=True, exist_ok=True)
                    (staging / str(number)).replace(path)
            finally:
                shutil.rmtree(staging, ignore_errors=True)


def update(folder: Path, answers: Mapping[str, str | None] | None = None) -> Update:
    """What brings a plugin up to the present templates; nothing is written yet.

    Args:
        folder: the plugin's.
        answers: those that are new.

    Raises:
        ConfigurationError: the plugin was not made from a template, or an answer is not valid.
    """
    answered = merged(answers_of(folder), answers or {})
    base, new = base_of(folder), rendered(answered)
    found = Update(folder)
    for name in sorted({*base, *new}):
        _merge(found, name, base.get(name), _read(folder / name), new.get(name))
    memory = with_memory(new, answered)
    for name in (FILE, BASE):
        if _read(folder / name) != memory[name]:
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
        lines = merge.merge_lines("yours", "the template", reprocess=True)
        found.files[name] = "".join(lines).encode()
        (found.conflicts if conflict else found.changed).append(name)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _lines(data: bytes | None) -> list[str]:
    return (data or b"").decode("utf-8", "surrogateescape").splitlines(keepends=True)
