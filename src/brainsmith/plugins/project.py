"""The project's `brainsmith.toml`: which plugin a short name means, what plugins may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brainsmith.errors import ConfigurationError, nearest
from brainsmith.plugins import places
from brainsmith.plugins.sandbox_section import SandboxSection, read_section

FILE_NAME = "brainsmith.toml"
_SECTIONS = ("components", "sandbox")


@dataclass(frozen=True)
class Project:
    """What a project decides.

    Args:
        path: its `brainsmith.toml`, or None where there is none.
        components: the full name that a short name means.
        sandbox: how plugins are to be confined, and what they may have.
    """

    path: Path | None = None
    components: Mapping[str, str] = field(default_factory=dict)
    sandbox: SandboxSection = field(default_factory=SandboxSection)


def find_project(folder: Path) -> Project:
    """The project that `folder` belongs to: the nearest `brainsmith.toml`, upwards.

    Raises:
        ConfigurationError: the file cannot be read, or holds something unknown.
    """
    for parent in (folder, *folder.parents):
        path = parent / FILE_NAME
        if path.is_file():
            return _read(path)
    return Project()


def read_own() -> SandboxSection:
    """What the user's own file says; nothing where there is none.

    Raises:
        ConfigurationError: the file cannot be read, or holds something unknown.
    """
    path = places.own_file()
    if not path.is_file():
        return SandboxSection()
    data = _tables(path, ("sandbox",))
    return read_section(data.get("sandbox", {}), path, is_project=False)


def _read(path: Path) -> Project:
    data = _tables(path, _SECTIONS)
    components = data.get("components", {})
    if not isinstance(components, dict):
        raise ConfigurationError("'components' is a table of names", where=str(path))
    for name, meant in components.items():
        _check(name, meant, str(path))
    sandbox = read_section(data.get("sandbox", {}), path, is_project=True)
    return Project(path, components, sandbox)


def _tables(path: Path, sections: tuple[str, ...]) -> dict[str, Any]:
    """The sections of a file, of which there may be no others."""
    import tomllib

    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the file: {error.strerror}", where=str(path)
        ) from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise ConfigurationError(f"this is not TOML: {error}", where=str(path)) from error
    for key in data:
        if key not in sections:
            raise ConfigurationError(
                f"unknown section '{key}'", where=str(path), hint=nearest(key, sections)
            )
    return data


def _check(name: str, meant: Any, where: str) -> None:
    field_ = f"{where}: components.{name}"
    if not isinstance(meant, str) or not meant.partition(":")[2]:
        raise ConfigurationError(
            f"expected a full name such as 'my-plugin:{name}', found {meant!r}", where=field_
        )
    if meant.partition(":")[2] != name:
        raise ConfigurationError(
            f"'{name}' cannot mean '{meant}', which has another name",
            where=field_,
            hint=f"write {meant.partition(':')[2]} = '{meant}'",
        )
