"""Finds the component that a test means: by its name, or by its class."""

from __future__ import annotations

import inspect
from functools import lru_cache
from pathlib import Path

from brainsmith.errors import ConfigurationError
from brainsmith.plugins import Component, Plugin, PluginRegistry, places
from brainsmith.plugins.kinds import SINGULAR

_MANIFEST = places.FILE_NAME


def find(
    kind: str, what: str | type, registry: PluginRegistry | None
) -> tuple[Component, PluginRegistry]:
    """A component, and the registry that has it.

    Args:
        kind: "kernels" or "transforms".
        what: its name, or its class: then the plugin is the one whose folder the class lies in.
        registry: where it is looked for; everything that is installed if None, and before all
            the plugin of the class.

    Raises:
        ConfigurationError: there is no such component, or the class lies in no plugin.
        PluginError: the plugin cannot be used.
    """
    if isinstance(what, str):
        known = registry or PluginRegistry()
        return known.get(kind, what), known
    root = plugin_root(what)
    known = registry or registry_of(root, (root / _MANIFEST).stat().st_mtime_ns)
    for component in plugin_at(root, known).components:
        if component.kind == kind and component.record.get("class") == what.__qualname__:
            return component, known
    raise ConfigurationError(
        f"the manifest lists no {SINGULAR[kind]} with the class '{what.__qualname__}'",
        where=str(root / _MANIFEST),
        hint="run `brainsmith manifest sync`",
    )


def plugin_at(root: Path, registry: PluginRegistry) -> Plugin:
    """The plugin whose manifest lies in a folder.

    Raises:
        PluginError: it cannot be used.
        ConfigurationError: the registry does not have it, or another copy of it.
    """
    found = registry.plugin_at(root)
    if found is None:
        raise ConfigurationError("the registry does not have this plugin", where=str(root))
    return found


def plugin_root(what: type) -> Path:
    """The folder with the manifest of the plugin that a class lies in.

    Raises:
        ConfigurationError: it lies in none.
    """
    file = Path(inspect.getfile(what)).resolve()
    for folder in file.parents:
        if (folder / _MANIFEST).is_file():
            return folder
    raise ConfigurationError(
        f"the class '{what.__qualname__}' lies in no plugin: no folder above it has a manifest",
        where=str(file),
        hint=f"a plugin's top folder holds {_MANIFEST}; `brainsmith create-plugin` makes one",
    )


@lru_cache(maxsize=8)
def registry_of(root: Path, changed: int) -> PluginRegistry:
    """All plugins that are there, before all that at `root`, whose manifest changed then."""
    return PluginRegistry([root, *places.search_paths()])
