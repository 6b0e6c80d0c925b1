"""The manifest `brainsmith.yaml`: the one definition of its fields.

The JSON schema for editors and the reference page in the documentation are made of this model.
Importing it costs the import of pydantic; a hit of the index cache needs neither.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

import brainsmith
from brainsmith.errors import PluginError
from brainsmith.plugins import fields
from brainsmith.plugins.complaints import Complaint, complaints, wrong
from brainsmith.plugins.kinds import KINDS
from brainsmith.plugins.safe_yaml import Document, read_document

SCHEMA = 1


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Entry(_Strict):
    """What every component of a plugin can say of itself."""

    name: fields.ComponentName = Field(description="the component's name")
    description: fields.Description = Field("", description="what it does")
    version: fields.VersionText | None = Field(
        None, description="its version (PEP 440), where it is not the plugin's"
    )
    tags: tuple[fields.Line, ...] = Field((), description="words to find it by")
    devices: tuple[fields.Line, ...] = Field(
        (), description="targets or device families that it supports; any, if not given"
    )
    datatypes: tuple[fields.Datatype, ...] = Field(
        (), description="datatypes that it supports; those of `supported_dtypes`, where it has them"
    )


class CodeEntry(Entry):
    """A component that is a class: `class` of `module`, found from the plugin's source root.

    The source root is the folder `src` beside the manifest if there is one, else the manifest's
    own folder. A module that is not there belongs to one of the `dependencies`.
    """

    module: fields.ModuleName = Field(description="the dotted name of the module")
    class_: fields.ClassName = Field(alias="class", description="the name of the class in it")
    requires: tuple[fields.RequirementText, ...] = Field(
        (), description="Python packages (PEP 508) that this component needs; from `@requires`"
    )


class OperationEntry(CodeEntry):
    """An operation: what is computed."""


class KernelEntry(CodeEntry):
    """A kernel: one way to compute an operation in hardware."""

    operation: fields.ComponentName | None = Field(
        None, description="the operation that it computes; from `operation_type`"
    )
    backends: tuple[fields.Backend, ...] = Field(
        (), description="the backends that it has, the default one first"
    )
    constraints: dict[str, fields.Constraint] = Field(
        {}, description="what a node has to keep: min_*, max_*, multiple_of_*, supported_*"
    )


class TransformEntry(CodeEntry):
    """A transform: model in, model out."""

    stage: fields.Stage | None = Field(None, description="the stage at which it runs")
    compatible_kernels: tuple[fields.Line, ...] = Field(
        (), description="kernels that it works well with"
    )


class FileEntry(Entry):
    """A component that is data: a YAML file inside the plugin, relative to the manifest."""

    file: fields.InsidePath = Field(description="the YAML file, relative to the manifest")


def _form(found: Any) -> str:
    """Whether an entry is code or data, by the fields that it has."""
    if isinstance(found, CodeEntry):
        return "CodeEntry"
    code = (
        isinstance(found, dict) and "file" not in found and ("module" in found or "class" in found)
    )
    return "CodeEntry" if code else "FileEntry"


TargetEntry = Annotated[
    Annotated[FileEntry, Tag("FileEntry")] | Annotated[CodeEntry, Tag("CodeEntry")],
    Discriminator(_form),
]


class Compatibility(_Strict):
    """Version specifiers (PEP 440) of what the plugin works with; any version, if not given."""

    brainsmith: fields.Specifier = Field("", description="versions of Brainsmith")
    finn: fields.Specifier = Field(
        "", description="versions of FINN; checked where it is installed"
    )
    python: fields.Specifier = Field("", description="versions of Python")


class Permissions(_Strict):
    """What the sandbox may grant beyond its defaults. Without a field the default holds."""

    memory: fields.Size | None = Field(
        None, description="memory of one call: bytes, or text such as 2 GiB"
    )
    cpu_time: fields.Seconds | None = Field(None, description="processor time of one call, seconds")
    wall_time: fields.Seconds | None = Field(None, description="duration of one call, seconds")
    output_size: fields.Size | None = Field(
        None, description="what one call may return: bytes, or text such as 64 MiB"
    )
    readable_paths: tuple[fields.ReadablePath, ...] = Field(
        (), description="files and folders outside the plugin that it may read"
    )
    tools: tuple[fields.ToolName, ...] = Field(
        (), description="tools that may be started on its sources, besides the compiler's own"
    )


class Funding(_Strict):
    """A place where users can support the author."""

    platform: fields.Line | None = Field(None, description="its name, such as GitHub Sponsors")
    url: fields.HttpsUrl = Field(description="its address, https only")


class Manifest(_Strict):
    """A plugin's manifest."""

    schema_: fields.SchemaNumber = Field(
        SCHEMA,
        alias="schema",
        description=f"the version of this format: {SCHEMA}",
        json_schema_extra={"const": SCHEMA},
    )
    name: fields.PluginName = Field(
        description="the plugin's name: letters a-z, digits, and '-', '_', '.' inside"
    )
    version: fields.VersionText = Field(description="the plugin's version (PEP 440)")
    author: fields.LineOrNothing = Field("", description="who wrote it")
    license: fields.LineOrNothing = Field(
        "", description="its licence, best as an SPDX expression such as Apache-2.0"
    )
    description: fields.Description = Field("", description="what it is, in a sentence or two")
    operations: tuple[OperationEntry, ...] = Field((), description="its operations")
    kernels: tuple[KernelEntry, ...] = Field((), description="its kernels")
    transforms: tuple[TransformEntry, ...] = Field((), description="its transforms")
    targets: tuple[TargetEntry, ...] = Field((), description="its targets: files or classes")
    strategies: tuple[FileEntry, ...] = Field((), description="its strategies")
    dependencies: tuple[fields.RequirementText, ...] = Field(
        (), description="Python packages (PEP 508) that it needs; never installed unasked"
    )
    compatibility: Compatibility = Field(Compatibility(), description="what it works with")
    permissions: Permissions = Field(Permissions(), description="what the sandbox may grant it")
    tags: tuple[fields.Line, ...] = Field((), description="words to find it by")
    examples: tuple[fields.InsidePath, ...] = Field(
        (), description="files inside the plugin that show how it is used"
    )
    funding: tuple[Funding, ...] = Field((), description="where users can support the author")

    @model_validator(mode="before")
    @classmethod
    def _known_schema(cls, data: Any) -> Any:
        """Refuse other schemas first: their fields are not those of this model."""
        found = data.get("schema", SCHEMA) if isinstance(data, dict) else SCHEMA
        if isinstance(found, bool) or not isinstance(found, int) or found == SCHEMA:
            return data
        wanted = data.get("compatibility")
        versions = wanted.get("brainsmith") if isinstance(wanted, dict) else None
        needed = f"brainsmith{versions if isinstance(versions, str) else ''}"
        raise wrong(
            f"the schema {found} is unknown: Brainsmith {brainsmith.__version__} reads {SCHEMA}",
            f'a newer Brainsmith is needed: pip install --upgrade "{needed}"',
            field=("schema",),
        )

    @model_validator(mode="after")
    def _names_differ(self) -> Manifest:
        for kind in KINDS:
            seen: dict[str, int] = {}
            for index, entry in enumerate(getattr(self, kind)):
                if entry.name in seen:
                    raise wrong(
                        f"two {kind} are called '{entry.name}'",
                        f"{kind}[{seen[entry.name]}] has the name already: give one another name",
                        field=(kind, index, "name"),
                    )
                seen[entry.name] = index
        return self

    @classmethod
    def read(cls, path: str | Path) -> Manifest:
        """The manifest in the file `path`; PluginError says which field is wrong and why."""
        return cls.of(read_document(path))

    @classmethod
    def of(cls, document: Document) -> Manifest:
        """The manifest in a document that was read."""
        try:
            return cls.model_validate(document.data)
        except ValidationError as error:
            found = complaints(error, cls)
            first, more = found[0], len(found) - 1
            what = f"{first.what} (and {more} more)" if more else first.what
            raise PluginError(what, where=document.place(first.field), hint=first.hint) from error

    @classmethod
    def complaints_about(cls, document: Document) -> list[Complaint]:
        """Everything that is wrong with a document as a manifest; empty where it is one."""
        try:
            cls.model_validate(document.data)
        except ValidationError as error:
            return complaints(error, cls)
        return []
