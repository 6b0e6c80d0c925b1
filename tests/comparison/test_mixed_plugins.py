"""Plugins with components of several kinds, and options that concern only some of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith import PluginRegistry
from brainsmith.comparison import ComparisonOptions, compare
from brainsmith.comparison.comparing import _setting
from brainsmith.comparison.kernels import _foldings, check_folding, find
from brainsmith.compiler.progress import Silent
from brainsmith.errors import ConfigurationError
from brainsmith.plugins.sync import sync
from tests.comparison.conftest import registry_of, write_tiny
from tests.compiler.integer_models import Builder, mlp

TRANSFORM = """\
from brainsmith.api import Model, transform

@transform(name="Keeps", stage="graph_cleanup", version="1.0.0")
class Keeps:
    def apply(self, model: Model, config) -> Model:
        return model
"""
OPERATIONS = """\
from brainsmith.api import (
    Loop, Match, NoMatch, RTLOp, backend, kernel, operation, stream_in, stream_out
)

class Base:
    loops = (Loop("N"), Loop("C", fold="PE"))
    ports = (stream_in("x", "N", "C"), stream_out("y", "N", "C"))
    def match(self, node):
        if node.op_type != self.op_type:
            return NoMatch("another node")
        ports = {"x": node.inputs[0].name, "y": node.outputs[0].name}
        return Match({"N": 1, "C": node.inputs[0].shape[-1]}, ports)
    def infer(self, match, ranges):
        return {"y": (-16, 16)}
    def reference(self, config, inputs):
        return {"y": -inputs["x"]}

class Kernel:
    @backend("rtl")
    def rtl(self, config):
        return RTLOp("nothing", ["nothing.sv"], {})
""" + "".join(
    f"""
@operation(name="{name}", version="1.0.0")
class {name}Operation(Base):
    op_type = "{name}"

@kernel(name="{name}", operation_type="{name}", version="1.0.0")
class {name}Kernel(Kernel):
    pass
"""
    for name in ("Neg", "Abs")
)


def plugin(folder: Path, **files: str) -> PluginRegistry:
    """A plugin of these modules, and the built-in one."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    if not (folder / "brainsmith.yaml").exists():
        (folder / "brainsmith.yaml").write_text("name: mixed\nversion: 1.0.0\n")
    sync(folder).write()
    return registry_of(folder)


def test_transforms_are_compared_though_the_kernel_takes_no_node(tmp_path: Path) -> None:
    registry = plugin(write_tiny(tmp_path / "tiny"), keeps=TRANSFORM)
    found = compare("tiny", mlp(tmp_path / "m.onnx", (3, 3, 3)), registry=registry)
    assert found.exit_code == 0
    (transform,), (kernel,) = found.transforms, found.kernels
    assert transform.elements and transform.largest_difference == 0
    assert kernel.compared == () and len(kernel.refused) == 2
    assert found.notes == (
        "the plugin 'tiny' takes no node of m.onnx: nearest to TinyMatMul: MatMul_m0 (MatMul), "
        "MatMul_m1 (MatMul): min_size is 16, the node has 9",
    )


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("--against", {"against": "MatMul"}),
        ("--folding", {"folding": "f.yaml"}),
        ("--place", {"place": True}),
    ],
)
def test_an_option_for_kernels_needs_some(
    option: str, given: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f.yaml").write_text("MatMul_m0: {PE: 1}\n")
    if "folding" in given:
        given = {"folding": tmp_path / "f.yaml"}
    registry = plugin(tmp_path / "mixed", keeps=TRANSFORM)
    with pytest.raises(ConfigurationError, match="'mixed' has no kernels") as caught:
        compare("mixed", mlp(tmp_path / "m.onnx"), ComparisonOptions(**given), registry=registry)  # type: ignore[arg-type]
    assert caught.value.where == option


def test_a_stage_needs_transforms(tmp_path: Path) -> None:
    registry = plugin(write_tiny(tmp_path / "tiny"))
    options = ComparisonOptions(stage="graph_cleanup")
    with pytest.raises(ConfigurationError, match="'tiny' has no transforms") as caught:
        compare("tiny", mlp(tmp_path / "m.onnx"), options, registry=registry)
    assert caught.value.where == "--stage"


def test_a_kernel_to_compare_with_has_to_be_there_in_any_case(tmp_path: Path) -> None:
    registry = plugin(write_tiny(tmp_path / "tiny"), keeps=TRANSFORM)
    options = ComparisonOptions(against="MatMull")
    with pytest.raises(ConfigurationError, match="there is no kernel 'MatMull'"):
        compare("tiny", mlp(tmp_path / "m.onnx", (3, 3, 3)), options, registry=registry)


def test_a_strategy_s_transform_that_fails_and_may_is_told(tmp_path: Path) -> None:
    broken = TRANSFORM.replace("Keeps", "Breaks").replace("return model", "raise ValueError('no')")
    plugin(tmp_path / "other", breaks=broken)
    (tmp_path / "other" / "brainsmith.yaml").write_text(
        (tmp_path / "other" / "brainsmith.yaml").read_text().replace("mixed", "other")
    )
    plugin(tmp_path / "mixed", keeps=TRANSFORM)
    (tmp_path / "s.yaml").write_text(
        "name: s\nextends: balanced\ntransforms:\n  - {name: Breaks, on_error: skip}\n"
    )
    found = compare(
        "mixed", mlp(tmp_path / "m.onnx"), ComparisonOptions(strategy=tmp_path / "s.yaml"),
        registry=registry_of(tmp_path / "mixed", tmp_path / "other"),
    )  # fmt: skip
    (note,) = found.notes
    assert note.startswith("Breaks is left out, since it failed: ") and "no" in note


def test_a_folding_file_serves_kernels_of_several_operations(tmp_path: Path) -> None:
    builder = Builder([1, 4], "UINT4")
    builder.add("Neg", ["x"], "a", [1, 4], "INT5")
    builder.add("Abs", ["a"], "y", [1, 4], "INT6")
    model = builder.save(tmp_path / "m.onnx", "y")
    (tmp_path / "f.yaml").write_text("Neg_a: {PE: 2}\nAbs_y: {PE: 4}\n")
    options = ComparisonOptions(folding=tmp_path / "f.yaml")
    registry = plugin(tmp_path / "mixed", parts=OPERATIONS)
    setting = _setting("mixed", model, options, registry, Silent())
    kernels = [one for one in setting.plugin.components if one.kind == "kernels"]
    found = find(setting, kernels, setting.original, options)
    check_folding(setting, found)
    chosen = [{n: dict(c.folding) for n, c in _foldings(setting, one).items()} for one in found]
    assert {"Neg_a": {"PE": 2}} in chosen and {"Abs_y": {"PE": 4}} in chosen
    setting.pinned["Neg_b"] = {"PE": 1}  # type: ignore[index]
    with pytest.raises(ConfigurationError, match="'Neg_b', which is not in the design"):
        check_folding(setting, found)
