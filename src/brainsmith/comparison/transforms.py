"""A transform of the plugin at its stage: what the model computes, and costs, with and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from brainsmith.comparison.cost import cost
from brainsmith.comparison.front import Setting, params_of
from brainsmith.comparison.options import ComparisonOptions
from brainsmith.comparison.records import Problem, TransformComparison
from brainsmith.comparison.stimulate import Frames
from brainsmith.compiler.outputs import OutputDifference, differences
from brainsmith.compiler.stages import Step
from brainsmith.compiler.strategy import TransformSpec
from brainsmith.errors import BrainsmithError, PluginSecurityError, StorageError
from brainsmith.model.model import Model
from brainsmith.plugins import Component


def specs(setting: Setting, options: ComparisonOptions) -> list[TransformSpec]:
    """The plugin's transforms, with the parameters and the stage that they are to have."""
    return [
        TransformSpec(one.full_name, params_of(one, options.params), options.stage)
        for one in setting.plugin.components
        if one.kind == "transforms"
    ]


def compare_transform(
    setting: Setting, component: Component, options: ComparisonOptions, inputs: Sequence[Frames]
) -> TransformComparison:
    """Applies one transform, and compares what the model computes right before and after it.

    Args:
        inputs: sets of frames of the model, (frames, *shape) by name: generated ones, given ones.

    Raises:
        ConfigurationError: a parameter does not exist, or a QONNX transformation has no stage.
        PluginSecurityError: the plugin did what it may not.
    """
    spec = TransformSpec(component.full_name, params_of(component, options.params), options.stage)
    steps = setting.steps([spec])
    at = next(i for i, one in enumerate(steps) if one.component.full_name == component.full_name)
    found = TransformComparison(
        component.full_name, steps[at].stage, tolerance=component.info.allowed_difference
    )
    before = setting.run(setting.original, steps[:at])
    try:
        after = setting.run(before, steps[at : at + 1])
        found = replace(found, nodes_before=len(before.graph), nodes_after=len(after.graph))
        found = _outputs(found, before, after, inputs)
        found = _costs(setting, found, before, after, steps[at + 1 :])
    except (PluginSecurityError, StorageError):
        raise
    except BrainsmithError as error:
        return replace(found, problems=(*found.problems, Problem.of(error)))
    return found


def _outputs(
    found: TransformComparison, before: Model, after: Model, inputs: Sequence[Frames]
) -> TransformComparison:
    elements, largest = 0, 0.0
    first: OutputDifference | None = None
    for some in inputs:
        for one in differences(before, after, some):
            elements += one.size
            largest = max(largest, one.largest)
            if first is None and not one.largest <= found.tolerance:
                first = one
    problems = () if first is None else (_wrong(found, first),)
    return replace(
        found,
        frames=sum(len(next(iter(some.values()))) for some in inputs),
        elements=elements,
        largest_difference=largest,
        problems=problems,
    )


def _wrong(found: TransformComparison, first: OutputDifference) -> Problem:
    allowed = f", more than the {found.tolerance:g} that it declares" if found.tolerance else ""
    return Problem(
        f"after it the model computes something else{allowed}: {first}",
        f"{found.transform} at {found.stage}",
        "where a difference is meant, declare how large it may be: "
        "the class attribute `tolerance = 0.01`",
    )


def _costs(
    setting: Setting,
    found: TransformComparison,
    before: Model,
    after: Model,
    rest: Sequence[Step],
) -> TransformComparison:
    """What the whole model costs without the transform and with it, after all other stages."""
    without, with_it = (cost(setting, setting.run(model, rest)) for model in (before, after))
    return replace(found, without=without, with_it=with_it)
