"""The record of an installed plugin: `installed.json` in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brainsmith.errors import PluginError
from brainsmith.plugins.complaints import complaints

RECORD = "installed.json"

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Digests = dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Package(_Strict):
    """A Python package in a plugin's own folder; `hashes` are those that its wheels may have."""

    name: str
    version: str
    hashes: tuple[str, ...]


class Dependencies(_Strict):
    """The Python packages that were installed for one plugin.

    `tool` and `python` say what resolved them, `files` has SHA-256 by name.
    """

    tool: str
    python: str
    packages: tuple[Package, ...]
    files: Digests


class Record(_Strict):
    """What was installed, from where, and the digest of each file.

    `archive` is the digest of the `.bspkg` (of the one that the folder would pack to, where a
    folder was installed); `content` that of the files, however they were packed.
    """

    schema_: Literal[1] = Field(1, alias="schema")
    name: str
    version: str
    source: str
    installed_at: str
    archive: Digest
    content: Digest
    files: Digests
    dependencies: Dependencies | None = None

    @property
    def title(self) -> str:
        """ "NAME VERSION", as messages have it."""
        return f"{self.name} {self.version}"

    def text(self) -> str:
        """The content of the file."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Record:
        """The record of the plugin in `folder`.

        Raises:
            PluginError: there is none, or it cannot be read.
        """
        path = folder / RECORD
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise PluginError(
                f"there is no record of this plugin: {error.strerror}",
                where=str(path),
                hint="only `brainsmith install` may put plugins here: move the folder away",
            ) from error
        except ValidationError as error:
            raise PluginError(
                f"the record of this plugin is damaged: {complaints(error, cls)[0].what}",
                where=str(path),
                hint="uninstall the plugin and install it again",
            ) from error
