"""How a worker's answer lies in its memory file: a header of fixed size, then the payload.

The reader is the host, the writer is not trusted: what the header says is checked against what is
there, and the payload is data, read by `codec`.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

MAGIC = b"BSANSWER"
VERSION = 1
_HEADER = struct.Struct("<8sHBxxxxxQ")
SIZE = _HEADER.size
RAISED_SIZE = 1 << 17  # five texts, each character as six
TOO_LARGE = "AnswerTooLarge"  # the class of the exception where an answer does not fit
_TEXT = 4_000
_BUFFERS = 512  # of one writev; the system's limit is 1024


class Status(IntEnum):
    """What a payload holds."""

    VALUE = 0
    RAISED = 1
    UNCONFINED = 2  # the confinement failed, and nothing of the plugin ran


class FrameError(ValueError):
    """The answer is not one."""


@dataclass(frozen=True)
class Raised:
    """An exception, told in strings.

    Attributes:
        type: the name of its class.
        message: its text; for an error of Brainsmith's own, what happened.
        traceback: the last lines of it.
        where: of an error of Brainsmith's own.
        hint: of an error of Brainsmith's own.
    """

    type: str
    message: str
    traceback: str = ""
    where: str | None = None
    hint: str | None = None

    def dump(self) -> bytes:
        """As a payload, shortened to what a payload of this kind may be."""
        short = {
            name: value[:_TEXT] if isinstance(value, str) else value
            for name, value in vars(self).items()
        }
        short["traceback"] = self.traceback[-_TEXT:]
        return json.dumps(short).encode()

    @classmethod
    def load(cls, payload: bytes) -> Raised:
        """From a payload.

        Raises:
            FrameError: it is none.
        """
        try:
            fields = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise FrameError("an exception that is no JSON") from error
        texts = ("type", "message", "traceback")
        if not isinstance(fields, dict) or set(fields) != {*texts, "where", "hint"}:
            raise FrameError("an exception without its fields")
        if not all(isinstance(fields[name], str) for name in texts) or not all(
            isinstance(fields[name], str | None) for name in ("where", "hint")
        ):
            raise FrameError("an exception whose fields are no text")
        return cls(**fields)


def write(fd: int, status: Status, buffers: Sequence[bytes | bytearray | memoryview]) -> None:
    """Writes an answer; the header last, so that an unfinished one has none.

    Raises:
        OSError: there is more than the file may hold.
    """
    views = [memoryview(buffer).cast("B") for buffer in buffers if len(buffer)]
    offset = SIZE
    while views:
        done = os.pwritev(fd, views[:_BUFFERS], offset)
        offset += done
        while views and done >= len(views[0]):
            done -= len(views.pop(0))
        if done:
            views[0] = views[0][done:]
    os.pwrite(fd, _HEADER.pack(MAGIC, VERSION, status, offset - SIZE), 0)


def read(answer: memoryview) -> tuple[Status, memoryview]:
    """The status and the payload of an answer that can no longer change.

    Raises:
        FrameError: the header says what is not so.
    """
    if len(answer) < SIZE:
        raise FrameError("it is shorter than its header")
    magic, version, status, length = _HEADER.unpack(answer[:SIZE])
    if magic == bytes(8):
        raise FrameError("it is empty")
    if magic != MAGIC or version != VERSION or answer[11:16] != bytes(5):
        raise FrameError("its header is not that of an answer")
    if status not in list(Status):
        raise FrameError(f"it has the unknown status {status}")
    if length > len(answer) - SIZE:
        raise FrameError(f"it says to be {length} bytes long, there are {len(answer) - SIZE}")
    if status != Status.VALUE and length > RAISED_SIZE:
        raise FrameError(f"its exception is {length} bytes long")
    return Status(status), answer[SIZE : SIZE + length]
