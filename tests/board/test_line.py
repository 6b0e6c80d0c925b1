"""What a host is told when its device is not what it should be."""

from __future__ import annotations

import errno
import os
import tty
from collections.abc import Callable

import pytest
import serial

from brainsmith.board.line import Line, open_port
from brainsmith.errors import BoardError


def refuses(code: int) -> Callable[..., serial.Serial]:
    def opened(*arguments: object, **named: object) -> serial.Serial:
        raise serial.SerialException(code, os.strerror(code))

    return opened


@pytest.mark.parametrize(
    ("code", "what", "hint"),
    [
        (errno.ENOENT, "no such device", "plugged in"),
        (errno.EACCES, "no permission", "/etc/udev/rules.d"),
        (errno.EBUSY, "in use", "fuser"),
        (errno.EIO, "cannot be used at 3000000 baud", ""),
    ],
)
def test_a_device_that_cannot_be_opened(
    monkeypatch: pytest.MonkeyPatch, code: int, what: str, hint: str
) -> None:
    monkeypatch.setattr(serial, "Serial", refuses(code))
    with pytest.raises(BoardError, match=what) as caught:
        open_port("/dev/ttyUSB0", 3_000_000)
    assert hint in (caught.value.hint or "")
    assert caught.value.where == "/dev/ttyUSB0"


def test_a_file_is_no_device(tmp_path: os.PathLike[str]) -> None:
    with pytest.raises(BoardError, match="cannot be used"):
        open_port(os.devnull, 3_000_000)


def test_a_board_that_says_nothing_and_is_then_unplugged() -> None:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    line = Line("/dev/pts/x", open_port(os.ttyname(theirs), 3_000_000), patience=0.05)
    with line:
        with pytest.raises(BoardError, match="does not answer") as caught:
            line.status()
        assert "brainsmith flash" in (caught.value.hint or "")
        os.close(theirs)
        os.close(ours)
        with pytest.raises(BoardError, match="was unplugged"):
            line.run([b"x"], 1, 1)
