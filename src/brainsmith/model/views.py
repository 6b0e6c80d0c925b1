"""Read-only views of values and nodes, as operations see them when they are matched.

They have the shape of the protocols in `brainsmith.api.matching`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import onnx_ir as ir

from brainsmith.model.constants import is_constant
from brainsmith.model.datatypes import IntType
from brainsmith.model.dialects import is_standard
from brainsmith.model.model import Model

VIEW_OPS = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"})


def is_view(node: ir.Node) -> bool:
    """Whether the node only gives its first input another shape: no element moves or changes.

    A Reshape whose shape is computed from the inputs is none.
    """
    if not is_standard(node, *VIEW_OPS):
        return False
    return all(operand is None or is_constant(operand) for operand in node.inputs[1:])


class ValueView:
    """A value of a model, without the right to change it."""

    __slots__ = ("_model", "_value")

    def __init__(self, model: Model, value: ir.Value) -> None:
        self._model = model
        self._value = value

    @property
    def name(self) -> str:
        return self._value.name or ""

    @property
    def shape(self) -> tuple[int, ...]:
        return self._model.shape(self._value)

    @property
    def dtype(self) -> IntType | None:
        """The integer datatype, or None for a float."""
        return self._model.datatype(self._value)

    @property
    def range(self) -> tuple[int, int] | None:
        """Least and greatest reachable integer, or None for a float."""
        return self._model.range_of(self._value)

    @property
    def constant(self) -> np.ndarray | None:
        """The value of an initializer as it is stored, or None for a stream."""
        return self._model.constant(self._value)

    @property
    def producer(self) -> NodeView | None:
        node = self._value.producer()
        return None if node is None else NodeView(self._model, node)

    @property
    def consumers(self) -> Sequence[NodeView]:
        return tuple(NodeView(self._model, node) for node in self._value.consumers())

    def __repr__(self) -> str:
        return f"ValueView({self.name!r})"


class NodeView:
    """A node of a model, without the right to change it."""

    def __init__(self, model: Model, node: ir.Node) -> None:
        self._model = model
        self._node = node

    @property
    def name(self) -> str:
        return self._node.name or ""

    @property
    def op_type(self) -> str:
        return self._node.op_type

    @property
    def domain(self) -> str:
        return self._node.domain

    @functools.cached_property
    def attributes(self) -> Mapping[str, object]:
        """int, float, str, NumPy arrays (a tensor), or tuples of these."""
        return python_attributes(self._node)

    @property
    def inputs(self) -> Sequence[ValueView | None]:
        values = self._node.inputs
        return tuple(None if value is None else ValueView(self._model, value) for value in values)

    @property
    def outputs(self) -> Sequence[ValueView]:
        return tuple(ValueView(self._model, value) for value in self._node.outputs)

    def __repr__(self) -> str:
        return f"NodeView({self.op_type} {self.name!r})"


def python_attributes(node: ir.Node) -> dict[str, object]:
    """The attributes of a node as Python values; graphs are left out."""
    graphs = (ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS)
    return {
        name: _python(attribute)
        for name, attribute in node.attributes.items()
        if attribute.type not in graphs
    }


def _python(attribute: ir.Attr) -> object:
    if attribute.type == ir.AttributeType.TENSOR:
        return attribute.as_tensor().numpy()
    if isinstance(attribute.value, (list, tuple)):
        return tuple(attribute.value)
    return attribute.value
