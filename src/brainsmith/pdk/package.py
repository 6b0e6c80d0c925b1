"""`brainsmith package`: a plugin checked, and packed for others."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from brainsmith.errors import ConfigurationError, PluginError, PluginSecurityError
from brainsmith.pdk.secrets import Secret, find_secrets
from brainsmith.plugins.archive import SUFFIX
from brainsmith.plugins.checks import Flaw, check_plugin
from brainsmith.plugins.ignored import Ignored
from brainsmith.plugins.kinds import KINDS
from brainsmith.plugins.manifest import FileEntry, Manifest
from brainsmith.plugins.packing import package_files, write_archive
from brainsmith.plugins.places import FILE_NAME
from brainsmith.plugins.sources import module_file, plugin_root
from brainsmith.storage import storage_errors

OUTPUT = "dist"
_PRIVATE = (".git", ".hg", ".svn", ".venv", ".brainsmith")  # folders that never go anywhere


@dataclass(frozen=True)
class Packed:
    """A package that was written.

    Attributes:
        path: the file.
        name: the plugin's name.
        version: its version.
        size: bytes of the file.
        files: how many are in it.
        digest: SHA-256 of the file, as "sha256:...".
        warnings: what is not as good as it could be.
    """

    path: Path
    name: str
    version: str
    size: int
    files: int
    digest: str
    warnings: tuple[Flaw, ...]


def package(folder: Path, output: Path | None = None, *, allowed: Collection[str] = ()) -> Packed:
    """Checks a plugin and packs it; nothing is written where something is wrong.

    Args:
        folder: the plugin's top folder.
        output: the folder for the package; `dist` in the plugin's if None.
        allowed: names of files, relative to the plugin's folder, that look like secrets and are
            none.

    Raises:
        PluginError: the manifest is wrong, or needs a file that git ignores; or a file is a link.
        PluginSecurityError: a file is, or holds, a secret.
        ConfigurationError: a name in `allowed` belongs to no file.
        StorageError: the disk is full, or the folder is closed to us.
    """
    flaws = check_plugin(folder)
    errors = [flaw for flaw in flaws if flaw.severity == "error"]
    if errors:
        more = f" (and {len(errors) - 1} more: `brainsmith manifest check`)" if errors[1:] else ""
        raise PluginError(f"{errors[0].what}{more}", where=errors[0].where, hint=errors[0].hint)
    manifest = Manifest.read(folder / FILE_NAME)
    files = package_files(folder)
    _check_complete(manifest, folder, files)
    _check_secrets(folder, files, allowed)
    place = output or folder / OUTPUT
    path = place / f"{manifest.name}-{manifest.version}{SUFFIX}"
    with storage_errors(path):
        place.mkdir(parents=True, exist_ok=True)
    digest = write_archive(folder, path)
    return Packed(
        path, manifest.name, manifest.version, path.stat().st_size, len(files) + 1, digest,
        tuple(flaw for flaw in flaws if flaw.severity == "warning"),
    )  # fmt: skip


def _check_complete(manifest: Manifest, folder: Path, files: Mapping[str, Path]) -> None:
    """Everything that the manifest names is in the package."""
    for needed in _needed(manifest, folder):
        name = needed.relative_to(folder).as_posix()
        if name not in files:
            raise PluginError(
                f"the manifest needs '{name}', which is left out of packages",
                where=str(needed),
                hint="git ignores it (`git check-ignore -v` says why), or its name is hidden",
            )


def _needed(manifest: Manifest, folder: Path) -> Iterator[Path]:
    root = plugin_root(folder)
    for kind in KINDS:
        for entry in getattr(manifest, kind):
            if isinstance(entry, FileEntry):
                yield folder / entry.file
            elif (file := module_file(root, entry.module)) is not None:
                yield file
    for example in manifest.examples:
        yield folder / example


def _check_secrets(folder: Path, files: Mapping[str, Path], allowed: Collection[str]) -> None:
    looked_at = {**files, **_hidden_files(folder)}
    for name in allowed:
        if name not in looked_at:
            raise ConfigurationError(f"there is no file '{name}' to allow", where=str(folder))
    found: list[Secret] = find_secrets(
        {name: path for name, path in looked_at.items() if name not in allowed}
    )
    if found:
        first, more = found[0], found[1:]
        others = f"; also {', '.join(map(str, more))}" if more else ""
        raise PluginSecurityError(
            f"this looks like {first.what}{others}",
            where=str(first),
            hint=f"take it out, or let git ignore it; if it is no secret: --allow {first.name}",
        )


def _hidden_files(folder: Path) -> dict[str, Path]:
    """Hidden files that git does not ignore: no part of a package, but soon of a repository."""
    ignored = Ignored(folder)
    found = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _PRIVATE]
        for name in names:
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            if name.startswith(".") and path.is_file() and not ignored.holds(relative):
                found[relative] = path
    return found
