"""What an RTL implementation may hold: its names become code and files, its sizes memory."""

from __future__ import annotations

import re
from collections.abc import Iterable
from numbers import Integral
from pathlib import PurePosixPath

import numpy as np

from brainsmith.api import RTLOp
from brainsmith.compiler.identifiers import is_identifier
from brainsmith.errors import PluginError, PluginSecurityError

SUFFIXES = (".sv", ".svh", ".v", ".vh")
MAX_NAMES = 512
MAX_BITS = 1 << 28
_INTEGER_BITS = 1 << 20
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,199}", re.A)
# No quotes, backslashes, `$`, backticks or slashes: tools read values as text, and as file names.
_STRING = re.compile(r"[A-Za-z0-9_ .,:;=+-]{0,1000}", re.A)


def check_rtl_op(op: RTLOp, where: str) -> None:
    """Holds what a backend returned to what can be generated from it.

    Args:
        where: the kernel and the backend.

    Raises:
        PluginSecurityError: a name or a string that would be more than that in the generated
            code, in a tool's script or on the disk.
        PluginError: a value or an array of another type, shape or size than it must have.
    """
    _check_numbers(op, where)
    _check_identifiers([op.top], "the module", where)
    _check_identifiers(op.parameters, "the parameter", where)
    _check_identifiers(op.memories, "the memory's parameter", where)
    for name, value in op.parameters.items():
        _check_value(name, value, where)
    for name, array in op.memories.items():
        _check_memory(name, array, where)
    for name, text in op.generated.items():
        check_file_name(name, "the generated file", where)
        if not isinstance(text, str):
            raise PluginError(f"the generated file '{name}' is no text", where=where)
    for name in op.sources:
        check_source_path(name, where)


def check_file_name(name: str, what: str, where: str) -> None:
    """`name` is that of a SystemVerilog file without folders.

    Raises:
        PluginSecurityError: it is not.
    """
    if isinstance(name, str) and _FILE.fullmatch(name) and name.endswith(SUFFIXES):
        return
    raise PluginSecurityError(
        f"{what} is called {name!r}",
        where=where,
        hint="use letters, digits and _ . + -, and one of the endings " + " ".join(SUFFIXES),
    )


def check_source_path(name: str, where: str) -> None:
    """`name` is a relative path of plain names; whether it leaves the plugin is seen on the disk.

    Raises:
        PluginSecurityError: it is not.
    """
    path = PurePosixPath(name) if isinstance(name, str) else PurePosixPath()
    if not path.parts or not all(part == ".." or _FILE.fullmatch(part) for part in path.parts):
        raise PluginSecurityError(
            f"the source {name!r} is not named by a relative path of plain names",
            where=where,
            hint="name it relative to the kernel's folder, by letters, digits and _ . + -",
        )
    check_file_name(path.name, "the source", where)


def _check_numbers(op: RTLOp, where: str) -> None:
    if not isinstance(op.sources, tuple | list):
        raise PluginError("'sources' is no list", where=where, hint="write a list of names")
    lengths = {
        "sources": len(op.sources) + len(op.generated),
        "parameters": len(op.parameters),
        "memories": len(op.memories),
    }
    for what, length in lengths.items():
        if length > MAX_NAMES:
            raise PluginError(
                f"an implementation has {length} {what}", where=where, hint=f"at most {MAX_NAMES}"
            )


def _check_identifiers(names: Iterable[str], what: str, where: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if not isinstance(name, str) or not is_identifier(name):
            raise PluginSecurityError(
                f"{what} is called {name!r}",
                where=where,
                hint="use a name of SystemVerilog: letters, digits and underscores, no keyword",
            )
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise PluginError(
                f"{what}s '{other}' and '{name}' differ in case alone", where=where, hint="rename"
            )


def _check_value(name: str, value: object, where: str) -> None:
    if isinstance(value, str):
        if not _STRING.fullmatch(value):
            raise PluginSecurityError(
                f"the parameter {name} is {value[:100]!r}",
                where=where,
                hint="use letters, digits, spaces and _ . , : ; = + - in strings",
            )
        return
    if not isinstance(value, Integral):
        raise PluginError(
            f"the parameter {name} is a {type(value).__name__}",
            where=where,
            hint="return an integer or a string",
        )
    if int(value).bit_length() > _INTEGER_BITS:
        raise PluginError(f"the parameter {name} has more than {_INTEGER_BITS} bits", where=where)


def _check_memory(name: str, array: object, where: str) -> None:
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind not in "biu":
        raise PluginError(
            f"the contents of the memory {name} are no array of integers of two dimensions",
            where=where,
            hint="return an array of shape (depth, bits)",
        )
    if not 0 < array.size <= MAX_BITS:
        raise PluginError(
            f"the memory {name} has {array.size} bits", where=where, hint=f"1 to {MAX_BITS} bits"
        )
    if array.min() < 0 or array.max() > 1:
        raise PluginError(
            f"the memory {name} holds {int(array.min())} to {int(array.max())}",
            where=where,
            hint="return bits, least significant bit first",
        )
