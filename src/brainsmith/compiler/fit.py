"""Whether a design fits its target, and by how much it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from brainsmith.api import Resources
from brainsmith.compiler.design import Instance
from brainsmith.compiler.frontend import FrontEnd
from brainsmith.compiler.guess import has_model
from brainsmith.compiler.targets import Target
from brainsmith.errors import TargetError

# An estimate may be a quarter too high, so only a design beyond that is refused unmeasured.
MARGIN = 1.25


def check_estimate(front: FrontEnd, target: Target) -> None:
    """Raises TargetError for a design that is too large even if the estimates are far too high.

    Kernels without a resource model count as nothing: a guess is no reason to refuse a design.
    """
    guessed = {name for name, instance in _instances(front) if not has_model(instance.kernel)}
    resources = {
        name: Resources() if name in guessed else estimate
        for name, estimate in front.estimates.items()
    }
    _check(front, target, resources, "estimated", MARGIN)


def check_measured(front: FrontEnd, target: Target, resources: Mapping[str, Resources]) -> None:
    """Raises TargetError for a design whose measured resources are more than there are."""
    _check(front, target, resources, "measured", 1.0)


def _check(
    front: FrontEnd, target: Target, resources: Mapping[str, Resources], how: str, margin: float
) -> None:
    needed = sum(resources.values(), Resources()).as_dict()
    over = [name for name, there in target.resources.items() if needed[name] > margin * there]
    if not over:
        return
    table = "\n".join(
        f"    {name:4} {needed[name]:>9.0f} needed ({how}) {there:>9} there"
        f"{'   <- too many' if name in over else ''}"
        for name, there in target.resources.items()
    )
    raise TargetError(
        f"the design does not fit {target.name}:\n{table}\n  {_largest(front, resources, over[0])}",
        hint="fold more (--strategy area, a lower --target-fps), or choose a larger target",
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
