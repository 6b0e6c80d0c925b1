"""`RECORD`: the digests of a package's files, as a file in it that anyone can check.

A line is a SHA-256 in hexadecimal, two spaces, and a name, sorted by the bytes of the names: what
`sha256sum` prints, and `sha256sum --check RECORD` reads.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from brainsmith.errors import PluginError
from brainsmith.plugins.archive import Archive

FILE_NAME = "RECORD"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def listing(digests: Mapping[str, str]) -> bytes:
    """The content of `RECORD` for the SHA-256 of the other files, by name."""
    lines = sorted((name.encode(), digest) for name, digest in digests.items())
    return b"".join(digest.encode() + b"  " + name + b"\n" for name, digest in lines)


def check_contents(archive: Archive) -> None:
    """Refuses an archive whose `RECORD`, if it has one, does not say what is in it.

    Raises:
        PluginError: a file is another, is missing or is not in the list; or the list is none.
    """
    if FILE_NAME not in archive.names:
        return
    said = _read(archive)
    for name in archive.names:
        if name == FILE_NAME:
            continue
        if name not in said:
            raise _wrong(archive, name, f"the file is not in {FILE_NAME}")
        if hashlib.sha256(archive.read(name)).hexdigest() != said.pop(name):
            raise _wrong(archive, name, f"the file is not the one of {FILE_NAME}")
    for name in said:
        raise _wrong(archive, name, f"the file is in {FILE_NAME}, and not in the archive")


def _read(archive: Archive) -> dict[str, str]:
    said: dict[str, str] = {}
    lines = archive.read(FILE_NAME).decode(errors="replace").split("\n")
    if lines[-1] == "":
        del lines[-1]
    else:
        lines.append("")  # the last line breaks off
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None or found[2] in said:
            raise _wrong(archive, f"{FILE_NAME}:{number}", "this is no line of digest and name")
        said[found[2]] = found[1]
    return said


def _wrong(archive: Archive, name: str, what: str) -> PluginError:
    return PluginError(
        what, where=f"{archive.source}: {name}", hint="the package was altered: fetch it again"
    )
