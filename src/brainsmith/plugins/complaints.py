"""What is wrong with a file, field by field, in the words of the person who wrote it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from brainsmith.errors import nearest

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of fields to values",
    "model_attributes_type": "a mapping of fields to values",
}
_SCALARS = ("int", "str", "float", "bool")
_NAMES = {str: "the text", bool: "the truth value", int: "the number", float: "the number"}


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong.

    Args:
        field: the path of the field, such as ("kernels", 0, "name").
        what: what was found.
        hint: what is expected, or the nearest valid name.
    """

    field: tuple[str | int, ...]
    what: str
    hint: str | None = None


def unfit(found: object, expected: str, *, field: Sequence[str | int] = ()) -> PydanticCustomError:
    """The error for a validator to raise: what was found, and what is expected instead.

    `field` is the path below the validated value that the complaint is about.
    """
    return PydanticCustomError(
        "unfit",
        "{what}",
        {"what": f"{shown(found)} does not fit", "hint": f"expected: {expected}", "at": field},
    )


def wrong(what: str, hint: str, *, field: Sequence[str | int] = ()) -> PydanticCustomError:
    """As `unfit`, with a sentence of one's own."""
    return PydanticCustomError("unfit", "{what}", {"what": what, "hint": hint, "at": field})


def complaints(error: ValidationError, model: type[BaseModel]) -> list[Complaint]:
    """All of pydantic's complaints about a `model`, one a field, unknown fields first.

    An unknown field comes first because a misspelt name also makes the right one missing.
    """
    found: dict[tuple[str | int, ...], list[ErrorDetails]] = {}
    for details in sorted(error.errors(), key=_rank):
        found.setdefault(_walk(model, details["loc"])[0], []).append(details)
    return [_complaint(group, model) for group in found.values()]


def path_text(field: Sequence[str | int]) -> str:
    """A field's path as people write it: kernels[0].name."""
    return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in field).removeprefix(".")


def shown(found: object) -> str:
    """A value of a YAML file as an error shows it."""
    if found is None:
        return "nothing"
    if isinstance(found, Mapping):
        return "a mapping"
    if isinstance(found, list | tuple):
        return "a list"
    text = json.dumps(found, ensure_ascii=True, default=str)
    cut = text if len(text) <= 80 else f"{text[:77]}..."
    return f"{_NAMES.get(type(found), 'the value')} {cut}"


def _rank(details: ErrorDetails) -> bool:
    return details["type"] != "extra_forbidden"


def _complaint(group: list[ErrorDetails], model: type[BaseModel]) -> Complaint:
    """What is wrong with one field; of a choice of types, each has its own complaint."""
    details = group[0]
    loc, holder = _walk(model, details["loc"])
    kind, field, found = details["type"], path_text(loc), details["input"]
    if kind == "extra_forbidden":
        return Complaint(
            loc, f"unknown field '{field}'", nearest(str(loc[-1]), field_names(holder))
        )
    if kind == "missing":
        return Complaint(loc, f"the field '{field}' is missing", _meaning(holder, str(loc[-1])))
    if kind == "unfit":
        return _own(details, loc)
    label = f"field '{field}'" if field else "the file"
    if kind == "literal_error" and isinstance(found, str):
        valid = re.findall(r"'([^']*)'", details["ctx"]["expected"])
        return Complaint(loc, f"{label}: '{found}' is unknown", nearest(found, valid))
    expected = list(dict.fromkeys(_EXPECTED[d["type"]] for d in group if d["type"] in _EXPECTED))
    if not expected:
        return Complaint(loc, f"{label}: {details['msg'].lower()}")
    what = f"{label}: expected {' or '.join(expected)}, found {shown(found)}"
    hint = f'write it in quotes: "{found}"' if _unquoted(found, expected) else None
    return Complaint(loc, what, hint)


def _own(details: ErrorDetails, loc: tuple[str | int, ...]) -> Complaint:
    """The complaint of one of our own validators."""
    context = details["ctx"]
    loc = (*loc, *context["at"])
    field = path_text(loc)
    what = f"field '{field}': {context['what']}" if field else str(context["what"])
    return Complaint(loc, what, context["hint"])


def _unquoted(found: object, expected: list[str]) -> bool:
    return expected == ["text"] and isinstance(found, int | float) and not isinstance(found, bool)


def _meaning(holder: type[BaseModel], name: str) -> str | None:
    for own, field in holder.model_fields.items():
        if name == (field.alias or own) and field.description:
            return f"expected: {field.description}"
    return None


def field_names(model: type[BaseModel]) -> list[str]:
    """The names of a model's fields as files write them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _walk(
    model: type[BaseModel], loc: tuple[str | int, ...]
) -> tuple[tuple[str | int, ...], type[BaseModel]]:
    """A complaint's path without pydantic's own marks, and the model that holds its last step."""
    path: list[str | int] = []
    holder, inside = model, [model]
    for step in loc:
        tagged = [m for m in inside if m.__name__ == step]
        if tagged:  # which member of a union was tried
            inside = tagged
            continue
        if not inside and len(path) > 1 and step in _SCALARS:
            continue  # so was a type of a union
        path.append(step)
        if isinstance(step, int) or not inside:
            continue
        holder = inside[0]
        inside = _models_of(holder, step)
    return tuple(path), holder


def _models_of(model: type[BaseModel], name: str) -> list[type[BaseModel]]:
    for own, field in model.model_fields.items():
        if name in (own, field.alias):
            return _models_in(field.annotation)
    return []


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
