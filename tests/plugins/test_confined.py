"""Components in workers are used as those in this process are, and do no harm."""

from __future__ import annotations

import os
import random
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainsmith.api import (
    ConfigurationError,
    IntType,
    KernelConfig,
    Match,
    NoMatch,
    Resources,
    RTLOp,
    TransformConfig,
)
from brainsmith.errors import PluginError, PluginSecurityError, PluginValidationError
from brainsmith.model.model import Model
from brainsmith.plugins import Component, PluginRegistry
from brainsmith.plugins.code import Use
from brainsmith.plugins.places import builtin_folder
from brainsmith.plugins.sandboxing import SandboxSettings
from brainsmith.sandbox.record import Ledger
from tests.compiler.integer_models import Builder, mlp
from tests.plugins.folders import TRUSTED

DATA = Path(__file__).parent / "data"


def registry(sandbox: SandboxSettings) -> PluginRegistry:
    return PluginRegistry(
        [DATA / "everything", builtin_folder()], distributions=False, sandbox=sandbox
    )


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def confined(ledger: Ledger) -> PluginRegistry:
    return registry(SandboxSettings(ledger=ledger))


@pytest.fixture
def here() -> PluginRegistry:
    return registry(TRUSTED)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model.load(mlp(tmp_path / "m.onnx"))


KINDS = {
    "operations": ["twice"],
    "kernels": ["everything:Twice"],
    "transforms": ["OnModel", "OnWrapper", "OnProto", "OfQonnx"],
    "targets": ["tiny"],
}


def config_of(component: Component, **folding: int) -> KernelConfig:
    nest = component.info.nest
    dtypes = {"x": IntType(4), "y": IntType(5)}
    ranges = {"x": (0, 15), "y": (0, 30)}
    return KernelConfig("n", nest, {"N": 2, "C": 12}, dtypes, ranges, folding=folding)


@pytest.mark.parametrize("kind", KINDS)
def test_a_component_is_described_as_it_is(
    kind: str, confined: PluginRegistry, here: PluginRegistry
) -> None:
    for name in KINDS[kind]:
        found, own = confined.get(kind, name), here.get(kind, name)
        assert found.description == own.description
        assert found.folder == own.folder == DATA / "everything"


def test_nothing_of_it_is_imported_here(tmp_path: Path, model: Model) -> None:
    folder = shutil.copytree(DATA / "everything", tmp_path / "everything")
    component = PluginRegistry([folder], distributions=False).get("transforms", "OnModel")
    component.code.apply(model, [use(component, {"prefix": "m"})])
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    assert not [file for file in files if str(file).startswith(str(folder))]
    with pytest.raises(PluginError, match="not run in this process"):
        _ = component.cls


def test_an_instance_has_the_methods_of_the_class(confined: PluginRegistry) -> None:
    kernel = confined.get("kernels", "everything:Twice").instance
    assert not hasattr(kernel, "latency") and not hasattr(kernel, "calls")
    with pytest.raises(AttributeError, match="everything:Twice' has no method 'latency'"):
        _ = kernel.latency


def test_methods_answer_as_they_do_here(confined: PluginRegistry, here: PluginRegistry) -> None:
    answers = []
    for where in (confined, here):
        operation, kernel = (
            where.get("operations", "twice"),
            where.get("kernels", "everything:Twice"),
        )
        config = config_of(operation, PE=4)
        x = np.arange(24).reshape(1, 2, 12)
        result = kernel.instance.rtl(config)
        assert isinstance(result, RTLOp) and (result.parameters["WHO"] == os.getpid()) == (
            where is here
        )
        answers.append((
            operation.instance.reference(config, {"x": x.copy()})["y"].tolist(),
            operation.instance.extremes(config)["x"].tolist(),
            operation.instance.facts(config),
            operation.instance.infer(None, {"x": (1, 2)}),
            replace(result, parameters={"PE": result.parameters["PE"]}),
        ))  # fmt: skip
    assert answers[0] == answers[1]


def test_what_a_caller_gives_is_not_changed(confined: PluginRegistry) -> None:
    operation = confined.get("operations", "twice")
    x = np.ones((1, 2, 12), np.int64)
    operation.instance.reference(config_of(operation), {"x": x})
    assert (x == 1).all()


