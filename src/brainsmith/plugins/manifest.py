"""The manifest `brainsmith.yaml`: the one definition of its fields."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from brainsmith.errors import PluginError, nearest

MAX_BYTES = 1 << 20
FILE_NAME = "brainsmith.yaml"

# The C parser is ten times as fast; PyYAML without libyaml does not have it.
_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CodeEntry(_Strict):
    """A component that is a class: `class` of `module`, relative to the plugin's source root."""

    name: str
    module: str
    class_: Annotated[str, Field(alias="class")]


class FileEntry(_Strict):
    """A component that is data: a YAML file relative to the manifest's folder."""

    name: str
    file: str


class Compatibility(_Strict):
    """Version specifiers (PEP 440) of what the plugin works with."""

    brainsmith: str = ""
    finn: str = ""
    python: str = ""


class Manifest(_Strict):
    """A plugin's manifest."""

    name: str
    version: str
    author: str = ""
    license: str = ""
    description: str = ""
    operations: tuple[CodeEntry, ...] = ()
    kernels: tuple[CodeEntry, ...] = ()
    transforms: tuple[CodeEntry, ...] = ()
    targets: tuple[FileEntry, ...] = ()
    strategies: tuple[FileEntry, ...] = ()
    dependencies: tuple[str, ...] = ()
    compatibility: Compatibility = Compatibility()
    tags: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """The manifest in the file `path`; PluginError says which field is wrong and why."""
        data = read_yaml(path)
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise PluginError(explain(error, cls), where=str(path)) from error


def read_yaml(path: Path) -> Any:
    """The content of a YAML file, read without tags and with a limit on its size.

    Raises:
        PluginError: the file is missing, too large or no YAML.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PluginError(f"the file is larger than {MAX_BYTES} bytes", where=str(path))
        with path.open(encoding="utf-8") as stream:
            return yaml.load(stream, Loader=_SafeLoader)
    except OSError as error:
        raise PluginError(f"cannot read the file: {error.strerror}", where=str(path)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PluginError(f"this is not YAML: {error}", where=str(path)) from error


def first_complaint(error: ValidationError) -> ErrorDetails:
    """The complaint to show: an unknown field rather than what it makes missing."""
    return min(error.errors(), key=lambda complaint: complaint["type"] != "extra_forbidden")


def explain(error: ValidationError, cls: type[BaseModel]) -> str:
    """pydantic's complaint as a sentence; `cls` has the fields that are valid there."""
    first = first_complaint(error)
    field = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return f"unknown field '{field}': {nearest(str(first['loc'][-1]), cls.model_fields)}"
    return f"field '{field}': {first['msg'].lower()}"
