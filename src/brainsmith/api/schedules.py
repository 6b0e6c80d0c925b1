"""When a kernel takes and gives the beats of a frame, as a kernel may say it itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from brainsmith.api.runs import Runs


@dataclass(frozen=True)
class Schedule:
    """One frame of a kernel, in iterations that follow each other cycle by cycle unless one waits.

    A port is taken in step (an iteration takes its beat, and waits for it), or ahead into a buffer
    of the kernel: then `rooms` has an entry for it, beats are taken as early as there is room, and
    `takes` says which iteration waits for each. The kernel takes one beat a cycle of each port.
    What is said of all beats of a port is said in `Runs`; `Runs.of` makes them of an array.

    Attributes:
        iterations: of a frame.
        takes: for each input stream, the iteration that needs each beat, ascending; `iterations`
            for a beat that no iteration of its frame needs.
        gives: for each output stream, the iteration that completes each beat, ascending.
        latency: cycles from that iteration to the beat on the port.
        rooms: for each input stream that is taken ahead, the iteration after which there is room
            for each beat, ascending; negative for one of the frame before (-1 for its last one).
        lag: cycles from a beat that is taken ahead to the first iteration that can use it.
    """

    iterations: int
    takes: Mapping[str, Runs]
    gives: Mapping[str, Runs]
    latency: int
    rooms: Mapping[str, Runs] = field(default_factory=dict)
    lag: int = 1

    @property
    def interval(self) -> int:
        """Cycles of a frame among many, if nothing waits."""
        return max([self.iterations, *(len(taken) for taken in self.takes.values())])
