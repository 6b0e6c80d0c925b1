"""A session with a board on its serial line."""

from __future__ import annotations

import errno
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

from brainsmith.board.protocol import VERSION, Decoder, Frame, Kind, Status
from brainsmith.errors import BoardError, ToolError

if TYPE_CHECKING:
    import serial

HINT = "pip install 'brainsmith[fpga]'"
# How often a board is asked before it is said not to answer, at first and in the middle of a run.
_TRIES, _SILENCES = 5, 30
_NUMBERS = 1 << 16
Progress = Callable[[int, int], None]


def open_port(port: str, baud: int) -> serial.Serial:
    """The serial device, for this process alone.

    Raises:
        ToolError: pyserial is missing.
        BoardError: the device is not there, is not ours to use, or is in use.
    """
    try:
        import serial
    except ImportError as error:
        raise ToolError("pyserial is not installed", where=port, hint=HINT) from error
    try:
        line = serial.Serial(port, baud, timeout=0.02, write_timeout=60, exclusive=True)
    except (serial.SerialException, OSError, ValueError) as error:
        raise _unusable(port, baud, error) from error
    _answer_at_once(line)
    return line


def _answer_at_once(line: Any) -> None:
    """Asks USB converters not to hold bytes back, where the driver can be asked."""
    try:
        line.set_low_latency_mode(True)
    except (AttributeError, OSError, ValueError):
        return  # it only takes longer


def _unusable(port: str, baud: int, error: Exception) -> BoardError:
    code, said = getattr(error, "errno", None), str(error)
    if code in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        found = ", ".join(_ports()) or "there is none"
        return BoardError(
            "there is no such device", where=port, hint=f"is it plugged in? Serial devices: {found}"
        )
    if code in (errno.EACCES, errno.EPERM):
        return BoardError(
            "no permission to use the device",
            where=port,
            hint="sudo usermod -aG dialout $USER and log in again; or, for everyone who sits at "
            'the machine, put SUBSYSTEM=="tty", ATTRS{idVendor}=="0403", TAG+="uaccess" into '
            "/etc/udev/rules.d/70-brainsmith.rules",
        )
    if code in (errno.EBUSY, errno.EWOULDBLOCK) or "exclusively lock" in said:
        return BoardError(
            "the device is in use", where=port, hint="end the program that uses it: fuser -v PORT"
        )
    return BoardError(f"the device cannot be used at {baud} baud: {said}", where=port)


def _ports() -> list[str]:
    from serial.tools.list_ports import comports

    return sorted(port.device for port in comports())


