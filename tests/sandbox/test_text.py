"""What foreign code prints does nothing to a terminal, and forges no line of a log."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.sandbox.text import visible


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (b"plain\ttext\n", "plain\ttext\n"),
        ("Grüße ☃\n".encode(), "Grüße ☃\n"),
        (b"\x1b[31mred\x1b[0m", "red"),
        (b"\x1b]0;title\x07x", "x"),
        (b"\x1b]52;c;AAAA\x1b\\x", "x"),
        (b"good\rbad", "good\nbad"),
        (b"a\x08b\x00c\x7f", "a�b�c�"),
        (b"\xff\xfe", "��"),
        ("a\u202eb\u2028c".encode(), "a�b�c"),
    ],
)
def test_what_is_shown(printed: bytes, shown: str) -> None:
    assert visible(printed) == shown


@given(st.binary())
def test_no_control_character_is_left(printed: bytes) -> None:
    left = {unicodedata.category(c) for c in visible(printed) if c not in "\t\n"}
    assert "Cc" not in left
