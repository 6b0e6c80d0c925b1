"""Thresholds of a staircase: from a function integer -> code to the steps that it takes.

1. Up to 2^16 integers, and 2^22 evaluations over all channels, the function is evaluated on every
   integer. This proves it monotone and the thresholds right.
2. Beyond, each node of the chain is proved monotone by what it is; the thresholds are found by
   bisection and checked on both sides.
3. Where a node cannot be proved monotone (ONNX Runtime approximates Sigmoid and its kin) every
   integer is tried as long as that takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

MAX_ENUMERATED = 1 << 16
MAX_ALWAYS = 1 << 22
MAX_EVALUATIONS = 1 << 25
MAX_STEPS = 1 << 12
_CHUNK = 1 << 22

Codes = Callable[[NDArray[np.int64]], NDArray[np.int64]]
"""(n, labels) integers to (n, labels) codes."""


@dataclass(frozen=True, eq=False)
class Staircase:
    """`code = first + step * #{i : q >= thresholds[k, i]}` for each label k.

    Attributes:
        thresholds: int64 `(labels, steps)`, ascending, all within [least, greatest + 1].
        first: the least code.
        step: 1, or 2 where the codes are -1 and 1.
        proof: how the equality with the chain was proved on the whole range.
    """

    thresholds: NDArray[np.int64]
    first: int
    step: int
    proof: Literal["enumerated", "bisected"]


@dataclass(frozen=True, eq=False)
class Falling:
    """Some labels fall: -1 where `q` must be negated first, else 1."""

    signs: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NotMonotone:
    """Three integers a < b < c whose codes go up and down, for the elements of one label."""

    label: int
    points: tuple[int, int, int]
    codes: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class NotProved:
    """The range is too large to try every integer, or there are too many codes."""

    reason: str


Outcome = Staircase | Falling | NotMonotone | NotProved


def staircase(
    codes: Codes,
    labels: int,
    lo: int,
    hi: int,
    directions: Callable[[], NDArray[np.int64] | str],
) -> Outcome:
    """The staircase that a function is on the integers [lo, hi].

    Args:
        codes: the function.
        labels: how many functions it is, side by side.
        lo: least reachable integer.
        hi: greatest reachable integer.
        directions: +1, -1 or 0 per label from the chain's nodes, or why they are not proved;
            asked only where the range is too large to try every integer.
    """
    count = hi - lo + 1
    if count <= MAX_ENUMERATED and count * labels <= MAX_ALWAYS:
        return _enumerated(codes, labels, lo, hi)
    proved = directions()
    if isinstance(proved, str) and count * labels <= MAX_EVALUATIONS:
        return _enumerated(codes, labels, lo, hi)
    if isinstance(proved, str):
        return NotProved(f"{proved}, and {count} integers are too many to try each")
    if (proved < 0).any():
        return Falling(np.where(proved < 0, -1, 1))
    return _bisected(codes, labels, lo, hi)


def _enumerated(codes: Codes, labels: int, lo: int, hi: int) -> Outcome:
    """Walks the range once, keeping only where a code differs from the one before."""
    rows = max(2, _CHUNK // labels)
    steps: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []
    start = codes(np.full((1, labels), lo, np.int64))[0]
    last = start
    for begin in range(lo + 1, hi + 1, rows):
        points = np.arange(begin, min(begin + rows, hi + 1), dtype=np.int64)
        here = codes(np.broadcast_to(points[:, None], (len(points), labels)))
        change = np.diff(here, axis=0, prepend=last[None])
        at, label = np.nonzero(change)
        steps.append((points[at], label, change[at, label]))
        last = here[-1]
    at, label, change = (np.concatenate([s[i] for s in steps] or [_NONE]) for i in range(3))
    rises = np.bincount(label[change > 0], minlength=labels) > 0
    falls = np.bincount(label[change < 0], minlength=labels) > 0
    if (rises & falls).any():
        return _witness(codes, labels, int(np.argmax(rises & falls)), lo, at, label, change)
    if falls.any():
        return Falling(np.where(falls, -1, 1))
    # The order by label, then by integer, makes the changes of a label a run of thresholds.
    order = np.lexsort((at, label))
    return _built(start, last, at[order], label[order], change[order], lo, hi)


_NONE: NDArray[np.int64] = np.zeros(0, np.int64)


def _built(
    start: NDArray[np.int64],
    last: NDArray[np.int64],
    at: NDArray[np.int64],
    label: NDArray[np.int64],
    change: NDArray[np.int64],
    lo: int,
    hi: int,
) -> Outcome:
    first, top = int(start.min()), int(last.max())
    if top - first > MAX_STEPS:
        return NotProved(f"{top - first} thresholds per channel are too many (at most {MAX_STEPS})")
    width = max(1, top - first)
    table = np.full((len(start), width), hi + 1, np.int64)
    borders = np.searchsorted(label, np.arange(len(start) + 1))
    for k, base in enumerate(start):
        mine = slice(borders[k], borders[k + 1])
        row = np.concatenate([np.full(base - first, lo), np.repeat(at[mine], change[mine])])
        table[k, : len(row)] = row
    return _bipolar(Staircase(table, first, 1, "enumerated"))


def _bipolar(stairs: Staircase) -> Staircase:
    """One step of two where the codes are -1 and 1 and 0 is never reached."""
    t = stairs.thresholds
    if stairs.first == -1 and t.shape[1] == 2 and bool((t[:, 0] == t[:, 1]).all()):
        return Staircase(t[:, :1], -1, 2, stairs.proof)
    return stairs


def _witness(
    codes: Codes,
    labels: int,
    label: int,
    lo: int,
    at: NDArray[np.int64],
    owner: NDArray[np.int64],
    change: NDArray[np.int64],
) -> NotMonotone:
    mine = np.flatnonzero(owner == label)
    mine = mine[np.argsort(at[mine])]
    signs = np.sign(change[mine])
    turn = int(np.flatnonzero(np.diff(signs))[0])
    points = (int(at[mine[turn]]) - 1, int(at[mine[turn]]), int(at[mine[turn + 1]]))
    values = codes(np.broadcast_to(np.array(points)[:, None], (3, labels)))[:, label]
    return NotMonotone(label, points, (int(values[0]), int(values[1]), int(values[2])))


def _bisected(codes: Codes, labels: int, lo: int, hi: int) -> Outcome:
    """For every label and code, the least integer that reaches the code."""
    ends = codes(np.broadcast_to(np.array([[lo], [hi]]), (2, labels)))
    first, top = int(ends.min()), int(ends.max())
    if top - first > MAX_STEPS:
        return NotProved(f"{top - first} thresholds per channel are too many (at most {MAX_STEPS})")
    search = _Search(codes, lo, hi)
    wanted = np.arange(first + 1, max(top, first + 1) + 1)[:, None]
    above = search.least(wanted, *search.around(wanted, _guessed(search, ends, wanted)))
    at = codes(np.clip(above, lo, hi)) >= wanted
    before = codes(np.clip(above - 1, lo, hi)) >= wanted
    if not (at | (above > hi)).all() or (before & (above > lo)).any():
        return NotProved("a threshold found by bisection is not one: the chain is not monotone")
    return _bipolar(Staircase(np.ascontiguousarray(above.T), first, 1, "bisected"))


@dataclass(frozen=True)
class _Search:
    """Bisection for the least integers of [lo, hi] that reach wanted codes; hi + 1 where none does.

    Integers, codes and results are `(n, labels)`.
    """

    codes: Codes
    lo: int
    hi: int

    def reached(self, wanted: NDArray[np.int64], points: NDArray[np.int64]) -> NDArray[np.bool_]:
        inside = self.codes(np.clip(points, self.lo, self.hi)) >= wanted
        return np.asarray((inside & (points >= self.lo)) | (points > self.hi))

    def least(
        self,
        wanted: NDArray[np.int64],
        below: NDArray[np.int64],
        above: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """The integers between one that does not reach the code and one that does."""
        while (above - below > 1).any():
            middle = (below + above) // 2
            reached = self.reached(wanted, middle)
            below, above = np.where(reached, below, middle), np.where(reached, middle, above)
        return above

    def around(
        self, wanted: NDArray[np.int64], guess: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Below and above for `least`, as near to a guess as it is good."""
        below, above, step = self._inside(guess - 2), self._inside(guess + 1), 4
        while True:
            high, low = self.reached(wanted, below), ~self.reached(wanted, above)
            if not (high | low).any():
                return below, above
            down, up = self._inside(below - step), self._inside(above + step)
            below, above = (
                np.where(high, down, np.where(low, above, below)),
                np.where(high, below, np.where(low, up, above)),
            )
            step *= 8

    def _inside(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.clip(points, self.lo - 1, self.hi + 1)


def _guessed(
    search: _Search, ends: NDArray[np.int64], wanted: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Where codes are reached if the function is a line between its first step and its last."""
    lo, hi = search.lo, search.hi
    outer = np.stack([ends[0] + 1, ends[1]])
    first, last = search.least(outer, np.full_like(outer, lo - 1), np.full_like(outer, hi + 1))
    line = first + (last - first) * (wanted - outer[0]) // np.maximum(outer[1] - outer[0], 1)
    guess = np.where(wanted < outer[0], lo, np.where(wanted > outer[1], hi + 1, line))
    return np.asarray(guess, np.int64)
