"""How a line buffer walks through the beats of a frame, and how deep it has to be for that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainsmith.api import Runs, Schedule

LEVELS = 5


@dataclass(frozen=True)
class Walk:
    """Five nested loops over the beats of a frame, outermost first, no stride negative.

    An iteration of the two outer loops is a window: when it begins, all its beats have to be
    there; when it ends, all beats before the next window are released.

    Attributes:
        trips: iterations of each loop.
        strides: beats from an iteration of each loop to the next.
        frame: beats that come in a frame.
    """

    trips: tuple[int, ...]
    strides: tuple[int, ...]
    frame: int

    @property
    def windows(self) -> int:
        """Of a frame."""
        return self.trips[0] * self.trips[1]

    @property
    def inner(self) -> int:
        """Iterations, which are output beats, of a window."""
        return math.prod(self.trips[2:])

    @property
    def iterations(self) -> int:
        """Of a frame."""
        return math.prod(self.trips)

    @property
    def need(self) -> int:
        """Beats from the first of a window to its last, both included."""
        reach = zip(self.trips[2:], self.strides[2:], strict=True)
        return 1 + sum((trip - 1) * stride for trip, stride in reach)

    @property
    def depth(self) -> int:
        """Beats that the buffer has to hold so that nothing waits once frames follow each other,
        be its inputs there as early as there is room for them or spaced evenly.

        Let s(j) be the first beat of window j, J the windows of a frame of N beats.

        Where there are at least as many iterations as beats, the reader sets the pace, and in the
        time of a window N/J beats come. Window j wants s(j) + need of them, so that when it ends at
        least need + max(s(i) - i N/J) + (j+1) N/J have come, of which all from s(j) on are held.
        Otherwise the input sets the pace. A window i waits for its last beat, and when a later one
        j ends, which does not wait, need + s(i) + (j - i + 1) inner beats have come.
        """
        corners = [(i, j) for i in {0, self.trips[0] - 1} for j in {0, self.trips[1] - 1}]
        windows = [(self._start(i, j), i * self.trips[1] + j) for i, j in corners]
        if self.iterations >= self.frame:
            # In units of 1 / J beats.
            early = max(start * self.windows - j * self.frame for start, j in windows)
            late = max((j + 1) * self.frame - start * self.windows for start, j in windows)
            return self.need - (-(early + late) // self.windows)
        early = max(start - j * self.inner for start, j in windows)
        late = max((j + 1) * self.inner - start for start, j in windows)
        held = max(self._within_a_frame(), early + late + self.iterations - self.frame)
        return self.need + held

    def _within_a_frame(self) -> int:
        """Beats beyond `need` that come until a window ends, if it or an earlier one waited."""
        i, j = self.trips[0] - 1, self.trips[1] - 1
        later = [(0, 0), (0, j), (i, j)] + ([(i, -j), (1, -j)] if i else [])
        return max((i * self.trips[1] + j + 1) * self.inner - self._start(i, j) for i, j in later)

    def starts(self) -> np.ndarray:
        """The first beat of each window, and of the next frame: int64 (windows + 1,)."""
        rows = self.strides[0] * np.arange(self.trips[0], dtype=np.int64)
        columns = self.strides[1] * np.arange(self.trips[1], dtype=np.int64)
        return np.append((rows[:, None] + columns[None, :]).ravel(), self.frame)

    def schedule(self, depth: int) -> Schedule:
        """When a buffer of `depth` beats takes and gives the beats of a frame."""
        starts = self.starts()
        takes = _stairs(np.minimum(starts[:-1] + self.need, self.frame), self.frame, self.inner)
        # There is room for a beat once all up to `depth` beats before it are released: for the
        # beat `depth` after beat b once the last window that starts at b or before it ends.
        released = _stairs(starts[:-1], self.frame, self.inner).shifted(-1)
        frames, beat = divmod(-depth, self.frame)
        before, last = (released.shifted(f * self.iterations) for f in (frames, frames + 1))
        return Schedule(
            self.iterations,
            {"x": takes},
            {"y": Runs.nest([(self.iterations, 1)])},
            latency=1,
            rooms={"x": before.then(last).part(beat, beat + self.frame)},
        )

    def _start(self, i: int, j: int) -> int:
        return i * self.strides[0] + j * self.strides[1]


def _stairs(edges: np.ndarray, frame: int, rise: int) -> Runs:
    """For each beat of a frame: how many of the ascending edges are at most it, times `rise`."""
    count = np.diff(np.concatenate([[0], edges, [frame]]))
    first = rise * np.arange(len(count), dtype=np.int64)
    there = count > 0
    return Runs(first[there], np.zeros_like(first[there]), count[there]).joined()


def walk(loops: Sequence[tuple[int, int]], frame: int) -> Walk:
    """The walk of up to five loops, the first two of which count windows.

    Inner loops that together go through neighbouring beats become one.

    Args:
        loops: trips and stride of each, outermost first.
        frame: beats that come in a frame.
    """
    inner: list[tuple[int, int]] = []
    for trips, stride in loops[2:]:
        if trips == 1:
            continue
        if inner and inner[-1][1] == trips * stride:
            inner[-1] = (inner[-1][0] * trips, stride)
        else:
            inner.append((trips, stride))
    idle = [(1, 0)] * (LEVELS - 2 - len(inner))
    every = [*loops[:2], *idle, *inner]
    return Walk(tuple(trips for trips, _ in every), tuple(stride for _, stride in every), frame)
