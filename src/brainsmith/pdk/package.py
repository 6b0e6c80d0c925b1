"""`brainsmith package`: a plugin checked, and packed for others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from brainsmith.errors import PluginError
from brainsmith.pdk.guard import refuse_secrets
from brainsmith.plugins.archive import SUFFIX
from brainsmith.plugins.checks import Flaw, check_plugin
from brainsmith.plugins.kinds import KINDS
from brainsmith.plugins.manifest import FileEntry, Manifest
from brainsmith.plugins.packing import pack_files, package_files, read_files
from brainsmith.plugins.places import FILE_NAME
from brainsmith.plugins.sources import module_file, plugin_root
from brainsmith.storage import write_atomic

OUTPUT = "dist"


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

    What is packed are the very bytes that were looked at.

    Args:
        folder: the plugin's top folder.
        output: the folder for the package; `dist` in the plugin's if None.
        allowed: names of files, relative to the plugin's folder, that look like secrets and are
            none.

    Raises:
        PluginError: the manifest is wrong, or needs a file that git ignores; or a file is a link.
        PluginSecurityError: a file is, or holds, a secret.
        ConfigurationError: a name in `allowed` belongs to no file, or a file cannot be read.
        StorageError: the disk is full, or the folder is closed to us. Nothing is left of it.
    """
    flaws = check_plugin(folder)
    errors = [flaw for flaw in flaws if flaw.severity == "error"]
    if errors:
        more = f" (and {len(errors) - 1} more: `brainsmith manifest check`)" if errors[1:] else ""
        raise PluginError(f"{errors[0].what}{more}", where=errors[0].where, hint=errors[0].hint)
    manifest = Manifest.read(folder / FILE_NAME)
    files = package_files(folder)
    _check_complete(manifest, folder, files)
    contents = read_files(files)
    refuse_secrets(folder, contents, allowed)
    archive = pack_files(contents, str(folder))
    place = output or folder / OUTPUT
    path = place / f"{manifest.name}-{manifest.version}{SUFFIX}"
    _write(path, archive.data)
    return Packed(
        path, manifest.name, manifest.version, len(archive.data), len(archive.entries),
        archive.digest, tuple(flaw for flaw in flaws if flaw.severity == "warning"),
    )  # fmt: skip


def _write(path: Path, data: bytes) -> None:
    made = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    try:
        write_atomic(path, data, parents=True)
    except BaseException:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise


def _check_complete(manifest: Manifest, folder: Path, files: Mapping[str, Path]) -> None:
    """Everything that the manifest names is in the package, and the manifest itself."""
    for needed in _needed(manifest, folder):
        name = needed.relative_to(folder).as_posix()
        if name not in files:
            raise PluginError(
                f"the plugin needs '{name}', which is left out of packages",
                where=str(needed),
                hint="git ignores it (`git check-ignore -v` says why), or its name is hidden",
            )


def _needed(manifest: Manifest, folder: Path) -> Iterator[Path]:
    yield folder / FILE_NAME
    root = plugin_root(folder)
    for kind in KINDS:
        for entry in getattr(manifest, kind):
            if isinstance(entry, FileEntry):
                yield folder / entry.file
            elif (file := module_file(root, entry.module)) is not None:
                yield file
    for example in manifest.examples:
        yield folder / example
