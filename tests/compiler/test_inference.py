"""What an operation of a plugin infers of outputs that nobody has annotated."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from onnx import TensorProto, helper

from brainsmith.compiler import CompilationStrategy, CompileOptions, Compiler, KernelSpec
from brainsmith.compiler.mapping import candidates, map_model
from brainsmith.errors import PluginError
from brainsmith.model.datatypes import IntType
from brainsmith.model.model import Model
from brainsmith.plugins import PluginRegistry
from brainsmith.plugins.places import builtin_folder

DATA = Path(__file__).parent.parent / "plugins/data/sign_flip"
STRATEGY = CompilationStrategy("flip", kernels=[KernelSpec("SignFlip")], extends=None)
RIGHT = 'return {"y": (-high, -low)}'


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "plugins" / "sign_flip"))


def registry_of(plugin: Path) -> PluginRegistry:
    return PluginRegistry([plugin.parent, builtin_folder()], distributions=False)


def flipped_twice() -> Model:
    """y = -(-x), of which x alone is annotated."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8]) for name in "xy")
    nodes = [
        helper.make_node("Neg", ["x"], ["m"], name="first"),
        helper.make_node("Neg", ["m"], ["y"], name="second"),
    ]
    value = helper.make_tensor_value_info("m", TensorProto.FLOAT, [1, 8])
    graph = helper.make_graph(nodes, "flips", [x], [y], value_info=[value])
    opsets = [helper.make_opsetid("", 13)]
    model = Model.from_proto(helper.make_model(graph, opset_imports=opsets, ir_version=8))
    model.set_datatype(model.value("x"), IntType.parse("INT4"))
    return model


def test_each_node_gets_what_the_one_before_it_infers(plugin: Path) -> None:
    model = flipped_twice()
    options = candidates(STRATEGY, registry_of(plugin))
    mapping = map_model(model, options, "ecp5", {})
    assert [node.node for node in mapping.mapped] == ["first", "second"] and not mapping.host
    first, second = (node.config for node in mapping.mapped)
    assert first.ranges == {"x": (-8, 7), "y": (-7, 8)} and str(first.dtypes["y"]) == "INT5"
    assert second.ranges == {"x": (-7, 8), "y": (-8, 7)} and str(second.dtypes["y"]) == "INT4"


def test_what_is_inferred_is_built_and_exact(plugin: Path, tmp_path: Path) -> None:
    path = tmp_path / "flips.onnx"
    flipped_twice().save(path)
    options = CompileOptions(output=tmp_path / "build", synthesize=False)
    result = Compiler(registry_of(plugin)).compile(path, STRATEGY, options)
    assert result.success and [layer.node for layer in result.layers] == ["first", "second"]


@pytest.mark.parametrize("wrong", ["return {}", 'return {"y": (1, 0)}', 'return {"y": (0.5, 1)}'])
def test_an_operation_that_infers_nothing_is_named(plugin: Path, wrong: str) -> None:
    code = (plugin / "sign_flip.py").read_text()
    assert RIGHT in code
    (plugin / "sign_flip.py").write_text(code.replace(RIGHT, wrong))
    options = candidates(STRATEGY, registry_of(plugin))
    with pytest.raises(PluginError, match="no range of the output 'y'") as caught:
        map_model(flipped_twice(), options, "ecp5", {})
    assert "first, method 'infer' of sign-flip:negate" in str(caught.value.where)
