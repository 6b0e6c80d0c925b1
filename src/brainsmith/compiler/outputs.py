"""What two models compute from the same frames, compared output by output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from brainsmith.model.execution import Executor
from brainsmith.model.model import Model


@dataclass(frozen=True)
class OutputDifference:
    """One output of one frame, before and after.

    Attributes:
        output: its name.
        frame: its number, from 0.
        largest: the largest absolute difference of an element; infinite where one alone is no
            number.
        wrong: how many elements differ.
        size: how many there are.
        index: of the element that differs most.
        got: that element afterwards.
        want: that element before.
    """

    output: str
    frame: int
    largest: float
    wrong: int
    size: int
    index: tuple[int, ...]
    got: float
    want: float

    def __str__(self) -> str:
        return (
            f"output '{self.output}', frame {self.frame}: {self.wrong} of {self.size} elements "
            f"differ, most at {list(self.index)}: {self.got} instead of {self.want}"
        )


def differences(
    before: Model, after: Model, inputs: Mapping[str, np.ndarray]
) -> Iterator[OutputDifference]:
    """Every output of every frame that has elements, equal ones too.

    Outputs that have become integers are compared as the numbers that they stand for.

    Args:
        before, after: models with the same inputs and outputs.
        inputs: (frames, *shape) by the name of the input.

    Raises:
        ModelError: one of them cannot be executed.
    """
    one, other = Executor(before), Executor(after)
    for frame in range(len(next(iter(inputs.values())))):
        feed = {key: array[frame] for key, array in inputs.items()}
        wanted, found = one.run(feed), other.run(feed)
        for output, array in wanted.items():
            want, got = _real(before, output, array), _real(after, output, found[output])
            difference = _difference(want, got)
            if not difference.size:
                continue
            worst = np.unravel_index(int(difference.argmax()), difference.shape)
            yield OutputDifference(
                output, frame, float(difference.max()), int((difference > 0).sum()),
                difference.size, tuple(int(i) for i in worst), got[worst], want[worst],
            )  # fmt: skip


def _real(model: Model, output: str, array: np.ndarray) -> np.ndarray:
    """The numbers that the elements of an output stand for."""
    origin = model.origins.get(output)
    return array if origin is None else origin.real(array.astype(np.int64))


def _difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Absolute, by element; nothing where both are the same infinity or no number."""
    with np.errstate(invalid="ignore"):
        difference = np.abs(one.astype(np.float64) - other.astype(np.float64))
    same = (one == other) | ((one != one) & (other != other))
    return np.where(same, 0.0, np.where(np.isnan(difference), np.inf, difference))
