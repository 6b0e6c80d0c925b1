"""How a transform is applied: given the model in the form that it takes, and its result checked."""

from __future__ import annotations

from typing import Any

import onnx_ir as ir

from brainsmith.api.config import TransformConfig
from brainsmith.errors import ModelError, PluginError
from brainsmith.model import structure
from brainsmith.model.model import Model
from brainsmith.model.valuetypes import graph_values
from brainsmith.plugins.description import Description
from brainsmith.plugins.seeds import seeded

_HINT = "return the transformed model"


def apply(
    cls: Any, description: Description, config: TransformConfig, model: Model, where: str
) -> Model:
    """The transformed model, with the inputs and outputs of the given one.

    Args:
        cls: the transform's class.
        description: what it takes.
        config: its configuration; a QONNX transformation is made with its parameters.
        model: the model, which may be changed.
        where: what is applied, for errors.

    Raises:
        PluginError: it returned no model, or one with other inputs or outputs.
    """
    ends = ends_of(model)
    with seeded():
        result = _result(cls, description, config, model)
    after = _as_model(result, model, where)
    _put_in_order(after, where)
    keep_ends(after, ends, where)
    return after


def _result(cls: Any, description: Description, config: TransformConfig, model: Model) -> Any:
    if description.is_qonnx:
        return model.to_qonnx().transform(cls(**config.params))
    given: Any = model
    if description.form == "ModelWrapper":
        given = model.to_qonnx()
    elif description.form == "ModelProto":
        given = model.to_proto()
    return cls().apply(given, config)


def _put_in_order(model: Model, where: str) -> None:
    try:
        if not structure.is_in_order(model.graph):
            structure.sort(model.graph)
    except ModelError as error:
        raise PluginError(f"the transform's result: {error.what}", where=where) from error


def _as_model(result: Any, before: Model, where: str) -> Model:
    """What a transform returned, as a Model that still knows where its values come from."""
    if isinstance(result, Model):
        return result
    kind = type(result).__name__
    if kind == "ModelWrapper":
        after = Model.from_qonnx(result, origins=before.origins)
    elif kind == "ModelProto":
        after = Model.from_proto(result, origins=before.origins)
    elif result is None:
        raise PluginError("the transform returned nothing", where=where, hint=_HINT)
    else:
        raise PluginError(f"the transform returned {kind}", where=where, hint=_HINT)
    after.notes = list(before.notes)
    return after


Ends = dict[str, list[tuple[str, tuple[int, ...] | None]]]


def ends_of(model: Model) -> Ends:
    """Names and shapes of a model's inputs and outputs."""
    return {
        kind: [(value.name or "", _shape(value)) for value in getattr(model.graph, kind)]
        for kind in ("inputs", "outputs")
    }


def keep_ends(after: Model, ends: Ends, where: str) -> None:
    """Gives the inputs and outputs their names back: the user feeds and reads them by these.

    Raises:
        PluginError: there are more or fewer of them, in another order, or of another shape.
    """
    renamed = []
    for kind, old in ends.items():
        new = getattr(after.graph, kind)
        if len(old) != len(new):
            raise PluginError(
                f"the transform made {len(new)} {kind} of the model's {len(old)}", where=where
            )
        names = [value.name or "" for value in new]
        known = [name for name, _ in old]
        if names != known and sorted(names) == sorted(known):
            raise PluginError(f"the transform put the {kind} in another order", where=where)
        for value, (name, shape) in zip(new, old, strict=True):
            if shape is not None and _shape(value) not in (None, shape):
                raise PluginError(
                    f"the transform made '{name}' {_shape(value)}, it was {shape}", where=where
                )
            if value.name != name:
                renamed.append((value, name))
    _rename(after, renamed)


def _rename(model: Model, renamed: list[tuple[ir.Value, str]]) -> None:
    wanted = {name for _, name in renamed}
    for value in list(graph_values(model.graph)) if wanted else ():
        if (taken := value.name or "") in wanted:  # another one has the name now
            model.rename(value, model.fresh_name(taken))
    for value, name in renamed:
        model.rename(value, name)


def _shape(value: ir.Value) -> tuple[int, ...] | None:
    shape = value.shape
    return tuple(shape.numpy()) if shape is not None and shape.is_static() else None
