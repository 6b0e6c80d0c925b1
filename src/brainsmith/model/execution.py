"""Reference execution of the original model: the one truth for the faithful half.

Standard nodes run in ONNX Runtime with every optimization off, QONNX operators in QONNX's own
code. A caller may replace values while the model runs, and so feed it the compiled model's
integers at the borders of its layers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import onnx_ir as ir

from brainsmith.errors import ModelError, nearest
from brainsmith.model.constants import array_of
from brainsmith.model.dialects import CHANNELS_LAST, is_qonnx
from brainsmith.model.model import Model
from brainsmith.model.operators import OperatorRunner
from brainsmith.model.runners import Arrays, OrtRunner, QonnxRunner, Runner, captured

Override: TypeAlias = np.ndarray | Callable[[np.ndarray], np.ndarray]


class Executor:
    """Executes a model, frame by frame.

    Args:
        model: the model; it must not change while the executor is used.
        keep: names of the values to return, besides the outputs of the graph; None for all.
    """

    def __init__(self, model: Model, keep: Collection[str] | None = ()) -> None:
        self._model = model
        self._nodes = list(model.graph)
        self._made = {v.name or "": v for node in self._nodes for v in node.outputs if v.name}
        self._inputs = {value.name or "": value for value in model.graph.inputs}
        for name in keep or ():
            self._check(name, {**self._made, **self._inputs})
        self._keep = frozenset(self._made if keep is None else keep)
        self._outputs = tuple(value.name or "" for value in model.graph.outputs)
        self._plans: dict[frozenset[str], list[Runner]] = {}

    def run(
        self,
        inputs: Mapping[str, np.ndarray],
        overrides: Mapping[str, Override] | None = None,
    ) -> Arrays:
        """Executes one frame.

        Args:
            inputs: an array for each input of the graph, of its shape; numbers are converted to
                its element type.
            overrides: for a value's name, what its consumers see in place of what was computed:
                an array, or a function of what was computed. The result holds what was computed.

        Returns:
            The outputs of the graph and the values to keep, by name.

        Raises:
            ModelError: an input is missing or has another shape, or a node cannot be executed.
        """
        overrides = overrides or {}
        for name in overrides:
            self._check(name, self._made)
        values = self._fed(inputs)
        seen = dict(values)
        for runner in self._plan(frozenset(overrides)):
            for name, array in runner.run(values).items():
                seen[name] = array
                values[name] = _replaced(array, overrides.get(name))
        wanted = {*self._outputs, *self._keep}
        return {name: self._result(name, seen) for name in wanted}

    def _plan(self, cuts: frozenset[str]) -> list[Runner]:
        if cuts not in self._plans:
            wanted = {*self._outputs, *self._keep}
            self._plans[cuts] = list(_compiled(self._model, self._nodes, cuts, wanted))
        return self._plans[cuts]

    def _fed(self, inputs: Mapping[str, np.ndarray]) -> Arrays:
        for name in inputs:
            self._check(name, self._inputs)
        fed: Arrays = {}
        for name, value in self._inputs.items():
            if name not in inputs:
                raise ModelError(f"the input '{name}' of the model is not given")
            shape = self._model.shape(value)
            array = np.asarray(inputs[name])
            if array.shape != shape:
                raise ModelError(
                    f"the input '{name}' has the shape {list(shape)}, not {list(array.shape)}"
                )
            element = value.dtype or ir.DataType.FLOAT
            fed[name] = array.astype(element.numpy(), copy=False)
        return fed

    def _result(self, name: str, seen: Mapping[str, np.ndarray]) -> np.ndarray:
        if name in seen:
            return seen[name]
        array = array_of(self._model.value(name))  # an output of the graph that is a constant
        if array is None:
            raise ModelError(f"nothing computes '{name}'")
        return array

    @staticmethod
    def _check(name: str, known: Mapping[str, ir.Value]) -> None:
        if name not in known:
            raise ModelError(f"there is no value '{name}'", hint=nearest(name, known))


def execute(
    model: Model,
    inputs: Mapping[str, np.ndarray],
    *,
    overrides: Mapping[str, Override] | None = None,
    keep: Collection[str] | None = (),
) -> Arrays:
    """Executes one frame; see `Executor`, which is for many."""
    return Executor(model, keep).run(inputs, overrides)


def evaluate(
    model: Model,
    nodes: Sequence[ir.Node],
    wanted: Collection[str],
    feeds: Mapping[str, np.ndarray] | None = None,
) -> Arrays:
    """Executes some nodes of a model, in their order, and returns the values called `wanted`.

    Args:
        model: the model.
        nodes: nodes that read constants, each other's outputs, and `feeds`.
        wanted: names of outputs of these nodes.
        feeds: further values, by name.

    Raises:
        ModelError: a node cannot be executed.
    """
    values = dict(feeds or {})
    for runner in _compiled(model, nodes, frozenset(), wanted):
        values.update(runner.run(values))
    return {name: values[name] for name in wanted}


def node_runner(model: Model, node: ir.Node) -> Runner:
    """What executes one node of a model alone."""
    if is_qonnx(node):
        return _qonnx(model, node)
    return OrtRunner([node], [value.name for value in node.outputs if value.name], model.ir)


def _compiled(
    model: Model, nodes: Sequence[ir.Node], cuts: frozenset[str], wanted: Collection[str]
) -> Iterator[Runner]:
    """Runners in the order of the nodes; a value of `cuts` ends a segment."""
    # A value leaves its segment if a later one reads it, or if it is asked for.
    needed = {*wanted, *cuts}
    plan: list[tuple[list[ir.Node], list[str]]] = []
    for segment in reversed(list(_segments(nodes, cuts))):
        writes = [v.name for n in segment for v in n.outputs if v.name and v.name in needed]
        plan.append((segment, writes))
        needed.update(value.name or "" for value in captured(segment))
    for segment, writes in reversed(plan):
        if is_qonnx(segment[0]):
            yield _qonnx(model, segment[0])
        elif writes:
            yield OrtRunner(segment, writes, model.ir)


def _qonnx(model: Model, node: ir.Node) -> Runner:
    if node.domain == CHANNELS_LAST:
        return OperatorRunner(node, model.ir)
    constants = {
        value.name or "": array
        for value in node.inputs
        if value is not None and (array := array_of(value)) is not None
    }
    return QonnxRunner(node, constants, model.ir.opset_imports.get(node.domain, 1))


def _segments(nodes: Sequence[ir.Node], cuts: frozenset[str]) -> Iterator[list[ir.Node]]:
    """Runs of standard nodes; a QONNX node, and a node that writes a cut, ends its run."""
    segment: list[ir.Node] = []
    for node in nodes:
        if is_qonnx(node):
            if segment:
                yield segment
            yield [node]
            segment = []
            continue
        segment.append(node)
        if any(value.name in cuts for value in node.outputs):
            yield segment
            segment = []
    if segment:
        yield segment


def _replaced(array: np.ndarray, override: Override | None) -> np.ndarray:
    if override is None:
        return array
    other = override(array) if callable(override) else np.asarray(override)
    if other.shape != array.shape:
        raise ModelError(
            f"a value of the shape {list(array.shape)} is replaced by one of {list(other.shape)}"
        )
    return other.astype(array.dtype, copy=False)
