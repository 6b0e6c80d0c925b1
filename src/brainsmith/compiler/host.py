"""A design executed step by step: partitions by a runner, the rest by the model's reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from brainsmith.api import BIPOLAR
from brainsmith.compiler.design import Design, Partition
from brainsmith.errors import ConfigurationError
from brainsmith.model.execution import node_runner
from brainsmith.model.model import Model
from brainsmith.model.runners import Runner as NodeRunner

Frames = Mapping[str, np.ndarray]
Runner = Callable[[Partition, Frames], Mapping[str, np.ndarray]]


def run_design(
    design: Design, model: Model, inputs: Frames, runner: Runner
) -> dict[str, np.ndarray]:
    """Every value that is computed, by name, each (frames, *shape).

    Integers are int64, what the host computes has the type that ONNX gives it.

    Args:
        design: what runs where.
        model: the compiled integer model.
        inputs: frames of each input of the model.
        runner: computes a partition from int64 of shape (frames, elements) by value.

    Raises:
        ConfigurationError: an input of the hardware is no integer of its datatype.
    """
    values: dict[str, np.ndarray] = dict(inputs)
    for step in design.steps:
        if isinstance(step, Partition):
            given = {port.value: _integers(model, values, port.value) for port in step.inputs}
            for name, array in runner(step, given).items():
                values[name] = array.reshape(len(array), *_shape(model, name))
        else:
            values.update(_on_host(design, model, step.nodes, values))
    for output in model.graph.outputs:
        name = output.name or ""
        if name not in values:
            values[name] = _view(design, model, values, name)
    return values


def _shape(model: Model, name: str) -> tuple[int, ...]:
    """The shape of a value; one between the parts of a node is no value of the model."""
    value = model.find(name)
    return (-1,) if value is None else model.shape(value)


def _on_host(
    design: Design, model: Model, nodes: tuple[str, ...], values: Frames
) -> dict[str, np.ndarray]:
    """The outputs of some nodes for every frame."""
    computed = dict(values)
    made: dict[str, np.ndarray] = {}
    count = len(next(iter(values.values())))
    wanted = set(nodes)
    for node in model.graph:
        if node.name not in wanted:
            continue
        runner = node_runner(model, node)
        streams = [v for v in node.inputs if v is not None and model.constant(v) is None]
        feeds = {v.name or "": _typed(design, model, computed, v.name or "") for v in streams}
        for name, array in _run(runner, feeds, count).items():
            made[name] = computed[name] = array
    return made


def _run(runner: NodeRunner, feeds: Frames, count: int) -> dict[str, np.ndarray]:
    """The outputs of a node for `count` frames; the same for all where it reads only constants."""
    if not feeds:
        once = runner.run({})
        return {name: np.repeat(array[None], count, axis=0) for name, array in once.items()}
    rows = zip(*feeds.values(), strict=True)
    frames = [runner.run(dict(zip(feeds, row, strict=True))) for row in rows]
    return {name: np.stack([frame[name] for frame in frames]) for name in frames[0]}


def _typed(design: Design, model: Model, values: Frames, name: str) -> np.ndarray:
    """A value in the element type that the graph gives it."""
    element = model.value(name).dtype
    array = _view(design, model, values, name)
    return array if element is None else array.astype(element.numpy(), copy=False)


def _view(design: Design, model: Model, values: Frames, name: str) -> np.ndarray:
    """A value that is there, or a view of one that is."""
    source = name
    while source not in values:
        source = design.alias[source]
    array = values[source]
    return array.reshape(len(array), *model.shape(model.value(name)))


def _integers(model: Model, values: Frames, name: str) -> np.ndarray:
    array = values[name]
    flat = array.reshape(len(array), -1)
    if np.issubdtype(flat.dtype, np.integer):
        whole = flat.astype(np.int64)
    else:
        whole = np.rint(flat).astype(np.int64)
        if not np.array_equal(whole, flat):
            raise ConfigurationError(f"the input '{name}' of the accelerator is not integer")
    dtype = model.datatype(model.value(name))
    outside = dtype is not None and (whole.min() < dtype.min or whole.max() > dtype.max)
    if outside or (dtype == BIPOLAR and not whole.all()):
        raise ConfigurationError(
            f"the input '{name}' reaches from {whole.min()} to {whole.max()}, outside of {dtype}"
        )
    return whole
