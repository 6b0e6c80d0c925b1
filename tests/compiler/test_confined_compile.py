"""Plugins in workers, in whole compiles: what goes wrong, and packages that do not fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.compiler import (
    CompilationResult,
    CompilationStrategy,
    CompileOptions,
    Compiler,
    TransformSpec,
)
from brainsmith.errors import PluginError, PluginSecurityError
from brainsmith.plugins import PluginRegistry
from brainsmith.plugins.packing import write_archive
from brainsmith.plugins.places import builtin_folder
from brainsmith.plugins.store import Store
from tests.compiler.integer_models import mlp
from tests.plugins.wheels import wheel

HEAD = """\
from brainsmith.api import transform
import os, time

@transform(name="{name}", stage="graph_cleanup")
class {name}:
    def apply(self, model, config):
"""
BAD = {
    "Dies": ("os._exit(3)", PluginError, "exit status 3"),
    "Crashes": ("import ctypes; ctypes.string_at(0)", PluginError, "SIGSEGV"),
    "Hangs": ("time.sleep(99)", PluginSecurityError, "limit of 1 s"),
    "Spins": ("\n        while True: pass", PluginSecurityError, "limit of 1 s"),
    "Floods": (
        "\n        while True: os.write(1, bytes(1 << 16))", PluginSecurityError, "64 MiB"
    ),
    "Lies": ("os.pwrite(4, b'lies' * 99, 0); os.write(3, b'.'); time.sleep(9)",
             PluginSecurityError, "no answer"),
    "Nothing": ("return None", PluginError, "returned nothing"),
    "Other": ("return 42", PluginError, "returned int"),
    "Reads": ("open('/etc/passwd')", PluginSecurityError, "openat(/etc/passwd)"),
    "Raises": ("raise KeyError('why')", PluginError, "KeyError"),
    "Ends": ("model.graph.outputs.clear(); return model", PluginError, "0 outputs"),
    "Begins": ("import onnx_ir as ir; model.graph.inputs[0].shape = ir.Shape([1, 3]); return model",
               PluginError, "it was (1, "),
}  # fmt: skip


def write(folder: Path, name: str, body: str) -> None:
    folder.mkdir(parents=True)
    (folder / "brainsmith.yaml").write_text(
        f"name: {name.lower()}\nversion: 1.0.0\n"
        f"transforms:\n  - {{name: {name}, module: bad, class: {name}}}\n"
        "permissions: {wall_time: 1.0, cpu_time: 1.0}\n"
    )
    (folder / "bad.py").write_text(f"{HEAD.format(name=name)}        {body}\n")


def compiled(tmp_path: Path, spec: TransformSpec) -> CompilationResult:
    registry = PluginRegistry([tmp_path / "plugins", builtin_folder()], distributions=False)
    path = mlp(tmp_path / "mlp.onnx", (8, 4))
    options = CompileOptions(synthesize=False, place=False, verify=False, output=tmp_path / "build")
    strategy = CompilationStrategy("tried", transforms=[spec], extends=None)
    return Compiler(registry).compile(path, strategy, options)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_transform_stops_the_compile_and_is_named(tmp_path: Path, name: str) -> None:
    body, kind, says = BAD[name]
    write(tmp_path / "plugins" / "bad", name, body)
    with pytest.raises(kind) as caught:
        compiled(tmp_path, TransformSpec(name))
    assert says in caught.value.what
    assert f"plugin {name.lower()}, transform {name}" in (caught.value.where or "")
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize("name", ["Dies", "Hangs", "Lies", "Nothing", "Reads", "Ends"])
def test_with_skip_the_compile_goes_on_without_it_and_says_so(tmp_path: Path, name: str) -> None:
    body, _, says = BAD[name]
    write(tmp_path / "plugins" / "bad", name, body)
    result = compiled(tmp_path, TransformSpec(name, on_error="skip"))
    assert result.design.partitions
    assert result.report.sandbox is not None
    (of_plugin,) = result.report.sandbox.plugins
    assert of_plugin.plugin == name.lower()
    (skipped,) = of_plugin.skipped
    assert name in skipped
    assert says in skipped


def test_a_plugin_that_asks_for_more_than_was_granted_does_not_run(tmp_path: Path) -> None:
    folder = tmp_path / "plugins" / "greedy"
    write(folder, "Greedy", "raise SystemExit('it ran')")
    manifest = folder / "brainsmith.yaml"
    manifest.write_text(manifest.read_text().replace("wall_time: 1.0", "memory: 64 GiB"))
    with pytest.raises(PluginSecurityError, match="memory") as caught:
        compiled(tmp_path, TransformSpec("Greedy"))
    assert "--grant greedy:memory=" in (caught.value.hint or "")


VERSION = """\
from brainsmith.api import transform
import conflicting

@transform(name="{name}", stage="graph_cleanup")
class {name}:
    def apply(self, model, config):
        print("conflicting is", conflicting.version)
        return model
"""


def install(tmp_path: Path, name: str, version: str) -> None:
    """Installs a plugin that needs one version of a package, with that package."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "brainsmith.yaml").write_text(
        f"name: {name.lower()}\nversion: 1.0.0\nlicense: MIT\n"
        f"transforms:\n  - {{name: {name}, module: needs, class: {name}}}\n"
        f"dependencies: [conflicting=={version}]\n"
    )
    (folder / "needs.py").write_text(VERSION.format(name=name))
    archive = tmp_path / f"{name.lower()}-1.0.0.bspkg"
    write_archive(folder, archive)
    Store().install(archive, with_dependencies=True)


@pytest.mark.slow
def test_two_plugins_with_two_versions_of_one_package_work_in_one_compile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for variable, value in (
        ("HOME", tmp_path / "home"),
        ("XDG_DATA_HOME", tmp_path / "data"),
        ("PIP_FIND_LINKS", wheels),
        ("UV_FIND_LINKS", wheels),
        ("PIP_NO_INDEX", "1"),
        ("UV_NO_INDEX", "1"),
    ):
        monkeypatch.setenv(variable, str(value))
    specs = []
    for name, version in (("First", "1.4.0"), ("Second", "2.0.0")):
        wheel(wheels, "conflicting", version)
        install(tmp_path, name, version)
        specs.append(TransformSpec(name))
    path = mlp(tmp_path / "mlp.onnx", (8, 4))
    output = tmp_path / "build"
    strategy = CompilationStrategy("both", transforms=specs, extends=None)
    options = CompileOptions(synthesize=False, place=False, verify=False, output=output)
    result = Compiler(PluginRegistry(distributions=False)).compile(path, strategy, options)
    assert result.design.partitions
    log = (output / "build.log").read_text()
    assert "conflicting is 1.4.0" in log
    assert "conflicting is 2.0.0" in log
