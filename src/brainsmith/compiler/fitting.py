"""`--fit`: the fastest folding that fits a target, estimated first and then measured.

For a threshold of cycles per frame every layer starts at its cheapest folding that meets it; while
some resource is used up, the one change of a layer (other parameters, another folding inside the
threshold) that leaves least above the device is made. The least threshold that ends inside the
device is found by bisection. Synthesis then measures what was chosen. How far the estimates of a
layer were off corrects them, and the search goes on while a faster design is in sight.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from brainsmith.api import KernelConfig, Resources
from brainsmith.compiler.folding import estimate, foldings_of, prepare
from brainsmith.compiler.folding_file import FoldingFile
from brainsmith.compiler.frontend import FrontEnd
from brainsmith.compiler.mapping import Mapped
from brainsmith.compiler.targets import Target
from brainsmith.report.records import FitRecord, FitTryRecord

MOST_TRIES = 4  # designs that are synthesised
_MOST_DESIGNS = 4  # until what joins the layers is inside the device too, for one of these
_MOST_CHANGES = 200
_ROUNDING = 1e-6

Measured = Mapping[str, Resources]
Measure = Callable[[FrontEnd], Measured]
Design = Callable[[Sequence[Mapped]], FrontEnd]


@dataclass(frozen=True, eq=False)
class _Options:
    """A layer as it could be: `intervals` (n,) and `needs` (n, resources) as they are estimated."""

    node: Mapped
    configs: Sequence[KernelConfig]
    intervals: np.ndarray
    needs: np.ndarray


@dataclass
class _Search:
    """What is known so far.

    Attributes:
        names: the resources.
        there: what the device has of each.
        options: of each layer.
        apart: what a design needs besides its layers, as far as it is known.
        factors: measured over estimated resources, by layer.
    """

    names: tuple[str, ...]
    there: np.ndarray
    options: list[_Options]
    apart: np.ndarray
    factors: dict[str, np.ndarray] = field(default_factory=dict)

    def needs(self, one: _Options) -> np.ndarray:
        """Those of a layer's options, corrected by what was measured of it."""
        found: np.ndarray = one.needs * self.factors.get(one.node.node, np.ones(len(self.names)))
        return found

    def fastest(self) -> list[int]:
        """The choice of each layer in the fastest design inside the device, or the smallest."""
        limits = np.unique(np.concatenate([one.intervals for one in self.options]))
        floor = max(int(one.intervals.min()) for one in self.options)
        limits = limits[limits >= floor]
        found = self._inside(int(limits[-1]))
        if found is None:
            return self._cheapest(int(limits[-1]))
        low, high = 0, len(limits) - 1
        while low < high:
            middle = (low + high) // 2
            choice = self._inside(int(limits[middle]))
            if choice is None:
                low = middle + 1
            else:
                high, found = middle, choice
        return found

    def _cheapest(self, limit: int) -> list[int]:
        """The option of each layer that takes the least share of the device."""
        weights = 1 / np.maximum(self.there, 1)
        chosen = []
        for one in self.options:
            costs = np.where(one.intervals <= limit, self.needs(one) @ weights, np.inf)
            chosen.append(int(costs.argmin()))
        return chosen

    def _inside(self, limit: int) -> list[int] | None:
        """A choice for each layer inside the limit and the device; None if none is found."""
        chosen = self._cheapest(limit)
        needs = [self.needs(one) for one in self.options]
        slow = [one.intervals > limit for one in self.options]
        used = self.apart + sum(n[i] for n, i in zip(needs, chosen, strict=True))
        for _ in range(_MOST_CHANGES):
            over = float(self._above(used))
            if over <= _ROUNDING:
                return chosen
            best = (over, -1, -1)
            for layer, options in enumerate(needs):
                left = self._above(used - options[chosen[layer]] + options)
                left = np.where(slow[layer], np.inf, left)
                at = int(left.argmin())
                best = min(best, (float(left[at]), layer, at))
            if best[0] >= over - _ROUNDING:
                return None
            _, layer, at = best
            used = used - needs[layer][chosen[layer]] + needs[layer][at]
            chosen[layer] = at
        return None

    def _above(self, used: np.ndarray) -> np.ndarray:
        """How far above the device, as shares of it, summed up over the resources (last axis)."""
        shares = used / np.maximum(self.there, 1)
        return np.asarray(np.maximum(shares - 1, 0).sum(axis=-1))


