"""A model comes out of a bundle with everything that it had."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import helper, numpy_helper

from brainsmith.api import IntType
from brainsmith.errors import ModelError
from brainsmith.model.model import Model
from brainsmith.model.origin import Note, Origin
from brainsmith.sandbox.bundle import LARGE, Bundle, pack, unpack
from tests.compiler.integer_models import mlp


def same(one: Model, other: Model) -> bool:
    return one.to_proto().SerializeToString() == other.to_proto().SerializeToString()


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """A model with a range, an origin, a note, and a constant that is large."""
    found = Model.load(mlp(tmp_path / "m.onnx"))
    first = next(iter(found.graph)).outputs[0]
    found.set_range(first, -3, 2)
    found.origins["y"] = Origin("real", np.array([0.5, 0.25]), np.array(1.0))
    found.notes.append(Note("node", "it is odd"))
    found.ir.metadata_props["made"] = "here"
    found.add_initializer("large", np.arange(LARGE, dtype=np.float32))
    found.add_initializer("small", np.arange(3, dtype=np.int64), IntType(2))
    return found


def test_nothing_of_a_model_is_lost(model: Model) -> None:
    found = unpack(pack(model))
    assert same(found, model)
    first = next(iter(found.graph)).outputs[0]
    assert found.range_of(first) == (-3, 2)
    assert found.origins["y"].value == "real" and found.notes == model.notes
    assert found.fresh_name("large") == model.fresh_name("large") == "large_1"


def test_large_constants_are_not_copied(model: Model) -> None:
    array = model.constant(model.value("large"))
    assert array is not None
    bundle = pack(model)
    assert np.shares_memory(bundle.tensors["large"], array) and "small" not in bundle.tensors
    found = unpack(bundle)
    again = found.constant(found.value("large"))
    assert again is not None and np.shares_memory(again, array)


def test_packing_leaves_the_model_as_it_is(model: Model) -> None:
    before = model.to_proto()
    tensors = [value.const_value for value in model.graph.initializers.values()]
    pack(model)
    after = [value.const_value for value in model.graph.initializers.values()]
    assert all(one is other for one, other in zip(tensors, after, strict=True))
    assert model.to_proto() == before


def test_constants_in_files_are_taken_along(tmp_path: Path) -> None:
    proto = onnx.load(mlp(tmp_path / "m.onnx"))
    proto.graph.initializer.append(numpy_helper.from_array(np.arange(9, dtype=np.float32), "w"))
    onnx.save(
        proto, tmp_path / "e.onnx", save_as_external_data=True, location="e.bin", size_threshold=0
    )
    model = Model.load(tmp_path / "e.onnx")
    assert isinstance(model.graph.initializers["w"].const_value, ir.ExternalTensor)
    bundle = pack(model)
    (tmp_path / "e.bin").unlink()
    found = unpack(bundle)
    w = found.constant(found.value("w"))
    assert w is not None and w.tolist() == list(range(9))


def test_marks_of_values_in_subgraphs_come_along() -> None:
    info = helper.make_tensor_value_info
    branch = [
        helper.make_graph([helper.make_node("Neg", ["x"], [f"{name}_n"])], name, [],
                          [info(f"{name}_n", 1, [1, 4])])
        for name in ("then", "else")
    ]  # fmt: skip
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch[0], else_branch=branch[1])
    graph = helper.make_graph(
        [node], "g", [info("c", 9, []), info("x", 1, [1, 4])], [info("y", 1, [1, 4])]
    )
    model = Model.from_proto(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    )
    inner = {value.name: value for g in model.graph.subgraphs() for n in g for value in n.outputs}
    model.set_datatype(inner["else_n"], IntType(5, signed=True))
    model.set_range(inner["else_n"], -4, 9)
    found = unpack(pack(model))
    again = {value.name: value for g in found.graph.subgraphs() for n in g for value in n.outputs}
    assert found.datatype(again["else_n"]) == IntType(5, signed=True)
    assert found.range_of(again["else_n"]) == (-4, 9)
    assert found.datatype(again["then_n"]) is None


def test_a_model_that_was_cut_short_is_told(model: Model) -> None:
    bundle = pack(model)
    with pytest.raises(ModelError, match="no ONNX model"):
        unpack(Bundle(bundle.proto[:-5]))
