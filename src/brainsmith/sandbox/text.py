"""Text of foreign code, made harmless for a terminal and a log."""

from __future__ import annotations

import re

# Colours and cursor movements go whole; of other control characters only tab and newline stay.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def visible(data: bytes) -> str:
    """What was printed, without what could act on a terminal or forge lines of a log."""
    text = data.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("�", _ESCAPES.sub("", text))
