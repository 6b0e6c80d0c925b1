"""A chain as a function of its integer, evaluated in float32 on many integers at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from brainsmith.api import ChainEvaluator, Model
from brainsmith.builtin.transforms.elementwise import directions, operands
from brainsmith.builtin.transforms.scaled_integer import Chain, to_float64

_CHUNK = 1 << 22


class ChainFunction:
    """`f(k, q)`: the value at the end of a chain for the integer q, for elements of label k.

    The chain starts at `float32(scale * q + bias)` and then runs the model's own nodes. Elements
    that see the same parameters are the same function, so they share the work: different integers
    are put in their places.

    Attributes:
        labels: how many different functions there are.
    """

    def __init__(self, model: Model, chain: Chain) -> None:
        self._model = model
        self._chain = chain
        nodes = chain.nodes()
        self._evaluate = (
            ChainEvaluator(model, nodes, chain.anchor.real, chain.value) if nodes else None
        )
        shape = model.shape(chain.anchor.real)
        labels = chain.labels
        if labels is None:
            labels = np.zeros(int(np.prod(shape)), np.int64)
        row = self._row(labels, shape)
        self._is_row = row is not None
        self._shape = shape if row is None else (*(1,) * (len(shape) - 1), shape[-1])
        labels = labels if row is None else row
        self.labels = int(labels.max()) + 1
        self._places = _places(labels, self.labels)
        self._scale = _spread(to_float64(chain.anchor.scale), self._shape)
        self._bias = _spread(to_float64(chain.anchor.bias), self._shape)
        element = chain.anchor.real.dtype or ir.DataType.FLOAT
        self._element = element.numpy()

    def __call__(self, points: NDArray[np.int64]) -> NDArray[Any]:
        """The values for `(n, labels)` integers."""
        slots = self._places.shape[1]
        size = int(np.prod(self._shape))
        rows = max(1, _CHUNK // size) * slots
        parts = [self._part(points[i : i + rows], slots) for i in range(0, len(points), rows)]
        return np.concatenate(parts)

    @property
    def has_nodes(self) -> bool:
        """Whether the chain is more than the scaling of its anchor."""
        return self._evaluate is not None

    def per_label(self, parameter: NDArray[Any]) -> NDArray[Any]:
        """For a parameter that broadcasts to the chain's value: what each label sees."""
        if parameter.size == 1:
            return parameter.reshape(-1)
        shape = self._shape if self._is_row else self._model.shape(self._chain.value)
        return np.broadcast_to(parameter, shape).reshape(-1)[self._places[:, 0]]

    def of_elements(self, values: NDArray[Any]) -> NDArray[Any]:
        """For one value per element, flattened: what each label has."""
        return values.reshape(-1)[self._places[:, 0]]

    def directions(self) -> NDArray[np.int64] | str:
        """+1, -1 or 0 per label: the chain rises, falls, is constant; or why this is not proved."""
        found = np.ones(self.labels, np.int64)
        scale = np.sign(self._scale).astype(np.int64)
        found *= scale[self._places[:, 0]] if scale.ndim else scale
        for link in self._chain.links():
            if link.node is None or link.parent is None:
                continue
            shape = self._model.shape(link.parent.value)
            step = directions(self._model, link.node, shape)
            if isinstance(step, str):
                return f"'{link.node.name}': {step}"
            flat = np.broadcast_to(step, self._shape if self._is_row else shape).reshape(-1)
            found *= flat[self._places[:, 0]].astype(np.int64)
        return found

    def _row(self, labels: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64] | None:
        """The labels of one row of channels, if all rows are the same functions of one element.

        Then a row alone is evaluated, which is quicker by far than a whole image.
        """
        if len(shape) < 2 or (self._evaluate is not None and not self._evaluate.is_elementwise):
            return None
        constants = (c for node in self._chain.nodes() for c in operands(self._model, node))
        if any(c is not None and np.prod(c.shape[:-1]) != 1 for c in constants):
            return None
        rows = labels.reshape(-1, shape[-1])
        return rows[0] if bool((rows == rows[0]).all()) else None

    def _part(self, points: NDArray[np.int64], slots: int) -> NDArray[Any]:
        frames = -(-len(points) // slots)
        padded = np.concatenate([points, np.repeat(points[-1:], frames * slots - len(points), 0)])
        # [frame, slot, label] -> the flat place of that label's element number `slot`.
        grouped = padded.reshape(frames, slots, self.labels).transpose(0, 2, 1)
        q = np.zeros((frames, int(np.prod(self._shape))), np.int64)
        q[:] = padded[0, 0]
        q[:, self._places.reshape(-1)] = grouped.reshape(frames, -1)
        real = q.astype(np.float64) * self._scale + self._bias
        x = real.astype(np.float32).astype(self._element).reshape(frames, *self._shape)
        y = x if self._evaluate is None else self._evaluate(x)
        found = y.reshape(frames, -1)[:, self._places.reshape(-1)]
        ordered = found.reshape(frames, self.labels, slots).transpose(0, 2, 1)
        return np.ascontiguousarray(ordered.reshape(-1, self.labels)[: len(points)])


def _spread(values: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """A scalar as it is; anything else with one entry per element of `shape`, flattened."""
    return values if values.ndim == 0 else np.broadcast_to(values, shape).reshape(-1)


def _places(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Flat places of the elements of each label: `(labels, slots)`, as many as all labels have."""
    order = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels, minlength=count)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    slots = int(sizes.min())
    return np.asarray(order[starts[:, None] + np.arange(slots)[None, :]], np.int64)