@dataclass
class Line:
    """The host's end of the line.

    Args:
        port: the name of the device.
        serial: the open device.
        patience: seconds of silence after which something is taken for lost.
    """

    port: str
    serial: Any
    patience: float = 1.0
    decoder: Decoder = field(default_factory=Decoder)
    resent: int = 0
    _number: int = field(default_factory=lambda: random.randrange(_NUMBERS))
    _frames: deque[Frame] = field(default_factory=deque)

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the device back."""
        self.serial.close()

    def status(self, tries: int = _TRIES) -> Status:
        """What the board says of itself.

        Args:
            tries: how often it is asked, each time after `patience` seconds of silence.

        Raises:
            BoardError: nothing that understands the protocol answers, or it is unplugged.
        """
        for _ in range(tries):
            number = self._next_number()
            self._send(Frame(Kind.ASK_STATUS, number))
            frame = self._await(Kind.STATUS, number)
            status = Status.of(frame.payload) if frame is not None else None
            if status is not None:
                return status
        raise BoardError(
            "the board does not answer",
            where=self.port,
            hint="is its bitstream loaded (brainsmith flash BUILD), is this its serial device, and "
            f"does the build's rate, {self.serial.baudrate} baud, fit it?",
        )

    def check(self, digest: str) -> Status:
        """Waits until what others have asked is answered, and looks whether it is the right board.

        Raises:
            BoardError: it carries another bitstream, or speaks another protocol.
        """
        status = self.status()
        if status.version != VERSION or status.digest != digest:
            raise BoardError(
                f"the board carries another bitstream: {status.digest[:12]}, the build is "
                f"{digest[:12]}",
                where=self.port,
                hint="brainsmith flash BUILD",
            )
        end = time.monotonic() + _TRIES * self.patience
        while status.under_way and time.monotonic() < end:
            status = self.status()
        self._frames.clear()
        return status

    def run(
        self, requests: Sequence[bytes], size: int, slots: int, progress: Progress | None = None
    ) -> list[bytes]:
        """The accelerator's answer to each request.

        Args:
            requests: payloads.
            size: bytes of an answer.
            slots: requests that may be under way at a time.
            progress: called with the answers that are there, and their number.

        Raises:
            BoardError: a request is not answered after several tries, or it is unplugged.
        """
        answers: list[bytes | None] = [None] * len(requests)
        flying: dict[int, int] = {}  # the requests by the numbers under which they went out
        waiting, silences, done = deque(range(len(requests))), 0, 0
        while done < len(requests):
            self._launch(requests, waiting, flying, slots)
            frame = self._receive(self.patience)
            if frame is None:
                silences += 1
                self._check_silences(silences, done, len(requests))
                self._give_up(flying, waiting)
                continue
            index = self._answered(frame, flying, waiting, size)
            if index is not None:
                answers[index] = frame.payload
                done, silences = done + 1, 0
                if progress is not None:
                    progress(done, len(requests))
        return [answer for answer in answers if answer is not None]

    def _launch(
        self, requests: Sequence[bytes], waiting: deque[int], flying: dict[int, int], slots: int
    ) -> None:
        out = []
        while waiting and len(flying) < slots:
            index, number = waiting.popleft(), self._next_number()
            flying[number] = index
            out.append(Frame(Kind.ASK_RUN, number, requests[index]).encoded())
        if out:
            self._write(b"".join(out))

    def _answered(
        self, frame: Frame, flying: dict[int, int], waiting: deque[int], size: int
    ) -> int | None:
        """The request that a frame answers. Answers come in order: one left out was lost."""
        if frame.kind != Kind.RESULT or frame.number not in flying or len(frame.payload) != size:
            return None
        for number in list(flying):
            index = flying.pop(number)
            if number == frame.number:
                return index
            waiting.appendleft(index)
            self.resent += 1
        return None

    def _give_up(self, flying: dict[int, int], waiting: deque[int]) -> None:
        """What the board does not work on is lost."""
        status = self.status(_SILENCES)
        if status.under_way or self._frames:
            return
        self.resent += len(flying)
        waiting.extendleft(reversed(list(flying.values())))
        flying.clear()

    def _check_silences(self, silences: int, done: int, total: int) -> None:
        if silences == _SILENCES:
            raise BoardError(
                f"the board stopped answering after {done} of {total} frames",
                where=self.port,
                hint="reset it and run again",
            )

    def _next_number(self) -> int:
        self._number = (self._number + 1) % _NUMBERS
        return self._number

    def _await(self, kind: Kind, number: int) -> Frame | None:
        """The frame of a kind and number; others that come before it are kept."""
        kept: list[Frame] = []
        while (frame := self._receive(self.patience)) is not None:
            if (frame.kind, frame.number) == (kind, number):
                break
            kept.append(frame)
        self._frames.extendleft(reversed(kept))
        return frame

    def _receive(self, patience: float) -> Frame | None:
        """The next frame; None after some seconds of silence."""
        end = time.monotonic() + patience
        while not self._frames:
            data = self._read()
            self._frames.extend(self.decoder.feed(data))
            if data:
                end = time.monotonic() + patience
            elif time.monotonic() > end:
                return None
        return self._frames.popleft()

    def _send(self, frame: Frame) -> None:
        self._write(frame.encoded())

    def _read(self) -> bytes:
        try:
            data: bytes = self.serial.read(max(1, self.serial.in_waiting))
        except OSError as error:  # SerialException is one
            raise self._unplugged(error) from error
        return data

    def _write(self, data: bytes) -> None:
        try:
            self.serial.write(data)
        except OSError as error:
            raise self._unplugged(error) from error

    def _unplugged(self, error: OSError) -> BoardError:
        return BoardError(
            f"the board was unplugged, or its device failed: {error}",
            where=self.port,
            hint="plug it in, brainsmith flash BUILD, and run again",
        )
