"""Whether a design fits its target, and by how much it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from brainsmith.api import Resources
from brainsmith.compiler.advice import smaller
from brainsmith.compiler.design import Instance
from brainsmith.compiler.frontend import FrontEnd
from brainsmith.compiler.guess import has_model
from brainsmith.compiler.options import CompileOptions
from brainsmith.compiler.strategy import CompilationStrategy
from brainsmith.compiler.targets import Target
from brainsmith.errors import TargetError
from brainsmith.report.records import Diagnostic, cycles_for

# An estimate of logic may be a quarter too high: only a design beyond that is refused unmeasured.
MARGIN = 1.25
# Block RAMs and DSPs are counted, not fitted: synthesis gives the same number.
COUNTED = ("BRAM", "DSP")
_MOST_LAYERS = 8  # in an error


def check_estimate(
    front: FrontEnd, target: Target, options: CompileOptions, others: Sequence[Target] = ()
) -> None:
    """Raises TargetError for a design that is too large even if the estimates are too high.

    Kernels without a resource model count as nothing: a guess is no reason to refuse a design.
    Where nothing will be synthesized, what is a little too large is only a warning.
    """
    counted = 1.0 if options.synthesize else MARGIN
    margins = {name: counted if name in COUNTED else MARGIN for name in _there(target)}
    _check(front, target, _modelled(front), "estimated", margins, options, others)


def check_measured(
    front: FrontEnd,
    target: Target,
    resources: Mapping[str, Resources],
    options: CompileOptions,
    others: Sequence[Target] = (),
) -> None:
    """Raises TargetError for a design whose measured resources are more than there are."""
    exact = dict.fromkeys(_there(target), 1.0)
    _check(front, target, resources, "measured", exact, options, others)


def doubts(
    front: FrontEnd, target: Target, strategy: CompilationStrategy, options: CompileOptions
) -> list[Diagnostic]:
    """Warnings for a design whose estimate is above the device, or above the strategy's budget."""
    needed = sum(front.estimates.values(), Resources()).as_dict()
    shares = {name: needed[name] / max(1, there) for name, there in _there(target).items()}
    over = {name: share for name, share in shares.items() if share > 1}
    if over and not options.synthesize:
        largest = _largest(front, front.estimates, next(iter(over)))
        what = f"the estimate is more than {target.name} has: {_said(over)}; {largest}"
        return [Diagnostic("warning", what, None, _hint(front, target, needed, options))]
    budget = strategy.budget
    asked = options.fit or options.target_fps is not None or options.folding is not None
    if over or budget is None or asked:
        return []
    beyond = {name: share for name, share in shares.items() if share > budget + 1e-9}
    if not beyond:
        return []
    largest = _largest(front, front.estimates, next(iter(beyond)))
    what = (
        f"the budget of the strategy '{strategy.name}', {_percent(budget)} of the device, could "
        f"not be kept: {_said(beyond)} (estimated); {largest}"
    )
    allowed = {name: int(budget * there) for name, there in _there(target).items()}
    advice = smaller(front.design.layers, needed, allowed, None)
    return [Diagnostic("warning", what, None, str(advice) if advice else None)]


def _there(target: Target) -> dict[str, int]:
    return {str(name): count for name, count in target.resources.items()}


