"""Integers to and from the bits of stream beats."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from brainsmith.errors import VerificationError
from brainsmith.toolchains.hdl import StreamPort

Words = NDArray[np.uint32]
Integers = NDArray[np.int64]
# Rows are handled in blocks, as a bit takes a byte on the way.
_BLOCK_BITS = 1 << 25


def words_per_beat(port: StreamPort) -> int:
    """32-bit words that hold one beat."""
    return -(-port.width // 32)


def pack(values: Integers, port: StreamPort) -> Words:
    """Beats of a port from their elements.

    Args:
        values: int64 of shape (beats, elements per beat).

    Returns:
        uint32 of shape (beats, words per beat), lowest word first, unused bits 0.

    Raises:
        VerificationError: a value does not fit the port.
    """
    _check_range(values, port)
    raw = (values > 0).astype(np.int64) if port.bipolar else values
    return _in_blocks(raw, port, lambda block: _pack_block(block, port), words_per_beat(port))


def unpack(words: Words, port: StreamPort) -> Integers:
    """The elements of beats: int64 of shape (beats, elements), from uint32 (beats, words)."""
    result = np.empty((len(words), port.elements), np.int64)
    step = _rows(port)
    for start in range(0, len(words), step):
        result[start : start + step] = _unpack_block(words[start : start + step], port)
    return result


def _in_blocks(
    values: Integers, port: StreamPort, pack_block: Callable[[Integers], Words], width: int
) -> Words:
    result = np.empty((len(values), width), np.uint32)
    step = _rows(port)
    for start in range(0, len(values), step):
        result[start : start + step] = pack_block(values[start : start + step])
    return result


def _rows(port: StreamPort) -> int:
    return max(1, _BLOCK_BITS // port.width)


def _pack_block(values: Integers, port: StreamPort) -> Words:
    rows = len(values)
    octets = np.ascontiguousarray(values.astype("<i8")).view(np.uint8)
    bits = np.unpackbits(
        octets.reshape(rows, port.elements, 8), axis=-1, count=port.bits, bitorder="little"
    )
    packed = np.packbits(bits.reshape(rows, port.width), axis=-1, bitorder="little")
    padded = np.zeros((rows, 4 * words_per_beat(port)), np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view("<u4")


def _unpack_block(words: Words, port: StreamPort) -> Integers:
    rows = len(words)
    octets = np.ascontiguousarray(words.astype("<u4")).view(np.uint8).reshape(rows, -1)
    bits = np.unpackbits(octets, axis=-1, count=port.width, bitorder="little")
    packed = np.packbits(bits.reshape(rows, port.elements, port.bits), axis=-1, bitorder="little")
    padded = np.zeros((rows, port.elements, 8), np.uint8)
    padded[:, :, : packed.shape[2]] = packed
    raw = padded.view("<u8")[:, :, 0]
    if port.bipolar:
        return raw.astype(np.int64) * 2 - 1
    if port.signed:
        sign = np.uint64(1 << (port.bits - 1))
        raw = (raw ^ sign) - sign
    return raw.view(np.int64) if raw.dtype == np.uint64 else raw.astype(np.int64)


def _check_range(values: Integers, port: StreamPort) -> None:
    if values.size == 0:
        return
    lo, hi = int(values.min()), int(values.max())
    if port.bipolar:
        fits = bool(np.isin(values, (-1, 1)).all())
    elif port.signed:
        fits = -(1 << (port.bits - 1)) <= lo and hi < 1 << (port.bits - 1)
    else:
        fits = lo >= 0 and hi < 1 << port.bits
    if not fits:
        kind = "bipolar" if port.bipolar else f"{'signed' if port.signed else 'unsigned'}"
        raise VerificationError(
            f"values of [{lo}, {hi}] do not fit {port.bits} {kind} bits", where=f"port {port.name}"
        )
