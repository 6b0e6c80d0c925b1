"""Progress without a terminal, and with one."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys

from brainsmith.cli.progress import PLAIN_SECONDS, PlainLines


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_step_is_one_plain_line() -> None:
    stream, clock = io.StringIO(), Watch()
    progress = PlainLines(stream, clock)
    progress.step("load")
    clock.now += 1.5
    progress.step("simulate", 64)
    progress.advance(8, "8 of 64 frames")
    progress.done()
    assert stream.getvalue() == "[   0.0 s] load\n[   1.5 s] simulate\n"


def test_a_long_step_is_heard_of_now_and_then() -> None:
    stream, clock = io.StringIO(), Watch()
    progress = PlainLines(stream, clock)
    progress.step("synthesize", 9)
    for part in range(3):
        clock.now += PLAIN_SECONDS
        progress.advance(1, f"MatMul_{part}")
    lines = stream.getvalue().splitlines()
    assert lines[1:] == [
        "[  10.0 s] synthesize: 1 of 9 MatMul_0",
        "[  20.0 s] synthesize: 2 of 9 MatMul_1",
        "[  30.0 s] synthesize: 3 of 9 MatMul_2",
    ]


BARS = """
import time
from brainsmith.cli.progress import watch
with watch() as progress:
    progress.step("load")
    time.sleep(0.1)
    progress.step("map")
    progress.step("simulate [x]", 4)
    progress.advance(4, "MatMul_0")
    time.sleep(0.1)
    progress.done()
"""


def test_a_terminal_gets_a_line_for_each_step_that_ended() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", BARS], stderr=theirs)
    os.close(theirs)
    text = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end of a pseudo-terminal is closed
            break
        if not part:
            break
        text += part
    assert process.wait(timeout=60) == 0
    os.close(ours)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.decode())
    assert "✔ load" in plain
    assert "✔ simulate [x]" in plain
    assert "✔ map" not in plain
