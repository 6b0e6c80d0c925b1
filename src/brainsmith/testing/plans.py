"""Plans of cases: few numbers that are drawn, and of which a case follows."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from brainsmith.api import IntType, LoopNest
from brainsmith.api.loops import divisors
from brainsmith.testing.limits import Limits

FAMILIES = ("ecp5", "ice40", "xc7")
_MOST_CYCLES = 1_000
_TRIES = 20  # for each plan that is wanted
_MOST_WORK = 1 << 14
_MOST_AT_ONCE = 1 << 12  # lanes times the bits of each operand: wide and many compile for minutes
_SPARE = (0, 1, 3)  # bits that an output is wider than it needs to be


@dataclass(frozen=True)
class Plan:
    """A configuration before its constants and its results are known.

    Attributes:
        dims: sizes of loops and extra dimensions.
        dtypes: of the inputs, static ones included.
        folding: legal for these sizes.
        params: of the kernel, those that have choices.
        spare: bits that outputs are wider than they need to be.
        seed: of the constants.
        family: of the device.
    """

    dims: Mapping[str, int]
    dtypes: Mapping[str, IntType]
    folding: Mapping[str, int]
    params: Mapping[str, int | str] = field(default_factory=dict)
    spare: int = 0
    seed: int = 0
    family: str = FAMILIES[0]

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two plans the same."""
        parts = (self.dims, self.dtypes, self.folding, self.params)
        return (*(tuple(part.items()) for part in parts), self.spare, self.seed, self.family)

    @property
    def complexity(self) -> tuple[int, ...]:
        """Smaller for what is easier to look at."""
        bits = sum(dtype.bits + dtype.signed for dtype in self.dtypes.values())
        odd = len(self.params) + self.spare + FAMILIES.index(self.family)
        return (
            sum(self.dims.values()), math.prod(self.folding.values()), bits, odd, self.seed
        )  # fmt: skip


def draw_plans(
    limits: Limits, choices: Mapping[str, Sequence[int | str]], count: int, seed: int
) -> list[Plan]:
    """Different plans, as many as can be had up to `count`; the same for the same seed.

    (Hypothesis draws otherwise from one process to the next: it takes constants from whatever
    modules are loaded.)
    """
    chance = random.Random(seed)
    found: dict[tuple[object, ...], Plan] = {}
    for _ in range(_TRIES * count):
        plan = _plan(limits, choices, chance)
        if plan is not None:
            found.setdefault(plan.key, plan)
        if len(found) == count:
            break
    return list(found.values())


def _plan(
    limits: Limits, choices: Mapping[str, Sequence[int | str]], chance: random.Random
) -> Plan | None:
    """A plan at random; None where the constraints do not allow it, or it would take long."""
    nest, choose = limits.nest, chance.choice
    dims = {name: choose(sizes) for name, sizes in limits.dims.items()}
    size = math.prod(dims[loop.name] for loop in nest.loops)
    if size < limits.least_size:  # the innermost loop grows until there is enough to do
        dims[nest.loops[-1].name] *= -(-limits.least_size // size)
    dtypes = {port: choose(kinds) for port, kinds in limits.dtypes.items()}
    folding = {fold: choose(legal) for fold, legal in _legal(nest, dims).items()}
    allowed = (
        math.prod(dims[loop.name] for loop in nest.loops) <= limits.most_size
        and nest.iterations(dims, folding) <= _MOST_CYCLES
        and _at_once(dtypes, folding) <= max(_MOST_AT_ONCE, _at_once(dtypes, {}))
        and math.prod(dims.values()) <= max(_MOST_WORK, 4 * limits.least_size)
    )
    plan = Plan(
        dims, dtypes, folding,
        params={name: choose(values) for name, values in choices.items()},
        spare=choose(_SPARE),
        seed=chance.randrange(1_000),
        family=choose(FAMILIES),
    )  # fmt: skip
    return plan if allowed else None


def _at_once(dtypes: Mapping[str, IntType], folding: Mapping[str, int]) -> int:
    """What grows as hardware does: lanes, each of the product of its operands' widths."""
    return math.prod(folding.values()) * math.prod(dtype.bits for dtype in dtypes.values())


def smaller(plan: Plan, limits: Limits, defaults: Mapping[str, int | str]) -> Iterator[Plan]:
    """Plans that are a step easier to look at than this one."""
    for name, sizes in limits.dims.items():
        less = [size for size in sizes if size < plan.dims[name]]
        for size in dict.fromkeys(
            (*less[:1], *less[len(less) // 2 : len(less) // 2 + 1], *less[-1:])
        ):
            dims = {**plan.dims, name: size}
            if math.prod(dims[loop.name] for loop in limits.nest.loops) >= limits.least_size:
                yield replace(plan, dims=dims, folding=lowered(limits.nest, dims, plan.folding))
    for name, value in plan.folding.items():
        less = [d for d in divisors(value) if d < value]
        for unrolled in dict.fromkeys((*less[:1], *less[-1:])):
            yield replace(plan, folding={**plan.folding, name: unrolled})
    for port, dtype in plan.dtypes.items():
        for plainer in _plainer(dtype, limits.dtypes[port]):
            yield replace(plan, dtypes={**plan.dtypes, port: plainer})
    if plan.spare:
        yield replace(plan, spare=0)
    if plan.family != FAMILIES[0]:
        yield replace(plan, family=FAMILIES[0])
    if plan.params and dict(plan.params) != dict(defaults):
        yield replace(plan, params=defaults)


def _plainer(dtype: IntType, allowed: Sequence[IntType]) -> list[IntType]:
    alike = [d for d in allowed if d.signed == dtype.signed and d.bits < dtype.bits]
    unsigned = [d for d in allowed if dtype.signed and not d.signed and d.bits <= dtype.bits]
    return list(dict.fromkeys((*alike[:1], *alike[-1:], *unsigned[-1:])))


def lowered(nest: LoopNest, dims: Mapping[str, int], folding: Mapping[str, int]) -> dict[str, int]:
    """The folding, each value lowered to one that is legal for these sizes."""
    legal = _legal(nest, dims)
    return {name: max(v for v in legal[name] if v <= value) for name, value in folding.items()}


def _legal(nest: LoopNest, dims: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Legal values, as far as the sizes say: ports' own dimensions come with the example."""
    return nest.legal({**dict.fromkeys(nest.own_dims, 0), **dims})
