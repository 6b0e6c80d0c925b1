"""What is made of the manifest's model: the JSON schema and the reference in the documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brainsmith.plugins.manifest import Manifest
from brainsmith.plugins.safe_yaml import parse_yaml
from brainsmith.plugins.schema import json_schema, reference
from tests.plugins.manifests import EVERYTHING, SPECIFIED

DOCS = Path(__file__).parent.parent.parent / "docs" / "manifest.md"


def test_the_documentation_lists_the_fields_of_the_model() -> None:
    page = DOCS.read_text(encoding="utf-8")
    assert page.partition("## Fields\n\n")[2] == reference() + "\n", (
        "write the output of `brainsmith manifest reference` below '## Fields'"
    )


def test_every_field_of_every_model_is_described() -> None:
    for place, part in definitions(json_schema()):
        for name, field in part.get("properties", {}).items():
            assert "description" in field, f"{place}.{name}"
            assert f"`{name}`" in reference(), f"{place}.{name}"


@pytest.mark.parametrize("text", [SPECIFIED, EVERYTHING], ids=["specified", "everything"])
def test_the_schema_accepts_manifests(text: str) -> None:
    assert refusal(parse_yaml(text, "f").data) is None


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ("kernals: []", "kernals"),
        ("schema: 2", "const"),
        ("author: 3", "string"),
        ("tags: x", "array"),
        ("kernels: [{name: K, module: m}]", "class"),
        ("kernels: [{name: 'a:b', module: m, class: K}]", "pattern"),
        ("kernels: [{name: K, module: m, class: K, backends: [rlt]}]", "enum"),
        ("transforms: [{name: T, module: m, class: T, stage: graph}]", "anyOf"),
        ("funding: [{url: 'http://a.b'}]", "pattern"),
        ("permissions: {memory: lots}", "anyOf"),
        ("permissions: {cpu_time: x}", "anyOf"),
    ],
)
def test_the_schema_refuses_what_the_model_refuses(extra: str, reason: str) -> None:
    document = parse_yaml(f"name: mine\nversion: 1.0.0\n{extra}\n", "f")
    assert Manifest.complaints_about(document)
    assert reason in (refusal(document.data) or "")


def definitions(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [("", schema), *schema["$defs"].items()]


def refusal(data: object) -> str | None:
    """Why the JSON schema refuses `data`; only the keywords that our schema has are known."""
    root = json_schema()
    return _refusal(data, root, root["$defs"])


def _refusal(data: Any, schema: dict[str, Any], known: dict[str, Any]) -> str | None:
    import re

    for keyword, value in schema.items():
        match keyword:
            case "$schema" | "$defs" | "title" | "description" | "default" | "format":
                bad = None
            case "discriminator" | "required" | "additionalProperties" | "properties" | "items":
                bad = None  # below, by the type
            case "$ref":
                bad = _refusal(data, known[value.rpartition("/")[2]], known)
            case "const":
                bad = None if data == value else "const"
            case "enum":
                bad = None if data in value else "enum"
            case "pattern":
                bad = None if not isinstance(data, str) or re.search(value, data) else "pattern"
            case "minimum" | "exclusiveMinimum":
                number = isinstance(data, int | float)
                bad = keyword if number and data < value else None
            case "anyOf" | "oneOf":
                found = [_refusal(data, option, known) for option in value]
                bad = None if None in found else f"{keyword}: {found}"
            case "type":
                bad = _of_type(data, value, schema, known)
            case _:
                raise AssertionError(f"the keyword {keyword} is new")
        if bad is not None:
            return bad
    return None


def _of_type(data: Any, wanted: str, schema: dict[str, Any], known: dict[str, Any]) -> str | None:
    types = {
        "string": str,
        "integer": int,
        "number": int | float,
        "boolean": bool,
        "null": type(None),
        "array": list,
        "object": dict,
    }
    if not isinstance(data, types[wanted]) or (isinstance(data, bool) and wanted != "boolean"):
        return f"{data!r} is no {wanted}"
    found: list[str | None] = []
    if wanted == "array":
        found = [_refusal(item, schema.get("items", {}), known) for item in data]
    if wanted == "object":
        fields, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        found = [f"{n} is missing" for n in schema.get("required", ()) if n not in data]
        for name, value in data.items():
            inside = fields.get(name, more)
            if inside is False:
                found.append(f"{name} is unknown")
            elif inside is not True:
                found.append(_refusal(value, inside, known))
    return next((f for f in found if f), None)
