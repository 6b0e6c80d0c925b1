"""Compositions: how the parts of a kernel that is made of other operations are wired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from brainsmith.api import Composition, IntType, KernelConfig, LoopNest, Part
from brainsmith.errors import PluginError, nearest

if TYPE_CHECKING:
    from brainsmith.compiler.mapping import Mapped


def wiring_of(composition: object, whole: Mapped, where: str) -> dict[str, str]:
    """The value at each connected port of the parts, by "PART.PORT".

    Args:
        composition: what the backend returned.
        whole: the node that it implements.
        where: the kernel, for errors.

    Raises:
        PluginError: it is no composition, or a connection names what is not there, or a sink has
            two sources, or a port of the composition or of a part is left open.
    """
    if not isinstance(composition, Composition):
        raise PluginError(
            f"the backend returned {type(composition).__name__}, not a Composition",
            where=where,
            hint="leave `composition=True` out of @backend",
        )
    names = [part.name for part in composition.parts]
    if not names or len(set(names)) != len(names):
        raise PluginError("a composition needs parts with names of their own", where=where)
    own = {**whole.inputs, **whole.outputs}
    wiring: dict[str, str] = {}
    outer: set[str] = set()
    # Those to the composition's own ports first: they say how the value is called.
    for source, sink in sorted(composition.connections, key=lambda ends: "." in ends[1]):
        for end in (source, sink):
            _check_end(end, composition, own, where)
        outer |= {end for end in (source, sink) if "." not in end}
        value = own.get(sink) or own.get(source) or f"{whole.node}.{source}"
        wiring.setdefault(source, value)
        if sink in wiring:
            raise PluginError(f"'{sink}' has two sources", where=where)
        wiring[sink] = wiring[source]
    streams = [
        f"{part.name}.{port}"
        for part in composition.parts
        for port in part.dtypes
        if port not in part.statics
    ]
    for port in (*own, *streams):
        if port not in outer and port not in wiring:
            raise PluginError(f"the port '{port}' of the composition is not connected", where=where)
    return wiring


def wiring_at(part: Part, wiring: Mapping[str, str]) -> dict[str, str]:
    """The value at each port of a part; constants have none."""
    ports = {port: wiring.get(f"{part.name}.{port}", "") for port in part.dtypes}
    return {port: value for port, value in ports.items() if value or port in part.statics}


def part_config(
    part: Part, whole: Mapped, nest: LoopNest, params: Mapping[str, int | str]
) -> KernelConfig:
    """What a part's kernel may know of it."""
    dtypes = {port: IntType.parse(name) for port, name in part.dtypes.items()}
    statics = {port: np.asarray(array, np.int64) for port, array in part.statics.items()}
    ranges = {port: (dtype.min, dtype.max) for port, dtype in dtypes.items()}
    ranges |= {port: (int(array.min()), int(array.max())) for port, array in statics.items()}
    return KernelConfig(
        node=f"{whole.node}.{part.name}",
        nest=nest,
        dims=part.dims,
        dtypes=dtypes,
        ranges=ranges | dict(part.ranges),
        statics=statics,
        attributes=part.attributes,
        params=params,
        family=whole.config.family,
    )


def _check_end(end: str, composition: Composition, own: Mapping[str, str], where: str) -> None:
    inner = [f"{part.name}.{port}" for part in composition.parts for port in part.dtypes]
    known = inner if "." in end else list(own)
    if end not in known:
        raise PluginError(
            f"the composition has no port '{end}'", where=where, hint=nearest(end, known)
        )
