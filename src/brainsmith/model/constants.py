"""Constants of a graph: initializers and the outputs of Constant nodes."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from brainsmith.model.dialects import is_standard

_SCALARS = {"value_float": np.float32, "value_int": np.int64}
_LISTS = {"value_floats": np.float32, "value_ints": np.int64}


def array_of(value: ir.Value) -> np.ndarray | None:
    """The array of a constant, read-only; None for a value that depends on the inputs."""
    if value.is_initializer() and value.const_value is not None:
        return _frozen(value.const_value.numpy())
    node = value.producer()
    if node is None or not is_standard(node, "Constant"):
        return None
    return _of_node(node)


def is_constant(value: ir.Value) -> bool:
    """Whether the value is an initializer or the output of a Constant node; reads no data."""
    if value.is_initializer():
        return True
    node = value.producer()
    return node is not None and is_standard(node, "Constant")


def _of_node(node: ir.Node) -> np.ndarray | None:
    for name, attribute in node.attributes.items():
        if name == "value":
            return _frozen(attribute.as_tensor().numpy())
        kind = _SCALARS.get(name) or _LISTS.get(name)
        if kind is not None:
            return _frozen(np.array(attribute.value, dtype=kind))
    return None


def _frozen(array: np.ndarray) -> np.ndarray:
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view
