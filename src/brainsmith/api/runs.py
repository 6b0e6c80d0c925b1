"""Numbers of the beats of a stream as runs of equal steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class Runs:
    """A number for each beat of a stream (a cycle, an iteration), as runs of equal steps.

    A frame of a large image has millions of beats, but only as many runs as rows or pixels.

    Attributes:
        first: the first number of each run: int64 (runs,).
        step: from a number of a run to the next: int64 (runs,).
        count: numbers in each run, at least one: int64 (runs,).
    """

    first: np.ndarray
    step: np.ndarray
    count: np.ndarray

    @classmethod
    def of(cls, numbers: ArrayLike) -> Runs:
        """The runs of an array."""
        import numpy as np

        values = np.asarray(numbers, dtype=np.int64)
        return cls(values, np.zeros_like(values), np.ones_like(values)).joined()

    @classmethod
    def nest(cls, loops: Sequence[tuple[int, int]], first: int = 0) -> Runs:
        """The numbers that nested loops go through.

        Args:
            loops: trips and stride of each, outermost first.
            first: the number in the first iteration.
        """
        import numpy as np

        joined: list[tuple[int, int]] = []
        for trips, stride in loops:
            if trips == 1:
                continue
            if joined and joined[-1][1] == trips * stride:
                joined[-1] = (joined[-1][0] * trips, stride)
            else:
                joined.append((trips, stride))
        trips, stride = joined.pop() if joined else (1, 0)
        start = np.full(1, first, dtype=np.int64)
        for outer, step in joined:
            start = (start[:, None] + step * np.arange(outer, dtype=np.int64)).ravel()
        return cls(start, np.full_like(start, stride), np.full_like(start, trips))

    def joined(self) -> Runs:
        """The same numbers in fewer runs."""
        import numpy as np

        if len(self.first) == 1:
            return self
        # The differences, run-length encoded: inside a run, to the next run, and so on.
        inside = self.count - 1
        step = np.stack([self.step, np.append(np.diff(self.first), 0)], 1).ravel()
        step[1:-1:2] -= (self.step * inside)[:-1]
        times = np.stack([inside, np.ones_like(inside)], 1).ravel()[:-1]
        step, times = step[:-1][times > 0], times[times > 0]
        if not len(step):
            return Runs(self.first, np.zeros_like(self.step), self.count)
        new = np.append(True, step[1:] != step[:-1])
        step, times = step[new], np.add.reduceat(times, np.flatnonzero(new))
        # A number where the difference changes ends a run, or begins one if the one before ended.
        index = np.arange(len(step))
        chain = np.maximum.accumulate(np.where((times > 1) | (index == 0), index, 0))
        ends = (index - chain) % 2 == 0
        after = np.cumsum(times)[ends] + 1
        total = len(self)
        offset = np.append(0, after[after < total])
        count = np.diff(np.append(offset, total))
        first = self.at(offset)
        second = self.at(np.minimum(offset + 1, total - 1))
        return Runs(first, np.where(count > 1, second - first, 0), count)

    def at(self, beats: np.ndarray) -> np.ndarray:
        """The numbers of some beats."""
        import numpy as np

        offset = self.offset
        run = np.searchsorted(offset, beats, side="right") - 1
        return np.asarray(self.first[run] + self.step[run] * (beats - offset[run]))

    def shifted(self, by: int) -> Runs:
        """Each number, and `by`."""
        return Runs(self.first + by, self.step, self.count)

    def part(self, begin: int, end: int) -> Runs:
        """The numbers of the beats from `begin` to before `end`."""
        import numpy as np

        if begin == end:
            return Runs(self.first[:0], self.step[:0], self.count[:0])
        low = int(np.searchsorted(self.offset, begin, side="right")) - 1
        high = int(np.searchsorted(self.offset, end, side="left"))
        first, step, count = (
            array[low:high].copy() for array in (self.first, self.step, self.count)
        )
        count[-1] = end - self.offset[high - 1]
        skipped = begin - self.offset[low]
        first[0] += skipped * step[0]
        count[0] -= skipped
        return Runs(first, step, count)

    def then(self, other: Runs) -> Runs:
        """These numbers, and after them others."""
        import numpy as np

        return Runs(
            np.concatenate([self.first, other.first]),
            np.concatenate([self.step, other.step]),
            np.concatenate([self.count, other.count]),
        ).joined()

    @cached_property
    def offset(self) -> np.ndarray:
        """The first beat of each run."""
        import numpy as np

        return np.asarray(np.cumsum(self.count) - self.count)

    @cached_property
    def last(self) -> np.ndarray:
        """The last number of each run."""
        last: np.ndarray = self.first + self.step * (self.count - 1)
        return last

    def __len__(self) -> int:
        """How many beats there are."""
        return int(self.count.sum())

    def array(self) -> np.ndarray:
        """All the numbers: int64."""
        import numpy as np

        within = np.arange(len(self)) - np.repeat(self.offset, self.count)
        first, step = (np.repeat(array, self.count) for array in (self.first, self.step))
        return np.asarray(first + step * within)
