"""Strategies from names, files and objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brainsmith.compiler import CompilationStrategy, KernelSpec, TransformSpec
from brainsmith.compiler.strategy import load_strategy
from brainsmith.errors import ConfigurationError
from brainsmith.plugins import PluginRegistry


@pytest.fixture
def registry() -> PluginRegistry:
    return PluginRegistry()


@pytest.mark.parametrize("name", ["balanced", "performance", "area"])
def test_presets_resolve(registry: PluginRegistry, name: str) -> None:
    resolved = load_strategy(name, registry).resolved(registry)
    assert resolved.extends is None
    assert "Streamline" in [spec.name for spec in resolved.transforms]
    assert resolved.budget and resolved.objective


def test_own_transforms_come_after_inherited_ones_and_replace_their_parameters(
    registry: PluginRegistry,
) -> None:
    own = CompilationStrategy(
        name="mine",
        transforms=[TransformSpec("Mine"), TransformSpec("Streamline", {"a": 1})],
    )
    names = [spec.name for spec in own.resolved(registry).transforms]
    assert names.count("Streamline") == 1
    assert names[-1] == "Mine"
    merged = {spec.name: spec.params for spec in own.resolved(registry).transforms}
    assert merged["Streamline"] == {"a": 1}


def test_a_file_is_read(registry: PluginRegistry, tmp_path: Path) -> None:
    path = tmp_path / "fast.yaml"
    path.write_text(
        "name: fast\nextends: performance\nbudget: 0.5\n"
        "kernels:\n  - {name: MatMul, backend: rtl, params: {ram_style: block}}\n"
    )
    resolved = load_strategy(path, registry).resolved(registry)
    assert resolved.budget == 0.5
    assert resolved.kernels == (KernelSpec("MatMul", "rtl", {"ram_style": "block"}),)


@pytest.mark.parametrize(
    ("text", "wrong", "hint"),
    [
        ("name: a\ntransfroms: []\n", "transfroms", "transforms"),
        ("name: a\nkernels: [{nmae: MatMul}]\n", "nmae", "name"),
        ("name: a\nobjective: speed\n", "objective", "throughput"),
    ],
)
def test_an_unknown_field_names_the_nearest(
    registry: PluginRegistry, tmp_path: Path, text: str, wrong: str, hint: str
) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_strategy(path, registry)
    assert wrong in str(caught.value) and hint in str(caught.value)


def test_a_wrong_field_is_told_with_its_line(registry: PluginRegistry, tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("name: a\nkernels:\n  - name: MatMul\n    params: {depth: [1]}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_strategy(path, registry)
    assert caught.value.what == (
        "field 'kernels[0].params.depth': expected a whole number or text, found a list"
    )
    assert caught.value.where == f"{path}:4"


def test_an_unknown_name_names_the_nearest(registry: PluginRegistry) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'balanced'"):
        load_strategy("balancd", registry)


def test_strategies_that_extend_each_other_are_an_error(
    registry: PluginRegistry, tmp_path: Path
) -> None:
    path = tmp_path / "loop.yaml"
    path.write_text("name: area\nextends: area\n")
    with pytest.raises(ConfigurationError, match="extend each other"):
        load_strategy(path, registry).resolved(registry)


def test_an_unknown_backend_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'rtl'"):
        KernelSpec("MatMul", backend="rtll")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"objective": "speed"}, "unknown objective 'speed'"),
        ({"objective": "throughputs"}, "did you mean 'throughput'"),
        ({"budget": 7}, "more than 0 and at most 1"),
        ({"budget": 0}, "no share of the device"),
        ({"budget": float("nan")}, "no share of the device"),
        ({"kernels": ["MatMul"]}, r"such as KernelSpec\('MatMul'\)"),
        ({"transforms": [KernelSpec("Streamline")]}, "which is no TransformSpec"),
    ],
)
def test_an_object_is_checked_as_a_file_is(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        CompilationStrategy("mine", **fields)


def test_a_transform_that_is_named_twice_runs_twice(registry: PluginRegistry) -> None:
    own = CompilationStrategy(
        "mine", transforms=[TransformSpec("Mine", {"a": 1}), TransformSpec("Mine", {"a": 2})]
    )
    mine = [spec.params for spec in own.resolved(registry).transforms if spec.name == "Mine"]
    assert mine == [{"a": 1}, {"a": 2}]


def test_the_first_of_a_name_takes_the_place_of_the_first_inherited(
    registry: PluginRegistry, tmp_path: Path
) -> None:
    base = tmp_path / "base.yaml"
    base.write_text("name: base\ntransforms: [{name: A}, {name: B}, {name: A}]\n")
    own = CompilationStrategy(
        "mine", extends=str(base), transforms=[TransformSpec("A", {"n": n}) for n in (1, 2, 3)]
    )
    merged = own.resolved(registry).transforms
    assert [(spec.name, dict(spec.params)) for spec in merged] == [
        ("A", {"n": 1}), ("B", {}), ("A", {"n": 2}), ("A", {"n": 3}),
    ]  # fmt: skip
