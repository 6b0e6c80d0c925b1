"""Steps of a strategy: in one call where they can be, left out where they may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.compiler import (
    CompilationStrategy,
    CompileOptions,
    Compiler,
    KernelSpec,
    TransformSpec,
    stages,
)
from brainsmith.compiler.strategy import load_strategy
from brainsmith.errors import ConfigurationError, PluginError, PluginSecurityError
from brainsmith.model.model import Model
from brainsmith.plugins import PluginRegistry
from brainsmith.plugins.places import builtin_folder
from brainsmith.plugins.sandboxing import SandboxSettings
from brainsmith.sandbox.record import Ledger
from tests.compiler.integer_models import mlp
from tests.plugins.folders import TRUSTED

DATA = Path(__file__).parents[1] / "plugins/data/everything"
QONNX = "qonnx.transformation.general:GiveUniqueNodeNames"


class Watcher:
    """Keeps what is told of the progress."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []

    def step(self, name: str, total: int | None = None) -> None: ...
    def done(self) -> None: ...
    def advance(self, n: int = 1, detail: str = "") -> None:
        self.told.append((n, detail))


def registry(settings: SandboxSettings) -> PluginRegistry:
    return PluginRegistry([DATA, builtin_folder()], distributions=False, sandbox=settings)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def confined(ledger: Ledger) -> PluginRegistry:
    return registry(SandboxSettings(ledger=ledger))


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model.load(mlp(tmp_path / "m.onnx"))


def spec(name: str, how: str | None = None, on_error: stages.OnError = "stop") -> TransformSpec:
    params = {} if how is None else {"how": how}
    return TransformSpec(name, params, "graph_cleanup", on_error)


def misbehave(how: str) -> TransformSpec:
    return spec("Misbehave", how, "skip")


def test_steps_of_one_plugin_that_follow_each_other_are_one_call(
    confined: PluginRegistry, model: Model, ledger: Ledger
) -> None:
    specs = [
        spec("OnModel"), spec("OnProto"), spec(QONNX), spec(QONNX), spec("RemoveUnused"),
        spec("OnWrapper"), misbehave("not at all"),
    ]  # fmt: skip
    steps = stages.plan(specs, confined, "ecp5")
    before, watcher = len(ledger.records), Watcher()
    stages.run(model, steps, watcher)
    assert [(call.plugin, call.call) for call in ledger.records[before:]] == [
        ("everything", "transforms OnModel, OnProto"),
        ("qonnx", f"transforms {QONNX}, {QONNX}"),
        ("everything, qonnx", "checking the model that its transforms returned"),
        ("everything", "transform OnWrapper"),
        ("everything", "transform Misbehave"),
        ("everything", "checking the model that its transforms returned"),
    ]
    assert watcher.told == [
        (2, "OnModel, OnProto"), (2, f"{QONNX}, {QONNX}"), (1, "RemoveUnused"), (1, "OnWrapper"),
        (1, "Misbehave"),
    ]  # fmt: skip


@pytest.mark.parametrize("settings", [TRUSTED, SandboxSettings(ledger=Ledger())])
def test_the_model_is_kept_as_the_last_transform_redefined_it(
    settings: SandboxSettings, model: Model
) -> None:
    specs = [spec("OnModel"), spec("Redefine"), spec("OnProto")]
    steps = stages.plan(specs, registry(settings), "ecp5")
    staged = stages.run(model, steps, Watcher())
    assert staged.redefinition is not None and staged.redefinition.step is steps[1]
    assert staged.redefinition.model.ir.doc_string == "redefined"
    assert staged.model.ir.doc_string == "ModelProto", "what follows changes another copy"


FAILURES = {
    "return nothing": "the transform returned nothing",
    "raise an error": "IndexError",
    "drop an output": "made 0 outputs",
    "leave": "SystemExit",
    "crash": "crashed",
    "read a secret": "/etc/passwd",
    "forge the model": "returned no model",
    "make a cycle": "cycle",
}