def fastest_that_fits(
    nodes: Sequence[Mapped],
    target: Target,
    pinned: FoldingFile,
    design: Design,
    measure: Measure | None,
) -> tuple[FrontEnd, FitRecord]:
    """The fastest design that fits, or the smallest if none does, and how it was found.

    Args:
        nodes: the mapped nodes.
        target: the device.
        pinned: a folding file; what it says of a layer stays as it is.
        design: makes the design of nodes that have a folding each.
        measure: synthesises a design, and gives the resources of its instances; None to be
            content with estimates.
    """
    names = tuple(str(name) for name in target.resources)
    there = np.array([float(count) for count in target.resources.values()])
    search = _Search(names, there, _options(nodes, pinned, names), np.zeros(len(names)))
    tries: list[FitTryRecord] = []
    best: tuple[int, FrontEnd] | None = None
    seen: set[tuple[int, ...]] = set()
    for number in range(MOST_TRIES):
        chosen, front = _estimated(search, design)
        if tuple(chosen) in seen or (best and tries[best[0]].fits and not _faster(front, best[1])):
            break
        seen.add(tuple(chosen))
        measured = None if measure is None else measure(front)
        tries.append(_record(front, measured, names, there))
        better = best is None or _rank(tries[number]) < _rank(tries[best[0]])
        best = (number, front) if better else best
        if measured is None:
            break
        _correct(search, chosen, front, measured)
    assert best is not None  # there is at least one try
    return best[1], FitRecord(best[0], tuple(tries))


def _faster(front: FrontEnd, than: FrontEnd) -> bool:
    paces = [max(model.interval for model in one.models.values()) for one in (front, than)]
    return paces[0] < paces[1]


def _rank(one: FitTryRecord) -> tuple[bool, float]:
    """Less is better: one that fits, then the faster one; of those that do not, the smaller one."""
    if one.fits:
        return False, float(one.interval)
    used = one.measured or one.estimated
    return True, max(used[name] / max(1, one.available[name]) for name in used)


def _estimated(search: _Search, design: Design) -> tuple[list[int], FrontEnd]:
    """The fastest choice that is estimated to fit, with what joins the layers, and its design."""
    for _ in range(_MOST_DESIGNS):
        chosen = search.fastest()
        nodes = [
            dataclasses.replace(one.node, config=one.configs[at])
            for one, at in zip(search.options, chosen, strict=True)
        ]
        front = design(nodes)
        layers = {layer.name for layer in front.design.layers}
        joins = [needs for name, needs in front.estimates.items() if name not in layers]
        search.apart = _vector(sum(joins, Resources()), search.names)
        pairs = zip(search.options, chosen, strict=True)
        used = search.apart + sum(search.needs(one)[at] for one, at in pairs)
        if (used <= search.there + _ROUNDING).all():
            break
    return chosen, front


def _correct(search: _Search, chosen: Sequence[int], front: FrontEnd, measured: Measured) -> None:
    """Learns from synthesis how far the estimates are off."""
    by_node = {layer.config.node: measured[layer.name] for layer in front.design.layers}
    for one, at in zip(search.options, chosen, strict=True):
        real = _vector(by_node[one.node.node], search.names)
        said = one.needs[at]
        search.factors[one.node.node] = np.where(said > 0, real / np.maximum(said, 1e-9), 1.0)
    layers = {layer.name for layer in front.design.layers}
    joins = [needs for name, needs in measured.items() if name not in layers]
    search.apart = _vector(sum(joins, Resources()), search.names)


def _options(nodes: Sequence[Mapped], pinned: FoldingFile, names: Sequence[str]) -> list[_Options]:
    configs = [_configs(node, pinned.get(node.node, {})) for node in nodes]
    prepare((n.candidate.kernel, own) for n, own in zip(nodes, configs, strict=True))
    found = []
    for node, own in zip(nodes, configs, strict=True):
        intervals, resources = estimate(node.candidate.kernel.instance, own)
        needs = np.array([_vector(one, names) for one in resources])
        found.append(_undominated(_Options(node, own, np.array(intervals), needs)))
    return found


def _undominated(options: _Options) -> _Options:
    """Without options that another equals or beats in everything, which no search would take."""
    table = np.column_stack([options.intervals, options.needs])
    order = np.lexsort(table.T[::-1])
    kept: list[int] = []
    for index in order:
        if not kept or not (table[kept] <= table[index]).all(axis=1).any():
            kept.append(int(index))
    return _Options(
        options.node,
        [options.configs[index] for index in kept],
        options.intervals[kept],
        options.needs[kept],
    )


def _configs(node: Mapped, pinned: Mapping[str, int | str]) -> list[KernelConfig]:
    """A node at every folding and with every choice of its kernel's parameters."""
    params = node.candidate.info.params
    open_ = {n: p.choices for n, p in params.items() if p.choices and n not in pinned}
    return [
        dataclasses.replace(
            config, params={**config.params, **dict(zip(open_, values, strict=True))}
        )
        for config in foldings_of(node, pinned)
        for values in itertools.product(*open_.values())
    ]


def _vector(resources: Resources, names: Sequence[str]) -> np.ndarray:
    used = resources.as_dict()
    return np.array([used[name] for name in names])


def _record(
    front: FrontEnd, measured: Measured | None, names: Sequence[str], there: np.ndarray
) -> FitTryRecord:
    said = sum(front.estimates.values(), Resources()).as_dict()
    real = None if measured is None else sum(measured.values(), Resources()).as_dict()
    used = said if real is None else real
    available = {name: int(count) for name, count in zip(names, there, strict=True)}
    return FitTryRecord(
        interval=max(model.interval for model in front.models.values()),
        estimated={name: math.ceil(said[name]) for name in names},
        measured=None if real is None else {name: math.ceil(real[name]) for name in names},
        available=available,
        fits=all(used[name] <= available[name] for name in names),
    )
