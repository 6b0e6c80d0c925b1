"""Cases of plans: with constants as a graph could hold them, and outputs as wide as they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from brainsmith.api import IntType, LoopNest, Match
from brainsmith.compiler.constraints import facts_of, failures
from brainsmith.compiler.mapping import Candidate
from brainsmith.compiler.stimuli import random_integers
from brainsmith.errors import PluginError
from brainsmith.plugins import Component
from brainsmith.testing.case import KernelCase
from brainsmith.testing.plans import Plan, lowered
from brainsmith.testing.simulating import config_of

_WIDEST = 63  # bits of a result that 64-bit integers compute


def cases_of(plans: Sequence[Plan], candidate: Candidate) -> list[tuple[Plan, KernelCase]]:
    """The cases of the plans that the kernel's constraints allow.

    Raises:
        PluginError: the operation's `example` or `infer` is wrong.
    """
    matches = _examples(plans, candidate.operation)
    asked = [
        ("infer", (match, _ranges(plan, match))) for plan, match in zip(plans, matches, strict=True)
    ]
    found = []
    inferred = candidate.operation.code.calls(asked)
    for plan, match, ranges in zip(plans, matches, inferred, strict=True):
        case = _case(plan, match, ranges, candidate.operation)
        if case is not None and _is_allowed(case, candidate):
            found.append((plan, case))
    return found


def _examples(plans: Sequence[Plan], operation: Component) -> list[Match]:
    """What a graph could hold: the operation's own examples, or constants at random."""
    nest = operation.info.nest
    if "example" not in operation.code.description.methods:
        return [_example(nest, plan) for plan in plans]
    found = operation.code.calls(
        [("example", (dict(plan.dims), dict(plan.dtypes), plan.seed)) for plan in plans]
    )
    for one in found:
        if not isinstance(one, Match):
            raise PluginError(
                f"'example' returned {type(one).__name__}, not a Match", where=operation.full_name
            )
    return found


def _example(nest: LoopNest, plan: Plan) -> Match:
    rng = np.random.default_rng(plan.seed)
    statics = {}
    for port in nest.ports:
        if port.static:
            dtype = plan.dtypes[port.name]
            shape = tuple(plan.dims[name] for name in (*port.dims, *port.extra))
            statics[port.name] = random_integers(rng, shape, dtype, dtype.min, dtype.max)
    return Match(plan.dims, {port.name: port.name for port in nest.ports}, statics)


def _ranges(plan: Plan, match: Match) -> dict[str, tuple[int, int]]:
    """The range of each input that is there."""
    ranges = {}
    for port in match.ports:
        if port in match.statics:
            array = match.statics[port]
            ranges[port] = int(array.min()), int(array.max())
        elif port in plan.dtypes:
            ranges[port] = plan.dtypes[port].min, plan.dtypes[port].max
    return ranges


def _case(plan: Plan, match: Match, inferred: Any, operation: Component) -> KernelCase | None:
    """The case, with outputs as wide as they need to be; None where 64 bits do not hold them."""
    nest = operation.info.nest
    dtypes: dict[str, str] = {}
    ranges: dict[str, tuple[int, int]] = {}
    given_ranges = _ranges(plan, match)
    for port in nest.ports:
        if port.name not in match.ports:
            continue
        if port.direction == "out":
            if port.name not in inferred:
                raise PluginError(
                    f"'infer' gave no range of the output '{port.name}'", where=operation.full_name
                )
            lo, hi = map(int, inferred[port.name])
            if max(abs(lo), abs(hi)).bit_length() + plan.spare > _WIDEST:
                return None
            exact = IntType.covering(lo, hi)
            dtypes[port.name] = replace(exact, bits=exact.bits + plan.spare).name
            ranges[port.name] = lo, hi
        else:
            dtype = plan.dtypes[port.name]
            lo, hi = given_ranges[port.name]
            fits = dtype.min <= lo and hi <= dtype.max
            dtypes[port.name] = (dtype if fits else IntType.covering(lo, hi)).name
            ranges[port.name] = lo, hi
    return KernelCase(
        dims=dict(match.dims), dtypes=dtypes, folding=lowered(nest, match.dims, plan.folding),
        statics=match.statics,
        attributes=match.attributes, params=dict(plan.params), ranges=ranges, family=plan.family,
    )  # fmt: skip


def _is_allowed(case: KernelCase, candidate: Candidate) -> bool:
    constraints = candidate.info.constraints
    if not constraints:
        return True
    config = config_of(case, candidate, "case")
    facts = facts_of(candidate.operation.instance, config)
    return not failures(constraints, facts, candidate.kernel.full_name)
