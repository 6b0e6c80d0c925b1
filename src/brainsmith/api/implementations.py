"""Implementations: what a backend method returns. Data only, whatever subclass an author makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ParameterValue = int | str


@dataclass(frozen=True)
class RTLOp:
    """One SystemVerilog module with the wire contract of a kernel.

    Args:
        top: the name of the module.
        sources: files relative to the kernel's folder (the folder of the file that defines the
            kernel class), in the order of compilation.
        parameters: values of the module's parameters; strings are passed as string literals.
        memories: contents of `$readmemh` files: for each, the string parameter of the module
            that names the file, and an array of shape (depth, bits) of 0 and 1, least
            significant bit first.
        generated: text of further SystemVerilog files by file name.
    """

    top: str
    sources: tuple[str, ...] | list[str]
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    memories: Mapping[str, np.ndarray] = field(default_factory=dict)
    generated: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HLSOp:
    """One C++ function for high-level synthesis; `defines` become preprocessor symbols."""

    top: str
    sources: tuple[str, ...] | list[str]
    defines: Mapping[str, ParameterValue] = field(default_factory=dict)
    memories: Mapping[str, np.ndarray] = field(default_factory=dict)
    generated: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CUDAOp:
    """One CUDA kernel with its launch shape (blocks and threads per block)."""

    entry: str
    sources: tuple[str, ...] | list[str]
    grid: tuple[int, int, int] = (1, 1, 1)
    block: tuple[int, int, int] = (1, 1, 1)
    defines: Mapping[str, ParameterValue] = field(default_factory=dict)
    generated: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HostOp:
    """The operation's reference, run on the host."""


@dataclass(frozen=True)
class Part:
    """One instance inside a composition.

    Args:
        name: the instance, unique in its composition.
        operation: the operation that it computes.
        dims: its loop bounds.
        dtypes: the name of the datatype of each port.
        statics: its constant tensors by port.
        attributes: the operation's attributes.
        ranges: least and greatest value by port; the datatype's, or the constant's, if absent.
    """

    name: str
    operation: str
    dims: Mapping[str, int]
    dtypes: Mapping[str, str]
    statics: Mapping[str, np.ndarray] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Composition:
    """Instances of other operations and their connections, in place of one module.

    Args:
        parts: the instances.
        connections: pairs of "PART.PORT", from source to sink; a name without a dot is a port of
            the composition.
    """

    parts: tuple[Part, ...]
    connections: tuple[tuple[str, str], ...]


Implementation = RTLOp | HLSOp | CUDAOp | HostOp | Composition
