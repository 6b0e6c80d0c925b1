"""What a model is estimated to cost in hardware, at the foldings that a compile would choose."""

from __future__ import annotations

from brainsmith.api import Resources
from brainsmith.comparison.front import Setting
from brainsmith.comparison.records import Cost, Figure
from brainsmith.compiler.folding import choose, estimate, prepare
from brainsmith.compiler.mapping import map_model
from brainsmith.compiler.metrics import NAMES
from brainsmith.model.model import Model


def cost(setting: Setting, model: Model) -> Cost:
    """The sums over all nodes that built-in kernels or those of the plugin take.

    Args:
        model: after all stages.
    """
    target, strategy = setting.target, setting.strategy
    mapped = map_model(model, setting.kernels(), target.family, {}).mapped
    chosen = choose(
        mapped,
        target,
        objective=strategy.objective,
        budget=strategy.budget,
        clock_mhz=target.clock_mhz,
        target_fps=None,
        pinned={},
    )
    prepare([(one.candidate.kernel, [one.config]) for one in chosen])
    estimates = [estimate(one.candidate.kernel.instance, [one.config]) for one in chosen]
    intervals = [interval for (interval,), _ in estimates]
    used = sum((resources for _, (resources,) in estimates), Resources()).as_dict()
    return Cost(
        nodes=len(model.graph),
        mapped=sum(len(one.nodes) for one in mapped),
        interval=Figure(max(intervals, default=0), "cycles", "estimated"),
        cycles=Figure(sum(intervals), "cycles", "estimated"),
        resources={name: Figure(used[name], name, "estimated") for name in NAMES},
    )
