"""Components of plugins in a strategy: named as the built-in ones are, and as good."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainsmith.api.config import TransformConfig
from brainsmith.compiler import CompilationStrategy, KernelSpec, TransformSpec, stages
from brainsmith.compiler.mapping import usable
from brainsmith.compiler.offers import offers_for
from brainsmith.compiler.strategy import load_strategy
from brainsmith.compiler.targets import get_target
from brainsmith.errors import ConfigurationError, PluginError, TargetError
from brainsmith.model.model import Model
from brainsmith.plugins import PluginRegistry
from brainsmith.plugins.places import builtin_folder
from tests.compiler.integer_models import mlp

QONNX = """\
name: from-qonnx
version: 1.0.0
description: Transformations of the qonnx package, wrapped by nothing but this manifest
transforms:
  - {name: Names, module: qonnx.transformation.general, class: GiveUniqueNodeNames,
     stage: graph_cleanup}
  - {name: Readable, module: qonnx.transformation.general, class: GiveReadableTensorNames}
  - {name: Types, module: qonnx.transformation.infer_datatypes, class: InferDataTypes,
     stage: graph_optimization}
dependencies: [qonnx>=1.0]
"""
PICKY = """\
from brainsmith.api import RTLOp, backend, kernel, transform

@transform(name="Picky", stage="kernel_optimization")
class Picky:
    compatible_kernels = ["Thresholding"]

    def apply(self, model, config):
        return model
