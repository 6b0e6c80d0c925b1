"""Loading a plugin from its manifest. No code of the plugin is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from brainsmith.plugins.places import FILE_NAME
from brainsmith.plugins.plugin import Plugin

if TYPE_CHECKING:
    from brainsmith.plugins.sandboxing import SandboxSettings


class PluginLoader:
    """Makes a `Plugin` of a manifest.

    Args:
        sandbox: how the plugin's code is confined; as is usual if None.
    """

    def __init__(self, sandbox: SandboxSettings | None = None) -> None:
        self._sandbox = sandbox

    def load_plugin(self, manifest_path: str | Path, *, package: str | None = None) -> Plugin:
        """The plugin of a manifest file, or of the folder that holds one.

        The manifest and what it needs are checked now; a component's module is imported, and its
        class checked, at its first use.

        Args:
            manifest_path: the file `brainsmith.yaml`, or its folder.
            package: the installed Python package that the manifest's modules belong to; None for
                a plugin that is a folder of its own.

        Raises:
            PluginError: the manifest is wrong, or something that the plugin needs is missing.
        """
        from brainsmith.plugins.manifest import Manifest
        from brainsmith.plugins.reading import record_of

        path = Path(manifest_path)
        path = path / FILE_NAME if path.is_dir() else path
        plugin = Plugin(
            record_of(Manifest.read(path)), path, package=package, sandbox=self._sandbox
        )
        plugin.check_requirements()
        return plugin
