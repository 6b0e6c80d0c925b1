"""Memory files can be changed by those who may, and only for as long as they may."""

from __future__ import annotations

import errno
import mmap
import os
from pathlib import Path

import pytest

from brainsmith.sandbox import memory


def test_a_question_cannot_be_changed() -> None:
    fd = memory.sealed([b"ab", bytearray(b"cd"), memoryview(b"ef")])
    try:
        assert bytes(memory.mapped(fd)) == b"abcdef"
        for change in (
            lambda: os.pwrite(fd, b"x", 0),
            lambda: os.ftruncate(fd, 3),
            lambda: os.ftruncate(fd, 99),
        ):
            with pytest.raises(PermissionError):
                change()
    finally:
        os.close(fd)


def test_an_answer_holds_what_it_may_and_no_more() -> None:
    fd = memory.answer_file(8)
    try:
        assert os.pwrite(fd, b"12345678", 0) == 8
        with pytest.raises(PermissionError):
            os.pwrite(fd, b"9", 8)
        with pytest.raises(PermissionError):
            os.ftruncate(fd, 9)
    finally:
        os.close(fd)


def test_a_frozen_answer_stays_as_it_is_and_outlives_its_descriptor() -> None:
    fd = memory.answer_file(4)
    os.pwrite(fd, b"abcd", 0)
    memory.freeze(fd)
    with pytest.raises(PermissionError):
        os.pwrite(fd, b"x", 0)
    view = memory.mapped(fd)
    os.close(fd)
    assert bytes(view) == b"abcd"


def test_an_answer_that_is_mapped_for_writing_cannot_be_frozen() -> None:
    fd = memory.answer_file(4)
    try:
        with mmap.mmap(fd, 4) as writable:
            writable[:] = b"evil"
            with pytest.raises(OSError) as caught:
                memory.freeze(fd)
        assert caught.value.errno == errno.EBUSY
        memory.freeze(fd)
    finally:
        os.close(fd)


def test_what_is_mapped_holds_no_descriptor_and_goes_with_its_last_view() -> None:
    fd = memory.sealed([b"abcdefgh"])
    before = os.listdir("/proc/self/fd")
    view = memory.mapped(fd)[2:4]
    assert os.listdir("/proc/self/fd") == before
    os.close(fd)
    assert bytes(view) == b"cd" and view.readonly
    assert "brainsmith-call" in Path("/proc/self/maps").read_text()
    del view
    assert "brainsmith-call" not in Path("/proc/self/maps").read_text()
