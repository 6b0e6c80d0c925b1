"""What stands between a plugin's folder and others: no secret leaves it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from brainsmith.errors import ConfigurationError, PluginSecurityError
from brainsmith.pdk.secrets import find_secrets
from brainsmith.plugins.ignored import Ignored
from brainsmith.plugins.packing import read_files

# Folders of tools, which go nowhere.
_TOOLS = frozenset(
    (".git", ".hg", ".svn", ".venv", ".brainsmith", ".cache", ".eggs", ".hypothesis",
     ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache", ".tox")
)  # fmt: skip
_LARGE = 16 << 20  # bytes above which a hidden file is some tool's data: its name alone counts


def refuse_secrets(folder: Path, contents: Mapping[str, bytes], allowed: Collection[str]) -> None:
    """Refuses keys and tokens in the files of a package, and in hidden ones beside them.

    Hidden files are in no package; but what git does not ignore is soon in a repository.

    Args:
        folder: the plugin's top folder.
        contents: the files of its package.
        allowed: names of files that look like secrets and are none.

    Raises:
        PluginSecurityError: it names files, lines and kinds; what they say is in no message.
        ConfigurationError: a name in `allowed` belongs to no file, or a file cannot be read.
    """
    hidden = _hidden_files(folder)
    names = {posixpath.normpath(name) for name in allowed}
    for name in sorted(names - contents.keys() - set(hidden)):
        raise ConfigurationError(
            f"there is no file '{name}' to allow",
            where=str(folder),
            hint="names are relative to the plugin's folder",
        )
    found = find_secrets({name: data for name, data in contents.items() if name not in names})
    for name in hidden:  # one at a time: there may be many
        if name not in names:
            found += find_secrets({name: _content(folder / name)})
    found.sort(key=lambda secret: secret.name)
    if not found:
        return
    first = found[0]
    others = f"; also in {', '.join(map(str, found[1:]))}" if found[1:] else ""
    raise PluginSecurityError(
        f"this looks like {first.what}{others}",
        where=str(first),
        hint=f"take it out, or let git ignore the file; if it is no secret: --allow {first.name}",
    )


def _content(path: Path) -> bytes:
    """What a hidden file holds; nothing where it is large, or went away meanwhile."""
    try:
        if path.stat().st_size > _LARGE:
            return b""
    except FileNotFoundError:
        return b""
    return read_files({path.name: path})[path.name]


def _hidden_files(folder: Path) -> list[str]:
    try:
        return list(_hidden(folder, Ignored(folder)))
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the folder: {error.strerror}", where=str(error.filename or folder)
        ) from error


def _hidden(
    folder: Path, ignored: Ignored, inside: str = "", *, below: bool = False
) -> Iterator[str]:
    """The names of hidden files, and of those in hidden folders, that git does not ignore."""
    with os.scandir(folder / inside) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        name = f"{inside}{entry.name}"
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name in _TOOLS or ignored.holds_entry(name, folder=is_folder):
            continue
        is_hidden = below or entry.name.startswith(".")
        if is_folder:
            yield from _hidden(folder, ignored, f"{name}/", below=is_hidden)
        elif is_hidden and entry.is_file(follow_symlinks=False):
            yield name
