"""The frames on a board's serial line: see `shell/brainsmith_deframer.sv` for their form."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

FLAG, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
VERSION = 1
_HEAD, _CHECK = struct.Struct("<BHH"), struct.Struct("<I")
_STATUS = struct.Struct("<BBBx16sIIHBBB")


class Kind(IntEnum):
    """What a frame is: requests of the host, and their answers."""

    ASK_STATUS = 0x01
    ASK_RUN = 0x02
    STATUS = 0x81
    RESULT = 0x82


@dataclass(frozen=True)
class Frame:
    """A frame: a kind, the number by which an answer belongs to its request, and a payload."""

    kind: int
    number: int
    payload: bytes = b""

    def encoded(self) -> bytes:
        """The bytes on the line, borders included."""
        body = _HEAD.pack(self.kind, self.number, len(self.payload)) + self.payload
        body += _CHECK.pack(zlib.crc32(body))
        escape, flag = bytes([ESCAPE]), bytes([FLAG])
        body = body.replace(escape, bytes([ESCAPE, ESCAPE ^ FLIP]))
        return flag + body.replace(flag, bytes([ESCAPE, FLAG ^ FLIP])) + flag


@dataclass
class Decoder:
    """Takes frames out of bytes, in whatever pieces they come.

    Attributes:
        bad: how many were not whole; what lies between two borders without being one counts too.
    """

    bad: int = 0
    _rest: bytes = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete with `data`."""
        *pieces, self._rest = (self._rest + data).split(bytes([FLAG]))
        for piece in pieces:
            if not piece:
                continue
            frame = _decoded(piece)
            if frame is None:
                self.bad += 1
            else:
                yield frame


def _decoded(piece: bytes) -> Frame | None:
    body = bytearray()
    octets = iter(piece)
    for octet in octets:
        if octet == ESCAPE:
            following = next(octets, None)
            if following is None:
                return None
            octet = following ^ FLIP
        body.append(octet)
    if len(body) < _HEAD.size + _CHECK.size:
        return None
    head, check = bytes(body[: -_CHECK.size]), bytes(body[-_CHECK.size :])
    kind, number, length = _HEAD.unpack_from(head)
    if _CHECK.unpack(check)[0] != zlib.crc32(head) or len(head) != _HEAD.size + length:
        return None
    return Frame(kind, number, head[_HEAD.size :])


@dataclass(frozen=True)
class Status:
    """What a shell says of itself.

    Attributes:
        version: of the protocol.
        slots: requests that may be under way at a time.
        under_way: requests that are not answered yet.
        digest: of the accelerator, in hexadecimal.
        clock_hz: the accelerator's clock.
        cycles: from the first beat in to the last beat out, both counted, of the last frame that
            found the accelerator empty.
        answers: requests that were answered since the reset, modulo 65 536.
        bad_frames: frames with a wrong checksum or length.
        broken_bytes: bytes without a stop bit.
        refused: good frames of an unknown kind, a wrong size, or one too many. These three
            counters end at 255.
    """

    version: int
    slots: int
    under_way: int
    digest: str
    clock_hz: int
    cycles: int
    answers: int
    bad_frames: int
    broken_bytes: int
    refused: int

    @classmethod
    def of(cls, payload: bytes) -> Status | None:
        """From the payload of a status frame; None if it is of another size."""
        if len(payload) != _STATUS.size:
            return None
        version, slots, under_way, digest, *figures = _STATUS.unpack(payload)
        return cls(version, slots, under_way, digest.hex(), *figures)
