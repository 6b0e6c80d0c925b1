"""The project's `brainsmith.toml`: which plugin a short name means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brainsmith.errors import ConfigurationError, nearest

FILE_NAME = "brainsmith.toml"
_SECTIONS = ("components",)


@dataclass(frozen=True)
class Project:
    """What a project decides.

    Args:
        path: its `brainsmith.toml`, or None where there is none.
        components: the full name that a short name means.
    """

    path: Path | None = None
    components: Mapping[str, str] = field(default_factory=dict)


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


def _read(path: Path) -> Project:
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
        if key not in _SECTIONS:
            raise ConfigurationError(
                f"unknown section '{key}'", where=str(path), hint=nearest(key, _SECTIONS)
            )
    components = data.get("components", {})
    if not isinstance(components, dict):
        raise ConfigurationError("'components' is a table of names", where=str(path))
    for name, meant in components.items():
        _check(name, meant, str(path))
    return Project(path, components)


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