class TestCosts:
    def test_one_call_asks_all_models_of_all_nodes(
        self, confined: PluginRegistry, ledger: Ledger
    ) -> None:
        operation, kernel = confined.get("operations", "twice"), confined.get("kernels", "Twice")
        batches = [[config_of(operation, PE=pe) for pe in (1, 2, 4)] for _ in range(5)]
        _ = kernel.description
        before = len(ledger.records)
        kernel.code.prepare(batches)
        for batch in batches:
            assert kernel.instance.interval(batch) == [24, 12, 6]
            assert kernel.instance.resources(batch)[2] == Resources(LUT=4.0)
        (call,) = ledger.records[before:]
        assert call.call == "kernel Twice: interval, resources" and call.plugin == "everything"

    def test_what_one_configuration_cannot_have_is_its_own_error(
        self, confined: PluginRegistry
    ) -> None:
        operation, kernel = confined.get("operations", "twice"), confined.get("kernels", "Twice")
        configs = [config_of(operation, PE=pe) for pe in (1, 3, 4)]
        with pytest.raises(ConfigurationError, match="not three") as caught:
            kernel.instance.interval(configs)
        assert caught.value.hint == "two or four"
        assert kernel.instance.interval([configs[0], configs[2]]) == [24, 6]
        assert [r.LUT for r in kernel.instance.resources(configs)] == [1, 3, 4]


class TestMatching:
    def test_all_nodes_of_a_model_are_matched_in_one_call(
        self, confined: PluginRegistry, here: PluginRegistry, ledger: Ledger, model: Model
    ) -> None:
        _ = confined.get("operations", "twice").description
        before = len(ledger.records)
        matcher, own = (r.get("operations", "twice").code.matcher(model) for r in (confined, here))
        for node in model.graph:
            found, wanted = matcher(node), own(node)
            assert type(found) is type(wanted)
            if isinstance(found, Match) and isinstance(wanted, Match):
                assert found.dims == wanted.dims and found.ports == wanted.ports
                assert np.array_equal(found.statics["w"], wanted.statics["w"])
                assert found.attributes["who"] != wanted.attributes["who"] == os.getpid()
            else:
                assert isinstance(found, NoMatch) and found == wanted
        assert len(ledger.records) == before + 1

    def test_an_error_is_that_of_its_node(self, confined: PluginRegistry, tmp_path: Path) -> None:
        builder = Builder([1, 4], "INT4")
        builder.add("Relu", ["x"], "r", [1, 4], "INT4")
        path = builder.save(tmp_path / "r.onnx", builder.matmul("r", "y", np.eye(4)))
        model = Model.load(path)
        matcher = confined.get("operations", "twice").code.matcher(model)
        relu, matmul = model.graph
        assert isinstance(matcher(matmul), Match)
        with pytest.raises(PluginError, match="ValueError: a Relu is too much for it") as caught:
            matcher(relu)
        assert caught.value.where == "plugin everything, operation twice: match"


def use(component: Component, params: dict[str, Any] | None = None) -> Use:
    return Use(component, TransformConfig(params or {}), component.name)


class TestTransforms:
    def test_a_chain_gives_what_it_gives_here(
        self, confined: PluginRegistry, here: PluginRegistry, model: Model, ledger: Ledger
    ) -> None:
        found = []
        for where in (confined, here):
            names = KINDS["transforms"]
            components = [where.get("transforms", name) for name in names]
            params = {"OnModel": {"prefix": "n"}, "OfQonnx": {"text": "some"}}
            uses = [use(one, params.get(one.name)) for one in components]
            state = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]
            found.append(components[0].code.apply(model.copy(), uses))
            assert state == (random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index]
        one, other = found
        assert one.to_proto().SerializeToString() == other.to_proto().SerializeToString()
        assert one.notes == other.notes and len(one.notes) == 1
        props = one.graph.metadata_props
        assert props == {"wrapped": "ModelWrapper", "text": "some"}
        assert one.ir.doc_string == "ModelProto"
        assert [call.call for call in ledger.records][-1].startswith("transforms OnModel, On")

    @pytest.mark.parametrize(
        ("how", "wrong"),
        [
            ("return a list", "returned list"),
            ("return nothing", "returned nothing"),
            ("drop an output", "made 0 outputs of the model's 1"),
            ("add an input", "made 2 inputs of the model's 1"),
            ("reshape an output", r"it was \(1, "),
            ("make a cycle", "the transform's result: the graph has a cycle"),
            ("hold nan", "cannot be used: .*NaN"),
            ("raise an error", "IndexError: list"),
            ("raise one of brainsmith", "it will not"),
            ("leave", "SystemExit"),
            ("vanish", "crashed"),
            ("crash", "crashed"),
            ("forge the model", "returned no model"),
            ("refer to a file", "cannot be used: .*passwd.*no folder"),
        ],
    )
    def test_what_none_may_do_is_told_by_plugin_and_call(
        self, confined: PluginRegistry, model: Model, how: str, wrong: str
    ) -> None:
        component = confined.get("transforms", "Misbehave")
        before = model.to_proto()
        with pytest.raises(PluginError, match=wrong) as caught:
            component.code.apply(model, [use(component, {"how": how})])
        assert str(caught.value.where).startswith("plugin everything, transform Misbehave")
        assert not isinstance(caught.value, PluginSecurityError)
        assert model.to_proto() == before

    @pytest.mark.parametrize(
        ("how", "wrong"),
        [("read a secret", "/etc/passwd"), ("forge bytes", "no answer"), ("hang", "limit of 0.5")],
    )
    def test_what_its_sandbox_forbids_is_a_security_error(
        self, ledger: Ledger, model: Model, how: str, wrong: str
    ) -> None:
        from brainsmith.plugins.grants import Grant, Grants

        grants = Grants(plugins={"everything": Grant(cpu_time=0.5, wall_time=20.0)})
        settings = SandboxSettings(grants=grants, ledger=ledger)
        component = registry(settings).get("transforms", "Misbehave")
        with pytest.raises(PluginSecurityError, match=wrong) as caught:
            component.code.apply(model, [use(component, {"how": how})])
        assert "plugin everything, transform Misbehave" in str(caught.value.where)

    def test_in_a_chain_the_one_that_fails_is_named(
        self, confined: PluginRegistry, model: Model
    ) -> None:
        names = ["OnProto", "Misbehave", "OnWrapper"]
        components = [confined.get("transforms", name) for name in names]
        uses = [
            use(c, {"how": "raise an error"} if c.name == "Misbehave" else {}) for c in components
        ]
        with pytest.raises(PluginError, match="IndexError") as caught:
            components[0].code.apply(model, uses)
        assert str(caught.value.where).endswith(
            "transforms OnProto, Misbehave, OnWrapper: Misbehave"
        )


