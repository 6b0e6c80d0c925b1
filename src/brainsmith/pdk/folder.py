"""Which plugin somebody is working on: the nearest folder upwards that holds a manifest."""

from __future__ import annotations

from pathlib import Path

from brainsmith.errors import ConfigurationError
from brainsmith.plugins.places import FILE_NAME


def plugin_folder(path: Path) -> Path:
    """The top folder of the plugin that a path is in, absolute.

    Raises:
        ConfigurationError: there is no such folder, or no manifest in it or above it, or this is a
            file and not a manifest.
    """
    if not path.exists():
        raise ConfigurationError("there is no such folder", where=str(path))
    if not path.is_dir() and path.name != FILE_NAME:
        raise ConfigurationError(
            "this is a file, and no plugin's folder", where=str(path), hint="name the folder"
        )
    start = (path if path.is_dir() else path.parent).resolve()
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder
    raise ConfigurationError(
        f"there is no {FILE_NAME} here, nor in a folder above",
        where=str(start),
        hint="`brainsmith create-plugin NAME` makes a plugin; name its folder otherwise",
    )
