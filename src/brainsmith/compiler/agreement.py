"""How the compiled integer model agrees with the original: the outcome of the faithful half."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One element on which the two models differ."""

    frame: int
    element: int
    compiled: float
    original: float


@dataclass(frozen=True, slots=True)
class LayerAgreement:
    """How the integers at the end of a layer agree with the original model.

    Attributes:
        value: the integer value of the compiled model.
        original: the value of the original model that it stands for.
        kind: codes of a quantizer, or sums of a product.
        elements: how many were compared, over all frames.
        equal: how many are the same number.
        ambiguous: how many differ by no more than float32 leaves open.
        errors: all others.
        first_error: one of them.
    """

    value: str
    original: str
    kind: Literal["codes", "sums"]
    elements: int
    equal: int
    ambiguous: int
    errors: int
    first_error: Mismatch | None = None


@dataclass(frozen=True, slots=True)
class OutputAgreement:
    """How an output of the whole model agrees, each model computing on its own.

    Attributes:
        name: the output.
        is_label: whether it holds integers, such as the index of a class.
        elements: how many were compared, over all frames.
        equal: how many are the same number.
        largest_difference: of any two elements.
        close: how many are equal, or no further apart than float32's rounding (rtol 1e-5).
        first_error: an element that differs.
    """

    name: str
    is_label: bool
    elements: int
    equal: int
    largest_difference: float
    close: int
    first_error: Mismatch | None = None


@dataclass(frozen=True, slots=True)
class FaithfulReport:
    """The outcome of `check_faithful`.

    Attributes:
        frames: how many inferences were compared.
        layers: in the order of the original model.
        outputs: those of the graph.
        given: whether the frames are a user's data, on which every label must be the same.
        unchecked: integer values of the compiled model that were not handed in.
    """

    frames: int
    layers: tuple[LayerAgreement, ...]
    outputs: tuple[OutputAgreement, ...]
    given: bool
    unchecked: tuple[str, ...] = field(default=())

    @property
    def errors(self) -> int:
        """Elements that no rounding explains, and labels that differ on given data."""
        return sum(layer.errors for layer in self.layers) + self.wrong_labels

    @property
    def wrong_labels(self) -> int:
        """Labels that differ, if the frames are a user's data."""
        labels = [o for o in self.outputs if o.is_label]
        return sum(o.elements - o.equal for o in labels) if self.given else 0

    @property
    def ambiguous(self) -> int:
        """Codes that differ by one step where float32 decides by rounding."""
        return sum(layer.ambiguous for layer in self.layers if layer.kind == "codes")

    @property
    def codes(self) -> int:
        """How many codes were compared."""
        return sum(layer.elements for layer in self.layers if layer.kind == "codes")

    @property
    def agreement(self) -> float:
        """The share of output elements that are equal."""
        elements = sum(o.elements for o in self.outputs)
        return sum(o.equal for o in self.outputs) / elements if elements else 1.0

    @property
    def agreement_within_rounding(self) -> float:
        """The share of output elements that are equal but for float32's rounding."""
        elements = sum(o.elements for o in self.outputs)
        return sum(o.close for o in self.outputs) / elements if elements else 1.0

    @property
    def largest_difference(self) -> float:
        """Of any two output elements."""
        return max((o.largest_difference for o in self.outputs), default=0.0)

    @property
    def ok(self) -> bool:
        return self.errors == 0
