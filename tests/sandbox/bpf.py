"""Runs a filter as the kernel would, to see what it says on a machine that is not here."""

from __future__ import annotations

import struct

LOAD, AND, JUMP, JEQ, JGE, JSET, RETURN = 0x20, 0x54, 0x05, 0x15, 0x35, 0x45, 0x06


def verdict(code: bytes | bytearray, nr: int, architecture: int, *arguments: int) -> int:
    """What a filter returns for a system call."""
    padded = (*arguments, *(6 - len(arguments)) * (0,))
    words = (value & 0xFFFFFFFFFFFFFFFF for value in padded)
    data = struct.pack("=IIQ6Q", nr, architecture, 0, *words)
    at = accumulator = 0
    while True:
        instruction, true, false, constant = struct.unpack_from("=HBBI", code, 8 * at)
        at += 1
        if instruction == RETURN:
            return int(constant)
        if instruction == LOAD:
            (accumulator,) = struct.unpack_from("=I", data, constant)
        elif instruction == AND:
            accumulator &= constant
        elif instruction == JUMP:
            at += constant
        else:
            holds = {
                JEQ: accumulator == constant,
                JGE: accumulator >= constant,
                JSET: bool(accumulator & constant),
            }[instruction]
            at += true if holds else false
