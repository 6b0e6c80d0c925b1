"""The model: an onnx_ir graph with the integer datatype and reachable range of each value."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnx_ir as ir

from brainsmith.errors import ModelError, nearest
from brainsmith.model import loading, valuetypes
from brainsmith.model.constants import array_of
from brainsmith.model.datatypes import IntType
from brainsmith.model.origin import Note, Origin
from brainsmith.model.valuetypes import graph_values

if TYPE_CHECKING:
    from qonnx.core.modelwrapper import ModelWrapper


@dataclass(frozen=True)
class Naming:
    """How far a model is with naming.

    Attributes:
        taken: the names that are taken; None where the graph alone decides.
        suffixes: the next number to try, by what a name is made from.
    """

    taken: tuple[str, ...] | None
    suffixes: Mapping[str, int]


class Model:
    """An ONNX graph whose values carry an integer datatype and a range.

    Every method takes time that does not grow with the graph, except loading, writing, copying
    and the first look-up of a name.

    Attributes:
        ir: the graph; change it freely through onnx_ir.
        origins: what integer values of the compiled model stand for in the original one, by the
            name of the integer value.
        notes: why transforms left nodes as they were.
    """

    def __init__(self, model: ir.Model, origins: Mapping[str, Origin] | None = None) -> None:
        self.ir = model
        self.origins: dict[str, Origin] = dict(origins or {})
        self.notes: list[Note] = []
        self._values: dict[str, ir.Value] = {}
        self._names: set[str] | None = None
        self._suffixes: dict[str, int] = {}

    # --- coming and going -----------------------------------------------------------------

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, shapes: Mapping[str, Sequence[int]] | None = None
    ) -> Model:
        """Reads an ONNX or QONNX file; executes nothing.

        Args:
            path: the file. External data is found beside it.
            shapes: shapes of inputs, by name, for inputs with dynamic or missing ones.

        Raises:
            ModelError: the file is missing, damaged or no model, or the model is malformed.
        """
        path = Path(path)
        return cls(loading.ingest(loading.read(path), path.parent, shapes or {}))

    @classmethod
    def from_proto(
        cls,
        proto: onnx.ModelProto,
        *,
        shapes: Mapping[str, Sequence[int]] | None = None,
        folder: str | os.PathLike[str] | None = None,
        origins: Mapping[str, Origin] | None = None,
    ) -> Model:
        """Takes an ONNX proto; `folder` is where its external data lies, if it has any."""
        base = None if folder is None else Path(folder)
        return cls(loading.ingest(proto, base, shapes or {}), origins)

    def to_proto(self) -> onnx.ModelProto:
        """The model as an ONNX proto with QONNX datatype annotations; the tensors are copied."""
        proto = ir.to_proto(loading.with_data(self.ir))
        valuetypes.write_annotations(self.graph, proto.graph)
        return proto

    @classmethod
    def from_qonnx(
        cls, wrapper: ModelWrapper, *, origins: Mapping[str, Origin] | None = None
    ) -> Model:
        """Takes a QONNX ModelWrapper. Ranges do not survive the way through QONNX."""
        return cls.from_proto(wrapper.model, origins=origins)

    def to_qonnx(self) -> ModelWrapper:
        """The model as a QONNX ModelWrapper of its own."""
        from qonnx.core.modelwrapper import ModelWrapper

        return ModelWrapper(self.to_proto())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model to one file: wholly, or not at all.

        Raises:
            StorageError: the file cannot be written.
        """
        loading.write(self.to_proto(), Path(path))

    def copy(self) -> Model:
        """A copy of the graph; constant tensors are shared, since nobody changes them in place."""
        copy = Model(self.ir.clone(), self.origins)
        copy.notes = list(self.notes)
        return copy

    # --- values ---------------------------------------------------------------------------

    @property
    def graph(self) -> ir.Graph:
        return self.ir.graph

    def value(self, name: str) -> ir.Value:
        """The value called `name`.

        Raises:
            ModelError: there is none.
        """
        found = self.find(name)
        if found is None:
            raise ModelError(f"there is no value '{name}'", hint=nearest(name, self._values))
        return found

    def find(self, name: str) -> ir.Value | None:
        """The value called `name`, or None. Looking for one that is missing takes a walk."""
        found = self._values.get(name)
        if found is None or found.name != name or found.graph is not self.graph:
            # The graph changes without our knowledge, so the index is made again on a miss.
            self._values = {value.name or "": value for value in graph_values(self.graph)}
            found = self._values.get(name)
        return found

    def shape(self, value: ir.Value) -> tuple[int, ...]:
        """The shape of a value.

        Raises:
            ModelError: it is unknown or not fixed.
        """
        shape = value.shape
        if shape is None or not shape.is_static():
            raise ModelError(
                f"the shape of '{value.name}' is not known",
                where=f"value '{value.name}'",
                hint="run the transform InferShapes, or fix the shapes of the inputs",
            )
        return tuple(int(dim) for dim in shape.numpy())

    def datatype(self, value: ir.Value) -> IntType | None:
        """The integer datatype: annotated, or that of an integer tensor. None for a float."""
        return valuetypes.get_datatype(value)

    def set_datatype(self, value: ir.Value, datatype: IntType | None) -> None:
        """Sets the integer datatype (None: not annotated) and forgets the range."""
        valuetypes.put_datatype(value, datatype)

    def range_of(self, value: ir.Value) -> tuple[int, int] | None:
        """Least and greatest reachable integer; None for a float.

        The range that was set, else that of a constant's elements, else the datatype's.
        """
        known = valuetypes.get_range(value)
        if known is not None:
            return known
        datatype = self.datatype(value)
        if datatype is None:
            return None
        array = self.constant(value)
        if array is None or array.size == 0:
            return datatype.min, datatype.max
        lo, hi = int(array.min()), int(array.max())
        valuetypes.put_range(value, lo, hi)
        return lo, hi

    def set_range(self, value: ir.Value, lo: int, hi: int) -> None:
        """Says that the value reaches only the integers [lo, hi].

        Raises:
            ModelError: the range is empty, or outside the datatype, or there is no datatype.
        """
        datatype = self.datatype(value)
        if datatype is None or lo > hi or lo < datatype.min or hi > datatype.max:
            raise ModelError(
                f"the range [{lo}, {hi}] does not fit the datatype {datatype or 'FLOAT32'}",
                where=f"value '{value.name}'",
            )
        valuetypes.put_range(value, int(lo), int(hi))

    def constant(self, value: ir.Value) -> np.ndarray | None:
        """The array of an initializer or of a Constant node, read-only; None for a stream."""
        return array_of(value)

    # --- changing -------------------------------------------------------------------------

    def add_initializer(
        self, name_hint: str, array: np.ndarray, datatype: IntType | None = None
    ) -> ir.Value:
        """Adds a constant under a unique name made from `name_hint`."""
        name = self.fresh_name(name_hint)
        tensor = ir.Tensor(np.array(array), name=name)
        value = ir.Value(
            name=name,
            type=ir.TensorType(tensor.dtype),
            shape=ir.Shape(tensor.shape.numpy()),
            const_value=tensor,
        )
        self.graph.register_initializer(value)
        self._values[name] = value
        if datatype is not None:
            self.set_datatype(value, datatype)
        return value

    def add_node(
        self,
        op_type: str,
        inputs: Sequence[ir.Value | None],
        *,
        name_hint: str = "",
        domain: str = "",
        attributes: Mapping[str, Any] | None = None,
        shape: Sequence[int] | None = None,
        element: ir.DataType = ir.DataType.FLOAT,
        datatype: IntType | None = None,
        before: ir.Node | None = None,
        after: ir.Node | None = None,
    ) -> ir.Value:
        """Adds a node with one output and returns that output.

        Args:
            op_type: the operator.
            inputs: its operands.
            name_hint: from which node and output get unique names; default: `op_type`.
            domain: the operator's domain.
            attributes: int, float, str, arrays or lists of these.
            shape: the shape of the output; unknown if None.
            element: the element type of the output.
            datatype: the integer datatype of the output.
            before: the node in front of which to insert; at the end if None.
            after: the node behind which to insert, in place of `before`.
        """
        name = self.fresh_name(name_hint or op_type)
        output = ir.Value(
            name=self.fresh_name(f"{name}_out"),
            type=ir.TensorType(element),
            shape=None if shape is None else ir.Shape(shape),
        )
        node = ir.node(
            op_type, inputs, attributes or {}, domain=domain, outputs=[output], name=name
        )
        if before is not None:
            self.graph.insert_before(before, node)
        elif after is not None:
            self.graph.insert_after(after, node)
        else:
            self.graph.append(node)
        self._values[output.name or ""] = output
        if datatype is not None:
            self.set_datatype(output, datatype)
        return output

    def add_output(
        self,
        node: ir.Node,
        *,
        name_hint: str,
        shape: Sequence[int],
        element: ir.DataType = ir.DataType.FLOAT,
    ) -> ir.Value:
        """Adds one more output to a node and returns it; the arguments are those of `add_node`."""
        node.resize_outputs(len(node.outputs) + 1)
        output = node.outputs[-1]
        output.name = self.fresh_name(f"{name_hint}_out")
        output.type, output.shape = ir.TensorType(element), ir.Shape(shape)
        self._values[output.name] = output
        return output

    def make_constant(self, value: ir.Value, array: np.ndarray) -> ir.Value:
        """Puts an initializer of the same name and datatype in the place of a computed value.

        The node that computed it goes, once nothing reads any of its outputs. A value that is an
        output of the graph stays computed.

        Returns:
            The initializer, or `value` where it stays.
        """
        node = value.producer()
        if node is None or value.is_graph_output():
            return value
        tensor = ir.Tensor(np.array(array), name=value.name)
        constant = ir.Value(
            name=value.name,
            type=ir.TensorType(tensor.dtype),
            shape=ir.Shape(array.shape),
            const_value=tensor,
        )
        valuetypes.put_datatype(constant, valuetypes.get_annotation(value))
        value.replace_all_uses_with(constant)
        self.graph.register_initializer(constant)
        self._values[value.name or ""] = constant
        if not any(output.uses() or output.is_graph_output() for output in node.outputs):
            self.graph.remove(node, safe=True)
        return constant

    def bypass(self, node: ir.Node) -> bool:
        """Removes a node whose first output equals its first input; readers get the input.

        The names of the graph's outputs stay: where the node computes one, its input takes the
        name over. Returns whether it could: a graph input or constant cannot be an output.
        """
        source, value = node.inputs[0], node.outputs[0]
        if source is None or any(output.uses() for output in node.outputs[1:]):
            return False
        if any(output.is_graph_output() for output in node.outputs[1:]):
            return False
        is_output = value.is_graph_output()
        if is_output and (source.producer() is None or source.is_graph_output()):
            return False
        if valuetypes.get_datatype(source) is None:
            valuetypes.put_datatype(source, valuetypes.get_annotation(value))
        value.replace_all_uses_with(source, replace_graph_outputs=True)
        self.graph.remove(node, safe=True)
        if is_output:
            self.rename(source, value.name or "")
        return True

    def rename(self, value: ir.Value, name: str) -> None:
        """Gives a value another name, under which its origin is found from then on."""
        origin = self.origins.pop(value.name or "", None)
        if origin is not None:
            self.origins[name] = origin
        value.name = name
        self._values[name] = value
        if self._names is not None:
            self._names.add(name)

    def fresh_name(self, hint: str) -> str:
        """A name that no value and no node has, made from `hint`; it is taken from then on."""
        if self._names is None:
            self._names = {value.name or "" for value in graph_values(self.graph)}
            self._names.update(node.name or "" for node in self.graph.all_nodes())
            self._names.update(v.name or "" for n in self.graph.all_nodes() for v in n.outputs)
        name, suffix = hint, self._suffixes.get(hint, 1)
        while not name or name in self._names:
            name, suffix = f"{hint}_{suffix}", suffix + 1
        self._suffixes[hint] = suffix
        self._names.add(name)
        return name

    @property
    def naming(self) -> Naming:
        """What `fresh_name` knows, so that a model elsewhere can go on with the same names."""
        taken = None if self._names is None else tuple(sorted(self._names))
        return Naming(taken, dict(self._suffixes))

    @naming.setter
    def naming(self, naming: Naming) -> None:
        self._names = None if naming.taken is None else set(naming.taken)
        self._suffixes = dict(naming.suffixes)
