"""Datatypes and ranges at the ports of a node; of outputs what the operation infers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from brainsmith.api import IntType, Match
from brainsmith.errors import ConfigurationError, PluginError
from brainsmith.model.model import Model
from brainsmith.plugins import Component


def infer_outputs(model: Model, match: Match, operation: Component, node: str) -> bool:
    """Gives outputs of a node that have no datatype the range that the operation infers.

    Returns:
        Whether there were some.

    Raises:
        PluginError: `infer` gives no range of such an output.
    """
    ports = {p.name for p in operation.info.nest.ports if p.direction == "out"} & set(match.ports)
    unknown = {p: v for p in ports if model.datatype(v := model.value(match.ports[p])) is None}
    if not unknown:
        return False
    ranges = {
        port: describe(model, name, match.statics.get(port), node)[1]
        for port, name in match.ports.items()
        if port not in ports
    }
    (inferred,) = operation.code.calls([("infer", (match, ranges))])
    for port, value in unknown.items():
        lo, hi = _range(inferred, port, f"{node}, method 'infer' of {operation.full_name}")
        model.set_datatype(value, IntType.covering(lo, hi))
        model.set_range(value, lo, hi)
    return True


def _range(inferred: object, port: str, where: str) -> tuple[int, int]:
    ends = inferred.get(port) if isinstance(inferred, Mapping) else None
    match ends:
        case (int() | np.integer() as lo, int() | np.integer() as hi) if lo <= hi:
            return int(lo), int(hi)
    raise PluginError(
        f"it gave no range of the output '{port}'",
        where=where,
        hint="it returns {port: (least, greatest)} with integers, for every output",
    )


def describe(
    model: Model, name: str, static: np.ndarray | None, node: str
) -> tuple[IntType, tuple[int, int]]:
    """Datatype and range of the value at a port; a constant without a datatype gets its own."""
    dtype = None if name == "" else model.datatype(model.value(name))
    if static is not None and static.size:
        lo, hi = int(static.min()), int(static.max())
        return dtype or IntType.covering(lo, hi), (lo, hi)
    if dtype is None:
        raise ConfigurationError(
            f"the value '{name}' has no integer datatype, though its operation matched", where=node
        )
    return dtype, model.range_of(model.value(name)) or (dtype.min, dtype.max)
