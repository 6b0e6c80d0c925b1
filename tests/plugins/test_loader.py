"""Loading: what is needed, modules under private names, classes that keep their contract."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from brainsmith.errors import PluginError, PluginValidationError
from brainsmith.plugins import Component, Plugin, PluginLoader
from brainsmith.plugins.sandboxing import SandboxSettings
from tests.plugins.folders import TRUSTED, Registry, write_plugin

pytestmark = pytest.mark.usefixtures("home")


def component(folder: Path, sandbox: SandboxSettings = TRUSTED) -> Component:
    (found,) = PluginLoader(sandbox).load_plugin(folder).components
    return found


CONFINED = SandboxSettings()
EVERYWHERE = pytest.mark.parametrize("sandbox", [TRUSTED, CONFINED], ids=["here", "in a worker"])


ENTRY = "{name: K, module: mod, class: K}"


def plugin_of(folder: Path, code: str, entry: str = ENTRY, kind: str = "kernels") -> Path:
    """A plugin with one component, in the module `mod`; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "brainsmith.yaml").write_text(f"name: p\nversion: '1'\n{kind}:\n  - {entry}\n")
    (folder / "mod.py").write_text(textwrap.dedent(code))
    return folder


KERNEL = """
from brainsmith.api import RTLOp, backend, kernel

@kernel(name="K", operation_type="matmul")
class K:
    @backend("rtl")
    def rtl(self, config):
        return RTLOp("k", [])
"""


class TestPrivateNames:
    def test_packages_of_one_name_do_not_collide(self, tmp_path: Path) -> None:
        values = {}
        for name in ("one", "two"):
            package = tmp_path / name / "src/same"
            package.mkdir(parents=True)
            (tmp_path / name / "brainsmith.yaml").write_text(
                f"name: {name}\nversion: '1'\nkernels:\n"
                "  - {name: K, module: same.kernel, class: K}\n"
            )
            (package / "__init__.py").write_text("")
            (package / "helpers.py").write_text(f"WHO = '{name}'\n")
            (package / "deep").mkdir()
            (package / "deep/more.py").write_text("from same.helpers import WHO as DEEP\n")
            (package / "kernel.py").write_text(
                "from same.helpers import WHO as ABSOLUTE\n"
                "from .helpers import WHO as RELATIVE\n"
                "from . import helpers as sibling\n"
                "from same import helpers\n"
                "import same.helpers\n"
                "import same.deep.more as more\n" + KERNEL + "\n"
                "    def told(self):\n"
                "        from same.helpers import WHO as late\n"
                "        return {ABSOLUTE, RELATIVE, late, helpers.WHO, same.helpers.WHO,\n"
                "                sibling.WHO, more.DEEP}\n"
            )
            values[name] = component(tmp_path / name).instance.told()
        assert values == {"one": {"one"}, "two": {"two"}}
        assert "same" not in sys.modules

    def test_what_others_import_is_not_changed(self, tmp_path: Path) -> None:
        folder = plugin_of(tmp_path / "p", "import json, os.path\n" + KERNEL + "    j = json\n")
        (folder / "colorsys.py").write_text("MINE = True\n")
        before = list(sys.path)
        import json

        assert component(folder).cls.j is json
        import colorsys

        assert not hasattr(colorsys, "MINE") and sys.path == before

    def test_a_plugin_s_own_module_comes_before_an_installed_one(self, tmp_path: Path) -> None:
        folder = plugin_of(tmp_path / "p", "import colorsys\n" + KERNEL + "    c = colorsys\n")
        (folder / "colorsys.py").write_text("MINE = True\n")
        assert component(folder).cls.c.MINE

    def test_circular_imports_work_as_in_python(self, tmp_path: Path) -> None:
        folder = plugin_of(tmp_path / "p", "import other\nVALUE = 3\n" + KERNEL + "    o = other\n")
        (folder / "other.py").write_text("import mod\ndef value():\n    return mod.VALUE\n")
        assert component(folder).cls.o.value() == 3

    def test_a_module_is_imported_once(self, tmp_path: Path) -> None:
        folder = plugin_of(tmp_path / "p", KERNEL)
        assert component(folder).cls is component(folder).cls

    def test_nothing_is_written_into_the_plugin_s_folder(self, tmp_path: Path) -> None:
        folder = plugin_of(tmp_path / "p", KERNEL)
        _ = component(folder).cls
        assert sorted(path.name for path in folder.iterdir()) == ["brainsmith.yaml", "mod.py"]

    def test_compiled_files_that_a_plugin_brings_are_not_run(self, tmp_path: Path) -> None:
        import py_compile

        folder = plugin_of(tmp_path / "p", "raise RuntimeError('from the compiled file')\n")
        source = folder / "mod.py"
        py_compile.compile(
            str(source), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )
        source.write_text(KERNEL)
        assert component(folder).cls.__name__ == "K"

    def test_a_class_knows_its_file_and_its_folder(self, tmp_path: Path) -> None:
        folder = plugin_of(tmp_path / "p", KERNEL)
        assert component(folder).folder == folder


