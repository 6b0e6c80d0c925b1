"""A registry that keeps to the project's lock: a build uses what the lock names, or stops."""

from __future__ import annotations

from pathlib import Path

from packaging.version import Version

from brainsmith.errors import PluginError
from brainsmith.plugins.lockfile import Lock, find_lock, require_locked, used_plugins
from brainsmith.plugins.plugin import Plugin
from brainsmith.plugins.registry import PluginRegistry


def keep_to_lock(registry: PluginRegistry, folder: Path) -> PluginRegistry:
    """`registry`, or where the project of `folder` has a lock, a copy that keeps to it.

    The locked plugins are compared with the lock now, file by file. Any other is refused when a
    component of it is asked for, before its code is imported.

    Raises:
        ConfigurationError: the lock cannot be read.
        PluginError: a locked plugin is not there, or not as it was; with the name of the file.
    """
    path = find_lock(folder)
    if path is None:
        return registry
    lock = Lock.read(path)
    # Neither the built-in plugin nor one that a program registers is in a lock.
    there = {(used.name, Version(used.version)): used for used in used_plugins(registry)}
    for plugin in lock.plugins:
        used = there.get((plugin.name, Version(plugin.version)))
        if used is None:
            # Its kernels count without being named, so that a build without it is another one.
            raise PluginError(
                f"the plugin {plugin.name} {plugin.version} of the lock is not there",
                where=str(path),
                hint="install it, or, if the project does without it: brainsmith lock",
            )
        require_locked(lock, used)
        del there[plugin.name, Version(plugin.version)]

    def admit(plugin: Plugin) -> None:
        used = there.get((plugin.name, Version(plugin.version)))
        if used is not None:
            require_locked(lock, used)

    return registry.restricted(admit)
