"""Several frames of a kernel from the first one on."""

from __future__ import annotations

import numpy as np

from brainsmith.api import Runs, Schedule
from brainsmith.compiler.schedule import FAR_APART, Timing, run


def first_frames(schedule: Schedule, arrivals: np.ndarray, frames: int) -> Timing:
    """The timing of the first frames of a kernel with one input, `x`: as one long frame."""

    def repeated(at: Runs) -> Runs:
        return Runs.of((at.array() + schedule.iterations * np.arange(frames)[:, None]).ravel())

    long = Schedule(
        schedule.iterations * frames,
        {port: repeated(at) for port, at in schedule.takes.items()},
        {port: repeated(at) for port, at in schedule.gives.items()},
        schedule.latency,
        {port: repeated(at) for port, at in schedule.rooms.items()},
        schedule.lag,
    )
    return run(long, {"x": Runs.of(arrivals)}, FAR_APART)
