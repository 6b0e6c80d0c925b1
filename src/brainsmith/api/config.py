"""The configuration that a kernel's methods get: a frozen, typed view of one node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from brainsmith.api.loops import Folding, LoopNest
from brainsmith.errors import PluginError, nearest

if TYPE_CHECKING:
    import numpy as np

    from brainsmith.model.datatypes import IntType

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stream:
    """The AXI4-Stream of a port: `elements` per beat of `bits` each, `beats` per frame."""

    elements: int
    bits: int
    beats: int

    @property
    def width(self) -> int:
        """Bits of tdata."""
        return self.elements * self.bits


@dataclass(frozen=True)
class KernelConfig:
    """What a kernel's backend and cost methods may know of the node that they implement.

    Attributes:
        node: the name of the node.
        nest: loops and ports of the operation.
        dims: loop bounds and extra dimensions by name.
        dtypes: integer datatype by port.
        ranges: least and greatest value by port (scalars; inside the datatype).
        statics: constant tensors by port, int64, of shape `port.dims + port.extra`.
        attributes: the operation's attributes.
        folding: PE, SIMD, ...; a missing parameter is 1.
        params: the kernel's own parameters (`param`), completed with their defaults.
        family: the target's device family: "ecp5", "ice40", "xc7", "xcup".
    """

    node: str
    nest: LoopNest
    dims: Mapping[str, int]
    dtypes: Mapping[str, IntType]
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    statics: Mapping[str, np.ndarray] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)
    folding: Folding = field(default_factory=dict)
    params: Mapping[str, int | str] = field(default_factory=dict)
    family: str = "ecp5"

    @property
    def pe(self) -> int:
        """Processing elements: 1 where the folding does not say."""
        return self.folding.get("PE", 1)

    @property
    def simd(self) -> int:
        """Lanes per processing element: 1 where the folding does not say."""
        return self.folding.get("SIMD", 1)

    @property
    def cycles(self) -> int:
        """Ideal cycles per frame."""
        return self.nest.cycles(self.dims, self.folding)

    def stream(self, port: str) -> Stream:
        """The stream of a port at this folding."""
        return Stream(
            elements=self.nest.elements(port, self.folding),
            bits=self._of(self.dtypes, port).bits,
            beats=self.nest.beats(port, self.dims, self.folding),
        )

    def static(self, port: str) -> np.ndarray:
        """The constant tensor of a port, int64."""
        return self._of(self.statics, port)

    def has(self, port: str) -> bool:
        """Whether an optional port is present as a stream or a constant."""
        return port in self.dtypes

    def is_stream(self, port: str) -> bool:
        """Whether a port is present as a stream, not as a constant."""
        return port in self.dtypes and port not in self.statics

    def _of(self, mapping: Mapping[str, T], port: str) -> T:
        try:
            return mapping[port]
        except KeyError:
            raise PluginError(
                f"the node has no port '{port}'", where=self.node, hint=nearest(port, mapping)
            ) from None


@dataclass(frozen=True)
class TransformConfig:
    """What a transform's `apply` may know besides the model.

    Attributes:
        params: the parameters of its `TransformSpec`, completed with the class's defaults.
        family: the target's device family.
    """

    params: Mapping[str, int | str] = field(default_factory=dict)
    family: str = "ecp5"

    def step(self, name: str, total: int | None = None) -> None:
        """Tells whoever watches that a long part of the transform starts, of `total` pieces."""

    def advance(self, n: int = 1) -> None:
        """Tells whoever watches that `n` pieces of the part are done."""
