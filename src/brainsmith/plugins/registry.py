"""The registry: every component that is there, by kind and name."""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from brainsmith.errors import ConfigurationError, PluginError, nearest
from brainsmith.plugins import index as cache
from brainsmith.plugins import places
from brainsmith.plugins.catalog import Catalog
from brainsmith.plugins.kinds import KINDS, SINGULAR
from brainsmith.plugins.plugin import Component, Plugin

if TYPE_CHECKING:
    from brainsmith.plugins.project import Project
    from brainsmith.plugins.sandboxing import SandboxSettings
    from brainsmith.plugins.search import Found
    from brainsmith.plugins.source import PackageSource

T = TypeVar("T")


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin that was found and cannot be used.

    Args:
        path: its manifest, or the folder where it should be.
        origin: where it was found, as in `Plugin`.
        error: what is wrong.
        name: its name, or None where the manifest does not tell.
    """

    path: Path
    origin: str
    error: PluginError
    name: str | None = None


@dataclass
class _State:
    """What one discovery found."""

    catalog: Catalog
    project: Project
    from_cache: bool
    note: str = ""


class PluginRegistry:
    """All components of all plugins, by kind and name; the built-in plugin is one of them.

    Plugins are discovered at the first use, or when `discover_plugins` is called. No code of a
    plugin is imported before one of its components is used.

    Args:
        search_paths: folders of plugins; those of `places.search_paths()` if None. May be changed
            later: the next use discovers anew.
        distributions: whether plugins that are installed as Python distributions count.
        source: where `install_from_hub` gets plugins from.
        cached: whether an index in the user's cache is used and kept.
        sandbox: how the plugins' code is confined; as is usual if None.
    """

    def __init__(
        self,
        search_paths: Sequence[str | Path] | None = None,
        *,
        distributions: bool = True,
        source: PackageSource | None = None,
        cached: bool = True,
        sandbox: SandboxSettings | None = None,
    ) -> None:
        paths = places.search_paths() if search_paths is None else search_paths
        self.search_paths: list[str] = [str(path) for path in paths]
        self.source = source
        self.sandbox = sandbox
        self._distributions = distributions
        self._cached = cached
        self._registered: list[Plugin] = []
        self._admit: Callable[[Plugin], None] | None = None
        self._known: _State | None = None
        self._known_for: tuple[str, ...] = ()

    def discover_plugins(self) -> tuple[Plugin, ...]:
        """Looks again at what is there; returns the plugins, the built-in one last."""
        self._known = None
        return self.plugins

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """The plugins that names mean, by name, the built-in one last."""
        return self._plugins("default")

    @property
    def other_versions(self) -> tuple[Plugin, ...]:
        """Further versions of these plugins, which `name==version` chooses."""
        return self._plugins("version")

    @property
    def copies(self) -> tuple[Plugin, ...]:
        """What is there a second time, and not used."""
        return self._plugins("copy")

    @property
    def broken(self) -> tuple[BrokenPlugin, ...]:
        """What was found and cannot be used, with what is wrong."""
        import json

        sql = "SELECT manifest, origin, name, record FROM plugin WHERE status = 'broken' ORDER BY 1"
        found = []
        for manifest, origin, name, record in self._ask(sql):
            error = json.loads(record)["error"]
            reason = PluginError(error["what"], where=error["where"], hint=error["hint"])
            found.append(BrokenPlugin(Path(manifest), origin, reason, name))
        return tuple(found)

    @property
    def plugin_names(self) -> tuple[str, ...]:
        """The names of all plugins that are there, also of those that cannot be used."""
        rows = self._ask("SELECT DISTINCT name FROM plugin WHERE name IS NOT NULL ORDER BY name")
        return tuple(name for (name,) in rows)

    @property
    def project(self) -> Project:
        """What the project of the working folder decides.

        Raises:
            ConfigurationError: its file cannot be read, or holds something unknown.
        """
        return self._state.project

    @property
    def from_cache(self) -> bool:
        """Whether the last discovery was answered by the index in the user's cache."""
        return self._state.from_cache

    @property
    def note(self) -> str:
        """Why the index could not be kept; "" where it was."""
        return self._state.note

    def register(self, plugin: Plugin) -> None:
        """Adds a plugin of the program's own, which no search path leads to.

        Raises:
            PluginError: there is one of this name.
        """
        if self._ask("SELECT 1 FROM plugin WHERE name = ? AND status != 'broken'", plugin.name):
            raise PluginError(f"the plugin '{plugin.name}' is already registered")
        self._registered.append(plugin)
        self._known = None

    def plugin(self, name: str) -> Plugin:
        """The plugin called `name`, or `name==version`.

        Raises:
            ConfigurationError: there is none.
        """
        wanted, _, version = name.partition("==")
        rows = self._ask(
            "SELECT id, version, status FROM plugin WHERE name = ? AND status IN "
            "('default', 'version') ORDER BY id",
            wanted.strip(),
        )
        if not rows:
            raise self._no_plugin(wanted.strip())
        if not version:
            (number,) = (number for number, _, status in rows if status == "default")
            return self.catalog.plugin(number)
        from packaging.version import InvalidVersion, Version

        try:
            chosen = Version(version.strip())
        except InvalidVersion as error:
            raise ConfigurationError(f"'{version}' is no version", where=name) from error
        for number, known, _ in rows:
            if Version(known) == chosen:
                return self.catalog.plugin(number)
        raise ConfigurationError(
            f"there is no version {version} of the plugin '{wanted}'",
            hint="there is " + ", ".join(known for _, known, _ in rows),
        )

    def plugin_at(self, folder: Path) -> Plugin | None:
        """The plugin whose manifest lies in a folder, or None: also one of another version.

        Raises:
            PluginError: what is there cannot be used.
        """
        root = folder.resolve()
        for plugin in (*self.plugins, *self.other_versions):
            if plugin.root.resolve() == root:
                return plugin
        for broken in self.broken:
            if broken.path.resolve().is_relative_to(root):
                raise broken.error
        return None

    def components(self, kind: str) -> tuple[Component, ...]:
        """All components of a kind ("kernels", "operations", ...), built-in ones last."""
        self._check_kind(kind)
        return self._guarded(lambda: tuple(self.catalog.components(kind)))

    def names(self, kind: str) -> tuple[str, ...]:
        """The full names of all components of a kind, from the index alone, built-in ones last."""
        self._check_kind(kind)
        rows = self._ask(
            "SELECT plugin.name || ':' || component.name FROM component JOIN plugin ON "
            "plugin.id = plugin WHERE kind = ? AND component.status = 'default' "
            "ORDER BY component.id",
            kind,
        )
        return tuple(name for (name,) in rows)

    def get(self, kind: str, name: str) -> Component:
        """The component called `name`, `plugin:name` or `plugin==version:name`.

        Raises:
            ConfigurationError: there is none, or several plugins offer the short name and the
                project does not decide.
            BrainsmithError: the registry is `restricted` and refuses the plugin.
        """
        self._check_kind(kind)
        component = self._find(kind, name)
        if self._admit is not None:
            self._admit(component.plugin)
        return component

    def restricted(self, admit: Callable[[Plugin], None]) -> PluginRegistry:
        """This registry, but `get` asks `admit` of each plugin, which raises to refuse it."""
        other = copy.copy(self)
        other._admit = admit
        return other

    def confined(self, sandbox: SandboxSettings) -> PluginRegistry:
        """This registry with components of its own, whose code is confined in this way."""
        other = copy.copy(self)
        other.sandbox = sandbox
        state = self._state
        other._known = replace(state, catalog=Catalog(state.catalog.index, sandbox))
        other._known_for = self._known_for
        return other

    def _find(self, kind: str, name: str) -> Component:
        plugin, colon, short = name.rpartition(":")
        if colon:
            return self._of_plugin(kind, plugin, short)
        rows = self._ask(
            "SELECT plugin, position FROM component WHERE kind = ? AND name = ? AND "
            "status = 'default' ORDER BY id",
            kind,
            name,
        )
        found = [self.catalog.component(*row) for row in rows]
        decided = self._decided(kind, name)
        if decided is not None:
            return decided
        if len(found) == 1:
            return found[0]
        if found:
            raise _ambiguous(kind, name, found)
        raise self._no_component(kind, name)

    def operation_of(self, kernel: Component) -> Component:
        """The operation that a kernel computes: its own plugin's if that has one of the name."""
        name = kernel.info.operation_type
        for component in kernel.plugin.components:
            if component.kind == "operations" and component.name == name:
                return component
        return self.get("operations", name)

    def search(
        self,
        query: str = "",
        filters: Mapping[str, Any] | None = None,
        sort: str = "relevance",
    ) -> list[Found]:
        """The components that a search finds.

        Args:
            query: words, all of which must be there; each may be the beginning of one. All
                components if empty.
            filters: `kind`, `operation`, `datatype`, `backend`, `target`, `shape`, `tags`,
                `author`, `license`, `compatible_with`, `certification`, `min_downloads`; see
                `brainsmith.plugins.search`.
            sort: "relevance" or "downloads".

        Raises:
            ConfigurationError: an unknown filter, or a value that it cannot have.
        """
        from brainsmith.plugins.search import search

        return self._guarded(lambda: search(self, query, filters or {}, sort))

    def install_from_hub(self, plugin_name: str, version: str = "latest") -> Plugin:
        """Installs a plugin from the registry's source, unpacking only; returns it.

        Raises:
            ConfigurationError: the registry has no source.
            BrainsmithError: the source does not have it, or it cannot be installed.
        """
        if self.source is None:
            raise ConfigurationError(
                "no hub is configured to install plugins from",
                hint="`brainsmith install FILE.bspkg` installs from a file; a program gives "
                "PluginRegistry(source=...) a PackageSource",
            )
        import tempfile

        from brainsmith.plugins.store import Store

        with tempfile.TemporaryDirectory() as folder:
            archive = self.source.fetch(plugin_name, version, Path(folder))
            record = Store().install(archive).record
        self._known = None
        return self.plugin(f"{record.name}=={record.version}")

    @property
    def catalog(self) -> Catalog:
        """What was discovered, as the index holds it."""
        return self._state.catalog

    # What is behind all of these.

    @property
    def _state(self) -> _State:
        paths = tuple(self.search_paths)
        if self._known is None or self._known_for != paths:
            self._known, self._known_for = self._discover(), paths
        return self._known

    def _discover(self, *, anew: bool = False) -> _State:
        from brainsmith.plugins.project import find_project

        project = find_project(Path.cwd())
        key = cache.Key.of(self.search_paths, self._distributions)
        keep = self._cached and not self._registered
        if keep and not anew:
            known = cache.open_valid(key)
            if known is not None:
                return _State(Catalog(known, self.sandbox), project, from_cache=True)
        from brainsmith.plugins.gather import gather

        index, note = gather(key, self._registered, keep=keep, reuse=self._cached and not anew)
        return _State(Catalog(index, self.sandbox), project, from_cache=False, note=note)

    def _ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self._guarded(lambda: self.catalog.rows(sql, *values))

    def _guarded(self, work: Callable[[], T]) -> T:
        """The result of a query; where the kept index is damaged, of a new one."""
        state = self._state
        try:
            return work()
        except sqlite3.DatabaseError:
            if not state.from_cache:
                raise
            self._known = self._discover(anew=True)
            return work()

    def _plugins(self, status: str) -> tuple[Plugin, ...]:
        rows = self._ask("SELECT id FROM plugin WHERE status = ? ORDER BY id", status)
        return tuple(self.catalog.plugin(number) for (number,) in rows)

    def _of_plugin(self, kind: str, plugin: str, name: str) -> Component:
        offered = [c for c in self.plugin(plugin).components if c.kind == kind]
        for component in offered:
            if component.name == name:
                return component
        raise ConfigurationError(
            f"the plugin '{plugin}' has no {SINGULAR[kind]} '{name}'",
            hint=nearest(name, [c.name for c in offered]),
        )

    def _decided(self, kind: str, name: str) -> Component | None:
        """What the project's file says that a short name means, for this kind."""
        project = self._state.project
        meant = project.components.get(name)
        if meant is None:
            return None
        plugin, _, short = meant.partition(":")
        try:
            offered = [c for c in self.plugin(plugin).components if c.name == short]
        except ConfigurationError as error:
            raise ConfigurationError(
                error.what, where=str(project.path), hint=error.hint
            ) from error
        if not offered:
            raise ConfigurationError(
                f"the plugin '{plugin}' has no component '{short}'",
                where=str(project.path),
                hint=nearest(short, [c.name for c in self.plugin(plugin).components]),
            )
        return next((c for c in offered if c.kind == kind), None)

    def _check_kind(self, kind: str) -> None:
        if kind not in KINDS:
            raise ConfigurationError(f"unknown kind '{kind}'", hint=nearest(kind, KINDS))

    def _no_plugin(self, name: str) -> ConfigurationError:
        for broken in self.broken:
            if broken.name == name:
                return ConfigurationError(
                    f"the plugin '{name}' cannot be used: {broken.error.what}",
                    where=str(broken.path),
                    hint=broken.error.hint,
                )
        names = [known for (known,) in self._ask("SELECT DISTINCT name FROM plugin")]
        return ConfigurationError(
            f"there is no plugin '{name}'", hint=nearest(name, filter(None, names))
        )

    def _no_component(self, kind: str, name: str) -> ConfigurationError:
        rows = self._ask(
            "SELECT DISTINCT plugin.name FROM component JOIN plugin ON plugin.id = plugin "
            "WHERE kind = ? AND component.name = ? AND component.status = 'broken'",
            kind,
            name,
        )
        if rows:
            return self._no_plugin(rows[0][0])
        known = self._ask("SELECT DISTINCT name FROM component WHERE kind = ?", kind)
        return ConfigurationError(
            f"there is no {SINGULAR[kind]} '{name}'", hint=nearest(name, [n for (n,) in known])
        )


def _ambiguous(kind: str, name: str, found: Sequence[Component]) -> ConfigurationError:
    names = [component.full_name for component in found]
    return ConfigurationError(
        f"{len(found)} {kind} are called '{name}': {', '.join(names)}",
        hint=f"say which by its full name, or decide in brainsmith.toml: "
        f'[components] {name} = "{names[0]}"',
    )
