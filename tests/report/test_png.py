"""Pictures as PNG files, read back by the specification."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from brainsmith.report.png import png


@pytest.mark.parametrize(("channels", "colour_type"), [(1, 0), (3, 2)])
def test_pixels_come_back(channels: int, colour_type: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels)).astype(np.uint8)
    chunks = read(png(pixels))
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", chunks[0][1]) == (7, 5, 8, colour_type, 0, 0, 0)
    rows = np.frombuffer(zlib.decompress(chunks[1][1]), np.uint8).reshape(5, 1 + 7 * channels)
    assert not rows[:, 0].any()  # no filter
    assert np.array_equal(rows[:, 1:].reshape(pixels.shape), pixels)


def read(file: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks, each with the sum that it should have."""
    assert file[:8] == bytes([137, 80, 78, 71, 13, 10, 26, 10])
    chunks, rest = [], file[8:]
    while rest:
        (size,) = struct.unpack(">I", rest[:4])
        kind, data = rest[4:8], rest[8 : 8 + size]
        assert struct.unpack(">I", rest[8 + size : 12 + size]) == (zlib.crc32(kind + data),)
        chunks.append((kind, data))
        rest = rest[12 + size :]
    return chunks
