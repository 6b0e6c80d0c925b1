"""An answer is what its header says, or it is refused."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.sandbox import frame, memory
from brainsmith.sandbox.frame import FrameError, Raised, Status


@pytest.fixture
def answer() -> Iterator[int]:
    fd = memory.answer_file(4096)
    yield fd
    os.close(fd)


@pytest.mark.parametrize("buffers", [[], [b""], [b"abc"], [b"ab", b"", b"c", bytearray(b"defg")]])
def test_what_is_written_is_read(answer: int, buffers: list[bytes]) -> None:
    frame.write(answer, Status.VALUE, buffers)
    memory.freeze(answer)
    status, payload = frame.read(memory.mapped(answer))
    assert (status, bytes(payload)) == (Status.VALUE, b"".join(buffers))


def test_many_buffers_are_written_in_their_order() -> None:
    buffers = [bytes([i % 256]) * (i % 7) for i in range(3000)]
    fd = memory.answer_file(1 << 16)
    try:
        frame.write(fd, Status.VALUE, buffers)
        _, payload = frame.read(memory.mapped(fd))
        assert bytes(payload) == b"".join(buffers)
    finally:
        os.close(fd)


def test_an_answer_that_does_not_fit_has_no_header(answer: int) -> None:
    with pytest.raises(OSError):
        frame.write(answer, Status.VALUE, [bytes(5000)])
    with pytest.raises(FrameError, match="it is empty"):
        frame.read(memory.mapped(answer))


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (b"", "it is empty"),
        (b"notmagic", "its header"),
        (struct.pack("<8sHBxxxxxQ", frame.MAGIC, 2, 0, 0), "its header"),
        (struct.pack("<8sHBBxxxxQ", frame.MAGIC, 1, 0, 1, 0), "its header"),
        (struct.pack("<8sHBxxxxxQ", frame.MAGIC, 1, 7, 0), "unknown status 7"),
        (struct.pack("<8sHBxxxxxQ", frame.MAGIC, 1, 0, 4096), "it says to be 4096 bytes long"),
        (struct.pack("<8sHBxxxxxQ", frame.MAGIC, 1, 0, (1 << 64) - 1), "it says to be"),
        (struct.pack("<8sHBxxxxxQ", frame.MAGIC, 1, 0, 1 << 63), "it says to be"),
    ],
)
def test_a_header_that_lies_is_refused(answer: int, header: bytes, complaint: str) -> None:
    os.pwrite(answer, header, 0)
    with pytest.raises(FrameError, match=complaint):
        frame.read(memory.mapped(answer))


@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        _, payload = frame.read(memoryview(data))
    except FrameError:
        return
    assert len(payload) <= len(data) - frame.SIZE


def test_an_exception_keeps_its_texts() -> None:
    raised = Raised("ValueError", "bad \x1b[31m ☃", "line\n" * 10_000, None, "a hint")
    again = Raised.load(raised.dump())
    assert again.traceback == raised.traceback[-len(again.traceback) :]
    assert (again.type, again.message, again.where, again.hint) == (
        "ValueError", raised.message, None, "a hint",
    )  # fmt: skip
    assert len(Raised("T" * 10**6, "☃" * 10**6, "☃" * 10**6).dump()) <= frame.RAISED_SIZE


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"{}",
        b"[" * 5000,
        b"\xff",
        b'{"type": 1, "message": "", "traceback": "", "where": null, "hint": null}',
        b'{"type": "", "message": "", "traceback": "", "where": [], "hint": null}',
    ],
)
def test_an_exception_that_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(FrameError):
        Raised.load(payload)