@EVERYWHERE
def test_a_module_behind_a_link_that_leaves_the_plugin_is_refused(
    tmp_path: Path, sandbox: SandboxSettings
) -> None:
    folder = plugin_of(tmp_path / "p", KERNEL)
    (folder / "mod.py").rename(tmp_path / "elsewhere.py")
    (folder / "mod.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(PluginValidationError, match="a link that leaves the plugin"):
        _ = component(folder, sandbox).info
    (folder / "mod.py").unlink()
    (tmp_path / "elsewhere.py").rename(folder / "real.py")
    (folder / "mod.py").symlink_to("real.py")
    assert component(folder, sandbox).info.name == "K"


CONTRACTS = {
    "no decorator": ("class K:\n    pass\n", "has no decorator"),
    "another kind": (
        "from brainsmith.api import transform\n"
        "@transform(name='K', stage='graph_cleanup')\n"
        "class K:\n    def apply(self, model, config): return model\n",
        "makes it another kind",
    ),
    "another name": (KERNEL.replace('name="K"', 'name="L"'), "calls it 'K', its decorator 'L'"),
    "no such class": (KERNEL.replace("class K", "class KK"), "has no class 'K'"),
    "no class": ("K = 3\n", "is no class but int"),
    "no backend": (KERNEL.replace('    @backend("rtl")\n', ""), "needs a method marked @backend"),
    "a backend without config": (
        KERNEL.replace("(self, config)", "(self)"), "method 'rtl' is called",
    ),
    "a method that is none": (KERNEL + "    interval = 3\n", "'interval' is no method"),
    "a method of two arguments": (
        KERNEL + "    def interval(self, one, two): ...\n", "'interval' is called with 1 argument",
    ),
    "an unknown argument": (KERNEL.replace("operation_type", "operation_tipe"), "operation_tipe"),
    "an import that fails": ("import no_such_module_anywhere\n", "No module named"),
    "code that leaves": ("raise SystemExit(0)\n", "SystemExit: 0"),
    "code that fails": ("raise RuntimeError('at import')\n", "RuntimeError: at import"),
    "no Python": ("class K\n", "SyntaxError"),
}  # fmt: skip


@EVERYWHERE
@pytest.mark.parametrize(("code", "wrong"), CONTRACTS.values(), ids=CONTRACTS)
def test_a_class_that_breaks_its_contract_says_which_part(
    tmp_path: Path, code: str, wrong: str, sandbox: SandboxSettings
) -> None:
    found = component(plugin_of(tmp_path / "p", code), sandbox)
    with pytest.raises(PluginValidationError, match=wrong) as caught:
        _ = found.info
    assert "p:K" in str(caught.value.where)
    assert "_brainsmith_plugins" not in str(caught.value)
    assert caught.value.exit_code == PluginError.exit_code


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ("{name: K, module: mod, class: K, operation: conv}", "'operation' is conv"),
        ("{name: K, module: mod, class: K, backends: [hls]}", "'backends' is"),
        ("{name: K, module: gone, class: K}", "No module named 'gone'"),
    ],
)
@EVERYWHERE
def test_a_manifest_that_says_something_else_than_the_class_is_an_error(
    tmp_path: Path, entry: str, wrong: str, sandbox: SandboxSettings
) -> None:
    with pytest.raises(PluginValidationError, match=wrong):
        _ = component(plugin_of(tmp_path / "p", KERNEL, entry), sandbox).info


