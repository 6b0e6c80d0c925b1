"""What the kernel needs to start a program: the loader that an executable names, or a script's."""

from __future__ import annotations

import struct
from pathlib import Path

_MAGIC = b"\x7fELF\x02\x01"  # 64 bits, little endian
_INTERPRETER = 3
_START = 4096


def interpreter(program: Path) -> str | None:
    """The program that runs `program`; None for a static one, or what cannot be read."""
    try:
        with program.open("rb") as file:
            start = file.read(_START)
    except OSError:
        return None
    if start.startswith(b"#!"):
        words = start[2:].split(b"\n", 1)[0].split()
        return words[0].decode() if words else None
    return _loader(start) if start.startswith(_MAGIC) else None


def _loader(start: bytes) -> str | None:
    """The loader in the first bytes of an ELF file, where linkers put it."""
    try:
        table, size, count = _table(start)
        for index in range(count):
            kind, offset, length = struct.unpack_from("<I4xQ16xQ", start, table + index * size)
            if kind == _INTERPRETER:
                return start[offset : offset + length].rstrip(b"\0").decode() or None
    except (struct.error, UnicodeDecodeError):
        return None
    return None


def _table(start: bytes) -> tuple[int, int, int]:
    """Where the program headers are, the size of one, and their number."""
    (table,) = struct.unpack_from("<Q", start, 32)
    size, count = struct.unpack_from("<HH", start, 54)
    return table, size, count
