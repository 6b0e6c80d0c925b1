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
_TOOLS = frozenset((".git", ".hg", ".svn", ".venv", ".brainsmith"))


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
    hidden = {name: folder / name for name in _hidden(folder, Ignored(folder))}
    files = {**contents, **read_files(hidden)}
    names = {posixpath.normpath(name) for name in allowed}
    for name in sorted(names - files.keys()):
        raise ConfigurationError(
            f"there is no file '{name}' to allow",
            where=str(folder),
            hint="names are relative to the plugin's folder",
        )
    found = find_secrets({name: data for name, data in files.items() if name not in names})
    if not found:
        return
    first = found[0]
    others = f"; also in {', '.join(map(str, found[1:]))}" if found[1:] else ""
    raise PluginSecurityError(
        f"this looks like {first.what}{others}",
        where=str(first),
        hint=f"take it out, or let git ignore the file; if it is no secret: --allow {first.name}",
    )


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
