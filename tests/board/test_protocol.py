"""Frames survive the line, and nothing else is taken for one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from brainsmith.board.protocol import ESCAPE, FLAG, Decoder, Frame

frames = st.builds(
    Frame,
    st.integers(0, 255),
    st.integers(0, 65535),
    st.lists(st.one_of(st.sampled_from([FLAG, ESCAPE]), st.integers(0, 255)), max_size=40).map(
        bytes
    ),
)


@given(st.lists(frames, max_size=5), st.integers(1, 7))
def test_frames_come_back_in_whatever_pieces(sent: list[Frame], step: int) -> None:
    data = b"".join(frame.encoded() for frame in sent)
    decoder = Decoder()
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    assert [frame for piece in pieces for frame in decoder.feed(piece)] == sent
    assert decoder.bad == 0


@given(st.binary(max_size=60), frames)
def test_the_frame_behind_any_noise_is_found(noise: bytes, frame: Frame) -> None:
    assert list(Decoder().feed(noise + frame.encoded()))[-1] == frame


@given(frames, st.data())
def test_a_changed_byte_is_noticed(frame: Frame, data: st.DataObject) -> None:
    sent = bytearray(frame.encoded())
    at = data.draw(st.integers(1, len(sent) - 2))
    sent[at] ^= data.draw(st.integers(1, 255))
    assert frame not in list(Decoder().feed(bytes(sent)))
