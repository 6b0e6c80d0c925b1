"""How long something will take."""

from __future__ import annotations

from brainsmith.compiler.progress import TimeLeft, duration


def test_the_time_left_follows_from_the_share_that_is_done() -> None:
    now = 0.0
    left = TimeLeft(lambda: now)
    assert left.said(0.5) == ""  # too early
    now = 60.0
    assert left.said(0.25) == ", about 3 min left"
    assert left.said(0.9) == ", about 7 s left"
    assert left.said(0.0) == left.said(1.0) == ""


def test_durations_are_said_in_the_unit_that_fits() -> None:
    assert [duration(s) for s in (0.2, 89, 90, 5399, 7200)] == [
        "1 s", "89 s", "2 min", "90 min", "2.0 h",
    ]  # fmt: skip
