"""Pictures as PNG files: 8 bits a channel, grey or RGB (PNG specification, third edition)."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 3: 2}
_BITS = 8


def png(pixels: NDArray[np.uint8]) -> bytes:
    """The file of a picture.

    Args:
        pixels: (height, width, channels), of one channel (grey) or three (red, green, blue).
    """
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, _BITS, _COLOUR_TYPES[channels], 0, 0, 0)
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each starts with its filter, none
    rows[:, 1:] = pixels.reshape(height, -1)
    data = zlib.compress(rows.tobytes())
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
