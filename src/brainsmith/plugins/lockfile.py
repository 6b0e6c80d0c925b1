"""`brainsmith.lock`: exactly which plugins a project uses, down to each of their files.

JSON, sorted, the same text for the same plugins on every machine: it belongs into the project's
version control. A build from the lock uses the plugins that the lock names, or stops.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from packaging.version import Version
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brainsmith.errors import ConfigurationError, PluginError
from brainsmith.plugins.archive import tree_digest
from brainsmith.plugins.complaints import complaints
from brainsmith.plugins.files import replace_file, storage_errors
from brainsmith.plugins.installed import RECORD, Digest, Digests
from brainsmith.plugins.integrity import Difference, compare_files, digest_of, tree_files
from brainsmith.plugins.packing import package_files
from brainsmith.plugins.project import FILE_NAME as PROJECT_NAME

if TYPE_CHECKING:
    from brainsmith.plugins.registry import PluginRegistry

LOCK_NAME = "brainsmith.lock"
_MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class Used:
    """A plugin that a project uses: what its manifest calls it, and its folder."""

    name: str
    version: str
    folder: Path

    @property
    def title(self) -> str:
        """ "NAME VERSION", as messages have it."""
        return f"{self.name} {self.version}"


class Locked(BaseModel):
    """A plugin in the lock.

    `content` is the digest of all its files; `author_key` that of the key which signed it, null
    where nothing is signed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    content: Digest
    author_key: str | None = None
    files: Digests


class Lock(BaseModel):
    """The content of a lock file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal[1] = Field(1, alias="schema")
    plugins: tuple[Locked, ...] = ()

    def text(self) -> str:
        """The file's text: the same for equal locks."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"

    @classmethod
    def read(cls, path: Path) -> Lock:
        """The lock in a file.

        Raises:
            ConfigurationError: there is none, or it is no lock.
        """
        hint = "write it anew: brainsmith lock"
        try:
            with path.open("rb") as stream:
                data = stream.read(_MAX_BYTES)
            lock = cls.model_validate(json.loads(data, object_pairs_hook=_unique))
        except OSError as error:
            what = f"cannot read the lock: {error.strerror}"
            raise ConfigurationError(what, where=str(path), hint=hint) from error
        except ValidationError as error:
            what = f"this is no lock: {complaints(error, cls)[0].what}"
            raise ConfigurationError(what, where=str(path), hint=hint) from error
        except (ValueError, RecursionError) as error:
            what = f"this is no lock: {error}"
            raise ConfigurationError(what, where=str(path), hint=hint) from error
        for plugin in lock.plugins:
            if tree_digest(plugin.files) != plugin.content:
                what = f"the lock contradicts itself about the plugin '{plugin.name}'"
                raise ConfigurationError(what, where=str(path), hint=hint)
        return lock


def used_plugins(registry: PluginRegistry) -> list[Used]:
    """The plugins that a registry has found, in all their versions, but for the built-in one
    and those that a program has registered."""
    return [
        Used(plugin.name, plugin.version, plugin.root)
        for plugin in (*registry.plugins, *registry.other_versions)
        if plugin.origin not in ("built-in", "registered")
    ]


def lock_of(plugins: Iterable[Used]) -> Lock:
    """The lock of plugins as they are on this machine now.

    Raises:
        PluginError: a file of a plugin cannot be read, or is none.
    """
    locked = [_locked(plugin) for plugin in plugins]
    locked.sort(key=lambda plugin: (plugin.name, Version(plugin.version), plugin.content))
    return Lock(plugins=tuple(locked))


def write_lock(path: Path, lock: Lock) -> bool:
    """Writes a lock, whole or not at all; whether it says something new.

    Raises:
        StorageError: the file cannot be written.
    """
    data = lock.text().encode()
    with storage_errors(path):
        if path.is_file() and path.read_bytes() == data:
            return False
        replace_file(path, data)
        return True


def find_lock(start: Path) -> Path | None:
    """The lock of the project that the folder `start` belongs to, if it has one."""
    place = lock_place(start)
    return place if place.is_file() else None


def lock_place(start: Path) -> Path:
    """Where a project's lock lies: in the nearest folder upwards that has one or a
    `brainsmith.toml`, else in `start`."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / LOCK_NAME).is_file() or (folder / PROJECT_NAME).is_file():
            return folder / LOCK_NAME
    return start / LOCK_NAME


def compare_lock(lock: Lock, plugins: Iterable[Used]) -> list[Difference]:
    """Where the plugins on this machine are not those of the lock.

    Args:
        lock: what should be there.
        plugins: what is there.
    """
    wanted = {(plugin.name, Version(plugin.version)): plugin for plugin in lock.plugins}
    found: list[Difference] = []
    for plugin in plugins:
        locked = wanted.pop((plugin.name, Version(plugin.version)), None)
        if locked is None:
            what = "the plugin is not in the lock"
            found.append(Difference(plugin.title, "plugin", str(plugin.folder), what))
        else:
            found += _compare(locked, plugin)
    for locked in wanted.values():
        title = f"{locked.name} {locked.version}"
        found.append(Difference(title, "plugin", locked.content, "the plugin is not there"))
    return found


def require_locked(lock: Lock, plugin: Used) -> None:
    """Refuses a plugin that is not exactly the one in the lock.

    Raises:
        PluginError: the first difference, with the name of the file.
    """
    others = [p for p in lock.plugins if p.name == plugin.name]
    same = [p for p in others if Version(p.version) == Version(plugin.version)]
    if not same:
        versions = ", ".join(p.version for p in others)
        locked = f"the lock has {versions}" if others else "the lock does not name it"
        raise PluginError(
            f"the plugin {plugin.title} is not locked: {locked}",
            where=str(plugin.folder),
            hint="if it is what the project shall use: brainsmith lock",
        )
    for difference in _compare(same[0], plugin):
        raise PluginError(
            f"the plugin {plugin.title} is not the one in the lock: {difference.what}",
            where=difference.where,
            hint="install it again, or, if the change is wanted: brainsmith lock",
        )


def _locked(plugin: Used) -> Locked:
    digests = {}
    for name, path in _files(plugin).items():
        try:
            digests[name] = digest_of(path)
        except OSError as error:
            what = f"cannot read the file: {error.strerror}"
            raise PluginError(what, where=str(path)) from error
    return Locked(
        name=plugin.name,
        version=plugin.version,
        content=tree_digest(digests),
        files=dict(sorted(digests.items())),
    )


def _compare(locked: Locked, plugin: Used) -> list[Difference]:
    try:
        files = _files(plugin)
    except (PluginError, ConfigurationError) as error:
        where = error.where or str(plugin.folder)
        return [Difference(plugin.title, "unreadable", where, error.what)]
    return compare_files(plugin.title, locked.files, files.items(), plugin.folder)


def _files(plugin: Used) -> Mapping[str, Path]:
    """The files that count: all of an installed plugin, those of its package of any other."""
    if not (plugin.folder / RECORD).is_file():
        return package_files(plugin.folder)
    return dict(_installed_files(plugin.folder))


def _installed_files(folder: Path) -> Iterator[tuple[str, Path]]:
    for name, path in tree_files(folder):
        if name != RECORD:
            yield name, path


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found
