"""Kernels that are made of other operations: their wiring, and what their parts compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from brainsmith.api import Composition, IntType, KernelConfig, Part
from brainsmith.compiler.composition import part_config, wiring_at, wiring_of
from brainsmith.compiler.mapping import Candidate, Mapped
from brainsmith.compiler.stimuli import random_integers
from brainsmith.errors import PluginError
from brainsmith.plugins import PluginRegistry

REGISTRY = PluginRegistry()
ADD = Part("sum", "add", {"N": 1, "C": 4}, {"a": "INT4", "b": "INT4", "y": "INT5"})
TWICE = (("x", "sum.a"), ("x", "sum.b"), ("sum.y", "y"))
SIZES = {"OH": 3, "OW": 2, "KH": 2, "KW": 3, "C": 4, "M": 4, "I": 3}


def whole(kernel: str, config: Any = None, nodes: tuple[str, ...] = ("node",)) -> Mapped:
    component = REGISTRY.get("kernels", kernel)
    candidate = Candidate(component, REGISTRY.operation_of(component), "rtl", {})
    return Mapped("node", nodes, candidate, config, {"x": "before"}, {"y": "after"})


def test_values_between_parts_are_named_after_their_source() -> None:
    last = Part("last", "add", ADD.dims, ADD.dtypes)
    connections = (("x", "sum.a"), ("x", "sum.b"), ("sum.y", "last.a"), ("sum.y", "last.b"))
    wiring = wiring_of(
        Composition((ADD, last), (*connections, ("last.y", "y"))), whole("Conv2D"), "it"
    )
    assert wiring_at(ADD, wiring) == {"a": "before", "b": "before", "y": "node.sum.y"}
    assert wiring_at(last, wiring) == {"a": "node.sum.y", "b": "node.sum.y", "y": "after"}


def test_a_value_that_leaves_keeps_its_name_whoever_else_reads_it() -> None:
    last = Part("last", "add", ADD.dims, {"a": "INT5", "b": "INT5", "y": "INT6"})
    mapped = whole("Conv2D")
    mapped.outputs["z"] = "other"  # type: ignore[index]
    inner = (("sum.y", "last.a"), ("sum.y", "last.b"), ("last.y", "z"))
    wiring = wiring_of(Composition((ADD, last), (*inner, *TWICE)), mapped, "it")
    assert wiring["sum.y"] == wiring["last.a"] == "after" and wiring["last.y"] == "other"


@pytest.mark.parametrize(
    ("parts", "connections", "said"),
    [
        ((), (), "needs parts"),
        ((ADD, ADD), TWICE, "needs parts"),
        ((ADD,), (*TWICE, ("x", "sum.c")), "no port 'sum.c'"),
        ((ADD,), (*TWICE, ("q", "sum.a")), "no port 'q'"),
        ((ADD,), (*TWICE, ("x", "more.a")), "no port 'more.a'"),
        ((ADD,), (*TWICE, ("sum.y", "sum.a")), "'sum.a' has two sources"),
        ((ADD,), TWICE[:2], "'y' of the composition is not connected"),
        ((ADD,), TWICE[1:], "'sum.a' of the composition is not connected"),
    ],
)
def test_what_does_not_fit_together_is_refused(parts: Any, connections: Any, said: str) -> None:
    with pytest.raises(PluginError, match=said):
        wiring_of(Composition(parts, connections), whole("Conv2D"), "it")


def test_another_implementation_is_no_composition() -> None:
    with pytest.raises(PluginError, match="returned str, not a Composition"):
        wiring_of("nothing", whole("Conv2D"), "it")


@pytest.mark.parametrize("kernel", ["Conv2D", "DepthwiseConv2D", "MaxPool2D"])
@pytest.mark.parametrize("seed", range(12))
def test_the_parts_of_a_window_compute_what_the_whole_does(kernel: str, seed: int) -> None:
    """Random strides, dilations, padding and groups: each part's reference after the other."""
    component = REGISTRY.get("kernels", kernel)
    operation = REGISTRY.operation_of(component)
    nest = operation.info.nest
    kinds = ("INT4", "UINT3", "INT5")
    dtypes = {"x": IntType.parse(kinds[seed % 3]), "w": IntType.parse("INT4")}
    match = operation.instance.example(
        {name: SIZES[name] for name in (loop.name for loop in nest.loops)}, dtypes, seed
    )
    ranges = {port: (dtypes[port].min, dtypes[port].max) for port in match.ports if port != "y"}
    ranges |= operation.instance.infer(match, ranges)
    dtypes = {p: dtypes[p] if p != "y" else IntType.covering(*ranges[p]) for p in match.ports}
    config = KernelConfig("node", nest, match.dims, dtypes, ranges, match.statics, match.attributes)
    shape = tuple(config.dims[dim] for dim in nest.port("x").dims)
    x = random_integers(np.random.default_rng(seed), (2, *shape), dtypes["x"], *ranges["x"])
    expected = operation.instance.reference(config, {"x": x})["y"]
    mapped = whole(kernel, config)
    composition = component.instance.compose(config)
    wiring_of(composition, mapped, kernel)
    for part in composition.parts:
        inner = REGISTRY.get("operations", part.operation)
        of_part = part_config(part, mapped, inner.info.nest, {})
        dims = [of_part.dims[dim] for dim in inner.info.nest.port("x").dims]
        x = inner.instance.reference(of_part, {"x": x.reshape(2, *dims)})["y"]
        lo, hi = of_part.ranges["y"]
        assert lo <= x.min() and x.max() <= hi
    assert np.array_equal(x.reshape(expected.shape), expected)
