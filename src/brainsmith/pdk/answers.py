"""What the templates ask of a new plugin, and what follows from the answers."""

from __future__ import annotations

import getpass
import json
import subprocess
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import brainsmith
from brainsmith.errors import ConfigurationError, nearest
from brainsmith.pdk.names import check_name, class_of, module_of

TYPES = ("kernel", "transform", "operation", "target", "strategy")
OPERATIONS = ("matmul", "thresholding", "add", "mul", "label_select")
LICENSE = "Apache-2.0"
FILE = ".brainsmith/answers.json"
_DESCRIPTIONS = {
    "kernel": "A kernel for {operation}",
    "transform": "Removes a Relu that follows a Relu",
    "operation": "The greater of a value and a constant",
    "target": "Lattice ECP5 LFE5U-25F in a CABGA256 package, speed grade 8",
    "strategy": "Throughput inside 40 % of the device, with fewer registers in adders",
}
_HARDWARE = ("kernel", "operation")  # types whose templates have Verilog modules
_GIT_TIMEOUT = 5.0
_LINE = 80  # characters that fit where they stand in the code


@dataclass(frozen=True)
class Answers:
    """What was answered.

    Attributes:
        name: the plugin's name.
        type: which kind of component it starts with; of `TYPES`.
        operation: of a kernel, what it computes; of `OPERATIONS`.
        author: who writes it.
        license: an SPDX expression.
        description: a sentence without its full stop.
    """

    name: str
    type: str
    operation: str
    author: str
    license: str
    description: str

    @property
    def module(self) -> str:
        """The name of its Python package, and the beginning of those of its Verilog modules."""
        return module_of(self.name)

    @property
    def class_name(self) -> str:
        """The name of its component."""
        return class_of(self.name)

    def data(self) -> dict[str, str]:
        """Everything that the templates may name."""
        return {
            **asdict(self),
            "module": self.module,
            "class_name": self.class_name,
            "author_literal": _literal(self.author),
            "description_literal": _literal(self.description),
            "author_text": _text(self.author),
            "description_text": _text(self.description),
            "brainsmith": ".".join(brainsmith.__version__.split(".")[:2]),
        }

    def dump(self) -> bytes:
        """As the file that a plugin keeps them in."""
        return (json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n").encode()


def answers_of(folder: Path) -> Answers:
    """The answers that a plugin was made from.

    Raises:
        ConfigurationError: it was not made by `create-plugin`, or its file is damaged.
    """
    path = folder / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if set(found) != {field.name for field in fields(Answers)}:
            raise ValueError("its fields are others")
        if not all(isinstance(value, str) for value in found.values()):
            raise ValueError("an answer is no text")
        return checked(**found)
    except OSError as error:
        raise ConfigurationError(
            "this plugin was not made by `brainsmith create-plugin`: its answers are not there",
            where=str(path),
        ) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"the answers cannot be read: {error}", where=str(path)) from error


def checked(
    name: str, type: str, operation: str, author: str, license: str, description: str
) -> Answers:
    """The answers, if each is valid.

    Raises:
        ConfigurationError: one is not, with the nearest that is.
    """
    _one_of("type", type, TYPES)
    if type == "kernel":
        _one_of("operation", operation, OPERATIONS)
    elif operation:
        raise ConfigurationError(
            f"only kernels are asked for an operation, and this is a {type}",
            where="operation",
            hint="leave it out, or take the type 'kernel'",
        )
    check_name(name, hardware=type in _HARDWARE)
    description = _line("description", description.strip().removesuffix("."))
    if "\\" in description or '"' in description:  # it becomes a docstring
        raise ConfigurationError(
            "the description has a backslash or a double quote",
            where="description",
            hint="take single quotes",
        )
    author = _line("author", author)
    return Answers(name, type, operation, author, _license(license), description)


def usual(type: str, given: Mapping[str, str | None]) -> dict[str, str]:
    """What is taken where nothing was answered, by question.

    Args:
        type: of the plugin.
        given: what was answered; the operation decides the usual description.
    """
    operation = OPERATIONS[0] if type == "kernel" else ""
    return {
        "operation": operation,
        "author": default_author(),
        "license": LICENSE,
        "description": default_description(type, given.get("operation") or operation),
    }


def default_author() -> str:
    """The user's name as git knows it, else the login."""
    try:
        done = subprocess.run(
            ["git", "config", "user.name"],
            capture_output=True, encoding="utf-8", timeout=_GIT_TIMEOUT, check=False,
        )  # fmt: skip
        if done.stdout.strip():
            return done.stdout.strip()
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        pass
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name
        return "anonymous"


def default_description(type: str, operation: str) -> str:
    """What the template's component does."""
    return _DESCRIPTIONS.get(type, "").format(operation=operation)


def _one_of(what: str, given: str, valid: tuple[str, ...]) -> None:
    if given not in valid:
        raise ConfigurationError(
            f"there is no template for the {what} '{given}'", where=what, hint=nearest(given, valid)
        )


def _line(what: str, text: str) -> str:
    text = text.strip()
    if not text or not text.isprintable():
        raise ConfigurationError(f"the {what} is empty, or more than a line", where=what)
    width = len(text) + sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    if width > _LINE:
        wide = " (a wide one counts as two)" if width > len(text) else ""
        raise ConfigurationError(
            f"the {what} has {width} characters{wide}", where=what, hint=f"at most {_LINE} fit"
        )
    return text


def _license(text: str) -> str:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return _line("license", str(canonicalize_license_expression(text)))
    except InvalidLicenseExpression as error:
        raise ConfigurationError(
            f"'{text}' is no SPDX licence expression",
            where="license",
            hint=nearest(
                text, ("Apache-2.0", "MIT", "BSD-3-Clause", "GPL-3.0-or-later", "MPL-2.0")
            ),
        ) from error


def _literal(text: str) -> str:
    """A string literal of Python as formatters write it: in the quotes that need fewer escapes."""
    if text.count('"') > text.count("'"):
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return _text(text)


def _text(text: str) -> str:
    """A string in double quotes, for Python, TOML and YAML alike."""
    return json.dumps(text, ensure_ascii=False)


def merged(answers: Answers, given: Mapping[str, str | None]) -> Answers:
    """The answers with those that are given anew.

    Raises:
        ConfigurationError: one is not valid.
    """
    return checked(**{**asdict(answers), **{k: v for k, v in given.items() if v is not None}})
