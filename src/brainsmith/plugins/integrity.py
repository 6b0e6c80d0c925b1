"""Whether files on this machine are what they were: digests of a tree, and where two differ."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from brainsmith.errors import PluginError

Kind = Literal["changed", "missing", "extra", "unreadable", "version", "plugin", "record"]

_SENTENCES: dict[Kind, str] = {
    "changed": "the file has changed",
    "missing": "the file is missing",
    "extra": "the file does not belong there",
    "unreadable": "this is no regular file, or cannot be read",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was recorded.

    Args:
        plugin: "NAME VERSION".
        kind: what is different.
        where: the file or folder.
        what: the difference as a sentence.
    """

    plugin: str
    kind: Kind
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.plugin}: {self.what}: {self.where}"


def tree_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Everything below `root` that is no folder, by its name relative to `root`, sorted.

    Links are not followed. A folder that cannot be read stands for what is in it.

    Raises:
        OSError: `root` itself cannot be read.
    """
    with os.scandir(root) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        path = root / entry.name
        if not entry.is_dir(follow_symlinks=False):
            yield entry.name, path
            continue
        try:
            inside = list(tree_files(path))
        except OSError:
            inside = [(".", path)]
        for name, inner in inside:
            yield f"{entry.name}/{name}", inner


def digest_of(path: Path, *, sync: bool = False) -> str:
    """SHA-256 of a regular file, in hexadecimal; with `sync`, its content is on the disk then.

    Raises:
        OSError: it cannot be read.
        PluginError: it is no regular file, or a link.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise PluginError("this is no regular file", where=str(path))
        if sync:
            os.fsync(stream.fileno())
        return hashlib.file_digest(stream, "sha256").hexdigest()


def compare_files(
    plugin: str, expected: Mapping[str, str], present: Iterable[tuple[str, Path]], root: Path
) -> list[Difference]:
    """Where the files that are present differ from the digests that are expected.

    Args:
        plugin: whose files they are, for the result.
        expected: SHA-256 by name relative to `root`.
        present: the files that are there, by the same names.
        root: the folder, for the names of missing files.
    """
    found, missing = [], dict(expected)
    for name, path in present:
        kind = _kind(path, missing.pop(name, None))
        if kind is not None:
            found.append(Difference(plugin, kind, str(path), _SENTENCES[kind]))
    found += [
        Difference(plugin, "missing", str(root / name), _SENTENCES["missing"]) for name in missing
    ]
    return sorted(found, key=lambda difference: difference.where)


def _kind(path: Path, expected: str | None) -> Kind | None:
    try:
        digest = digest_of(path)
    except (OSError, PluginError):
        return "unreadable"
    if expected is None:
        return "extra"
    return None if digest == expected else "changed"
