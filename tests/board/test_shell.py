"""The shell behind a serial line that anything may happen on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from brainsmith.board.line import Line, open_port
from brainsmith.board.protocol import ESCAPE, FLAG, Frame, Kind
from brainsmith.board.shell import Shell
from brainsmith.board.simulated import SimulatedBoard
from brainsmith.errors import BoardError

pytestmark = pytest.mark.slow

FUZZED = 100_000  # bytes


def bits_of(values: np.ndarray) -> bytes:
    """Elements of three bits as they travel."""
    bits = (values[:, None] >> np.arange(3)) & 1
    return np.packbits(bits.ravel().astype(np.uint8), bitorder="little").tobytes()


def asked(shell: Shell, count: int, seed: int = 0) -> tuple[list[bytes], list[bytes]]:
    """Requests, and what the adder answers."""
    values = np.random.default_rng(seed).integers(0, 8, (count, shell.source.size))
    return [bits_of(row) for row in values], [bits_of((row + 1) % 8) for row in values]


def test_every_frame_is_answered_right(board: SimulatedBoard, line: Line) -> None:
    status = line.check(board.shell.digest)
    assert status.slots == board.shell.slots == 32
    assert status.clock_hz == 24_000_000
    given, expected = asked(board.shell, 300)
    told: list[tuple[int, int]] = []
    answers = line.run(given, board.shell.sink.octets, status.slots, lambda *at: told.append(at))
    assert answers == expected
    assert told == [(done, 300) for done in range(1, 301)]
    after = line.status()
    assert (after.answers, after.bad_frames, after.broken_bytes, after.refused) == (300, 0, 0, 0)
    # Three beats in, two cycles each; the first is taken in its second one.
    assert after.cycles == 5
    traffic = board.traffic()
    assert traffic.bytes_in > 300 * (board.shell.source.octets + 11)


def noise(rng: random.Random, shell: Shell) -> bytes:
    return rng.randbytes(rng.randrange(1, 400))


def borders(rng: random.Random, shell: Shell) -> bytes:
    return bytes(rng.choices([FLAG, ESCAPE, 0, 2], k=rng.randrange(1, 200)))


def frame_of(rng: random.Random, shell: Shell) -> bytes:
    kind, size = rng.choice([(Kind.ASK_RUN, shell.source.octets), (Kind.ASK_STATUS, 0)])
    # Numbers of their own, so that their answers are not taken for others.
    return Frame(kind, rng.randrange(1 << 15), rng.randbytes(size)).encoded()


def cut(rng: random.Random, shell: Shell) -> bytes:
    whole = frame_of(rng, shell)
    return whole[: rng.randrange(1, len(whole))]


def flipped(rng: random.Random, shell: Shell) -> bytes:
    whole = bytearray(frame_of(rng, shell))
    whole[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
    return bytes(whole)


def other_sizes(rng: random.Random, shell: Shell) -> bytes:
    return Frame(rng.randrange(256), 5, rng.randbytes(rng.randrange(300))).encoded()


def two_hosts(rng: random.Random, shell: Shell) -> bytes:
    """What two hosts send at once, mixed at random."""
    streams = [iter(b"".join(frame_of(rng, shell) for _ in range(4))) for _ in range(2)]
    mixed = bytearray()
    while streams:
        one = rng.choice(streams)
        octet = next(one, None)
        if octet is None:
            streams.remove(one)
        else:
            mixed.append(octet)
    return bytes(mixed)


def lost_byte(rng: random.Random, shell: Shell) -> bytes:
    whole = bytearray(frame_of(rng, shell))
    del whole[rng.randrange(len(whole))]
    return bytes(whole)


KINDS: list[Callable[[random.Random, Shell], bytes]] = [
    noise, borders, cut, flipped, other_sizes, two_hosts, lost_byte,
]  # fmt: skip


def disturbances(shell: Shell) -> Iterator[bytes]:
    """Bytes that are no good frames, or not ours, FUZZED of them in all."""
    rng, sent = random.Random(1), 0
    while sent < FUZZED:
        piece = b"".join(rng.choice(KINDS)(rng, shell) for _ in range(rng.randrange(1, 4)))
        sent += len(piece)
        yield piece


def test_the_next_good_frame_is_answered_whatever_came_before(
    board: SimulatedBoard, line: Line
) -> None:
    size = board.shell.source.octets
    pieces = list(disturbances(board.shell))
    given, expected = asked(board.shell, len(pieces))
    for index, (piece, request, answer) in enumerate(zip(pieces, given, expected, strict=True)):
        number = (1 << 15) + index
        line.serial.write(piece + Frame(Kind.ASK_RUN, number, request).encoded())
        frame = line._await(Kind.RESULT, number)
        assert frame is not None, f"not answered after {piece.hex()}"
        assert frame.payload == answer
        assert len(request) == size
    status = line.status()
    assert status.bad_frames > 100
    assert status.refused > 10
    assert line.decoder.bad == 0  # what comes back is never disturbed
    assert line.check(board.shell.digest).under_way == 0


def test_a_host_that_dies_in_the_middle_of_a_frame(board: SimulatedBoard) -> None:
    given, expected = asked(board.shell, 3)
    size, slots = board.shell.sink.octets, board.shell.slots
    with Line(board.port, open_port(board.port, board.shell.baud)) as first:
        first.run(given[:1], size, slots)
        first.serial.write(Frame(Kind.ASK_RUN, 7, given[1]).encoded()[:-4])
    with Line(board.port, open_port(board.port, board.shell.baud), patience=5) as second:
        second.check(board.shell.digest)
        assert second.run(given, size, slots) == expected
        assert second.resent == 0


def test_lost_requests_and_answers_are_sent_again(
    board: SimulatedBoard, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, expected = asked(board.shell, 60)
    write, read, rng = line.serial.write, line.serial.read, random.Random(3)

    def damaged(data: bytes) -> bytes:
        out = bytearray(data)
        if len(out) > 20 and rng.random() < 0.5:
            del out[rng.randrange(len(out))]
        return bytes(out)

    monkeypatch.setattr(line.serial, "write", lambda data: write(damaged(data)))
    monkeypatch.setattr(line.serial, "read", lambda size: damaged(read(size)))
    line.patience = 1.0
    assert line.run(given, board.shell.sink.octets, board.shell.slots) == expected
    assert line.resent > 0


def test_more_requests_than_there_is_room_for_are_refused(
    board: SimulatedBoard, line: Line
) -> None:
    # The answers are not slower than the requests, so that only a long status holds them up.
    given, _ = asked(board.shell, 1)
    one = Frame(Kind.ASK_RUN, 1, given[0]).encoded()
    line.serial.write((Frame(Kind.ASK_STATUS, 2).encoded() + one) * 150)
    status = line.check(board.shell.digest)
    assert status.refused > 0
    assert status.under_way == 0
    given, expected = asked(board.shell, 5)
    assert line.run(given, board.shell.sink.octets, board.shell.slots) == expected


def test_another_bitstream_is_refused(board: SimulatedBoard, line: Line) -> None:
    with pytest.raises(BoardError, match="another bitstream") as caught:
        line.check("ab" * 16)
    assert "brainsmith flash" in str(caught.value)
