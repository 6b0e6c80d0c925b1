"""Arithmetic on the cycles of beats, in runs: every result is exact.

Between neighbouring breakpoints all operands have equal steps, and so has the result: it is told
from its first two numbers there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from brainsmith.api import Runs


def ramp(beats: int, first: int = 0, step: int = 1) -> Runs:
    """first, first + step, first + 2 step ..."""
    return Runs(*(np.array([number], np.int64) for number in (first, step, beats)))


def spread(beats: int, period: int) -> Runs:
    """The cycles of beats that come as evenly in a period as whole cycles allow.

    Beyond `_PIECES` pieces of a period, evenly within each in two different steps.
    """
    pieces = min(beats, _PIECES)
    beat = np.arange(pieces + 1, dtype=np.int64) * beats // pieces
    cycle = beat * period // beats
    count, long = np.diff(beat), np.diff(cycle)
    step, more = np.divmod(long, count)
    first = np.stack([cycle[:-1], cycle[:-1] + (step + 1) * more], 1).ravel()
    counts = np.stack([more, count - more], 1).ravel()
    steps = np.stack([step + 1, step], 1).ravel()
    there = counts > 0
    return Runs(first[there], steps[there], counts[there]).joined()


_PIECES = 256


def plus(a: Runs, b: Runs, sign: int = 1) -> Runs:
    """The sum, or with sign -1 the difference, of two of equal length."""
    if len(a.first) == 1:
        return Runs(b.first * sign + a.at(b.offset), b.step * sign + a.step, b.count)
    if len(b.first) == 1:
        return Runs(a.first + sign * b.at(a.offset), a.step + sign * b.step, a.count)
    if len(a.first) == len(b.first) and (a.count == b.count).all():
        return Runs(a.first + sign * b.first, a.step + sign * b.step, a.count).joined()
    cuts = union(a.offset, b.offset)
    return _evaluated(cuts, len(a), lambda at: a.at(at) + sign * b.at(at))


def greater(a: Runs, b: Runs) -> Runs:
    """The greater of each two of equal length."""
    gap = plus(a, b, -1)
    if not (gap.first < 0).any() and not (gap.last < 0).any():
        return a
    if not (gap.first > 0).any() and not (gap.last > 0).any():
        return b
    towards = (gap.first < 0) != (gap.last < 0)
    meets = np.flatnonzero(towards)
    # The first number of the run whose sign is the other one.
    up = gap.first[meets] < 0
    first, step = gap.first[meets], gap.step[meets]
    after = np.where(
        up, -(first // np.where(step == 0, 1, step)), first // np.where(step == 0, 1, -step) + 1
    )
    cuts = union(union(a.offset, b.offset), gap.offset[meets] + after)
    return _evaluated(cuts, len(a), lambda at: np.maximum(a.at(at), b.at(at)))


def at_least(a: Runs, bound: int) -> Runs:
    """Each number, or the bound where it is greater."""
    if int(a.first.min()) >= bound and int(a.last.min()) >= bound:
        return a
    return greater(a, ramp(len(a), bound, 0))


def running_greatest(a: Runs) -> Runs:
    """For each number the greatest up to it."""
    peak = np.maximum.accumulate(np.maximum(a.first, a.last))
    before = np.append(a.first[0], peak[:-1])
    if (a.first >= before).all() and (a.step >= 0).all():
        return a
    # A run rises above what was before it from here on.
    rises = (a.step > 0) & (a.first < before) & (a.last > before)
    step = np.where(rises, a.step, 1)
    above = np.where(rises, -((a.first - before) // step), 0)
    flat = np.maximum(before, a.first)
    first = np.stack([flat, a.first + above * a.step], 1).ravel()
    grows = (a.step > 0) & (a.first >= before)
    steps = np.stack([np.where(grows, a.step, 0), a.step], 1).ravel()
    counts = np.stack([np.where(rises, above, a.count), np.where(rises, a.count - above, 0)], 1)
    there = counts.ravel() > 0
    return Runs(first[there], steps[there], counts.ravel()[there]).joined()


def one_a_cycle(ready: Runs) -> Runs:
    """When each runs: one cycle after the one before, and not before it is ready."""
    index = ramp(len(ready))
    return plus(running_greatest(plus(ready, index, -1)), index)


def up_to(runs: Runs, numbers: np.ndarray) -> np.ndarray:
    """How many of the ascending numbers of `runs` are at most each of `numbers`."""
    run = np.searchsorted(runs.first, numbers, side="right") - 1
    inside = np.maximum(run, 0)
    step = runs.step[inside]
    among = (numbers - runs.first[inside]) // np.where(step == 0, 1, step) + 1
    count = runs.count[inside]
    among = np.where(step == 0, count, np.minimum(among, count))
    return np.asarray(np.where(run < 0, 0, runs.offset[inside] + among))


def of_latest(values: Runs, of: Runs, at: Runs, none: int) -> Runs:
    """For each of the numbers `at`, the value of the last beat whose number in `of` is at most it.

    Args:
        values: of the beats.
        of: the numbers of the beats, ascending.
        at: ascending.
        none: the value where there is no such beat, and the least that there is.
    """
    if len(values.first) == 1 and values.first[0] == none and not values.step[0]:
        return ramp(len(at), none, 0)
    if len(at.first) == len(of.first) and same(at, of) and _ascends(of):
        return values
    offset = union(values.offset, of.offset)
    count = np.diff(np.append(offset, len(of)))
    begin, end = of.at(offset), of.at(offset + count - 1)
    rising = _rising(values, offset, begin, end, count, at)
    cuts = union(at.offset, up_to(at, union(begin, end, rising) - 1))

    def value(index: np.ndarray) -> np.ndarray:
        beat = up_to(of, at.at(index)) - 1
        return np.where(beat < 0, none, values.at(np.maximum(beat, 0)))

    return _evaluated(cuts[cuts < len(at)], len(at), value)


def _rising(
    values: Runs,
    offset: np.ndarray,
    begin: np.ndarray,
    end: np.ndarray,
    count: np.ndarray,
    at: Runs,
) -> np.ndarray:
    """The numbers at which the value rises within pieces where `at` goes in steps that are no
    multiples of those of the beats: there each beat stands for itself."""
    run = np.searchsorted(values.offset, offset, side="right") - 1
    step = (end - begin) // np.maximum(count - 1, 1)
    pieces = np.flatnonzero((values.step[run] != 0) & (step > 0))
    parts = [np.zeros(0, np.int64)]
    for every in union(step[pieces]):
        mine = pieces[step[pieces] == every]
        odd = np.append(0, np.cumsum((at.step % every != 0) & (at.count > 1)))
        low = np.searchsorted(at.last, begin[mine], side="left")
        high = np.searchsorted(at.first, end[mine], side="right")
        mine = mine[odd[np.maximum(low, high)] > odd[low]]
        parts.append(Runs(begin[mine], step[mine], count[mine]).array())
    return np.concatenate(parts)


def _ascends(a: Runs) -> bool:
    """Whether no number equals the one before."""
    return bool(((a.step > 0) | (a.count == 1)).all() and (a.first[1:] > a.last[:-1]).all())


def tiled(runs: Runs, times: Sequence[int] | np.ndarray, period: int) -> Runs:
    """Several frames, the one of number f later by f periods."""
    shift = period * np.asarray(times, np.int64)[:, None]
    first = (runs.first[None, :] + shift).ravel()
    return Runs(first, np.tile(runs.step, len(shift)), np.tile(runs.count, len(shift)))


def same(a: Runs, b: Runs) -> bool:
    """Whether all numbers of two are equal, and they are as many."""
    if len(a) != len(b):
        return False
    if len(a.first) == len(b.first) and (a.count == b.count).all():
        return bool((a.first == b.first).all() and ((a.step == b.step) | (a.count == 1)).all())
    gap = plus(a, b, -1)
    return not gap.first.any() and not (gap.step * (gap.count > 1)).any()


def split(cycles: Runs, parts: int) -> Runs:
    """So many beats for each of some that are at least as many cycles apart: the first in its
    cycle, the others evenly until the next; of the very last without a gap."""
    several, even = cycles.count > 1, cycles.step % parts == 0
    gap = np.append(np.diff(cycles.first) - cycles.step[:-1] * (cycles.count[:-1] - 1), parts)
    last = np.minimum(cycles.step, gap)
    if not (even | ~several).all():  # each for itself
        single = Runs(
            cycles.array(), np.zeros(len(cycles), np.int64), np.ones(len(cycles), np.int64)
        )
        return split(single, parts)
    first = np.stack([cycles.first, cycles.last], 1).ravel()
    step = np.stack([cycles.step, np.where(several, last, gap)], 1).ravel() // parts
    count = np.stack([cycles.count - 1, np.ones_like(cycles.count)], 1).ravel() * parts
    there = count > 0
    return Runs(first[there], step[there], count[there]).joined()


def union(*cuts: np.ndarray) -> np.ndarray:
    """All of them once, ascending. (`np.unique` hashes integers, and is slower by far.)"""
    every = np.sort(np.concatenate(cuts), kind="stable")
    return np.asarray(every[np.diff(every, prepend=every[:1] - 1) != 0])


def _evaluated(cuts: np.ndarray, total: int, value: Callable[[np.ndarray], np.ndarray]) -> Runs:
    count = np.diff(np.append(cuts, total))
    numbers = value(np.concatenate([cuts, np.minimum(cuts + 1, total - 1)]))
    first, second = numbers[: len(cuts)], numbers[len(cuts) :]
    return Runs(first, np.where(count > 1, second - first, 0), count).joined()