def _said(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{_percent(share)} of its {name}" for name, share in shares.items())


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _modelled(front: FrontEnd) -> dict[str, Resources]:
    guessed = {name for name, instance in _instances(front) if not has_model(instance.kernel)}
    return {
        name: Resources() if name in guessed else estimate
        for name, estimate in front.estimates.items()
    }


def _check(
    front: FrontEnd,
    target: Target,
    resources: Mapping[str, Resources],
    how: str,
    margins: Mapping[str, float],
    options: CompileOptions,
    others: Sequence[Target],
) -> None:
    needed = sum(resources.values(), Resources()).as_dict()
    over = [name for name, there in _there(target).items() if needed[name] > margins[name] * there]
    if not over:
        return
    table = "\n".join(
        f"    {name:4} {needed[name]:>9.0f} needed ({how}) {there:>9} there"
        f"{_too_many(needed[name], there) if name in over else ''}"
        for name, there in _there(target).items()
    )
    layers = "\n".join(_layer_table(front, resources, tuple(_there(target)), over))
    first = _hint(front, target, needed, options)
    if options.fit:
        first = "no folding that was tried fits: fewer bits or channels, or a larger target"
    advice = [first, *_others(target, needed, options, others)]
    raise TargetError(
        f"the design does not fit {target.name}:\n{table}\n  the layers that need most:\n{layers}",
        hint="; or ".join(advice),
    )


def _too_many(needed: float, there: int) -> str:
    return f"   <- {needed - there:.0f} too many, {_percent(needed / max(1, there))}"


def _layer_table(
    front: FrontEnd, resources: Mapping[str, Resources], names: Sequence[str], over: Sequence[str]
) -> Iterator[str]:
    """The layers that need most of what there is too little of, and what joins the layers."""
    layers = {layer.name: resources[layer.name].as_dict() for layer in front.design.layers}
    joins = (needs for name, needs in resources.items() if name not in layers)
    apart = sum(joins, Resources()).as_dict()
    largest = sorted(layers, key=lambda name: -max(layers[name][r] for r in over))[:_MOST_LAYERS]
    rows = [(name, layers[name]) for name in largest]
    if any(apart[name] for name in names):
        rows.append(("FIFOs, converters", apart))
    width = max(len(name) for name, _ in rows)
    yield f"    {'':{width}}" + "".join(f" {name:>9}" for name in names)
    for name, used in rows:
        yield f"    {name:{width}}" + "".join(f" {used[one]:>9.0f}" for one in names)
    if len(layers) > len(largest):
        yield f"    and {len(layers) - len(largest)} smaller layers"


def _others(
    target: Target,
    needed: Mapping[str, float],
    options: CompileOptions,
    others: Sequence[Target],
) -> Iterator[str]:
    """What else may be done: let the compiler search, or take a larger device."""
    if not options.fit:
        yield "--fit, which looks for the fastest folding that fits"
    roomy = [one for one in others if one.family == target.family and _holds(one, needed)]
    if roomy:
        smallest = min(roomy, key=lambda one: sum(_there(one).values()))
        yield f"--target {smallest.name}, which has enough of everything"


def _holds(target: Target, needed: Mapping[str, float]) -> bool:
    return all(needed[name] <= there for name, there in _there(target).items())


def _hint(
    front: FrontEnd, target: Target, needed: Mapping[str, float], options: CompileOptions
) -> str:
    """Which parameters of which layers make the design fit, if any do."""
    layers, limit = front.design.layers, None
    if options.target_fps is not None:
        limit = cycles_for(options.target_fps, options.clock_mhz or target.clock_mhz)
    advice = smaller(layers, needed, _there(target), limit)
    if advice is not None:
        return str(advice)
    estimated = sum(front.estimates.values(), Resources()).as_dict()
    if all(estimated[name] <= there for name, there in _there(target).items()):
        return (
            "it was estimated to fit, so no estimate tells what would: fold more (a lower "
            "--target-fps, a folding file with smaller PE and SIMD), or choose a larger target"
        )
    if limit is not None and smaller(layers, needed, _there(target), None) is not None:
        return "a lower --target-fps, or a larger target"
    shares = {name: needed[name] / max(1, there) for name, there in _there(target).items()}
    worst = max(shares, key=shares.__getitem__)
    layer = max(layers, key=lambda layer: front.estimates[layer.name].as_dict()[worst])
    constants = " and ".join(
        f"{' x '.join(map(str, values.shape))} constants"
        for values in layer.config.statics.values()
    )
    inside = f" with {constants}" if constants else ""
    return (
        f"no parameter and no folding of these kernels makes it fit: fewer bits or channels at "
        f"{layer.config.node} ({layer.candidate.info.operation_type}{inside}), or a larger target"
    )


def _instances(front: FrontEnd) -> Iterator[tuple[str, Instance]]:
    for partition in front.design.partitions:
        for instance in partition.instances:
            yield instance.name, instance


def _largest(front: FrontEnd, resources: Mapping[str, Resources], name: str) -> str:
    """The layers that need most of a resource."""
    layers = [layer.name for layer in front.design.layers]
    layers.sort(key=lambda layer: -resources[layer].as_dict()[name])
    shares = (f"{layer} {resources[layer].as_dict()[name]:.0f}" for layer in layers[:3])
    return f"most {name}: {', '.join(shares)}"
