"""The section `[sandbox]` of a project's `brainsmith.toml`, or of the user's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brainsmith.errors import ConfigurationError, nearest
from brainsmith.plugins.grants import Grant, read_grant
from brainsmith.plugins.names import is_plugin_name
from brainsmith.sandbox.levels import Level

LOWEST = Level.L3
_FIELDS = ("plugins", "require")


@dataclass(frozen=True)
class SandboxSection:
    """What a file says about the sandbox.

    Attributes:
        require: the level that plugins must be confined at; never below L3.
        plugins: grants by the plugins' names.
    """

    require: Level = LOWEST
    plugins: Mapping[str, Grant] = field(default_factory=dict)


def read_section(data: Any, path: Path, *, is_project: bool) -> SandboxSection:
    """The section of a file.

    A project may come from anybody, together with the plugins in its folder. So its file asks for
    a higher level and never for a lower one, and it grants time, space, and files of its own
    folder. Other files and tools are granted by the user: in the own file, or by an option.

    Args:
        data: the section as TOML has it.
        path: the file, in whose folder relative paths start.
        is_project: whether it is a project's.

    Raises:
        ConfigurationError: an unknown field or level, a value that does not fit, or something
            that is not the file's to say.
    """
    table = _table(data, path, "sandbox")
    for name in table:
        if name not in _FIELDS:
            raise ConfigurationError(
                f"unknown field '{name}'", where=f"{path}: sandbox", hint=nearest(name, _FIELDS)
            )
    plugins = _table(table.get("plugins", {}), path, "sandbox.plugins")
    grants = {name: _grant(name, entry, path) for name, entry in plugins.items()}
    if is_project:
        for name, grant in grants.items():
            _check_own(name, grant, path)
    return SandboxSection(_require(table.get("require", LOWEST.name), path), grants)


def _require(found: Any, path: Path) -> Level:
    where = f"{path}: sandbox.require"
    if not isinstance(found, str):
        raise ConfigurationError(f"expected a level such as 'L4', found {found!r}", where=where)
    level = Level.parse(found, where)
    if level < LOWEST:
        raise ConfigurationError(
            f"a file may ask for more than {LOWEST.name}, not for less",
            where=where,
            hint=f"--sandbox {level.name} lowers the level for one command",
        )
    return level


def _grant(name: str, entry: Any, path: Path) -> Grant:
    where = f"sandbox.plugins.{name}"
    table = _table(entry, path, where)
    if not is_plugin_name(name):
        raise ConfigurationError(f"'{name}' is no plugin's name", where=f"{path}: {where}")
    try:
        return read_grant(table, path.parent)
    except ConfigurationError as error:
        raise ConfigurationError(error.what, where=f"{path}: {where}", hint=error.hint) from error


def _check_own(name: str, grant: Grant, path: Path) -> None:
    """A project's grant gives nothing but what is the project's."""
    where = f"{path}: sandbox.plugins.{name}"
    folder = Path(os.path.realpath(path.parent))
    for given in grant.readable_paths:
        if not Path(os.path.realpath(given)).is_relative_to(folder):
            raise ConfigurationError(
                f"a project grants its own files, and '{given}' lies outside",
                where=f"{where}.readable_paths",
                hint=f"yours to grant: --grant {name}:read={given}, or in your own file",
            )
    if grant.tools:
        raise ConfigurationError(
            "a project grants no tools",
            where=f"{where}.tools",
            hint=f"yours to grant: --grant {name}:tool={grant.tools[0]}, or in your own file",
        )


def _table(found: Any, path: Path, name: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ConfigurationError(f"'{name}' is a table", where=str(path))
    return found
