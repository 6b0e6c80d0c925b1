"""The plugin that is meant: by its name, or by the folder that somebody works in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from brainsmith.errors import ConfigurationError
from brainsmith.plugins import Plugin, PluginRegistry
from brainsmith.plugins.places import FILE_NAME


def subject(name: str, registry: PluginRegistry) -> tuple[Plugin, PluginRegistry]:
    """A plugin, and the registry that has it.

    A name is looked for among the plugins that are there, then as a folder here, then as the
    plugin that the working folder lies in. A path is a folder.

    Raises:
        ConfigurationError: there is no such plugin, or the folder has no manifest.
        PluginError: the plugin cannot be used.
    """
    if "/" not in name and name not in (".", ".."):
        try:
            return registry.plugin(name), registry
        except ConfigurationError as error:
            for folder in _near(name):
                return _at(folder, registry)
            raise error
    folder = Path(name)
    if not (folder / FILE_NAME).is_file():
        raise ConfigurationError(
            f"there is no {FILE_NAME} in this folder",
            where=str(folder),
            hint="name a plugin, or the folder that holds its manifest",
        )
    return _at(folder, registry)


def _near(name: str) -> Iterator[Path]:
    """Folders that may hold the plugin of a name, though it is not installed."""
    here = Path.cwd()
    if (here / name / FILE_NAME).is_file():
        yield here / name
    for folder in (here, *here.parents):
        if (folder / FILE_NAME).is_file():
            if folder.name == name or _named(folder, name):
                yield folder
            return


def _named(folder: Path, name: str) -> bool:
    text = (folder / FILE_NAME).read_text(encoding="utf-8", errors="replace")
    return any(line.split("#")[0].split() == ["name:", name] for line in text.splitlines())


def _at(folder: Path, registry: PluginRegistry) -> tuple[Plugin, PluginRegistry]:
    found = registry.plugin_at(folder)
    if found is None:
        paths = [str(folder.resolve()), *registry.search_paths]
        registry = PluginRegistry(paths, sandbox=registry.sandbox)
        found = registry.plugin_at(folder)
    if found is None:
        raise ConfigurationError("the plugin of this folder cannot be used", where=str(folder))
    return found, registry
