"""What the manifest's model tells others: a JSON schema for editors, a reference for people."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from brainsmith.plugins import fields, manifest

# Each table has what the model adds to the one that it is made from.
_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", manifest.Manifest),
    ("Every component", manifest.Entry),
    ("A component that is a class: operations, kernels, transforms, targets", manifest.CodeEntry),
    ("A kernel", manifest.KernelEntry),
    ("A transform", manifest.TransformEntry),
    ("A component that is a file: targets and strategies", manifest.FileEntry),
    ("`compatibility`", manifest.Compatibility),
    ("`permissions`", manifest.Permissions),
    ("`funding`", manifest.Funding),
)


def json_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of `brainsmith.yaml`."""
    schema = manifest.Manifest.model_json_schema(by_alias=True)
    _drop_titles(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Brainsmith plugin manifest",
        **schema,
    }


def reference() -> str:
    """All fields as Markdown: a table for the file and one for each kind of entry."""
    return "\n\n".join(
        f"### {title}\n\n{_paragraph(model)}\n\n{_table(model)}" for title, model in _SECTIONS
    )


def _paragraph(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _table(model: type[BaseModel]) -> str:
    lines = ["| field | value | meaning |", "|---|---|---|"]
    known = getattr(model.__base__, "model_fields", {})
    for name, info in model.model_fields.items():
        if name in known:
            continue
        shown = f"`{info.alias or name}`"
        required = f"{shown} **required**" if info.is_required() else shown
        lines.append(f"| {required} | {_value(info)} | {info.description} |")
    return "\n".join(lines)


def _value(info: FieldInfo) -> str:
    """What a field's value looks like, such as "list of text"."""
    named = next((m.name for m in info.metadata if isinstance(m, fields.Shown)), None)
    return named or _shape(info.annotation)


def _shape(annotation: Any) -> str:
    named = [m.name for m in getattr(annotation, "__metadata__", ()) if isinstance(m, fields.Shown)]
    if named:
        return str(named[0])
    origin, inner = get_origin(annotation), [a for a in get_args(annotation) if a is not Ellipsis]
    if origin is tuple:
        return f"list of {_plural(inner[0])}"
    if origin is dict:
        return f"mapping of names to {_shape(inner[1])}"
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_shape(a) for a in inner if a is not type(None)))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping, see below"
    return _shape(inner[0]) if inner else str(getattr(annotation, "__name__", annotation))


def _plural(annotation: Any) -> str:
    shape = _shape(annotation)
    if "see below" in shape:
        return "entries, see below"
    return shape if shape.startswith(("`", "text")) else f"{shape}s"


def _drop_titles(schema: Any) -> None:
    """pydantic's titles repeat the names of the fields."""
    for part in _parts(schema):
        if isinstance(part.get("title"), str):
            del part["title"]


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in list(schema.values()):
            yield from _parts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _parts(value)