FORGED = {
    "another kind": "inside.described = lambda *a: Told({'info': 3})",
    "no data at all": "inside.described = lambda *a: Told(None)",
    "methods that are none": (
        "old = inside.described\n"
        "inside.described = lambda *a: Told({**old(*a).as_data(), 'methods': frozenset([1])})"
    ),
    "a form that is none": (
        "old = inside.described\n"
        "inside.described = lambda *a: Told({**old(*a).as_data(), 'form': 'Anything'})"
    ),
}  # fmt: skip


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_description_that_cannot_be_is_refused(tmp_path: Path, forged: str) -> None:
    (tmp_path / "brainsmith.yaml").write_text(
        "name: forger\nversion: '1'\ntransforms:\n"
        "  - {name: F, module: forger, class: F, stage: graph_cleanup}\n"
    )
    (tmp_path / "forger.py").write_text(
        "from brainsmith.api import transform\n"
        "from brainsmith.plugins import inside\n"
        "class Told:\n"
        "    def __init__(self, data): self.data = data\n"
        "    def as_data(self): return self.data\n"
        f"{forged}\n"
        "@transform(name='F', stage='graph_cleanup')\n"
        "class F:\n    def apply(self, model, config): return model\n"
    )
    found = PluginRegistry([tmp_path], distributions=False).get("transforms", "F")
    with pytest.raises(PluginError, match="as none can be"):
        _ = found.info


def test_a_class_from_outside_the_plugin_has_no_sources(tmp_path: Path) -> None:
    (tmp_path / "brainsmith.yaml").write_text(
        "name: thin\nversion: '1'\ntransforms:\n"
        "  - {name: Names, module: qonnx.transformation.general, class: GiveUniqueNodeNames,\n"
        "     stage: graph_cleanup}\n"
    )
    found = PluginRegistry([tmp_path], distributions=False).get("transforms", "Names")
    assert found.info.name == "Names"
    with pytest.raises(PluginError, match="outside the plugin"):
        _ = found.folder


def test_a_plugin_that_asks_for_more_does_not_run(tmp_path: Path) -> None:
    (tmp_path / "brainsmith.yaml").write_text(
        "name: greedy\nversion: '1'\nkernels:\n  - {name: K, module: k, class: K}\n"
        "permissions: {memory: 64 GiB}\n"
    )
    (tmp_path / "k.py").write_text("raise SystemExit('it ran')\n")
    found = PluginRegistry([tmp_path], distributions=False).get("kernels", "K")
    with pytest.raises(PluginSecurityError, match="64 GiB"):
        _ = found.info


def test_a_module_that_crashes_at_its_import_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "brainsmith.yaml").write_text(
        "name: crash\nversion: '1'\nkernels:\n  - {name: K, module: k, class: K}\n"
    )
    (tmp_path / "k.py").write_text("import os\nos.abort()\n")
    found = PluginRegistry([tmp_path], distributions=False).get("kernels", "K")
    with pytest.raises(PluginError, match="crashed") as caught:
        _ = found.info
    assert not isinstance(caught.value, PluginValidationError)
    assert "plugin crash, kernel K" in str(caught.value.where)
