"""Messages of the codec with any text, for those that say what is not so."""

from __future__ import annotations

import json
import struct
from typing import Any


def message(rows: list[Any], value: Any, *segments: bytes) -> bytes:
    """A message with this text, whatever it says."""
    lengths = [len(segment) for segment in segments]
    return framed(json.dumps({"rows": rows, "value": value, "segments": lengths}), *segments)


def framed(text: str, *segments: bytes) -> bytes:
    encoded = text.encode()
    found = b"BSDATA\x00\x01" + struct.pack("<Q", len(encoded)) + encoded
    for segment in segments:
        found += bytes(-len(found) % 64) + segment
    return found
