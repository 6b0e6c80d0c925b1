"""Models in which a plugin takes nothing, plugins with nothing to compare, names that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith import PluginRegistry
from brainsmith.comparison import ComparisonOptions, compare
from brainsmith.errors import ConfigurationError, PluginError
from tests.comparison.conftest import DIGITS, ROOT, TFC, Tiny, registry_of
from tests.compiler.integer_models import Builder, mlp

OPERATION = """\
from brainsmith.api import Loop, Match, NoMatch, operation, stream_in, stream_out

@operation(name="negation", version="1.0.0")
class Negation:
    loops = (Loop("N"),)
    ports = (stream_in("x", "N"), stream_out("y", "N"))
    def match(self, node):
        if node.op_type != "MatMul":
            return NoMatch("no MatMul")
        return Match(dims={"N": 1}, ports={"x": "x", "y": "y"})
    def infer(self, match, ranges):
        return {"y": ranges["x"]}
    def reference(self, config, inputs):
        return {"y": -inputs["x"]}
"""
TARGET = "name: mine\nfamily: ecp5\nclock_mhz: 50\nresources: {LUT: 10, FF: 10, DSP: 1, BRAM: 1}\n"


def refused(
    plugin: str, model: Path, registry: PluginRegistry, options: ComparisonOptions | None = None
) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        compare(plugin, model, options, registry=registry)
    assert caught.value.exit_code == 4
    return caught.value


def test_the_constraint_that_failed_is_told(tiny: Tiny, tmp_path: Path) -> None:
    model = mlp(tmp_path / "m.onnx", (3, 3, 3))
    error = refused("tiny", model, tiny())
    assert error.what == "the plugin 'tiny' takes no node of m.onnx"
    assert error.where == "tiny:TinyMatMul"
    assert error.hint == (
        "nearest to TinyMatMul: MatMul_m0 (MatMul), MatMul_m1 (MatMul): "
        "min_size is 16, the node has 9"
    )


@pytest.mark.skipif(not TFC.exists(), reason="the published models are not here")
def test_the_published_network_has_other_datatypes(tiny: Tiny) -> None:
    hint = refused("tiny", TFC, tiny()).hint or ""
    assert hint.startswith("nearest to TinyMatMul: MatMul_0 (MatMul), MatMul_1 (MatMul), ")
    assert "supported_x_dtypes" in hint and "the node has BIPOLAR" in hint


def test_the_attention_core_of_qonnx_multiplies_streams(tiny: Tiny) -> None:
    import qonnx

    model = Path(qonnx.__file__).parent / "data" / "onnx" / "matmul_update" / "sdp.onnx"
    hint = refused("tiny", model, tiny()).hint or ""
    assert (
        "/MatMul (MatMul), /MatMul_1 (MatMul): its input is a real number; both operands are "
        in (hint)
    )


def test_a_model_without_the_operation_says_what_it_has(tiny: Tiny, tmp_path: Path) -> None:
    builder = Builder([1, 4], "INT4")
    builder.add("Softmax", ["x"], "y", [1, 4])
    model = builder.save(tmp_path / "s.onnx", "y")
    hint = refused("tiny", model, tiny()).hint
    assert hint == (
        "TinyMatMul computes 'matmul', of which the model has no node; it has Softmax (1)"
    )


def test_an_operation_that_names_no_output_breaks_its_contract(tmp_path: Path) -> None:
    folder = ROOT / "tests" / "plugins" / "data" / "everything"
    with pytest.raises(PluginError, match="the match names no value at an output") as caught:
        compare("everything", mlp(tmp_path / "m.onnx"), registry=registry_of(folder))
    assert caught.value.where == "MatMul_m0, method 'match' of everything:twice"


def test_an_operation_alone_says_what_it_matches(tmp_path: Path) -> None:
    folder = tmp_path / "lonely"
    folder.mkdir()
    (folder / "negation.py").write_text(OPERATION)
    (folder / "brainsmith.yaml").write_text(
        "name: lonely\nversion: 1.0.0\noperations:\n"
        "  - {name: negation, module: negation, class: Negation}\n"
    )
    registry = registry_of(folder)
    error = refused("lonely", mlp(tmp_path / "m.onnx"), registry)
    assert "it brings operations alone" in error.what
    assert error.hint == (
        "'negation' matches MatMul_m0, MatMul_m1; nothing is built of it before there is a kernel "
        "for it"
    )


def test_a_target_alone_says_what_to_do_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "board"
    folder.mkdir()
    (folder / "mine.yaml").write_text(TARGET)
    (folder / "brainsmith.yaml").write_text(
        "name: board\nversion: 1.0.0\ntargets:\n  - {name: mine, file: mine.yaml}\n"
    )
    registry = registry_of(folder)
    error = refused("board", mlp(tmp_path / "m.onnx"), registry)
    assert "it brings targets alone" in error.what
    assert "brainsmith compile m.onnx --target board:mine" in (error.hint or "")


def test_a_manifest_without_components_is_to_be_synchronised(tmp_path: Path) -> None:
    (tmp_path / "brainsmith.yaml").write_text("name: bare\nversion: 1.0.0\n")
    error = refused("bare", mlp(tmp_path / "m.onnx"), registry_of(tmp_path))
    assert error.what == "the plugin 'bare' has nothing that can be compared"
    assert "brainsmith manifest sync" in (error.hint or "")


def test_an_unknown_plugin_names_the_nearest(tiny: Tiny) -> None:
    assert refused("tinny", DIGITS, tiny()).hint == "did you mean 'tiny'?"


def test_an_unknown_kernel_to_compare_with_names_the_nearest(tiny: Tiny) -> None:
    error = refused("tiny", DIGITS, tiny(), ComparisonOptions(against="MatMull"))
    assert error.where == "--against" and error.hint == "did you mean 'MatMul'?"


def test_an_unknown_parameter_names_the_nearest(tiny: Tiny) -> None:
    error = refused("tiny", DIGITS, tiny(), ComparisonOptions(params={"rom_stile": "logic"}))
    assert error.where == "--config" and error.hint == "did you mean 'rom_style'?"


def test_an_illegal_value_of_a_parameter_is_an_error(tiny: Tiny) -> None:
    error = refused("tiny", DIGITS, tiny(), ComparisonOptions(params={"rom_style": "paper"}))
    assert "legal values: 'logic', 'block'" in (error.hint or "")


def test_no_tool_places_for_some_targets(tiny: Tiny) -> None:
    error = refused("tiny", DIGITS, tiny(), ComparisonOptions(target="xc7z020", place=True))
    assert error.what == "no open tool places for xc7z020"