def test_a_missing_class_names_the_nearest(tmp_path: Path) -> None:
    folder = plugin_of(tmp_path / "p", KERNEL, "{name: K, module: mod, class: Kk}")
    with pytest.raises(PluginValidationError, match="did you mean 'K'"):
        _ = component(folder).cls


def test_a_transform_s_apply_takes_the_model_and_the_configuration(tmp_path: Path) -> None:
    code = (
        "from brainsmith.api import transform\n"
        "@transform(name='K', stage='graph_cleanup')\n"
        "class K:\n    def apply(self, model): return model\n"
    )
    folder = plugin_of(tmp_path / "p", code, kind="transforms")
    with pytest.raises(PluginValidationError, match="'apply' is called with 2 arguments"):
        _ = component(folder).cls


def test_what_a_component_alone_needs_is_checked_before_its_import(tmp_path: Path) -> None:
    entry = "{name: K, module: mod, class: K, requires: [no-such-package>=3]}"
    found = component(plugin_of(tmp_path / "p", "raise SystemExit('imported')", entry))
    with pytest.raises(PluginError, match="no-such-package"):
        _ = found.cls


@EVERYWHERE
def test_what_only_the_decorator_says_is_needed_is_checked_too(
    tmp_path: Path, sandbox: SandboxSettings
) -> None:
    code = KERNEL.replace(
        "@kernel(", "from brainsmith.api import requires\n@requires('numpy>=99')\n@kernel("
    )
    with pytest.raises(PluginError, match="numpy"):
        _ = component(plugin_of(tmp_path / "p", code), sandbox).info


@pytest.mark.parametrize(
    ("line", "wrong"),
    [("brainsmith: '>=2.0'", None), ("python: '<3'", "python"), ("finn: '>=0.9'", None)],
)
def test_compatibility_is_enforced(tmp_path: Path, line: str, wrong: str | None) -> None:
    folder = write_plugin(tmp_path / "p", "p", more=f"compatibility: {{{line}}}\n")
    if wrong is None:
        assert isinstance(PluginLoader().load_plugin(folder), Plugin)
        return
    with pytest.raises(PluginError, match=wrong):
        PluginLoader().load_plugin(folder)


def test_a_dependency_may_be_a_plugin_that_is_there(tmp_path: Path, registry: Registry) -> None:
    more = "dependencies: [brainsmith-plugin-other>=1]\n"
    write_plugin(tmp_path / "plugins/p", "p", more=more)
    with pytest.raises(PluginError, match="brainsmith-plugin-other"):
        _ = registry().get("kernels", "p:Mine").info
    write_plugin(tmp_path / "plugins/other", "other", kernel="Other")
    assert registry().get("kernels", "p:Mine").info.name == "Mine"


def test_qonnx_transformations_need_no_decorator(tmp_path: Path) -> None:
    entry = (
        "{name: Names, module: qonnx.transformation.general, "
        "class: GiveUniqueNodeNames, stage: graph_cleanup}"
    )
    found = component(plugin_of(tmp_path / "p", "", entry, "transforms"))
    assert found.info.name == "Names" and found.info.stage == "graph_cleanup"
    assert found.cls.__name__ == "GiveUniqueNodeNames"


def test_two_components_of_one_name_are_refused(tmp_path: Path) -> None:
    entry = f"{ENTRY}\n  - {ENTRY}"
    with pytest.raises(PluginError, match="'K'"):
        PluginLoader().load_plugin(plugin_of(tmp_path / "p", KERNEL, entry))
