"""The registry: every component that is there, by kind and name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import brainsmith
from brainsmith.errors import ConfigurationError, PluginError, nearest
from brainsmith.plugins.loader import PluginLoader
from brainsmith.plugins.plugin import Component, Plugin

BUILTIN_PACKAGE = "brainsmith.builtin"
_SINGULAR = {
    "operations": "operation",
    "kernels": "kernel",
    "transforms": "transform",
    "targets": "target",
    "strategies": "strategy",
}


@cache
def builtin_plugin() -> Plugin:
    """The built-in plugin, through the same manifest and loader as any other."""
    folder = Path(brainsmith.__path__[0]) / "builtin"
    return PluginLoader().load_plugin(folder, package=BUILTIN_PACKAGE)


class PluginRegistry:
    """Components by kind and name. The built-in plugin is always there, and comes last."""

    def __init__(self) -> None:
        self._plugins: list[Plugin] = [builtin_plugin()]

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """All plugins, the built-in one last."""
        return tuple(self._plugins)

    def register(self, plugin: Plugin) -> None:
        """Adds a plugin; its kernels come before the built-in ones of the same operation."""
        if any(plugin.manifest.name == known.manifest.name for known in self._plugins):
            raise PluginError(f"the plugin '{plugin.manifest.name}' is already registered")
        self._plugins.insert(0, plugin)

    def components(self, kind: str) -> tuple[Component, ...]:
        """All components of a kind ("kernels", "operations", ...), built-in ones last."""
        return tuple(c for plugin in self._plugins for c in plugin.components if c.kind == kind)

    def get(self, kind: str, name: str) -> Component:
        """The component called `name` or `plugin:name`.

        Raises:
            ConfigurationError: there is none, or two plugins offer the short name.
        """
        found = [c for c in self.components(kind) if name in (c.name, c.full_name)]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(c.full_name for c in found)
            raise ConfigurationError(
                f"{len(found)} {kind} are called '{name}'", hint=f"say which: {names}"
            )
        known = [c.name for c in self.components(kind)]
        raise ConfigurationError(
            f"there is no {_SINGULAR[kind]} '{name}'", hint=nearest(name, known)
        )

    def kernels_of(self, operation: str) -> tuple[Component, ...]:
        """All kernels that compute an operation, built-in ones last."""
        return tuple(c for c in self.components("kernels") if c.info.operation_type == operation)
