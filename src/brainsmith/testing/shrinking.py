"""The smallest configuration that fails, found in a few simulations of many candidates each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from brainsmith.compiler.mapping import Candidate
from brainsmith.errors import BrainsmithError
from brainsmith.testing.case import CaseResult, KernelCase
from brainsmith.testing.examples import cases_of
from brainsmith.testing.limits import Limits
from brainsmith.testing.plans import Plan, smaller

_BATCH = 16
_ROUNDS = 8
_SECONDS = 30.0

Run = Callable[[Sequence[KernelCase]], list[CaseResult]]
"""Simulates cases; gives the results of all, or of those alone that stopped the simulation."""


def smallest(
    plan: Plan,
    failed: CaseResult,
    run: Run,
    *,
    limits: Limits,
    candidate: Candidate,
    defaults: Mapping[str, int | str],
) -> CaseResult:
    """The result of the smallest case that fails, among those that lead down from `plan`."""
    deadline = time.monotonic() + _SECONDS
    tried = {plan.key}
    for _ in range(_ROUNDS):
        if time.monotonic() > deadline:
            break
        new = {p.key: p for p in smaller(plan, limits, defaults) if p.key not in tried}
        simplest = sorted(new.values(), key=lambda p: p.complexity)[:_BATCH]
        tried.update(p.key for p in simplest)
        found = _failing(cases_of(simplest, candidate), run)
        if found is None:
            break
        plan, failed = found
    return failed


def _failing(cases: Sequence[tuple[Plan, KernelCase]], run: Run) -> tuple[Plan, CaseResult] | None:
    """The plan of least complexity whose case fails, of those that could be judged."""
    if not cases:
        return None
    try:
        results = run([case for _, case in cases])
    except BrainsmithError:  # another failure than that which is looked for
        return None
    wrong = {id(result.case): result for result in results if not result.passed}
    found = [(plan, wrong[id(case)]) for plan, case in cases if id(case) in wrong]
    return min(found, key=lambda pair: pair[0].complexity, default=None)