@pytest.mark.parametrize("how", FAILURES)
def test_what_may_be_left_out_is_whatever_happens(
    confined: PluginRegistry, model: Model, ledger: Ledger, how: str
) -> None:
    specs = [spec("OnProto"), misbehave(how), spec("OnWrapper")]
    staged = stages.run(model.copy(), stages.plan(specs, confined, "ecp5"), Watcher())
    without = stages.plan([specs[0], specs[2]], confined, "ecp5")
    wanted = stages.run(model.copy(), without, Watcher()).model
    assert staged.model.to_proto() == wanted.to_proto()
    (skipped,) = staged.skipped
    assert skipped.transform == "Misbehave" and FAILURES[how] in skipped.reason
    assert ledger.skipped == (skipped,) and skipped.plugin == "everything"


def test_in_this_process_it_leaves_the_model_as_it_was(model: Model) -> None:
    trusted = registry(TRUSTED)
    before = model.to_proto()
    for how in ("drop an output", "raise an error", "make a cycle", "return a list"):
        steps = stages.plan([misbehave(how)], trusted, "ecp5")
        staged = stages.run(model.copy(), steps, Watcher())
        assert staged.model.to_proto() == before and len(staged.skipped) == 1


def test_what_may_not_be_left_out_stops(confined: PluginRegistry, model: Model) -> None:
    steps = stages.plan([spec("Misbehave", "read a secret")], confined, "ecp5")
    with pytest.raises(PluginSecurityError, match="passwd"):
        stages.run(model, steps, Watcher())


def test_a_plugin_that_may_not_run_at_all_is_not_left_out(model: Model, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/brainsmith.yaml").write_text(
        "name: greedy\nversion: '1'\npermissions: {memory: 64 GiB}\ntransforms:\n"
        "  - {name: T, module: t, class: T, stage: graph_cleanup}\n"
    )
    greedy = PluginRegistry([tmp_path / "p"], distributions=False)
    with pytest.raises(PluginSecurityError, match="64 GiB"):
        stages.plan([TransformSpec("T", on_error="skip")], greedy, "ecp5")


def test_what_was_left_out_is_told_in_the_result(confined: PluginRegistry, tmp_path: Path) -> None:
    kernels = [KernelSpec("MatMul"), KernelSpec("Thresholding")]
    strategy = CompilationStrategy("s", kernels, [misbehave("crash")])
    options = CompileOptions(
        target="ecp5-25k", synthesize=False, verify=False, output=tmp_path / "build"
    )
    result = Compiler(confined).compile(mlp(tmp_path / "m.onnx"), strategy, options)
    (warning,) = [d for d in result.diagnostics if d.where == "Misbehave"]
    assert warning.severity == "warning" and "left out, since it failed" in warning.message
    assert result.report.sandbox is not None
    (calls,) = [p for p in result.report.sandbox.plugins if p.plugin == "everything"]
    assert calls.skipped and calls.skipped[0].startswith("Misbehave: ")


def test_a_strategy_s_file_says_what_may_be_left_out(
    confined: PluginRegistry, tmp_path: Path
) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        "name: s\ntransforms:\n  - {name: OnModel, on_error: skip}\n  - {name: OnProto}\n"
    )
    found = load_strategy(file, confined).transforms
    assert [one.on_error for one in found] == ["skip", "stop"]
    file.write_text("name: s\ntransforms:\n  - {name: OnModel, on_error: ignore}\n")
    with pytest.raises(ConfigurationError, match="skip"):
        load_strategy(file, confined)
    with pytest.raises(ConfigurationError, match="did you mean 'skip'"):
        TransformSpec("OnModel", on_error="skipp")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("qonnx.no_such:Thing", "No module named"),
        ("qonnx.transformation.general:Thing", "has no class 'Thing'"),
        ("qonnx.util.basic:get_by_name", "is no class"),
        ("qonnx.core.modelwrapper:ModelWrapper", "no decorator"),
    ],
)
def test_a_name_that_is_no_transformation_of_qonnx(
    confined: PluginRegistry, name: str, wrong: str
) -> None:
    for where in (confined, registry(TRUSTED)):
        with pytest.raises(ConfigurationError, match=wrong) as caught:
            stages.plan([TransformSpec(name, stage="graph_cleanup")], where, "ecp5")
        assert name in str(caught.value)


def test_a_transform_that_shapes_an_output_anew_is_an_error(model: Model) -> None:
    trusted = registry(TRUSTED)
    steps = stages.plan([spec("Misbehave", "reshape an output")], trusted, "ecp5")
    with pytest.raises(PluginError, match=r"\(7, 7\), it was \(1, 6\)"):
        stages.run(model, steps, Watcher())
