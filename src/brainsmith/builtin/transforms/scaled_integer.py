"""Scaled integers: which integer value a float value depends on, and how.

A float value of a quantized network is a function of an integer value, element by element:
`real = scale * integer + bias` where a quantizer or an integer product leaves it, and whatever the
elementwise nodes make of it from there. The two classes here say this for every value of the
graph. As long as the function is affine its scale and bias are known as exact rationals (the
scaled-integer ranges of SIRA, Umuroglu et al. 2024).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

Rationals = NDArray[Any]
"""An object array of `Fraction`: of shape () or one per element or channel."""

MAX_RATIONAL_BITS = 4096
"""Where numerators or denominators outgrow this, a chain no longer counts as affine."""


def exact(array: NDArray[Any] | float | Fraction) -> Rationals:
    """The very rationals that floats or integers stand for; one where all are equal."""
    values = np.asarray(array)
    flat = values.reshape(-1)
    if flat.size and bool((flat == flat[0]).all()):
        return _scalar(Fraction(flat[0].item() if isinstance(flat[0], np.generic) else flat[0]))
    fractions = [Fraction(v.item() if isinstance(v, np.generic) else v) for v in flat]
    return np.array(fractions, dtype=object).reshape(values.shape)


def uniform(values: Rationals) -> Rationals:
    """The same values as one scalar where all are equal."""
    flat = values.reshape(-1)
    if flat.size and all(v == flat[0] for v in flat[1:]):
        return _scalar(flat[0])
    return values


def along_last(values: NDArray[Any], channels: int) -> NDArray[Any] | None:
    """Of one value per element, flattened, those of the last dimension; None where rows differ.

    A scalar stays one, and becomes one where all are equal.
    """
    if values.ndim == 0 or bool((values == values.reshape(-1)[0]).all()):
        return np.asarray(values.reshape(-1)[0])
    rows = values.reshape(-1, channels)
    return rows[0] if bool((rows == rows[0]).all()) else None


def to_float64(values: Rationals) -> NDArray[np.float64]:
    """The nearest float64 of each rational."""
    return np.asarray([float(v) for v in values.reshape(-1)], np.float64).reshape(values.shape)


def bits(values: Rationals) -> int:
    """Bits of the longest numerator or denominator."""
    parts = [n for v in values.reshape(-1) for n in (v.numerator, v.denominator)]
    return max(int(n).bit_length() for n in parts)


def _scalar(value: Fraction) -> Rationals:
    scalar = np.empty((), dtype=object)
    scalar[()] = value
    return scalar


@dataclass(frozen=True, eq=False)
class Affine:
    """`real = scale * integer + bias` in exact rationals.

    Both are scalars, or vectors with one entry per element of the value, flattened.
    """

    scale: Rationals
    bias: Rationals

    def times(self, factor: Rationals) -> Affine:
        return Affine(np.asarray(self.scale * factor), np.asarray(self.bias * factor))

    def plus(self, offset: Rationals) -> Affine:
        return Affine(self.scale, np.asarray(self.bias + offset))


@dataclass(eq=False)
class Anchor:
    """An integer value of the compiled graph, and the float value that it stands for.

    Attributes:
        value: the integer value; float32 tensor with an integer datatype.
        real: the value of the original graph: `float32(scale * value + bias)`.
        scale: exact, a scalar or one per element of the last dimension.
        bias: as `scale`.
        weights: the initializer of the integer product that makes the value, where its columns
            may still be negated.
        on_host: whether `real` is computed in any case, and `value` from it.
    """

    value: ir.Value
    real: ir.Value
    scale: Rationals
    bias: Rationals
    weights: ir.Value | None = None
    on_host: bool = False

    @property
    def is_trivial(self) -> bool:
        """Whether the real value is the integer itself."""
        return (
            self.scale.ndim == 0
            and self.bias.ndim == 0
            and self.scale[()] == 1
            and self.bias[()] == 0
        )


@dataclass(eq=False)
class Chain:
    """A float value as a function of an anchor: the nodes between them, one link per node.

    Attributes:
        anchor: where the chain begins.
        value: where this link ends.
        node: the last node; None for the chain of the anchor itself.
        parent: the chain before that node.
        exclusive: whether nothing else reads the anchor or a value between.
        labels: which of the elements, flattened, are the same function of their integer: equal
            labels 0, 1, ...; None where all are.
    """

    anchor: Anchor
    value: ir.Value
    node: ir.Node | None = None
    parent: Chain | None = None
    exclusive: bool = True
    labels: NDArray[np.int64] | None = None
    _affine: Affine | None = field(default=None, repr=False, init=False)

    def extended(self, node: ir.Node, labels: NDArray[np.int64] | None) -> Chain:
        """The chain with one more node, which tells elements of different `labels` apart."""
        exclusive = self.exclusive and read_once(self.value)
        return Chain(
            self.anchor, node.outputs[0], node, self, exclusive, combined(self.labels, labels)
        )

    def forget(self) -> None:
        """Forgets what was derived from the anchor, which has changed."""
        self._affine = None

    def nodes(self) -> list[ir.Node]:
        """The nodes from the anchor to the value, in order."""
        return [link.node for link in self.links() if link.node is not None]

    def links(self) -> Iterator[Chain]:
        """All links from the anchor to this one."""
        links: list[Chain] = []
        link: Chain | None = self
        while link is not None:
            links.append(link)
            link = link.parent
        return reversed(links)


def read_once(value: ir.Value) -> bool:
    """Whether one operand of one node is all that reads the value."""
    return len(value.uses()) == 1 and not value.is_graph_output()


def combined(
    labels: NDArray[np.int64] | None, others: NDArray[np.int64] | None
) -> NDArray[np.int64] | None:
    """Labels that tell two elements apart where either of the arguments does."""
    if labels is None or others is None:
        return others if labels is None else labels
    if np.array_equal(labels, others):
        return labels
    pairs = labels * (int(others.max()) + 1) + others
    index = np.unique(pairs, return_inverse=True)[1]
    return np.asarray(index.reshape(-1), np.int64)


def labels_of(parameter: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.int64] | None:
    """Labels that tell elements of `shape` apart where they see different parameters.

    Args:
        parameter: broadcast to `shape` by the rules of NumPy.
    """
    if parameter.size == 1:
        return None
    distinct, index = np.unique(parameter, return_inverse=True)
    if distinct.size == 1:
        return None
    labels = np.broadcast_to(index.reshape(parameter.shape), shape)
    return np.ascontiguousarray(labels).reshape(-1).astype(np.int64)
