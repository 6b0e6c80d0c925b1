"""A comparison in sentences: performance, resources, compatibility, each with its figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from brainsmith.comparison.records import (
    Comparison,
    Cost,
    Figure,
    KernelComparison,
    KernelRun,
    NodeComparison,
    StrategyComparison,
    TransformComparison,
)
from brainsmith.report.formatting import figure

Mark = Literal["✓", "✗", "·"]
RESOURCES = ("LUT", "FF", "DSP", "BRAM")
_SAME = 0.005  # a relative difference that is none


@dataclass(frozen=True)
class Line:
    """A sentence of the summary: ✓ for what is good, ✗ for what is wrong, · for what only is so."""

    mark: Mark
    text: str

    def __str__(self) -> str:
        return f"{self.mark} {self.text}"


def lines(comparison: Comparison) -> list[Line]:
    """The summary of a comparison."""
    found: list[Line] = []
    several = len(comparison.kernels) > 1
    for kernel in comparison.kernels:
        name = f"{_short(kernel.kernel)}: " if several else ""
        found += [Line(line.mark, name + line.text) for line in _kernel(kernel)]
    for transform in comparison.transforms:
        found += _transform(transform)
    for strategy in comparison.strategies:
        found += _strategy(strategy)
    return found


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Everything that was found, as one object."""
    return {
        "success": comparison.exit_code == 0,
        "exit_code": comparison.exit_code,
        "summary": [str(line) for line in lines(comparison)],
        "problems": [asdict(problem) for problem in comparison.problems],
        **asdict(comparison),
    }


def against(kernel: KernelComparison) -> str:
    """What a kernel is compared with, by its short names."""
    names = dict.fromkeys(_short(n.rival.kernel) for n in kernel.compared if n.rival is not None)
    return ", ".join(names)


def _kernel(kernel: KernelComparison) -> Iterator[Line]:
    sound = [n for n in kernel.compared if n.rival is not None and n.passed]
    if sound:
        yield _performance(sound, against(kernel))
        yield from _resources(sound)
    elif kernel.compared:
        why = kernel.compared[0].alone or "what is wrong has no speed"
        yield Line("·", f"Performance: not compared, since {why}")
    yield _compatibility(kernel)


def _performance(nodes: Sequence[NodeComparison], rival: str) -> Line:
    timed = [(len(n.nodes), _times(n)) for n in nodes]
    ratios = [(count, other / own) for count, (own, other) in timed if own and other]
    if not ratios:
        return Line("·", "Performance: not compared, since the cycles vary from frame to frame")
    total = sum(count for count, _ in ratios)
    mean = math.exp(sum(count * math.log(ratio) for count, ratio in ratios) / total)
    said = _faster(mean, rival)
    return Line("✓" if mean >= 1 - _SAME else "·", f"Performance: {said} ({_how(nodes, ratios)})")


def _faster(ratio: float, rival: str) -> str:
    if abs(ratio - 1) < _SAME:
        return f"as fast as {rival}"
    if ratio > 1:
        return f"{ratio:.3g}x faster than {rival}"
    return f"{1 / ratio:.3g}x slower than {rival}"


def _how(nodes: Sequence[NodeComparison], ratios: Sequence[tuple[int, float]]) -> str:
    count = sum(n for n, _ in ratios)
    parts = [_cycles(nodes)]
    least, most = min(r for _, r in ratios), max(r for _, r in ratios)
    if most - least > _SAME:
        parts.append(f"mean of {count} nodes, {least:.3g}x to {most:.3g}x")
    clocks = [(n.own.clock, n.rival.clock) for n in nodes if n.rival is not None]
    own, other = (_least(side) for side in zip(*clocks, strict=True))
    if own is not None and other is not None:
        parts.append(f"clock {own:.1f} MHz against {other:.1f} MHz")
    return "; ".join(parts)


def _cycles(nodes: Sequence[NodeComparison]) -> str:
    """Cycles of both, summed over the nodes, and whether all were measured."""
    pairs = [(len(n.nodes), n.own.interval, n.rival.interval) for n in nodes if n.rival is not None]
    known = [(c, a, b) for c, a, b in pairs if a and b and a.value and b.value]
    own = sum(count * (a.value or 0) for count, a, _ in known)
    other = sum(count * (b.value or 0) for count, _, b in known)
    guessed = sum(c for c, a, b in known if "estimated" in (a.source, b.source))
    how = (
        f"estimated for {guessed} of {sum(c for c, _, _ in known)} nodes"
        if guessed
        else ("measured")
    )
    return f"{figure(own)} against {figure(other)} cycles a frame, {how}"


def _times(node: NodeComparison) -> tuple[float | None, float | None]:
    """Time a frame of both: in microseconds where both have a clock, in cycles otherwise."""
    assert node.rival is not None
    own, other = _value(node.own.interval), _value(node.rival.interval)
    clocks = _value(node.own.clock), _value(node.rival.clock)
    if own and other and clocks[0] and clocks[1]:
        return own / clocks[0], other / clocks[1]
    return own, other


def _value(found: Figure | None) -> float | None:
    return None if found is None else found.value


