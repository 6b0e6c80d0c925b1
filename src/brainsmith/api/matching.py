"""Matching: how an operation is recognised in a graph.

`match` of an operation gets a `NodeView` and answers `Match` or `NoMatch`. The views are
protocols: the compiler hands in views of an onnx_ir graph, a worker of the sandbox its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

    from brainsmith.model.datatypes import IntType


class ValueView(Protocol):
    """A value (edge) of the graph."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> IntType | None:
        """The integer datatype, or None for a float."""

    @property
    def range(self) -> tuple[int, int] | None:
        """Least and greatest reachable integer, or None for a float."""

    @property
    def constant(self) -> np.ndarray | None:
        """The value of an initializer as it is stored, or None for a stream."""

    @property
    def producer(self) -> NodeView | None: ...
    @property
    def consumers(self) -> Sequence[NodeView]: ...


class NodeView(Protocol):
    """A node of the graph."""

    @property
    def name(self) -> str: ...
    @property
    def op_type(self) -> str: ...
    @property
    def domain(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, object]:
        """int, float, str, or lists of these."""

    @property
    def inputs(self) -> Sequence[ValueView | None]: ...
    @property
    def outputs(self) -> Sequence[ValueView]: ...


@dataclass(frozen=True)
class Match:
    """A recognised operation.

    Args:
        dims: loop bounds and extra dimensions by name.
        ports: the name of the graph's value at each port that is present, static ones too.
        statics: constant tensors by port, int64, of shape `port.dims + port.extra`.
        attributes: the operation's attributes (int, str, or tuples of these).
        nodes: names of all nodes that the match covers; the matched one alone if empty.
    """

    dims: Mapping[str, int]
    ports: Mapping[str, str]
    statics: Mapping[str, np.ndarray] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoMatch:
    """Not this operation.

    Args:
        reason: why not.
        close: whether the node is of the operation's kind but breaks a rule of it (then the
            reason is shown to the user), or something else altogether.
    """

    reason: str
    close: bool = False
