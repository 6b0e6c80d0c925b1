"""Loading a plugin from its manifest. No code of the plugin is imported here."""

from __future__ import annotations

from pathlib import Path

from brainsmith.errors import PluginError
from brainsmith.plugins.manifest import FILE_NAME, Manifest
from brainsmith.plugins.plugin import Plugin


class PluginLoader:
    """Makes a `Plugin` of a manifest."""

    def load_plugin(self, manifest_path: str | Path, *, package: str = "") -> Plugin:
        """The plugin of a manifest file or of the folder that holds one.

        Args:
            manifest_path: the file `brainsmith.yaml`, or its folder.
            package: the package that the manifest's modules are relative to.

        Raises:
            PluginError: the manifest cannot be read, or two components have one name.
        """
        path = Path(manifest_path)
        path = path / FILE_NAME if path.is_dir() else path
        plugin = Plugin(Manifest.read(path), path.parent, package)
        seen: set[tuple[str, str]] = set()
        for component in plugin.components:
            key = (component.kind, component.name)
            if key in seen:
                raise PluginError(
                    f"two {component.kind} are called '{component.name}'", where=str(path)
                )
            seen.add(key)
        return plugin