def _least(figures: Sequence[Figure | None]) -> float | None:
    values = [f.value for f in figures if f is not None and f.value is not None]
    return min(values, default=None)


def _resources(nodes: Sequence[NodeComparison]) -> Iterator[Line]:
    built = [n for n in nodes if n.own.resources and n.rival is not None and n.rival.resources]
    if not built:
        return
    own = _total([(len(n.nodes), n.own) for n in built])
    other = _total([(len(n.nodes), n.rival) for n in built if n.rival is not None])
    yield Line("✓" if _is_good(own, other) else "·", f"Resource usage: {_more_or_less(own, other)}")


def _total(runs: Sequence[tuple[int, KernelRun]]) -> dict[str, float]:
    return {
        name: sum(count * (run.resources[name].value or 0) for count, run in runs)
        for name in RESOURCES
    }


def _is_good(own: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Less of something, or no more of anything."""
    return any(own[n] < other[n] for n in RESOURCES) or all(own[n] <= other[n] for n in RESOURCES)


def _more_or_less(own: Mapping[str, float], other: Mapping[str, float]) -> str:
    """Every resource with both figures, those that are saved first."""
    names = sorted(RESOURCES, key=lambda n: (own[n] >= other[n], RESOURCES.index(n)))
    return ", ".join(_change(name, own[name], other[name]) for name in names)


def _change(name: str, own: float, other: float) -> str:
    if own == other:
        return f"the same {name} ({figure(own)})" if own else f"no {name}"
    if not own or not other:
        return f"{figure(own) if own else 'no'} {name} against {figure(other) if other else 'none'}"
    share = abs(own - other) / other
    word = "more" if own > other else "fewer"
    return f"{share * 100:.3g} % {word} {name} ({figure(own)} against {figure(other)})"


def _compatibility(kernel: KernelComparison) -> Line:
    taken = sum(len(n.nodes) for n in kernel.compared)
    works = sum(len(n.nodes) for n in kernel.compared if n.own.passed)
    total = taken + len(kernel.refused)
    if not total:
        return Line("·", f"Compatibility: the model has no node of '{kernel.operation}'")
    exact = "bit-exact" if works else "none works"
    noun = "node" if total == 1 else "nodes"
    said = f"{works} of {total} {noun} of '{kernel.operation}': {exact}"
    sliced = sum(len(n.nodes) for n in kernel.compared if n.slice)
    if sliced:
        said += f"; {sliced} simulated on a slice"
    return Line(
        "✓" if works == taken and works else "✗" if works < taken else "·", f"Compatibility: {said}"
    )


def _transform(found: TransformComparison) -> Iterator[Line]:
    name = _short(found.transform)
    if found.problems:
        yield Line("✗", f"{name}: {found.problems[0].what}")
        return
    if not found.largest_difference:
        equal = "equal"
    else:
        equal = f"differ by at most {found.largest_difference:.3g}"
        if math.isfinite(found.tolerance):
            equal += f" of {found.tolerance:g} allowed"
    yield Line(
        "✓",
        f"{name} at {found.stage}: {found.elements} output elements of {found.frames} frames "
        f"{'are equal' if equal == 'equal' else equal}",
    )
    yield Line("·", f"{name}: {found.nodes_before} nodes before it, {found.nodes_after} after it")
    if found.without is not None and found.with_it is not None:
        yield Line("·", f"{name}: {_costs(found.with_it, found.without)}")


def _costs(own: Cost, other: Cost) -> str:
    used = {n: (own.resources[n].value or 0, other.resources[n].value or 0) for n in RESOURCES}
    parts = [
        f"{own.mapped} against {other.mapped} nodes in hardware",
        f"{figure(own.cycles.value)} against {figure(other.cycles.value)} cycles in all",
        f"{figure(own.interval.value)} against {figure(other.interval.value)} a frame",
        *(f"{n} {figure(round(a))} against {figure(round(b))}" for n, (a, b) in used.items()),
    ]
    return f"with it against without, estimated: {', '.join(parts)}"


def _strategy(found: StrategyComparison) -> Iterator[Line]:
    own, rival = found.own, found.rival
    yield from (
        Line("✗", f"{r.strategy}: {r.problems[0].what}") for r in (own, rival) if r.problems
    )
    if found.problems:
        return
    a, b = (run.metrics["initiation_interval"].value for run in (own, rival))
    speed = _faster(b / a, rival.strategy) if a and b else f"not compared with {rival.strategy}"
    good = bool(a and b and b / a >= 1 - _SAME)
    exact = "bit-exact" if own.bit_exact else "not verified"
    yield Line(
        "✓" if good else "·",
        f"{own.strategy}: {exact}; {speed} ({figure(a)} against {figure(b)} cycles a frame, "
        "measured)",
    )
    used, there = ({n: run.metrics[n].value or 0 for n in RESOURCES} for run in (own, rival))
    good = _is_good(used, there)
    said = f"{own.strategy}: estimated resource usage: {_more_or_less(used, there)}"
    yield Line("✓" if good else "·", said)


def _short(full_name: str) -> str:
    return full_name.rpartition(":")[2]
