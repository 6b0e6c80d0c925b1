"""`PluginSandbox`, as a program that uses Brainsmith as a library has it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from brainsmith.errors import PluginError, PluginSecurityError, SandboxViolation
from brainsmith.model.model import Model
from brainsmith.sandbox import Level, PluginSandbox

MODULE = """\
import time

class Rename:
    name = "Rename"

    def __init__(self, to="renamed"):
        self.to = to

    def apply(self, model, config):
        model.graph.name = config.get("name", self.to)
        return model

class Curious(Rename):
    def apply(self, model, config):
        open("/etc/passwd")
        return model

class Slow(Rename):
    def apply(self, model, config):
        time.sleep(9)
        return model

class Empty(Rename):
    def apply(self, model, config):
        return None

def add(a, b):
    return a + b

def read(path):
    return open(path).read()

def take(size):
    return len(bytearray(size))
"""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[object]:
    """A module of the program, which knows nothing of sandboxes."""
    (tmp_path / "library_of_program.py").write_text(MODULE)
    sys.path.insert(0, str(tmp_path))
    import library_of_program

    yield library_of_program
    sys.path.remove(str(tmp_path))
    del sys.modules["library_of_program"]


@pytest.fixture
def model() -> Model:
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "given", [x], [y])
    proto: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    return Model.from_proto(proto)


def test_a_transform_runs_with_its_attributes_and_leaves_the_model_alone(
    library, model: Model
) -> None:
    after = PluginSandbox().execute_transform(library.Rename("by attribute"), model, {})
    assert after.graph.name == "by attribute"
    after = PluginSandbox().execute_transform(library.Rename(), model, {"name": "by config"})
    assert after.graph.name == "by config"
    assert model.graph.name == "given"


def test_a_violation_is_a_security_error_with_its_cause(library, model: Model) -> None:
    with pytest.raises(PluginSecurityError, match="violated its sandbox") as caught:
        PluginSandbox().execute_transform(library.Curious(), model, {})
    cause = caught.value.__cause__
    assert isinstance(cause, SandboxViolation)
    assert (cause.rule, cause.path) == ("files", "/etc/passwd")


def test_its_time_limit_holds(library, model: Model) -> None:
    with pytest.raises(PluginSecurityError, match=r"limit of 0\.5 s"):
        PluginSandbox(time_limit=0.5).execute_transform(library.Slow(), model, {})


def test_a_transform_without_a_model_is_an_error(library, model: Model) -> None:
    with pytest.raises(PluginError, match="returned NoneType"):
        PluginSandbox().execute_transform(library.Empty(), model, {})


def test_a_sandbox_is_set_up_step_by_step(library, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    data = tmp_path / "elsewhere" / "data.txt"
    data.write_text("granted")
    with PluginSandbox(level=Level.L3).create_sandbox() as sandbox:
        assert sandbox.run(library.add, 2, 3) == 5
        sandbox.set_memory_limit(64 << 20)
        with pytest.raises(PluginSecurityError, match="64 MiB of memory"):
            sandbox.run(library.take, 1 << 30)
        sandbox.set_time_limit(5)
        other = Path("/usr/share/doc")
        with pytest.raises(PluginSecurityError, match="is refused"):
            sandbox.run(library.read, str(other))
        sandbox.restrict_filesystem(read_only_paths=[data])
        assert sandbox.run(library.read, str(data)) == "granted"


def test_what_a_worker_cannot_import_is_an_error() -> None:
    def local() -> None: ...

    with (
        PluginSandbox().create_sandbox() as sandbox,
        pytest.raises(PluginError, match="at the top of a module"),
    ):
        sandbox.run(local)
