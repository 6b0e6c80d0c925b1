"""Which manifests there are: a look at folders and file names, that reads no manifest.

A scan also says what it looked at, and how each of it was *before* it was looked at: as long as
all of that is as it was, the next scan would find the same (`brainsmith.plugins.index`).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from brainsmith.plugins import distributions
from brainsmith.plugins.places import BUILTIN_PACKAGE, FILE_NAME, absolute, origin_of, store_folder

# Time of the last change of content and of the file itself, size, number of the file. Where the
# path cannot be looked at: -1, the number of the error, -1, -1.
Stat = tuple[int, int, int, int]

_SKIPPED = ("__pycache__", "node_modules")
_ABSENT = (errno.ENOENT, errno.ENOTDIR)


@dataclass(frozen=True, slots=True)
class Location:
    """A manifest that is there, or a place where one should be.

    Args:
        manifest: the file, or the folder that `error` is about.
        origin: one of `places.ORIGINS`.
        package: the Python package that the manifest's modules belong to, for what is installed;
            None where the plugin is a folder, whose modules are imported from there.
        error: why there is no manifest to read.
    """

    manifest: str
    origin: str
    package: str | None = None
    error: str = ""


@dataclass
class Scan:
    """What a scan found, and what must stay as it is for its result to stay the same."""

    locations: list[Location] = field(default_factory=list)
    watched: dict[str, Stat] = field(default_factory=dict)
    environment: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, location: Location, seen: Stat) -> None:
        """A location whose file or folder was as `seen` before anything was read of it."""
        self.locations.append(location)
        self.watched[location.manifest] = seen


def stat_of(path: str) -> Stat:
    """How a file or folder is now."""
    try:
        seen = os.stat(path)
    except OSError as error:
        return (-1, error.errno or 0, -1, -1)
    return (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino)


def scan(paths: Iterable[str], python_path: Iterable[str] | None) -> Scan:
    """All manifests in folders and in installed distributions.

    Args:
        paths: the search paths: folders of plugins, or the folder of one.
        python_path: where distributions are installed (`sys.path`), or None to leave them out.
    """
    result = Scan()
    store = absolute(str(store_folder()))
    for path in dict.fromkeys(map(absolute, paths)):
        _scan_folder(result, path, origin_of(path), levels=2 if path == store else 1)
    if python_path is not None:
        _scan_environment(result, python_path)
    return result


def existing(paths: Iterable[str]) -> list[str]:
    """The search paths that are there, made absolute; each once."""
    return [path for path in dict.fromkeys(map(absolute, paths)) if os.path.lexists(path)]


def _scan_folder(result: Scan, folder: str, origin: str, levels: int) -> None:
    before = stat_of(folder)
    if _add_plugin(result, folder, origin):
        return
    result.watched[folder] = before
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if _may_hold_plugin(entry))
    except OSError as error:
        if error.errno not in _ABSENT:
            why = f"cannot read the folder: {error.strerror}"
            result.add(Location(folder, origin, error=why), before)
        return
    for name in names:
        child = f"{folder}/{name}"
        if levels > 1:
            _scan_folder(result, child, origin, levels - 1)
        elif not _add_plugin(result, child, origin):
            _watch_empty(result, child, origin)


def _may_hold_plugin(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or entry.name in _SKIPPED:
        return False
    # What a link leads to is looked at later, so that a broken one can be told.
    return entry.is_symlink() or entry.is_dir(follow_symlinks=False)


def _add_plugin(result: Scan, folder: str, origin: str) -> bool:
    manifest = f"{folder}/{FILE_NAME}"
    seen = stat_of(manifest)
    if seen[0] == -1 and (seen[1] in _ABSENT or stat_of(folder)[0] == -1):
        return False
    # Only the built-in plugin is a folder of a package that is installed.
    package = BUILTIN_PACKAGE if origin == "built-in" else None
    result.add(Location(manifest, origin, package), seen)
    return True


def _watch_empty(result: Scan, folder: str, origin: str) -> None:
    """A folder without a manifest: it changes when one is put there."""
    seen = stat_of(folder)
    if _add_plugin(result, folder, origin):  # put there since the first look
        return
    if seen[0] == -1 and os.path.islink(folder):
        why = f"the link leads nowhere: {os.strerror(seen[1])}"
        result.add(Location(folder, origin, error=why), seen)
    elif seen[0] == -1 and seen[1] not in _ABSENT:
        why = f"cannot look into the folder: {os.strerror(seen[1])}"
        result.add(Location(folder, origin, error=why), seen)
    else:
        result.watched[folder] = seen


def _scan_environment(result: Scan, python_path: Iterable[str]) -> None:
    known: set[str] = set()
    for folder in dict.fromkeys(map(absolute, python_path)):
        result.watched[folder] = stat_of(folder)
        names = result.environment[folder] = distributions.listing(folder)
        for name in names:
            info = f"{folder}/{name}"
            points = f"{info}/{distributions.ENTRY_POINTS}"
            result.watched[points] = stat_of(points)
            project = distributions.project_of(name)
            if project in known:
                continue  # an earlier folder's distribution hides it, as in Python's own lookup
            known.add(project)
            has_points = result.watched[points][0] != -1
            for found in distributions.manifests(info, project, has_points):
                location = Location(found.path, "distribution", found.package, found.error)
                result.add(location, stat_of(found.path))
