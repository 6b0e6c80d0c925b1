"""What the templates ask of a new plugin, and what follows from the answers."""

from __future__ import annotations

import getpass
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import brainsmith
from brainsmith.errors import ConfigurationError, nearest
from brainsmith.plugins.names import canonical, is_identifier, is_plugin_name

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
_GIT_TIMEOUT = 5.0


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
        return "".join(word[:1].upper() + word[1:] for word in re.split(r"[-_.]+", self.name))

    def data(self) -> dict[str, str]:
        """Everything that the templates may name."""
        return {
            **asdict(self),
            "module": self.module,
            "class_name": self.class_name,
            "author_literal": _literal(self.author),
            "description_literal": _literal(self.description),
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
        return checked(**found)
    except OSError as error:
        raise ConfigurationError(
            "this plugin was not made by `brainsmith create-plugin`: its answers are not there",
            where=str(path),
        ) from error
    except (ValueError, TypeError) as error:
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
    check_name(name)
    for what, text in (("author", author), ("description", description)):
        if not text.strip() or not text.isprintable():
            raise ConfigurationError(f"the {what} is empty, or more than a line", where=what)
    return Answers(
        name, type, operation if type == "kernel" else "", author, _license(license), description
    )


def check_name(name: str) -> None:
    """Refuses what can be no plugin's name, or no name of a Python package.

    Raises:
        ConfigurationError: why not.
    """
    module = module_of(name)
    if not is_plugin_name(name) or name != name.lower() or not is_identifier(module):
        raise ConfigurationError(
            f"'{name}' can be no plugin's name",
            where="name",
            hint="a letter, then lower-case letters and digits, with '-' inside: my-awesome-kernel",
        )
    if module in sys.stdlib_module_names or module in ("brainsmith", "tests", "conftest"):
        raise ConfigurationError(
            f"'{name}' is reserved: the Python module '{module}' is another",
            where="name",
            hint=f"take a longer one, such as {name}-plugin",
        )


def check_free(name: str, taken: Iterable[str]) -> None:
    """Refuses the name of something that is there.

    Args:
        name: the new plugin's.
        taken: names of the plugins that are there.

    Raises:
        ConfigurationError: a plugin or a Python package that is installed has it.
    """
    for other in taken:
        if canonical(other) == canonical(name):
            raise ConfigurationError(
                f"there is a plugin called '{other}'", where="name", hint="take another name"
            )
    module = module_of(name)
    if importlib.util.find_spec(module) is not None:
        raise ConfigurationError(
            f"a Python package called '{module}' is installed",
            where="name",
            hint=f"take another name, such as {name}-plugin",
        )


def module_of(name: str) -> str:
    """The Python package of the plugin called `name`."""
    return re.sub(r"[-.]+", "_", name)


def default_author() -> str:
    """The user's name as git knows it, else the login."""
    try:
        done = subprocess.run(
            ["git", "config", "user.name"],
            capture_output=True, text=True, timeout=_GIT_TIMEOUT, check=False,
        )  # fmt: skip
        if done.stdout.strip():
            return done.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        pass
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name
        return "anonymous"


def default_description(type: str, operation: str) -> str:
    """What the template's component does."""
    return _DESCRIPTIONS[type].format(operation=operation)


def _one_of(what: str, given: str, valid: tuple[str, ...]) -> None:
    if given not in valid:
        raise ConfigurationError(
            f"there is no template for the {what} '{given}'", where=what, hint=nearest(given, valid)
        )


def _license(text: str) -> str:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression as error:
        raise ConfigurationError(
            f"'{text}' is no SPDX licence expression",
            where="license",
            hint=nearest(
                text, ("Apache-2.0", "MIT", "BSD-3-Clause", "GPL-3.0-or-later", "MPL-2.0")
            ),
        ) from error


def _literal(text: str) -> str:
    """A string literal of Python as formatters write it."""
    if '"' in text and "'" not in text:
        return "'" + text.replace("\\", "\\\\") + "'"
    return json.dumps(text, ensure_ascii=False)


def merged(answers: Answers, given: Mapping[str, str | None]) -> Answers:
    """The answers with those that are given anew.

    Raises:
        ConfigurationError: one is not valid.
    """
    return checked(**{**asdict(answers), **{k: v for k, v in given.items() if v is not None}})