"""


@pytest.fixture
def registry(tmp_path: Path) -> PluginRegistry:
    for name, manifest in (
        ("qonnx", QONNX),
        (
            "picky",
            "name: picky\nversion: '1'\ntransforms:\n"
            "  - {name: Picky, module: picky, class: Picky}\n",
        ),
        (
            "poor",
            "name: poor\nversion: '1'\nkernels:\n  - {name: Poor, module: gone, class: Poor}\n",
        ),
        (
            "boards",
            "name: boards\nversion: '1'\ntargets:\n  - {name: ecp5-45k, file: ecp5-45k.yaml}\n"
            "strategies:\n  - {name: mine, file: mine.yaml}\n",
        ),
    ):
        folder = tmp_path / "plugins" / name
        folder.mkdir(parents=True)
        (folder / "brainsmith.yaml").write_text(manifest)
    (tmp_path / "plugins/picky/picky.py").write_text(PICKY)
    boards = tmp_path / "plugins/boards"
    original = (builtin_folder() / "targets/ecp5-45k.yaml").read_text()
    (boards / "ecp5-45k.yaml").write_text(original)
    (boards / "mine.yaml").write_text("name: mine\nextends: balanced\nobjective: area\n")
    return PluginRegistry([tmp_path / "plugins", builtin_folder()], distributions=False)


def test_qonnx_transformations_run_wrapped_by_nothing_but_a_manifest(
    registry: PluginRegistry, tmp_path: Path
) -> None:
    specs = [
        TransformSpec("Types"),
        TransformSpec("from-qonnx:Names"),
        TransformSpec("Readable", stage="graph_cleanup"),
    ]
    steps = stages.plan(specs, registry, "ecp5")
    assert [step.stage for step in steps] == [
        "graph_cleanup", "graph_cleanup", "graph_optimization",
    ]  # fmt: skip
    model = Model.load(mlp(tmp_path / "m.onnx"))
    names = [node.name for node in stages.run(model, steps, _Watcher()).model.graph]
    assert names and all(name.rpartition("_")[2].isdigit() for name in map(str, names))


class _Watcher:
    def step(self, name: str, total: int | None = None) -> None: ...
    def advance(self, n: int = 1, detail: str = "") -> None: ...
    def done(self) -> None: ...


def test_without_a_stage_a_qonnx_transformation_is_an_error(registry: PluginRegistry) -> None:
    with pytest.raises(ConfigurationError, match="needs a stage"):
        stages.plan([TransformSpec("Readable")], registry, "ecp5")


def test_a_parameter_that_its_constructor_does_not_have_is_an_error(
    registry: PluginRegistry,
) -> None:
    with pytest.raises(ConfigurationError, match="nonsense"):
        stages.plan([TransformSpec("Names", params={"nonsense": 1})], registry, "ecp5")


def test_a_transform_says_which_kernels_it_works_well_with(registry: PluginRegistry) -> None:
    steps = stages.plan([TransformSpec("Picky")], registry, "ecp5")
    assert isinstance(steps[0].config, TransformConfig)
    fitting = stages.mismatches(steps, {"brainsmith:Thresholding"})
    ((what, where),) = stages.mismatches(steps, {"brainsmith:Thresholding", "brainsmith:MatMul"})
    assert fitting == [] and where == "Picky"
    assert "works well with Thresholding" in what and "brainsmith:MatMul" in what


def test_a_kernel_that_cannot_be_used_stops_only_the_strategy_that_names_it(
    registry: PluginRegistry,
) -> None:
    found, unusable = usable(CompilationStrategy("s", extends=None), registry)
    assert "brainsmith:MatMul" in {one.kernel.full_name for one in found}
    assert [one.kernel.full_name for one in unusable] == ["poor:Poor"]
    with pytest.raises(PluginError, match="gone"):
        usable(CompilationStrategy("s", [KernelSpec("Poor")], extends=None), registry)


def test_what_was_not_tried_is_told_in_the_report(registry: PluginRegistry, tmp_path: Path) -> None:
    from brainsmith.compiler import CompileOptions, Compiler

    options = CompileOptions(
        target="ecp5-25k", synthesize=False, verify=False, output=tmp_path / "build"
    )
    result = Compiler(registry).compile(mlp(tmp_path / "m.onnx"), "balanced", options)
    warnings = [note for note in result.diagnostics if note.severity == "warning"]
    assert any(note.where == "poor:Poor" and "not tried" in note.message for note in warnings)


def test_targets_and_strategies_of_plugins_are_named_as_the_built_in_ones(
    registry: PluginRegistry,
) -> None:
    with pytest.raises(TargetError, match="boards:ecp5-45k, brainsmith:ecp5-45k"):
        get_target("ecp5-45k", registry)
    assert get_target("boards:ecp5-45k", registry).family == "ecp5"
    assert load_strategy("mine", registry).resolved(registry).objective == "area"


def test_offers_are_what_each_kernel_can_run(registry: PluginRegistry, tmp_path: Path) -> None:
    offers = offers_for(mlp(tmp_path / "m.onnx"), registry)
    by_name = {offer.kernel.full_name: offer for offer in offers.fitting}
    assert by_name["brainsmith:MatMul"].operation == "matmul"
    assert all(not offer.takes_over for offer in offers.fitting)
    assert np.all([len(offer.nodes) <= offers.nodes for offer in offers.fitting])
    assert [one.kernel.full_name for one in offers.unusable] == ["poor:Poor"]


def test_the_ends_of_a_model_keep_their_names(registry: PluginRegistry, tmp_path: Path) -> None:
    model = Model.load(mlp(tmp_path / "m.onnx"))
    model.rename(model.value("h0"), "global_in")  # the name that the input is going to get
    steps = stages.plan([TransformSpec("Readable", stage="graph_cleanup")], registry, "ecp5")
    after = stages.run(model, steps, _Watcher()).model
    ends = [value.name for value in (*after.graph.inputs, *after.graph.outputs)]
    assert ends == [value.name for value in (*model.graph.inputs, *model.graph.outputs)]
    names = [value.name for node in after.graph for value in node.outputs]
    assert len({*names, *ends}) == len(names) + 1


def test_a_transform_that_drops_an_output_is_an_error(
    registry: PluginRegistry, tmp_path: Path
) -> None:
    (tmp_path / "plugins/picky/picky.py").write_text(
        PICKY.replace("return model", "model = model.copy()\n        del model.graph.outputs[0]\n"
                      "        return model")
    )  # fmt: skip
    steps = stages.plan([TransformSpec("Picky")], registry, "ecp5")
    with pytest.raises(PluginError, match="made 0 outputs of the model's 1"):
        stages.run(Model.load(mlp(tmp_path / "m.onnx")), steps, _Watcher())
