"""Operations that the compiler inserts: they move elements and change none."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from brainsmith.api import (
    KernelConfig,
    Loop,
    Match,
    NodeView,
    NoMatch,
    operation,
    stream_in,
    stream_out,
)

_INSERTED = NoMatch("no node of a graph: the compiler inserts it")


@operation(
    name="fifo",
    description="a stream that holds beats: y = x",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["infrastructure"],
)
class Fifo:
    """Inserted where more than one beat waits."""

    loops = (Loop("N"), Loop("C", fold="PE"))
    ports = (stream_in("x", "N", "C"), stream_out("y", "N", "C"))

    def match(self, node: NodeView) -> Match | NoMatch:
        """Matches no node."""
        return _INSERTED

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The range of the input."""
        return {"y": ranges["x"]}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, N, C) to int64 (frames, N, C)."""
        return {"y": inputs["x"]}


@operation(
    name="width_converter",
    description="a stream regrouped into beats of another number of elements: y = x",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["infrastructure"],
)
class WidthConverter:
    """Inserted where two neighbours differ in elements per beat: IN at x, OUT at y."""

    loops = (Loop("N"),)
    ports = (stream_in("x", "N", fold="IN"), stream_out("y", "N", fold="OUT"))

    def match(self, node: NodeView) -> Match | NoMatch:
        """Matches no node."""
        return _INSERTED

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The range of the input."""
        return {"y": ranges["x"]}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, N) to int64 (frames, N)."""
        return {"y": inputs["x"]}


@operation(
    name="duplicate",
    description="a stream for two readers: y0 = y1 = x",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["infrastructure"],
)
class Duplicate:
    """Inserted where a value has two readers; chained for more."""

    loops = (Loop("N"), Loop("C", fold="PE"))
    ports = (stream_in("x", "N", "C"), stream_out("y0", "N", "C"), stream_out("y1", "N", "C"))

    def match(self, node: NodeView) -> Match | NoMatch:
        """Matches no node."""
        return _INSERTED

    def infer(
        self, match: Match, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        """The range of the input, twice."""
        return {"y0": ranges["x"], "y1": ranges["x"]}

    def reference(
        self, config: KernelConfig, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """int64 (frames, N, C) to two of int64 (frames, N, C)."""
        return {"y0": inputs["x"], "y1": inputs["x"]}
