"""Which names the files of a package may have: the same file on every file system, or none.

1. Relative, with `/` between the parts; no empty part, no `.` and no `..`.
2. ASCII without control characters and without the characters that Windows keeps for itself;
   beyond ASCII, letters, marks and digits that stay what they are under NFKC (so no name has two
   encodings, and no letter looks like a slash).
3. No part ends with a space or a dot or begins with a space; none is a device of Windows.
4. Two files never differ by case or by encoding alone, no file is another one's folder, and a
   folder has one spelling.
5. No bytecode: Python would run it instead of the source beside it, which is what people read.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from brainsmith.errors import PluginError

MAX_NAME_BYTES = 512
MAX_PART_BYTES = 255
MAX_DEPTH = 16

_FORBIDDEN = frozenset('\\:*?"<>|')
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789"]
)
_HINT = "rename the file and pack the plugin again"


def check_names(names: Iterable[str], where: str) -> None:
    """Refuses names that break a rule, alone or together.

    Args:
        names: the files' names, relative to the plugin's folder.
        where: the archive or folder, for the error.

    Raises:
        PluginError: the first name that breaks a rule, and which.
    """
    seen: dict[str, tuple[str, bool]] = {}
    for name in names:
        complaint = complaint_about(name)
        if complaint is None:
            complaint = _clash(name, seen)
        if complaint is not None:
            raise PluginError(complaint, where=f"{where}: {name!a}", hint=_HINT)


def complaint_about(name: str) -> str | None:
    """What is wrong with one name, if anything."""
    if not name or len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        return f"a name must have 1 to {MAX_NAME_BYTES} bytes"
    if name.startswith("/"):
        return "a name may not be absolute"
    parts = name.split("/")
    if len(parts) > MAX_DEPTH:
        return f"folders may not be nested deeper than {MAX_DEPTH}"
    return next(filter(None, map(_complaint_about_part, parts)), None)


def _complaint_about_part(part: str) -> str | None:
    if part in ("", ".", ".."):
        return "a name may not hold an empty part, '.' or '..'"
    if len(part.encode("utf-8", "surrogatepass")) > MAX_PART_BYTES:
        return f"a part of a name may not be longer than {MAX_PART_BYTES} bytes"
    if not all(map(_allowed, part)):
        return 'a name may not hold control characters, symbols beyond ASCII or one of \\:*?"<>|'
    if unicodedata.normalize("NFKC", part) != part:
        return "a name must be in the normal form NFKC"
    if part[0] == " " or part[-1] in " .":
        return "a name may not begin with a space, or end with a space or a dot"
    if part.split(".")[0].rstrip().upper() in _DEVICES:
        return "a name may not be that of a device"
    if part.casefold() == "__pycache__" or part.casefold().endswith((".pyc", ".pyo")):
        return "a package holds no bytecode"
    return None


def _allowed(character: str) -> bool:
    if character.isascii():
        return " " <= character <= "~" and character not in _FORBIDDEN
    return unicodedata.category(character)[0] in "LMN"


def _clash(name: str, seen: dict[str, tuple[str, bool]]) -> str | None:
    """Adds `name` and its folders to `seen` (spelling, is a file); what it clashes with, if any."""
    parts = name.split("/")
    for end in range(1, len(parts) + 1):
        spelling, is_file = "/".join(parts[:end]), end == len(parts)
        known, known_file = seen.get(folded(spelling), (None, False))
        if known is None:
            seen[folded(spelling)] = (spelling, is_file)
        elif known != spelling:
            return f"the name clashes with {known!a}: they differ by case or encoding alone"
        elif known_file:
            return "the name is there twice" if is_file else f"{known!a} is a file already"
        elif is_file:
            return "the name is that of a folder already"
    return None


def folded(name: str) -> str:
    """`name` as a file system that ignores case and encoding sees it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
