"""Types of the manifest's fields: what each accepts, for the reader and for the JSON schema."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from brainsmith.api.decorators import BACKENDS, STAGES
from brainsmith.errors import nearest
from brainsmith.plugins import amounts
from brainsmith.plugins.complaints import unfit, wrong
from brainsmith.plugins.names import (
    COMPONENT_NAME,
    MAX_LENGTH,
    PLUGIN_NAME,
    is_component_name,
    is_identifier,
    is_module,
    is_plugin_name,
    is_tool_name,
)

_DATATYPE = re.compile(r"[A-Za-z][A-Za-z0-9_<>,]{0,31}")
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_JOINER = "\N{ZERO WIDTH JOINER}"  # holds emoji together


@dataclass(frozen=True)
class Shown:
    """What the reference calls a type."""

    name: str


def _choices(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _check(test: Callable[[str], bool], expected: str) -> AfterValidator:
    def validate(text: str) -> str:
        if not test(text):
            raise unfit(text, expected)
        return text

    return AfterValidator(validate)


def _one_of(choices: tuple[str, ...]) -> AfterValidator:
    def validate(text: str) -> str:
        if text not in choices:
            raise wrong(f"'{text}' is unknown", nearest(text, choices))
        return text

    return AfterValidator(validate)


def _is_shown(text: str, allowed: str = "") -> bool:
    """Whether all characters can be seen, so that a text cannot act on a terminal or deceive."""
    return text.isprintable() or not any(
        unicodedata.category(c) in _INVISIBLE and c not in allowed for c in text
    )


def _is_line(text: str) -> bool:
    return 0 < len(text) <= 200 and _is_shown(text, _JOINER)


def _is_description(text: str) -> bool:
    return len(text) <= 4000 and _is_shown(text, f"\n\t{_JOINER}")


@cache
def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return len(text) <= MAX_LENGTH


@cache
def _is_specifier(text: str) -> bool:
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return False
    return len(text) <= 200


@cache
def _is_requirement(text: str) -> bool:
    try:
        Requirement(text)
    except InvalidRequirement:
        return False
    return len(text) <= 300


def _is_inside(text: str) -> bool:
    """Whether this is the path of something inside a folder, on every system."""
    path = PurePosixPath(text)
    return (
        0 < len(text) <= 300
        and text.isprintable()
        and not path.is_absolute()
        and str(path) == text != "."
        and ".." not in path.parts
        and not set('\\:*?"<>|') & set(text)
    )


def _is_readable(text: str) -> bool:
    path = PurePosixPath(text)
    if not path.is_absolute():
        return _is_inside(text)
    return text.isprintable() and str(path) == text != "/" and ".." not in path.parts


def _is_https(text: str) -> bool:
    try:
        url = urlsplit(text)
        return (
            url.scheme == "https"
            and bool(url.hostname)
            and "@" not in url.netloc
            and text.isascii()
            and text.isprintable()
            and " " not in text
            and len(text) <= 300
        )
    except ValueError:
        return False


def _bytes(found: Any) -> Any:
    """A size as a number of bytes, from a number or from a text such as "512 MiB"."""
    if (size := amounts.size(found)) is not None:
        return size
    raise unfit(found, amounts.SIZE)


def _seconds(found: Any) -> Any:
    if (seconds := amounts.seconds(found)) is not None:
        return seconds
    raise unfit(found, amounts.SECONDS)


def _constraint(found: Any) -> Any:
    for item in found if isinstance(found, list | tuple) else [found]:
        if not isinstance(item, bool | int | float | str) or (
            isinstance(item, str) and not _is_line(item)
        ):
            raise unfit(item, "a number, true, false or a line of text, or a list of these")
    return found


def _number(found: Any) -> Any:
    if isinstance(found, bool) or not isinstance(found, int):
        raise unfit(found, "a whole number")
    return found


PluginName = Annotated[
    str,
    Shown("name"),
    _check(is_plugin_name, f"at most {MAX_LENGTH} letters (a-z), digits, and '-', '_', '.' inside"),
    Field(json_schema_extra={"pattern": PLUGIN_NAME}),
]
ComponentName = Annotated[
    str,
    Shown("name"),
    _check(is_component_name, f"at most {MAX_LENGTH} letters (a-z), digits, '-', '_', '.'"),
    Field(json_schema_extra={"pattern": COMPONENT_NAME}),
]
ModuleName = Annotated[
    str,
    Shown("dotted name"),
    _check(is_module, "a module inside the plugin, such as my_plugin.kernel"),
]
ClassName = Annotated[
    str, Shown("name"), _check(is_identifier, "the name of a class, such as MyKernel")
]
Line = Annotated[
    str, Shown("text"), _check(_is_line, "one line of visible text, at most 200 characters")
]
LineOrNothing = Annotated[
    str,
    Shown("text"),
    _check(lambda t: not t or _is_line(t), "one line of visible text, at most 200 characters"),
]
Description = Annotated[
    str, Shown("text"), _check(_is_description, "visible text, at most 4000 characters")
]
VersionText = Annotated[
    str, Shown("version"), _check(_is_version, "a version (PEP 440), such as 1.0.0")
]
Specifier = Annotated[
    str,
    Shown("version specifier"),
    _check(_is_specifier, 'a version specifier (PEP 440), such as ">=2.0,<3"'),
]
RequirementText = Annotated[
    str,
    Shown("requirement"),
    _check(_is_requirement, 'a requirement (PEP 508), such as "torch>=2.0"'),
]
InsidePath = Annotated[
    str,
    Shown("path"),
    _check(_is_inside, "a file inside the plugin, such as examples/first.py, without '..'"),
]
ReadablePath = Annotated[
    str,
    Shown("path"),
    _check(_is_readable, "an absolute path below '/', or one inside the plugin, without '..'"),
]
ToolName = Annotated[
    str,
    Shown("name"),
    _check(is_tool_name, "a tool's name, such as verilator"),
]
Datatype = Annotated[
    str,
    Shown("datatype"),
    _check(lambda t: _DATATYPE.fullmatch(t) is not None, "a datatype, such as INT8 or float16"),
]
Backend = Annotated[
    str,
    Shown(_choices(BACKENDS)),
    _one_of(BACKENDS),
    Field(json_schema_extra={"enum": [*BACKENDS]}),
]
Stage = Annotated[
    str, Shown(_choices(STAGES)), _one_of(STAGES), Field(json_schema_extra={"enum": [*STAGES]})
]
HttpsUrl = Annotated[
    str,
    Shown("address"),
    _check(_is_https, "an address that starts with https://"),
    Field(json_schema_extra={"format": "uri", "pattern": "^https://"}),
]
Size = Annotated[
    int,
    Shown("size"),
    BeforeValidator(_bytes),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": amounts.SIZE_PATTERN},
            ]
        }
    ),
]
Seconds = Annotated[
    float,
    Shown("seconds"),
    BeforeValidator(_seconds),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0}),
]
SchemaNumber = Annotated[int, Shown("number"), BeforeValidator(_number)]
Scalar = bool | int | float | str
Constraint = Annotated[
    Scalar | tuple[Scalar, ...], Shown("literal or list of literals"), BeforeValidator(_constraint)
]
