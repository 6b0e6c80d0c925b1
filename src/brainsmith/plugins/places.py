"""Where plugins are looked for and kept.

Plain functions of the environment: nothing here reads more than variables.
"""

from __future__ import annotations

import os
from pathlib import Path

import brainsmith

FILE_NAME = "brainsmith.yaml"
PATH_VARIABLE = "BRAINSMITH_PLUGIN_PATH"
USER_FOLDER = "~/.brainsmith/plugins"
SYSTEM_FOLDER = "/usr/share/brainsmith"
PROJECT_FOLDER = "./brainsmith_plugins"
BUILTIN_PACKAGE = "brainsmith.builtin"

# Which of two equal copies of a plugin is taken: the one that is nearest to the user's work.
ORIGINS = ("project", "path", "user", "store", "distribution", "system", "built-in")


def cache_folder() -> Path:
    """The folder for everything that can be made again: $XDG_CACHE_HOME or ~/.cache."""
    return _xdg("XDG_CACHE_HOME", ".cache")


def store_folder() -> Path:
    """Where installed plugins lie, as NAME/VERSION: below $XDG_DATA_HOME or ~/.local/share."""
    return _xdg("XDG_DATA_HOME", ".local/share") / "plugins"


def own_file() -> Path:
    """The user's own settings: below $XDG_CONFIG_HOME or ~/.config."""
    return _xdg("XDG_CONFIG_HOME", ".config") / "brainsmith.toml"


def builtin_folder() -> Path:
    """The folder of the built-in plugin, which holds its manifest as any other's does."""
    return Path(brainsmith.__path__[0]) / "builtin"


def search_paths() -> list[str]:
    """The folders that are searched by default; `~` and relative ones are resolved when used."""
    named = os.environ.get(PATH_VARIABLE, "").split(os.pathsep)
    return [
        USER_FOLDER,
        SYSTEM_FOLDER,
        PROJECT_FOLDER,
        *(path for path in named if path),
        str(store_folder()),
        str(builtin_folder()),
    ]


def origin_of(path: str) -> str:
    """Which of `ORIGINS` a folder of the search is; one that nothing else is, is of the "path"."""
    known = {
        absolute(SYSTEM_FOLDER): "system",
        absolute(USER_FOLDER): "user",
        absolute(str(store_folder())): "store",
        absolute(str(builtin_folder())): "built-in",
        absolute(PROJECT_FOLDER): "project",
    }
    return known.get(absolute(path), "path")


def absolute(path: str) -> str:
    """`path` with `~` and the working folder put in. Links stay as they are."""
    return os.path.abspath(os.path.expanduser(path))


def _xdg(variable: str, default: str) -> Path:
    # The specification of these variables: one that is not absolute counts as not set.
    given = os.environ.get(variable, "")
    base = Path(given) if os.path.isabs(given) else Path.home() / default
    return base / "brainsmith"
