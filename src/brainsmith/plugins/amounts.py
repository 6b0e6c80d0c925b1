"""Sizes and durations as people write them, in manifests, projects and options alike."""

from __future__ import annotations

import re

SIZE_UNITS = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
}
SIZE_PATTERN = rf"^([0-9]{{1,12}}(?:\.[0-9]{{1,6}})?) ?({'|'.join(SIZE_UNITS)})$"
SIZE = f"a number of bytes, or a number and one of {', '.join(SIZE_UNITS)}"
SECONDS = "a number of seconds above 0"
_SIZE = re.compile(SIZE_PATTERN)
_TOO_MUCH = 1 << 62  # more than a limit of the kernel can hold


def size(found: object) -> int | None:
    """A number of bytes, from one or from text such as "512 MiB"; None where it is no size."""
    number = found
    if isinstance(found, str) and (match := _SIZE.fullmatch(found)):
        number = int(float(match[1]) * SIZE_UNITS[match[2]])
    if isinstance(number, int) and not isinstance(number, bool) and 0 < number < _TOO_MUCH:
        return number
    return None


def seconds(found: object) -> float | None:
    """A duration in seconds; None where it is none."""
    if isinstance(found, int | float) and not isinstance(found, bool) and 0 < found < 1e9:
        return float(found)
    return None


def size_text(number: int) -> str:
    """A number of bytes in the largest unit that holds it exactly, such as "4 GiB"."""
    for unit in ("GiB", "MiB", "KiB"):
        if number % SIZE_UNITS[unit] == 0:
            return f"{number // SIZE_UNITS[unit]} {unit}"
    return f"{number} B"
