"""A transform gives the same model, to the byte, whether it runs in this process or in a worker."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import qonnx
import qonnx.transformation
from qonnx.transformation.base import Transformation

from brainsmith.api.config import TransformConfig
from brainsmith.compiler import stages
from brainsmith.compiler.strategy import load_strategy
from brainsmith.errors import BrainsmithError
from brainsmith.model.model import Model
from brainsmith.plugins import Component, PluginRegistry
from brainsmith.plugins.code import Use
from brainsmith.plugins.grants import Grant, Grants
from brainsmith.plugins.library import library_transform
from brainsmith.plugins.sandboxing import SandboxSettings
from brainsmith.sandbox.bundle import pack, unpack
from brainsmith.sandbox.levels import Level

# They write each partition to a file, which nothing that is confined may.
WRITING = ("PartitionFromDict", "PartitionFromLambda")
# Where it changes nothing it says that it must run again: it never ends on most models.
ENDLESS = ("PropagateMasks",)
MODELS = sorted(Path(qonnx.__file__).parent.rglob("*.onnx"))
CONFINED = SandboxSettings(confine_builtins=("transforms",))
TRUSTED = SandboxSettings(required=Level.L0)


def plain_classes() -> Iterator[type]:
    """Every transformation of the qonnx package that is made without an argument."""
    for module in pkgutil.walk_packages(qonnx.transformation.__path__, "qonnx.transformation."):
        found = importlib.import_module(module.name)
        for cls in vars(found).values():
            if (
                isinstance(cls, type)
                and issubclass(cls, Transformation)
                and cls.__module__ == module.name
                and not inspect.isabstract(cls)
                and not any(
                    parameter.default is parameter.empty
                    and parameter.kind
                    in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
                    for parameter in inspect.signature(cls).parameters.values()
                )
            ):
                yield cls


CLASSES = sorted(plain_classes(), key=lambda cls: f"{cls.__module__}:{cls.__qualname__}")


def applied(component: Component, path: Path) -> tuple[str, object]:
    """What a transform makes of a model: its bytes, or what it says against it.

    Constants are written in one way, for which there are two in a file.
    """
    use = Use(component, TransformConfig({}), component.name)
    try:
        after = component.code.apply(Model.load(path), [use])
    except BrainsmithError as error:
        return "refused", error.what
    return "model", bytes_of(after)


def bytes_of(model: Model) -> bytes:
    return unpack(pack(model)).to_proto().SerializeToString(deterministic=True)


def test_there_are_models_and_classes() -> None:
    assert len(MODELS) >= 8
    assert len(CLASSES) >= 40


def both(cls: type, limits: Grant | None = None) -> tuple[Component, Component]:
    """A transformation in a worker, and in this process."""
    name = f"{cls.__module__}:{cls.__qualname__}"
    grants = Grants({"qonnx": limits}) if limits else Grants()
    inside = library_transform(name, replace(CONFINED, grants=grants))
    outside = library_transform(name, TRUSTED)
    assert inside.plugin.is_confined("transforms")
    assert not outside.plugin.is_confined("transforms")
    return inside, outside


def named(*names: str) -> list[type]:
    return [cls for cls in CLASSES if cls.__qualname__ in names]


@pytest.mark.slow
@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__qualname__)
def test_qonnx_transformations(cls: type) -> None:
    if cls.__qualname__ in (*WRITING, *ENDLESS):
        pytest.skip("has a test of its own")
    inside, outside = both(cls)
    for path in MODELS:
        assert applied(inside, path) == applied(outside, path), path


@pytest.mark.parametrize("cls", named(*WRITING), ids=lambda cls: cls.__qualname__)
def test_qonnx_transformations_that_write_files_are_refused(cls: type) -> None:
    inside, _ = both(cls)
    verdict, what = applied(inside, MODELS[0])
    assert verdict == "refused"
    assert "openat(" in str(what)


@pytest.mark.slow
@pytest.mark.parametrize("cls", named(*ENDLESS), ids=lambda cls: cls.__qualname__)
def test_qonnx_transformations_that_never_end_are_ended(cls: type) -> None:
    inside, outside = both(cls, Grant(wall_time=2.0))
    ended = 0
    for path in MODELS:
        verdict, what = applied(inside, path)
        if "limit of 2 s" in str(what):
            ended += 1
        else:
            assert (verdict, what) == applied(outside, path), path
    assert 0 < ended < len(MODELS)


@pytest.mark.slow
@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_built_in_transforms(path: Path) -> None:
    plain, confined = PluginRegistry(), PluginRegistry().confined(CONFINED)
    specs = load_strategy("balanced", plain).resolved(plain).transforms
    results = []
    for registry in (plain, confined):
        model = Model.load(path)
        for step in stages.plan(specs, registry, "ecp5"):
            model = step.component.code.apply(model, [step.use])
            results.append((step.name, bytes_of(model)))
    half = len(results) // 2
    assert half
    assert results[:half] == results[half:]
