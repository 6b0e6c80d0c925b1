"""What operations answer is taken where it is what was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from brainsmith.api import IntType, KernelConfig, Loop, LoopNest, stream_in, stream_out
from brainsmith.compiler.answers import extremes_of, reference_of
from brainsmith.errors import PluginError

NEST = LoopNest((Loop("N"), Loop("C", "PE")), (stream_in("x", "N", "C"), stream_out("y", "N", "C")))
CONFIG = KernelConfig("node", NEST, {"N": 2, "C": 3}, {"x": IntType(4), "y": IntType(5)})
X = np.arange(12).reshape(2, 2, 3)


class Operation:
    """Answers what it is made with."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def reference(self, config: KernelConfig, inputs: Any) -> Any:
        return self.answer

    def extremes(self, config: KernelConfig) -> Any:
        return self.answer


def test_right_answers_are_taken() -> None:
    assert reference_of(Operation({"y": 2 * X}), CONFIG, {"x": X})["y"].tolist() == (2 * X).tolist()
    assert extremes_of(Operation({"x": X[:1]}), CONFIG)["x"].shape == (1, 2, 3)
    assert extremes_of(Operation({}), CONFIG) == {} == extremes_of(object(), CONFIG)


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (None, "NoneType, not arrays by port"),
        ({}, "no integers for the port 'y'"),
        ({"y": X.astype(float)}, "no integers"),
        ({"y": X.tolist()}, "no integers"),
        ({"y": X[:1]}, r"\(1, 2, 3\) for the port 'y', not \(2, 2, 3\)"),
        ({"y": np.zeros((), int)}, r"the shape \(\)"),
    ],
)
def test_wrong_references_name_the_node(answer: Any, wrong: str) -> None:
    with pytest.raises(PluginError, match=wrong) as caught:
        reference_of(Operation(answer), CONFIG, {"x": X})
    assert "node, method 'reference'" in str(caught.value.where)


@pytest.mark.parametrize("answer", [None, {"x": X[0]}, {"x": [1]}, {"x": np.zeros((), int)}])
def test_wrong_extremes_name_the_node(answer: Any) -> None:
    with pytest.raises(PluginError) as caught:
        extremes_of(Operation(answer), CONFIG)
    assert "node, method 'extremes'" in str(caught.value.where)
