"""The store of installed plugins. Installing is unpacking: no code of a plugin runs.

Below the store's folder lie

- `NAME/VERSION/`: the plugin's files, and `installed.json`, its record;
- `NAME/dependencies/VERSION/`: its Python packages, where the user wanted them;
- `.lock`, held while something changes, and `.partial/`, where it is prepared.

Everything is prepared in `.partial`, written down to the disk, and then renamed: a plugin is there
whole or not at all, whenever the machine stops and however many processes install at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from packaging.version import InvalidVersion, Version

from brainsmith.errors import ConfigurationError, PluginError, StorageError, nearest
from brainsmith.plugins import contents
from brainsmith.plugins.archive import tree_digest
from brainsmith.plugins.dependencies import install_dependencies
from brainsmith.plugins.files import storage_errors, sync_folder, write_new
from brainsmith.plugins.installed import RECORD, Record
from brainsmith.plugins.integrity import Difference, compare_files, tree_files
from brainsmith.plugins.manifest import Manifest
from brainsmith.plugins.names import canonical, plugin_meant
from brainsmith.plugins.package import open_package
from brainsmith.plugins.places import FILE_NAME, builtin_folder, store_folder
from brainsmith.plugins.requirements import Problem, missing, parse
from brainsmith.plugins.staging import Staging

_DEPENDENCIES = "dependencies"


@dataclass(frozen=True)
class Installed:
    """A plugin in the store: where it lies, and its record."""

    folder: Path
    record: Record
    new: bool = False


class Store:
    """The plugins that `brainsmith install` has put on this machine.

    Args:
        root: the store's folder; the user's own by default. It is made when it is needed.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root if root is not None else store_folder()).absolute()
        self._staging = Staging(self.root)

    def folders(self) -> Iterator[Path]:
        """The folder of each version of each plugin, sorted."""
        for plugin in _subfolders(self.root):
            yield from self._versions(plugin.name)

    def _names(self) -> list[str]:
        """The names of which a version is installed."""
        return sorted({folder.parent.name for folder in self.folders()})

    def _versions(self, name: str) -> Iterator[Path]:
        return (f for f in _subfolders(self.root / name) if f.name != _DEPENDENCIES)

    def install(self, source: Path, *, with_dependencies: bool = False) -> Installed:
        """Installs a `.bspkg` file, or a plugin's source tree as its package would be.

        `new` of the result is false where the same content was there already.

        Raises:
            PluginError: the archive breaks a rule, the manifest is missing or wrong, or other
                content is there under this name and version.
            ConfigurationError: there is no such file or folder.
            ToolError: the dependencies cannot be installed.
            StorageError: the store cannot be written. Nothing half-written is left.
        """
        archive, manifest = open_package(source)
        with storage_errors(self.root), self._staging.partial() as partial:
            content = partial / "content"
            # What the package's list says was checked; from here on the record says it.
            digests = archive.unpack(content, without=(contents.FILE_NAME,))
            record = Record(
                name=manifest.name,
                version=str(Version(manifest.version)),
                source=str(source.absolute()),
                installed_at=datetime.now(UTC).isoformat(timespec="seconds"),
                archive=archive.digest,
                content=tree_digest(digests),
                files=digests,
            )
            there = self._present(record)
            if with_dependencies and (there is None or there.record.dependencies is None):
                own = self._own_requirements(manifest)
                dependencies = install_dependencies(own, partial / _DEPENDENCIES)
                record = record.model_copy(update={"dependencies": dependencies})
            write_new(content / RECORD, iter((record.text().encode(),)))
            sync_folder(content)
            with self._staging.locked():
                return self._commit(record, partial)

    def uninstall(self, text: str) -> Path:
        """Removes `NAME`, where one version is installed, or `NAME==VERSION`; returns its folder.

        Raises:
            ConfigurationError: it is not installed, or several versions are.
            StorageError: the store cannot be written.
        """
        name, _, version = (part.strip() for part in text.partition("=="))
        with storage_errors(self.root), ExitStack() as stack:
            # Asked before anything is written: there may be no store, or one that is read-only.
            self._find(name, version)
            partial = stack.enter_context(self._staging.partial())
            stack.enter_context(self._staging.locked())
            folder = self._find(name, version)
            self._remove(folder, partial)
            sync_folder(self.root)
        return folder

    def dependencies_of(self, folder: Path) -> Path | None:
        """The folder of the Python packages of the plugin in `folder`, if it has one."""
        own = self._dependencies(folder)
        return own if own.is_dir() else None

    def missing(self, installed: Installed) -> list[Problem]:
        """The Python packages that an installed plugin needs and that are not on this machine."""
        manifest = Manifest.read(installed.folder / FILE_NAME)
        own = self.dependencies_of(installed.folder)
        return missing(self._own_requirements(manifest), folders=() if own is None else (own,))

    def verify(self) -> list[Difference]:
        """Everything in the store that is not as its record says."""
        return [found for folder in self.folders() for found in self._verify(folder)]

    def _verify(self, folder: Path) -> list[Difference]:
        title = f"{folder.parent.name} {folder.name}"
        try:
            record = Record.read(folder)
        except PluginError as error:
            return [Difference(title, "record", str(error.where), error.what)]
        if (record.name, record.version) != (folder.parent.name, folder.name):
            what = f"the record is that of {record.title}"
            return [Difference(title, "record", str(folder / RECORD), what)]
        present = [(name, path) for name, path in tree_files(folder) if name != RECORD]
        found = compare_files(title, record.files, present, folder)
        if tree_digest(record.files) != record.content:
            what = "the record contradicts itself"
            found.append(Difference(title, "record", str(folder / RECORD), what))
        own = self._dependencies(folder)
        expected = record.dependencies.files if record.dependencies is not None else {}
        files = list(tree_files(own)) if own.is_dir() else []
        return found + compare_files(title, expected, files, own)

    def _commit(self, record: Record, partial: Path) -> Installed:
        """Puts what is prepared into its place; the store is locked."""
        folder = self.root / record.name / record.version
        there = self._present(record)
        if there is not None:
            if record.dependencies is None or there.record.dependencies is not None:
                return there
            record = there.record.model_copy(update={"dependencies": record.dependencies})
            self._add_dependencies(there.folder, record, partial)
            return Installed(there.folder, record)
        try:
            folder.parent.mkdir(exist_ok=True)
            self._place_dependencies(folder, partial)
            (partial / "content").rename(folder)
        except BaseException:
            self._remove(folder, partial)
            raise
        sync_folder(folder.parent)
        sync_folder(self.root)
        return Installed(folder, record, new=True)

    def _remove(self, folder: Path, partial: Path) -> None:
        """Moves away the plugin in `folder` as far as it is there, the plugin itself first."""
        own = self._dependencies(folder)
        for number, part in enumerate((folder, own)):
            if part.is_dir():
                part.rename(partial / f"removed{number}")
        for empty in (own.parent, folder.parent):
            with suppress(OSError):
                empty.rmdir()

    def _add_dependencies(self, folder: Path, record: Record, partial: Path) -> None:
        """Gives an installed plugin the prepared packages, and the record that names them."""
        new_record = partial / RECORD
        write_new(new_record, iter((record.text().encode(),)))
        try:
            self._place_dependencies(folder, partial)
            new_record.replace(folder / RECORD)
        except BaseException:
            with suppress(OSError):
                self._dependencies(folder).rename(partial / "removed")
            raise
        sync_folder(folder)

    def _place_dependencies(self, folder: Path, partial: Path) -> None:
        """Moves the prepared packages beside `folder`, and away what nothing has recorded."""
        own = self._dependencies(folder)
        if own.exists():
            own.rename(partial / "stale")
        if (partial / _DEPENDENCIES).is_dir():
            own.parent.mkdir(exist_ok=True)
            (partial / _DEPENDENCIES).rename(own)
            sync_folder(own.parent)

    def _present(self, record: Record) -> Installed | None:
        """The same content under the same version, if it is there.

        Raises:
            PluginError: other content is there, or a plugin whose name this one imitates.
        """
        self._refuse_imitation(record.name)
        for folder in self._versions(record.name):
            # 1.0 and 1.0.0 are one version.
            if not _same_version(folder.name, record.version):
                continue
            there = Record.read(folder)
            if there.content == record.content:
                return Installed(folder, there)
            raise PluginError(
                f"{record.title} is installed with other content",
                where=str(folder),
                hint="give it another version, or first: "
                f"brainsmith uninstall {record.name}=={folder.name}",
            )
        return None

    def _refuse_imitation(self, name: str) -> None:
        builtin = Manifest.read(builtin_folder() / FILE_NAME).name
        for other in (builtin, *self._names()):
            if canonical(other) == canonical(name) and (other != name or other == builtin):
                raise PluginError(
                    f"the name '{name}' can be taken for that of the plugin '{other}'",
                    hint=f"give the plugin another name, or uninstall '{other}' first",
                )

    def _own_requirements(self, manifest: Manifest) -> list[str]:
        """The dependencies that are Python packages, not plugins which are installed."""
        plugins = {canonical(name) for name in self._names()}

        def is_plugin(text: str) -> bool:
            return plugin_meant(parse(text).name) in plugins

        needed = [*manifest.dependencies]
        for kind in (manifest.operations, manifest.kernels, manifest.transforms):
            needed += [text for entry in kind for text in entry.requires]
        return [text for text in dict.fromkeys(needed) if not is_plugin(text)]

    def _find(self, name: str, version: str) -> Path:
        """The folder of an installed plugin; `version` may be empty where there is one only."""
        names = self._names()
        versions = list(self._versions(name)) if name in names else []
        if not versions:
            hint = nearest(name, names) if names else "no plugin is installed"
            raise ConfigurationError(f"the plugin '{name}' is not installed", hint=hint)
        if version:
            wanted = [f for f in versions if _same_version(f.name, version)]
        elif len(versions) > 1:
            raise ConfigurationError(
                f"{len(versions)} versions of '{name}' are installed",
                hint="say which: " + ", ".join(f"{name}=={f.name}" for f in versions),
            )
        else:
            wanted = versions
        if not wanted:
            raise ConfigurationError(
                f"version {version} of '{name}' is not installed",
                hint=nearest(version, [f.name for f in versions]),
            )
        return wanted[0]

    def _dependencies(self, folder: Path) -> Path:
        return folder.parent / _DEPENDENCIES / folder.name


def _subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, sorted, without hidden ones and links; none if it is not there.

    Raises:
        StorageError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as found:
            names = [e.name for e in found if e.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StorageError(
            f"the store cannot be read: {error.strerror}",
            where=str(folder),
            hint="check the permissions, or point XDG_DATA_HOME at another folder",
        ) from error
    return [folder / name for name in sorted(names) if not name.startswith(".")]


def _same_version(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other
