"""The shapes of a model's inputs: fixed, as hardware needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx_ir as ir

from brainsmith.errors import ModelError, nearest
from brainsmith.model import valuetypes


def fix_inputs(graph: ir.Graph, shapes: Mapping[str, Sequence[int]]) -> None:
    """Gives every input a fixed shape, and forgets the shapes that depended on open dimensions.

    A symbol that one shape binds (the `N` of `Nx784`) is bound for all inputs.

    Args:
        graph: the graph.
        shapes: shapes by the name of the input.

    Raises:
        ModelError: an unknown input, a shape that contradicts the model, or an input whose shape
            is still open.
    """
    inputs = {value.name or "": value for value in graph.inputs}
    symbols: dict[str, int] = {}
    for name, shape in shapes.items():
        if name not in inputs:
            raise ModelError(f"the model has no input '{name}'", hint=nearest(name, inputs))
        _bind(inputs[name], tuple(shape), symbols)
    for name, value in inputs.items():
        if not isinstance(value.type, ir.TensorType):
            raise ModelError(f"the input '{name}' is no tensor of a known type")
        _substitute(value, symbols)
        if value.shape is None or not value.shape.is_static() or 0 in value.shape.numpy():
            raise ModelError(
                f"the shape of the input '{name}' is not fixed: {_text(value.shape)}",
                where=f"input '{name}'",
                hint=f"--shape {name}={_proposal(value.shape)}",
            )
    for value in valuetypes.graph_values(graph):
        if value.shape is not None and not value.shape.is_static():
            value.shape = None


def _bind(value: ir.Value, shape: tuple[int, ...], symbols: dict[str, int]) -> None:
    declared = value.shape
    fits = all(isinstance(dim, int) and dim > 0 for dim in shape)
    if declared is not None:
        fits &= len(declared) == len(shape)
        for old, new in zip(declared, shape, strict=False):
            if isinstance(old, int):
                fits &= old in (0, new)
            elif old.value is not None:
                fits &= symbols.setdefault(old.value, new) == new
    if not fits:
        raise ModelError(
            f"the input '{value.name}' of shape {_text(declared)} cannot have the shape "
            f"{list(shape)}",
            where=f"input '{value.name}'",
            hint=f"--shape {value.name}={_proposal(declared)}",
        )
    value.shape = ir.Shape(shape)


def _substitute(value: ir.Value, symbols: Mapping[str, int]) -> None:
    if value.shape is None or value.shape.is_static():
        return
    dims = [d if isinstance(d, int) else symbols.get(d.value or "", d) for d in value.shape]
    value.shape = ir.Shape(dims)


def _text(shape: ir.Shape | None) -> str:
    if shape is None:
        return "unknown"
    dims = (str(d) if isinstance(d, int) else d.value or "?" for d in shape)
    return "[" + ", ".join(dims) + "]"


def _proposal(shape: ir.Shape | None) -> str:
    """The shape with 1 for open dimensions, which most often are the batch."""
    if shape is None or len(shape) == 0:
        return "1,784"
    return ",".join(str(d) if isinstance(d, int) and d > 0 else "1" for d in shape)
